"""Sounds that are not music: silence, noise, tones and talk, so that a model learns to say so."""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, lfilter

from llark_py.errors import UnknownNameError

from .room import set_peak
from .speech import talk

NOT_MUSIC = ("silence", "noise", "tone")
"""What training clips are drawn from."""
SOUNDS = (*NOT_MUSIC, "speech")
"""What can be made; `mini` has not learnt to tell speech from music yet."""


def make_sound(
    kind: str, duration_s: float, rng: np.random.Generator, sample_rate: int
) -> np.ndarray:
    """Make a sound that is not music.

    Args:
        kind: One of `SOUNDS`.
        duration_s: Length in seconds.
        rng: Source of the choices.
        sample_rate: In Hz.

    Returns:
        Float32 (n_samples,) in [-1, 1]. Silence is exact zeros or a noise floor under -66 dBFS.

    Raises:
        UnknownNameError: There is no such kind.
    """
    n = round(duration_s * sample_rate)
    if kind == "silence":
        return _silence(n, rng)
    if kind == "noise":
        return set_peak(_noise(n, rng, sample_rate), rng.uniform(0.1, 0.95))
    if kind == "tone":
        return set_peak(_tone(n, rng, sample_rate), rng.uniform(0.1, 0.95))
    if kind == "speech":
        return set_peak(talk(duration_s, rng, sample_rate), rng.uniform(0.1, 0.95))
    raise UnknownNameError("sound", kind, ("music", *SOUNDS))


def _silence(n: int, rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.5:
        return np.zeros(n, np.float32)
    floor = rng.standard_normal(n, dtype=np.float32)
    # Four standard deviations at -78 dBFS stay under -66 dBFS.
    return np.clip(floor, -4, 4) * np.float32(10 ** (-rng.uniform(78, 100) / 20))


def _coloured(n: int, slope: float, rng: np.random.Generator) -> np.ndarray:
    """Noise whose amplitude falls as frequency ** -slope (0 white, 0.5 pink, 1 brown)."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    spectrum *= np.maximum(np.arange(len(spectrum)), 1.0 + 0.0005 * n) ** -slope
    return np.fft.irfft(spectrum, n)


def _noise(n: int, rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    colour = rng.choice(("white", "pink", "brown", "band", "rain", "wind"))
    if colour == "white":
        return rng.standard_normal(n)
    if colour == "pink":
        return _coloured(n, 0.5, rng)
    if colour == "brown":
        return _coloured(n, 1.0, rng)
    if colour == "band":
        low_hz = np.exp(rng.uniform(np.log(80), np.log(2500)))
        high_hz = min(low_hz * rng.uniform(1.8, 5), sample_rate * 0.45)
        b, a = butter(2, (low_hz, high_hz), "bandpass", fs=sample_rate)
        return lfilter(b, a, rng.standard_normal(n))
    if colour == "rain":
        drops = np.zeros(n)
        count = max(1, int(n / sample_rate * rng.uniform(60, 600)))
        drops[rng.integers(0, n, count)] = rng.exponential(1.0, count)
        b, a = butter(
            1, (rng.uniform(600, 1500), rng.uniform(3000, 7000)), "bandpass", fs=sample_rate
        )
        drops = lfilter(b, a, drops)
        hiss = _coloured(n, 0.3, rng)
        return drops / (np.std(drops) + 1e-9) + hiss / np.std(hiss) * rng.uniform(0.2, 1.0)
    # Wind: brown noise whose loudness wanders over seconds.
    knots = np.abs(rng.normal(1.0, 0.5, max(3, n // sample_rate)))
    loudness = np.interp(np.linspace(0, len(knots) - 1, n), np.arange(len(knots)), knots)
    return _coloured(n, 0.8, rng) * loudness


def _tone(n: int, rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    time_s = np.arange(n) / sample_rate
    kind = rng.choice(("sine", "hum", "sweep", "dial"))
    if kind == "sine":
        hz = np.exp(rng.uniform(np.log(80), np.log(4000)))
        out = np.sin(2 * np.pi * hz * time_s)
    elif kind == "hum":
        hz = rng.choice((50.0, 60.0)) * rng.uniform(0.99, 1.01)
        out = np.zeros(n)
        for harmonic in range(1, rng.integers(3, 12)):
            level = rng.uniform(0.1, 1.0) / harmonic**0.5
            out += level * np.sin(2 * np.pi * hz * harmonic * time_s + rng.uniform(0, 6.28))
    elif kind == "sweep":
        ends = np.exp(rng.uniform(np.log(60), np.log(6000), 2))
        turns = rng.uniform(0.5, 3.0)
        place = np.abs((time_s / time_s[-1] * turns) % 2 - 1) if n > 1 else np.zeros(n)
        hz_over_time = ends[0] * (ends[1] / ends[0]) ** place
        out = np.sin(2 * np.pi * np.cumsum(hz_over_time) / sample_rate)
    else:
        hz = rng.uniform(300, 1700, 2)
        out = np.sin(2 * np.pi * hz[0] * time_s) + np.sin(2 * np.pi * hz[1] * time_s)
    if rng.random() < 0.5:
        out = out / np.std(out) + rng.standard_normal(n) * 10 ** (-rng.uniform(25, 60) / 20)
    return out
