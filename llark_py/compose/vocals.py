"""The singer's part in a piece: its melody, its words, and how it sounds in the mix."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from llark_py.track import Word

from .instruments import SINGER
from .lyrics import set_words
from .score_parts import Part
from .singer import RANGES, SungNote, draw_singer, sing

if TYPE_CHECKING:
    from .score import Score

_LEVEL_DB = -28.0
"""A singer stands before the band: instruments play at -33 dB RMS."""
_SUNG_RMS = 0.1  # of `sing`


def with_words(parts: tuple[Part, ...], rng: random.Random) -> tuple[Part, ...]:
    """Choose who sings the singers' parts, and set words to them.

    It is a voice with that range; where nobody has it (a song that rises at its end), one that
    lacks least.
    """

    def worded(part: Part) -> Part:
        low, high = min(n.pitch for n in part.notes), max(n.pitch for n in part.notes)
        beyond = {k: max(0, r.low - low) + max(0, high - r.high) for k, r in RANGES.items()}
        # A modulation can take a melody a note beyond every voice.
        kinds = [k for k, notes in beyond.items() if notes == min(beyond.values())]
        spans_s = [(n.start_s, n.end_s) for n in part.notes]
        return replace(part, singer=rng.choice(kinds), words=set_words(spans_s, rng))

    return tuple(worded(p) if p.instrument == SINGER.name else p for p in parts)


def sung_words(part: Part) -> tuple[Word, ...]:
    """List the words of a part with their times; a word lasts over all notes of its syllables."""
    words: list[Word] = []
    for note, sung in zip(part.notes, part.words, strict=False):
        if sung.word:
            words.append(Word(note.start_s, note.end_s, sung.word))
        elif words:
            words[-1] = words[-1]._replace(end_s=note.end_s)
    return tuple(words)


def render_singers(score: Score, sample_rate: int) -> np.ndarray:
    """Sing the singers' parts of a score.

    Args:
        score: The piece; its seed draws the voices.
        sample_rate: In Hz.

    Returns:
        Mono float32 of exactly the score's duration.
    """
    total = np.zeros(round(score.duration_s * sample_rate), np.float32)
    for index, part in enumerate(p for p in score.parts if p.instrument == SINGER.name):
        rng = np.random.default_rng([score.seed, 7919, index])
        singer = draw_singer(rng, part.singer or None)
        notes = [
            SungNote(n.start_s, n.end_s, n.pitch + score.detune_semitones, n.velocity, sung)
            for n, sung in zip(part.notes, part.words, strict=True)
        ]
        gain = 10 ** (_LEVEL_DB / 20) / _SUNG_RMS * (part.volume / 127) ** 3
        sound = sing(notes, singer, score.duration_s, rng, sample_rate)
        total += np.float32(gain) * sound[: len(total)]
    return total
