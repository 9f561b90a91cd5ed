"""The room and the recording chain: what happens to sound between the player and the file.

Training hears clips through random rooms, so that it does not learn the soundfont's sheen.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from .media import keep_on_medium

_EQ_POINTS = 8
_TAIL_S = 1.0


def augment(samples: np.ndarray, rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """Play a recording in a random room through random equipment.

    Equalizer, low-pass or high-pass, reverberation, saturation, media (records, tape, telephone,
    mp3, ogg), noise and gain, each by chance. Pitch and timing stay as they are.

    Args:
        samples: Mono float32 (n_samples,).
        rng: Source of the choices.
        sample_rate: In Hz.

    Returns:
        Float32 (n_samples,), peak between 0.3 and 1.0; silence stays silent.
    """
    n = len(samples)
    padded = n + int(_TAIL_S * sample_rate)
    spectrum = np.fft.rfft(samples, padded)
    spectrum *= _equalizer(padded, rng, sample_rate)
    if rng.random() < 0.75:
        spectrum *= 1 + _reverberation(padded, rng, sample_rate)
    out = np.fft.irfft(spectrum, padded)[:n]
    level = float(np.std(out))
    if level < 1e-7:
        return np.asarray(samples, np.float32)
    out /= level
    if rng.random() < 0.3:
        drive = rng.uniform(1.5, 4.0)
        out = drive * np.tanh(out / drive)
    out = keep_on_medium(out, rng, sample_rate)
    if rng.random() < 0.6:
        noise = rng.standard_normal(n, dtype=np.float32)
        if rng.random() < 0.5:
            noise = lfilter([1.0], [1.0, -0.95], noise)
            noise /= np.std(noise)
        out = out + noise * 10 ** (-rng.uniform(20.0, 50.0) / 20.0)
    return set_peak(out, rng.uniform(0.3, 1.0))


def set_peak(samples: np.ndarray, peak: float) -> np.ndarray:
    """Scale sound to a peak value; silence stays silent."""
    highest = float(np.max(np.abs(samples)))
    if highest < 1e-7:
        return np.asarray(samples, np.float32)
    return np.asarray(samples * (peak / highest), np.float32)


def rms(samples: np.ndarray) -> float:
    """Measure the level of sound: the root of its mean power."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def _equalizer(padded: int, rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """A smooth random gain over frequency, with now and then a dull or a thin recording."""
    hz = np.fft.rfftfreq(padded, 1 / sample_rate)
    octaves = np.log2(hz + 20)
    anchors = np.linspace(np.log2(20), np.log2(sample_rate / 2), _EQ_POINTS)
    gain_db = np.interp(octaves, anchors, rng.normal(0, rng.uniform(0, 5), _EQ_POINTS))
    if rng.random() < 0.25:
        gain_db -= np.maximum(0, (hz - rng.uniform(2500, 6500)) / 200)
    if rng.random() < 0.15:
        gain_db -= np.maximum(0, (rng.uniform(60, 180) - hz) / 10)
    return 10 ** (np.clip(gain_db, -40, 15) / 20)


def _reverberation(padded: int, rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """The spectrum of a random decaying room response of random loudness."""
    t60_s = rng.uniform(0.2, 2.2)
    length = int(min(t60_s, _TAIL_S) * sample_rate)
    response = rng.standard_normal(length) * 10 ** (-3 * np.arange(length) / (t60_s * sample_rate))
    response /= np.sqrt(np.sum(response**2))
    return np.fft.rfft(response, padded) * rng.uniform(0.0, 0.45)
