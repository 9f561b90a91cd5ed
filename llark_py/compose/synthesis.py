"""Our own synthesizer: plays a score with timbres that are drawn anew for every part.

A soundfont has one piano; here a piano is a range of strings, hammers and dampers, and the seed of
the score draws one of it. What learns from such clips must learn what pianos have in common.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from . import instruments
from .effects import Effect
from .held import Held
from .keyed import draw_organ, draw_synth, draw_synth_bass
from .kit import Kit
from .orchestra import draw_bowed, draw_brass, draw_choir, draw_woodwind
from .score import Part, Score
from .struck import Struck, draw_bass, draw_guitar, draw_mallet, draw_piano, draw_plucked

LEVEL_DB = -33.0
"""Loudest quarter second of a note at velocity 85 and full volume, in dB RMS."""
_PROBE_S = 0.8
# Several pitches, because players who are not in tune beat and bodies have peaks.
_PROBE_INTERVALS = (-2, 0, 3)
_PROBE_VELOCITY = 85
_WINDOW_S = 0.25
# Notes whose length and velocity fall into the same cell are played once.
_LENGTH_CELL_S = 0.03
_VELOCITY_CELL = 16
_PLUCKED = ("harp", "pizzicato strings")


class Timbre(Protocol):
    """What plays the notes of a part, and what is done to their sum."""

    @property
    def effect(self) -> Effect:
        """What is done to the sum of the notes."""
        ...

    def play(self, pitch: float, length_s: float, loudness: float) -> np.ndarray:
        """Play a note: MIDI pitch, seconds held, loudness 0..1 -> float32 (n,)."""
        ...


_FAMILIES: dict[str, Callable[[str, np.random.Generator, int], Struck | Held]] = {
    "piano": draw_piano,
    "guitar": draw_guitar,
    "bass": draw_bass,
    "strings": draw_bowed,
    "brass": draw_brass,
    "woodwind": draw_woodwind,
    "organ": draw_organ,
    "synth": draw_synth,
    "choir": draw_choir,
    "mallet": draw_mallet,
}


def draw_timbre(instrument: str, rng: np.random.Generator, sample_rate: int) -> Timbre:
    """Draw one of the many sounds an instrument can have.

    Args:
        instrument: A name of `instruments.INSTRUMENTS`.
        rng: Source of the choices; it goes on being used while notes are played.
        sample_rate: In Hz.

    Raises:
        UnknownNameError: No instrument has that name.
    """
    instrument = instruments.voice(instrument).like or instrument
    if instrument == "drums":
        return Kit(sample_rate, rng)
    if instrument == "synth bass":
        return draw_synth_bass(rng, sample_rate)
    if instrument in _PLUCKED:
        return draw_plucked(instrument, rng, sample_rate)
    return _FAMILIES[instruments.family_of(instrument)](instrument, rng, sample_rate)


def synthesise(score: Score, sample_rate: int) -> np.ndarray:
    """Play a score with timbres drawn from its seed.

    Args:
        score: The piece; panning is ignored.
        sample_rate: In Hz.

    Returns:
        Mono float32 of exactly the score's duration, about as loud as a soundfont plays it.
    """
    total = np.zeros(round(score.duration_s * sample_rate), np.float32)
    for index, part in enumerate(score.parts):
        rng = np.random.default_rng([score.seed, index])
        timbre = draw_timbre(part.instrument, rng, sample_rate)
        total += _play_part(part, timbre, score.detune_semitones, len(total), sample_rate)
    return total


def _play_part(
    part: Part, timbre: Timbre, detune_semitones: float, n: int, sample_rate: int
) -> np.ndarray:
    """Play the notes of a part, each different one once, and bring it to its volume."""
    drums = part.instrument == "drums"
    out = np.zeros(n, np.float32)
    played: dict[tuple[int, int, int], np.ndarray] = {}
    for note in part.notes:
        start = round(note.start_s * sample_rate)
        if start >= n:
            continue
        if drums:
            sound = timbre.play(note.pitch, 0.0, note.velocity / 127)
        else:
            length = max(1, round((note.end_s - note.start_s) / _LENGTH_CELL_S))
            cell = min(note.velocity // _VELOCITY_CELL * _VELOCITY_CELL + _VELOCITY_CELL // 2, 127)
            key = (note.pitch, length, cell)
            if key not in played:
                pitch = note.pitch + detune_semitones
                played[key] = timbre.play(pitch, length * _LENGTH_CELL_S, cell / 127)
            sound = played[key] * np.float32(note.velocity / cell)
        end = min(start + len(sound), n)
        out[start:end] += sound[: end - start]
    volume = (part.volume / 127) ** 3  # MIDI volume is a cube law
    return timbre.effect(out) * np.float32(volume * _level(part, timbre, sample_rate))


def _level(part: Part, timbre: Timbre, sample_rate: int) -> float:
    """Find the gain that makes a note of a part as loud as every other instrument's."""
    if part.instrument == "drums":
        return 10 ** (LEVEL_DB / 20)
    pitch = float(np.median([note.pitch for note in part.notes]))
    span = round((_PROBE_S + _WINDOW_S) * sample_rate)
    probe = np.zeros((len(_PROBE_INTERVALS), span), np.float32)
    for row, interval in zip(probe, _PROBE_INTERVALS, strict=True):
        sound = timbre.play(pitch + interval, _PROBE_S, _PROBE_VELOCITY / 127)[:span]
        row[: len(sound)] = sound
    heard = timbre.effect(probe.reshape(-1)).reshape(probe.shape)
    power = np.cumsum(np.square(heard, dtype=np.float64), axis=1)
    window = round(_WINDOW_S * sample_rate)
    loudest = np.max(power[:, window:] - power[:, :-window], axis=1) / window
    return float(10 ** (LEVEL_DB / 20) / np.sqrt(np.mean(loudest) + 1e-12))
