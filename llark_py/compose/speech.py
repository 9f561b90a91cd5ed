"""Talk: the singer's voice without a melody, so that a model can learn the difference."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np

from .lyrics import draw_line
from .media import line
from .singer import SungNote, draw_singer, sing

_SYLLABLES_A_SECOND = (3.2, 6.5)
_PAUSE_S = (0.25, 1.1)
_FALL_SEMITONES = (2.0, 7.0)
_SETTINGS = ("alone", "turns", "babble", "telephone")
_P_SETTINGS = (0.5, 0.2, 0.15, 0.15)
_MOST_VOICES = 4


def conversation(duration_s: float, rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """Make people talk: one, two in turn, several at once, or one on the telephone.

    Args:
        duration_s: Length in seconds.
        rng: Source of the choices.
        sample_rate: In Hz.

    Returns:
        Mono float32 (n_samples,).
    """
    setting = rng.choice(_SETTINGS, p=_P_SETTINGS)
    sound = talk(duration_s, rng, sample_rate)
    if setting == "telephone":
        return np.asarray(line(sound, rng, sample_rate), np.float32)
    if setting == "babble":
        for _ in range(rng.integers(2, _MOST_VOICES)):
            sound = sound + talk(duration_s, rng, sample_rate) * np.float32(rng.uniform(0.3, 1.0))
    if setting == "turns":
        other = talk(duration_s, rng, sample_rate)
        turns_s = np.cumsum(rng.uniform(0.8, 4.0, int(duration_s) + 2))
        turn = np.searchsorted(turns_s, np.arange(len(sound)) / sample_rate)
        sound = np.where(turn % 2 == 0, sound, other)
    return np.asarray(sound, np.float32)


def talk(duration_s: float, rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """Make somebody talk: words in phrases whose pitch falls, with accents and pauses.

    Args:
        duration_s: Length in seconds.
        rng: Source of the choices.
        sample_rate: In Hz.

    Returns:
        Mono float32 (n_samples,).
    """
    words = random.Random(int(rng.integers(2**32)))
    singer = replace(
        draw_singer(rng),
        vibrato=0.0,
        scoop=0.0,
        unsteady=float(rng.uniform(0.1, 0.4)),
        glide_s=float(rng.uniform(0.06, 0.12)),
        diction=float(rng.uniform(0.55, 0.85)),
    )
    # People speak in the lowest third of the range they sing in.
    low, high, _ = singer.range
    pitch = low + float(rng.uniform(0.0, (high - low) / 3))
    lively = float(rng.uniform(1.0, 4.0))
    pace = float(rng.uniform(*_SYLLABLES_A_SECOND))
    notes: list[SungNote] = []
    at = float(rng.uniform(0.0, 0.6))
    while at < duration_s:
        phrase = [s for _ in range(words.randint(1, 3)) for s in draw_line(words)]
        fall = float(rng.uniform(*_FALL_SEMITONES))
        for i, sung in enumerate(phrase):
            length = max(0.07, float(rng.gamma(9.0, 1 / 9.0)) / pace)
            last = i == len(phrase) - 1
            length *= 1.5 if last else 1.0
            accent = float(rng.normal(0, lively)) + (lively if sung.word else 0.0)
            height = pitch + fall * (0.5 - i / len(phrase)) + accent - (2.0 if last else 0.0)
            velocity = int(np.clip(rng.normal(88, 10), 40, 120))
            notes.append(SungNote(at, at + length, height, velocity, sung))
            at += length
            if at >= duration_s:
                break
        at += float(rng.uniform(*_PAUSE_S))
    return sing(notes, singer, duration_s, rng, sample_rate)
