"""Gives every part another timbre: the same notes on a relative of the instrument.

Who learns instruments from a handful of soundfonts learns their sheen. What makes an instrument
(how its sound begins and lasts, where its harmonics are) mostly survives another body, softer or
harder strokes, a chorus or an amplifier; the sheen of a soundfont does not.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import fft
from scipy.ndimage import uniform_filter1d

from llark_py.audio import Audio

from .effects import modulation
from .instruments import SINGER
from .render import SAMPLE_RATE, render_stems
from .room import rms
from .score import Score
from .soundfonts import DEFAULT

_P_BODY, _P_STROKES, _P_MOVED, _P_DRIVEN = 0.9, 0.5, 0.2, 0.2
_BODY_DB, _SUNG_BODY_DB = (3.0, 10.0), (0.0, 4.0)
"""Spread of the gains over frequency, least and most; vowels are more easily spoilt."""
_LOWEST_HZ = 60.0
_FAST_S, _SLOW_S = 0.01, 0.15
_MOST = 4.0  # times louder or softer that the beginning of a sound becomes


def render_recoloured(
    score: Score, soundfont: str | Path = DEFAULT, *, sample_rate: int = SAMPLE_RATE
) -> Audio:
    """Play a score like `render`, each instrument with a timbre drawn from the score's seed.

    Args:
        score: The piece.
        soundfont: As for `render`.
        sample_rate: Rate of the result in Hz.

    Returns:
        Mono audio of exactly the score's duration; every part is as loud as with `render`.

    Raises:
        As for `render`.
    """
    total = np.zeros(round(score.duration_s * sample_rate), np.float32)
    for number, (name, stem) in enumerate(
        render_stems(score, soundfont, sample_rate=sample_rate).items()
    ):
        rng = np.random.default_rng((score.seed, number))
        total += recolour(stem.samples, rng, sample_rate, sung=name == SINGER.name)
    return Audio(total, sample_rate)


def recolour(
    samples: np.ndarray, rng: np.random.Generator, rate: int, *, sung: bool = False
) -> np.ndarray:
    """Change the timbre of one part: its body, how its notes begin, movement, an amplifier.

    Args:
        samples: Mono float32 (n_samples,).
        rng: Source of the choices.
        rate: Sample rate in Hz.
        sung: It is a voice, which only gets another body, and a milder one.

    Returns:
        Float32 (n_samples,), as loud as before (RMS), at the same times and pitches.
    """
    level = rms(samples)
    if level < 1e-7:
        return samples
    if rng.random() < _P_BODY:
        samples = _another_body(samples, rng, rate, _SUNG_BODY_DB if sung else _BODY_DB)
    if not sung and rng.random() < _P_STROKES:
        samples = _other_strokes(samples, rng.uniform(-0.8, 0.6), rate)
    if not sung and rng.random() < _P_MOVED:
        moved = modulation(
            speed_hz=rng.uniform(0.4, 6.5),
            depth_s=rng.uniform(0.0005, 0.002),
            mix=rng.uniform(0.1, 0.5),
            tremolo=rng.uniform(0.0, 0.4),
            phase=rng.random(),
            rate=rate,
        )
        samples = moved(samples)
    if not sung and rng.random() < _P_DRIVEN:
        drive = np.float32(rng.uniform(0.1, 0.6) / rms(samples))
        samples = np.tanh(samples * drive)
    return np.asarray(samples * np.float32(level / max(rms(samples), 1e-9)), np.float32)


def _another_body(
    samples: np.ndarray, rng: np.random.Generator, rate: int, spread_db: tuple[float, float]
) -> np.ndarray:
    """Draw gains over frequency, from a gentle tilt to narrow resonances."""
    n_knots = int(rng.integers(4, 16))
    size = fft.next_fast_len(len(samples) + rate // 10, real=True)
    hz = fft.rfftfreq(size, 1 / rate)
    knots = np.linspace(np.log2(_LOWEST_HZ), np.log2(rate / 2), n_knots)
    gains_db = rng.normal(0.0, rng.uniform(*spread_db), n_knots)
    curve_db = np.interp(np.log2(np.maximum(hz, _LOWEST_HZ)), knots, np.clip(gains_db, -24, 18))
    spectrum = fft.rfft(samples, size) * np.asarray(10 ** (curve_db / 20), np.float32)
    return np.asarray(fft.irfft(spectrum, size)[: len(samples)], np.float32)


def _other_strokes(samples: np.ndarray, strength: float, rate: int) -> np.ndarray:
    """Make sounds begin harder (a positive strength) or softer."""
    loud = np.abs(samples)
    fast = uniform_filter1d(loud, max(1, round(_FAST_S * rate)))
    slow = uniform_filter1d(loud, max(1, round(_SLOW_S * rate)))
    faintest = 1e-3 * float(slow.max()) + 1e-9
    change = ((fast + faintest) / (slow + faintest)) ** strength
    return np.asarray(samples * np.clip(change, 1 / _MOST, _MOST), np.float32)
