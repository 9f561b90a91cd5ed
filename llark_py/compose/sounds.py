"""Sounds that are not music: silence, noise, tones and talk, so that a model learns to say so."""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, lfilter

from llark_py.errors import UnknownNameError

from .room import augment, set_peak
from .speech import conversation
from .textures import applause, coloured, machine, nature

NOT_MUSIC = ("silence", "noise", "tone", "speech", "nature", "machine")
"""What training clips are drawn from: applause is noise, and singing is music. An encoder knows
those that its configuration lists (`sounds`), which need not be all of them."""
SOUNDS = NOT_MUSIC
"""What can be made."""
_P_ROOM = 0.5


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
    makers = {"noise": _noise, "tone": _tone, "nature": nature, "machine": machine}
    if kind == "speech":
        samples = conversation(duration_s, rng, sample_rate)
    elif kind in makers:
        samples = makers[kind](n, rng, sample_rate)
    else:
        raise UnknownNameError("sound", kind, ("music", *SOUNDS))
    # Rooms and media must not tell music from the rest.
    if kind not in ("noise", "tone") and rng.random() < _P_ROOM:
        samples = augment(set_peak(samples, 1.0), rng, sample_rate)
    return set_peak(samples, rng.uniform(0.1, 0.95))


def _silence(n: int, rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.5:
        return np.zeros(n, np.float32)
    floor = rng.standard_normal(n, dtype=np.float32)
    # Four standard deviations at -78 dBFS stay under -66 dBFS.
    return np.clip(floor, -4, 4) * np.float32(10 ** (-rng.uniform(78, 100) / 20))


def _noise(n: int, rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    colour = rng.choice(("white", "pink", "brown", "band", "applause"))
    if colour == "white":
        return rng.standard_normal(n)
    if colour == "pink":
        return coloured(n, 0.5, rng)
    if colour == "brown":
        return coloured(n, 1.0, rng)
    if colour == "band":
        low_hz = np.exp(rng.uniform(np.log(80), np.log(2500)))
        high_hz = min(low_hz * rng.uniform(1.8, 5), sample_rate * 0.45)
        b, a = butter(2, (low_hz, high_hz), "bandpass", fs=sample_rate)
        return lfilter(b, a, rng.standard_normal(n))
    return applause(n, rng, sample_rate)


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
