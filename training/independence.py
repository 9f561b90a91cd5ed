"""Which programs of a soundfont sound like those of the held-out one: correlation of single notes.

    python -m llark_py.training.independence generaluser

prints the programs (128 stands for the drums) of which most notes correlate above 0.85 with the
same notes of the held-out soundfont. Sounds of a single partial (xylophone, harp) do so whatever
they are made of: those of OPL-3, which is frequency modulation, reach 0.95.
"""

from __future__ import annotations

import sys
from functools import lru_cache

import numpy as np

from llark_py.compose.drums import PIECES
from llark_py.compose.instruments import VOICES
from llark_py.compose.render import render
from llark_py.compose.score import Score
from llark_py.compose.score_parts import Part, ScoreNote
from llark_py.compose.soundfonts import DEFAULT, DRUMS, check_soundfont, soundfont_path
from llark_py.errors import ConfigError

ALIKE = 0.85
"""Correlation above which two notes count as one recording."""
_SECONDS = 1.0
_WINDOW_S, _LAG_S = 0.5, 0.06
# Soundfonts tune the same recording differently by some cents.
_CENTS = (-8, -4, 0, 4, 8)
_RATE = 16_000


@lru_cache(maxsize=4096)
def note(soundfont: str, program: int, pitch: int, cents: float = 0.0) -> np.ndarray:
    """Play one note (a stroke when the program is `DRUMS`): float32 (n_samples,) at 16 kHz."""
    instrument = "drums" if program == DRUMS else "piano"
    part = Part(
        instrument, "melody", 0 if program == DRUMS else program, 110, 64,
        (ScoreNote(0.0, 0.9, pitch, 85),),
    )  # fmt: skip
    score = Score(
        seed=0,
        duration_s=_SECONDS,
        style="ambient",
        genre=None,
        tempo_bpm=60.0,
        time_signature="4/4",
        tonic=0,
        mode="major",
        chords=(),
        beats_s=(0.0,),
        downbeats_s=(0.0,),
        parts=(part,),
        lead=None,
        detune_semitones=cents / 100,
    )
    return render(score, soundfont, sample_rate=_RATE).samples


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Correlate the beginnings of two notes at the lag that fits best, in [0, 1]."""
    lag, window = round(_LAG_S * _RATE), round(_WINDOW_S * _RATE)
    segment, other = first[lag : lag + window], second[: window + 2 * lag]
    size = 1 << (len(other) + len(segment)).bit_length()
    products = np.fft.irfft(np.fft.rfft(other, size) * np.conj(np.fft.rfft(segment, size)), size)
    products = products[: len(other) - window + 1]
    energy = np.concatenate([[0.0], np.cumsum(np.square(other, dtype=np.float64))])
    norms = np.sqrt((energy[window:] - energy[:-window]) * np.sum(np.square(segment)))
    if norms.max() < 1e-9:
        return 0.0
    return float(np.max(np.abs(products) / np.maximum(norms, 0.01 * norms.max())))


def likeness(soundfont: str, program: int, held_out: str = DEFAULT) -> float:
    """Return the median correlation of notes of a program in two soundfonts; 0 where one lacks it.

    Of the drums it is the highest over the pieces, each of which is a recording of its own.

    Args:
        soundfont: A name of `soundfonts.SOUNDFONTS` or a path.
        program: General MIDI program from 0, or `DRUMS`.
        held_out: The soundfont that must not be heard in training.
    """
    try:
        if program == DRUMS:
            return max(
                correlation(note(held_out, DRUMS, key), note(soundfont, DRUMS, key))
                for key in PIECES
            )
        best = [
            max(
                correlation(note(held_out, program, pitch), note(soundfont, program, pitch, cents))
                for cents in _CENTS
            )
            for pitch in _pitches(program)
        ]
        return float(np.median(best))
    except ConfigError:  # one of them has no such program
        return 0.0


def _pitches(program: int) -> tuple[int, ...]:
    """Pitches over the range that the composer writes a program in."""
    voice = next(v for v in VOICES.values() if program in v.programs)
    return tuple(voice.low + (voice.high - voice.low) * i // 8 for i in range(1, 8))


def _programs() -> list[int]:
    """The programs the composer writes for."""
    return sorted({p for v in VOICES.values() for p in v.programs})


def shared_programs(soundfont: str, held_out: str = DEFAULT) -> dict[int, float]:
    """List the programs of a soundfont that sound like the held-out one's, with correlations."""
    check_soundfont(soundfont)
    soundfont_path(held_out)
    found = {p: likeness(soundfont, p, held_out) for p in (*_programs(), DRUMS)}
    return {program: value for program, value in found.items() if value > ALIKE}


if __name__ == "__main__":
    for name in sys.argv[1:] or ["generaluser"]:
        shared = shared_programs(name)
        listed = ", ".join(f"{program} ({value:.3f})" for program, value in shared.items())
        print(f"{name}: {len(shared)} programs above {ALIKE}: {listed or 'none'}")
