"""Two recordings side by side: tempo, key, instruments, loudness, and how alike they sound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from llark_py.audio import Audio
from llark_py.errors import ToolError
from llark_py.theory import KeyRelation, key_relation

from .harmony import Harmony, measure_harmony
from .likeness import likeness
from .listening import classes_heard, hear
from .loudness import measure_loudness
from .rhythm import Rhythm, measure_rhythm

if TYPE_CHECKING:
    from llark_py.encoders.mini_songs import Hearing

MOST_PERCENT = 6.0
"""So far a song is sped up or slowed down without sounding wrong; the reach of many turntables."""
_OCTAVES = (0.5, 1.0, 2.0)
_SECOND_LOUDSPEAKER_LU = 10 * math.log10(2)


@dataclass(frozen=True)
class Song:
    """What is compared of one recording; a mono one is as loud as from two loudspeakers."""

    rhythm: Rhythm
    harmony: Harmony
    families: tuple[str, ...]
    loudness_lufs: float


@dataclass(frozen=True)
class Comparison:
    """Two recordings side by side.

    Attributes:
        first, second: What was measured of each.
        tempo_ratio: Tempo of the second over that of the first.
        beat_match_percent: By how much the second has to be sped up (below 0: slowed down) for its
            beats, or every other one, to fall together with those of the first.
        key_relation: As in `theory.key_relation`.
        loudness_difference_lu: By how much the second is louder.
        similarity: As in `measure_similarity`.
    """

    first: Song
    second: Song
    tempo_ratio: float
    beat_match_percent: float
    key_relation: KeyRelation
    loudness_difference_lu: float
    similarity: float

    @property
    def beats_match(self) -> bool:
        """Whether the beats can be brought together within 6 %."""
        return abs(self.beat_match_percent) <= MOST_PERCENT


def compare(first: Audio, second: Audio) -> Comparison:
    """Compare two recordings.

    Args:
        first: Any rate, mono or stereo, at least 3 s.
        second: The same.

    Raises:
        ToolError: One of them is silent, too short, or not music; says which.
    """
    one, other = _measure(first, "first"), _measure(second, "second")
    return Comparison(
        first=one,
        second=other,
        tempo_ratio=other.rhythm.tempo_bpm / one.rhythm.tempo_bpm,
        beat_match_percent=match_beats(one.rhythm.tempo_bpm, other.rhythm.tempo_bpm),
        key_relation=key_relation(one.harmony.key, other.harmony.key),
        loudness_difference_lu=other.loudness_lufs - one.loudness_lufs,
        similarity=measure_similarity(first, second),
    )


def _measure(audio: Audio, which: str) -> Song:
    mono = _SECOND_LOUDSPEAKER_LU if audio.n_channels == 1 else 0.0
    try:
        return Song(
            rhythm=measure_rhythm(audio),
            harmony=measure_harmony(audio),
            families=classes_heard(audio, "families"),
            loudness_lufs=measure_loudness(audio).integrated_lufs + mono,
        )
    except ToolError as error:
        raise ToolError(f"the {which} of the two cannot be compared: {error}") from error


def match_beats(first_bpm: float, second_bpm: float) -> float:
    """Say by how many percent the second tempo must change to be the first, its double or half."""
    changes = (100.0 * (first_bpm * octave / second_bpm - 1.0) for octave in _OCTAVES)
    return min(changes, key=abs)


def measure_similarity(first: Audio, second: Audio) -> float:
    """Measure how alike two recordings sound to the encoder.

    The cosine of their mean frame tokens, through a logistic curve. Its two constants were read
    off 14 composed songs of all styles, an excerpt of 20 s from the beginning and one from the
    middle of each (`python tests/likeness.py`, to be run again after every new encoder): the
    cosines of excerpts of one song were above 0.93 in nine cases of ten, those of excerpts of
    different songs below 0.40. The curve is 0.9 and 0.1 there.

    Returns:
        In [0, 1]: near 1 for another excerpt of the same song, near 0 for unrelated songs, between
        them for songs that share style and instruments. It says nothing of melodies or covers.
    """
    return float(likeness(embedding_cosine(first, second)))


def embedding_cosine(first: Audio, second: Audio) -> float:
    """Give the cosine of the mean frame tokens of two recordings, in [-1, 1]."""
    one, other = mean_token(hear(first)), mean_token(hear(second))
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


def mean_token(hearing: Hearing) -> np.ndarray:
    """Average the frame tokens of a recording: `(width,)`, whose cosines say how alike it sounds.

    Args:
        hearing: Of the encoder.
    """
    from llark_py.encoders.mini_network import N_GLOBAL
    from llark_py.encoders.mini_songs import to_numpy

    return to_numpy(hearing.heard.tokens[0, N_GLOBAL:]).mean(0)
