"""What the listening benchmark plays: composed clips, singers and none, sounds, and controls.

Nothing depends on what was drawn before, so that clip 312 is the same however many are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from llark_py.audio import Audio
from llark_py.compose.clip import make_clip
from llark_py.compose.instruments import FAMILIES, family_of
from llark_py.compose.score import compose
from llark_py.compose.sounds import SOUNDS
from llark_py.compose.styles import STYLES
from llark_py.track import Track

FIRST_SEED = 900_000_000
"""Evaluation clips are composed from seeds far from those of training and of the watched set."""
INSTRUMENTS = ("own", "free", "mixed")
CONDITIONS = ("audio", "noise", "silence", "other clip")
TEXT_ONLY = "text only"
"""A further condition: the question alone, without any sound."""
VOICE = "voice"
# Seeds of one clip lie so far apart: as many pieces are looked through for one with a family.
_SEEDS_EACH = 24
_VOICES_SEED, _SOUNDS_SEED = FIRST_SEED + 20_000_000, FIRST_SEED + 30_000_000
NOISE_LEVEL = 0.1
"""Standard deviation of the noise that stands in for a recording."""


@dataclass(frozen=True)
class Clip:
    """A clip and what is true of it."""

    track: Track
    audio: Audio


def compose_clips(
    n: int, soundfont: str, seconds: float, instruments: str = "own", skip: int = 0
) -> list[Clip]:
    """Compose `n` clips of music that nobody has heard, every style and family in its turn.

    Args:
        n: How many.
        soundfont: What they are played with.
        seconds: Length of each.
        instruments: `own`: styles take turns, each with its own instruments; `free`: instruments
            are drawn whatever the style, so that it gives no hint of them (and is not asked for),
            and families take turns to be among them; `mixed`: one of each.
        skip: Leave out so many first: clips that no choice was made on.
    """
    return [_compose(i, soundfont, seconds, instruments) for i in range(skip, skip + n)]


def _compose(index: int, soundfont: str, seconds: float, instruments: str) -> Clip:
    free = instruments == "free" or (instruments == "mixed" and index % 2 == 1)
    turn = index // 2 if instruments == "mixed" else index
    first = FIRST_SEED + index * _SEEDS_EACH
    if not free:
        style = STYLES[turn % len(STYLES)]
        return Clip(
            *make_clip(first, seconds, soundfont=soundfont, style=style, free_instruments=False)
        )
    family = FAMILIES[turn % len(FAMILIES)]
    if family == VOICE:
        return Clip(
            *make_clip(first, seconds, soundfont=soundfont, free_instruments=True, sung=True)
        )
    seed = _seed_with(family, first, seconds)
    return Clip(*make_clip(seed, seconds, soundfont=soundfont, free_instruments=True))


def _seed_with(family: str, first: int, seconds: float) -> int:
    """Find a piece in which a family plays; the first one where none of them has it."""
    for seed in range(first, first + _SEEDS_EACH):
        score = compose(seed, seconds, free_instruments=True)
        if any(family_of(part.instrument) == family for part in score.parts):
            return seed
    return first


def compose_voices(n: int, soundfont: str, seconds: float, skip: int = 0) -> list[Clip]:
    """Compose pieces in pairs: one that a singer sings, one that nobody does, of the same seed."""
    return [
        Clip(*make_clip(_VOICES_SEED + i // 2, seconds, soundfont=soundfont, sung=i % 2 == 0))
        for i in range(skip, skip + n)
    ]


def make_sounds(n_each: int, seconds: float, skip: int = 0) -> list[Clip]:
    """Make `n_each` clips of every sound that is not music."""
    return [
        Clip(*make_clip(_SOUNDS_SEED + i, seconds, sound=kind))
        for kind in SOUNDS
        for i in range(skip, skip + n_each)
    ]


def sound_of(clips: Sequence[Clip], index: int, condition: str) -> Audio | None:
    """The sound that a question about a clip is asked with under a condition; None without any."""
    audio = clips[index].audio
    if condition == TEXT_ONLY:
        return None
    if condition == "noise":
        noise = np.random.default_rng(index).normal(0, NOISE_LEVEL, audio.n_samples)
        return Audio(noise.astype(np.float32), audio.sample_rate)
    if condition == "silence":
        return Audio(np.zeros(audio.n_samples, np.float32), audio.sample_rate)
    return clips[other_than(index, len(clips))].audio if condition == "other clip" else audio


def other_than(index: int, n: int) -> int:
    """The clip that stands in for a clip: half of the set away, since neighbours may be alike."""
    return (index + max(1, n // 2)) % n


def is_sung(track: Track) -> bool:
    """Tell whether somebody sings words in a composed track."""
    return bool(track.words) or VOICE in track.families
