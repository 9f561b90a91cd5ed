"""What sounds are made of: ringing modes, scanned wave tables, coloured noise, resonant bodies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import fft

STEP = 32
"""Envelopes and vibrato are computed at every 32nd sample and drawn out to all of them."""
HIGHEST = 0.47
"""Partials above this share of the sample rate are left out, so that nothing folds back."""
_TABLE = 2048
_RAMP = (np.arange(STEP) / STEP).astype(np.float32)
_BODY_OCTAVES = np.linspace(np.log2(30.0), np.log2(20000.0), 120)


class Body:
    """What stands between a string or reed and the ear: a gain over frequency.

    Args:
        rng: Source of the ripples.
        ripple_db: Standard deviation of the ripples.
        peaks: Resonances or formants as (Hz, width in octaves, gain in dB).
        tilt_db: Slope in dB per octave, zero at 500 Hz.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        ripple_db: float,
        peaks: Sequence[tuple[float, float, float]] = (),
        tilt_db: float = 0.0,
    ):
        coarse = rng.normal(0.0, ripple_db, 30)
        x = _BODY_OCTAVES
        db = np.interp(x, np.linspace(x[0], x[-1], len(coarse)), coarse)
        db += tilt_db * (x - np.log2(500.0))
        for hz, width, gain_db in peaks:
            db += gain_db * np.exp(-0.5 * ((x - np.log2(hz)) / width) ** 2)
        self._gain = 10 ** (np.clip(db, -50, 40) / 20)

    def __call__(self, hz: np.ndarray) -> np.ndarray:
        """Return the gain at frequencies in Hz."""
        return np.interp(np.log2(np.maximum(hz, 1.0)), _BODY_OCTAVES, self._gain)


def to_hz(pitch: float) -> float:
    """Convert a MIDI pitch, whole or not, to Hz."""
    return 440.0 * 2 ** ((pitch - 69.0) / 12.0)


def ring(
    hz: np.ndarray, gain: np.ndarray, decay: np.ndarray, n: int, sample_rate: int
) -> np.ndarray:
    """Sum modes that all begin at zero phase and die away.

    A mode at sample i * size + j is a product of what depends on i and what depends on j, so that
    the sum over modes is one product of two small matrices.

    Args:
        hz: Frequencies (modes,).
        gain: Amplitudes (modes,).
        decay: Nepers a second (modes,).
        n: Samples to make.
        sample_rate: In Hz.

    Returns:
        Float32 (n,).
    """
    heard = hz < HIGHEST * sample_rate
    turn, gain, decay = hz[heard] / sample_rate, gain[heard], decay[heard] / sample_rate
    size = 1 << max(4, round(np.log2(max(n, 2)) / 2))
    coarse = np.arange(-(-n // size))[:, None] * size
    fine = np.arange(size)[:, None]
    a = (2 * np.pi * (coarse * turn % 1.0)).astype(np.float32)
    b = (2 * np.pi * (fine * turn % 1.0)).astype(np.float32)
    a_gain = (gain * np.exp(-decay * coarse)).astype(np.float32)
    b_gain = np.exp(-decay * fine).astype(np.float32)
    left = np.concatenate([np.sin(a) * a_gain, np.cos(a) * a_gain], axis=1)
    right = np.concatenate([np.cos(b) * b_gain, np.sin(b) * b_gain], axis=1)
    return (left @ right.T).reshape(-1)[:n]


def wave_tables(gains: np.ndarray, phases: np.ndarray) -> np.ndarray:
    """Make periods of sound from the gains of their harmonics.

    Args:
        gains: (tables, harmonics), the fundamental first.
        phases: In radians, at least (harmonics,).

    Returns:
        Float32 (tables, size + 1); the last value repeats the first.
    """
    count = min(gains.shape[1], _TABLE // 4)
    spectrum = np.zeros((len(gains), _TABLE // 2 + 1), np.complex64)
    spectrum[:, 1 : count + 1] = gains[:, :count] * np.exp(1j * phases[:count])
    waves = fft.irfft(spectrum, _TABLE, axis=1) * (_TABLE / 2)
    return np.concatenate([waves, waves[:, :1]], axis=1)


def scan(tables: np.ndarray, phase: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Read wave tables, fading between neighbours.

    Args:
        tables: Of `wave_tables`, (tables, size + 1).
        phase: In periods, float32 (..., n).
        position: Which table, from 0 to tables - 1, float32 (n,).

    Returns:
        Float32, of the shape of `phase`.
    """
    at = (phase - np.floor(phase)) * np.float32(_TABLE)
    index = np.minimum(at.astype(np.int32), _TABLE - 1)
    part = at - index
    flat = tables.reshape(-1)
    if len(tables) == 1:
        low = flat[index]
        return low + part * (flat[index + 1] - low)
    row = np.minimum(position.astype(np.int32), len(tables) - 2)
    index += row * (_TABLE + 1)
    low = flat[index]
    low += part * (flat[index + 1] - low)
    index += _TABLE + 1
    high = flat[index]
    high += part * (flat[index + 1] - high)
    return low + (position - row) * (high - low)


def steps(duration_s: float, sample_rate: int) -> np.ndarray:
    """List the times in seconds at which a sound of a duration is controlled."""
    return np.arange(max(2, -(-round(duration_s * sample_rate) // STEP) + 1)) * (STEP / sample_rate)


def drawn_out(control: np.ndarray) -> np.ndarray:
    """Join values at control times by straight lines: (..., m) -> float32 (..., (m - 1) * STEP)."""
    control = control.astype(np.float32)
    lines = control[..., :-1, None] + np.diff(control)[..., None] * _RAMP
    return lines.reshape(*control.shape[:-1], -1)


def phase_of(hz: np.ndarray, start: np.ndarray, sample_rate: int) -> np.ndarray:
    """Add up frequencies at control times to phase in periods.

    Args:
        hz: (voices, m).
        start: First phases (voices,).
        sample_rate: In Hz.

    Returns:
        Float32 (voices, (m - 1) * STEP).
    """
    turns = hz[:, :-1] * (STEP / sample_rate)
    begin = (np.cumsum(turns, axis=1) - turns + start[:, None]) % 1.0
    lines = begin[..., None].astype(np.float32) + turns[..., None].astype(np.float32) * _RAMP
    return lines.reshape(len(hz), -1)


def coloured_noise(
    rng: np.random.Generator, n: int, sample_rate: int, low_hz: float, high_hz: float
) -> np.ndarray:
    """Make noise between two frequencies with soft edges (12 dB an octave), RMS of 1.

    Returns:
        Float32 (n,); it goes round without a seam.
    """
    size = fft.next_fast_len(n, real=True)
    spectrum = fft.rfft(rng.standard_normal(size, np.float32))
    hz = np.maximum(fft.rfftfreq(size, 1 / sample_rate), 1.0)
    spectrum *= 1 / np.sqrt((1 + (low_hz / hz) ** 4) * (1 + (hz / high_hz) ** 4))
    noise = fft.irfft(spectrum, size)[:n]
    return np.asarray(noise / (np.std(noise) + 1e-9), np.float32)
