"""Classical separation as librosa's users do it: HPSS and REPET-SIM, named as what they are."""

from __future__ import annotations

import numpy as np

from llark_py.librosa_import import load_librosa

HPSS, REPET_SIM = "hpss", "repet-sim"
_N_FFT, _HOP = 2048, 512
_BASS_HZ = 250.0
_APART_S = 2.0
_MARGIN_BACKGROUND, _MARGIN_FOREGROUND, _POWER = 2, 10, 2


def hpss_stems(samples: np.ndarray, sample_rate: int) -> dict[str, np.ndarray]:
    """Split by harmonic-percussive separation (Fitzgerald, DAFx 2010).

    Args:
        samples: `(n_samples,)` float32.
        sample_rate: Hz.

    Returns:
        `drums` (the percussive part), `bass` (the harmonic part below 250 Hz) and `other` (above).
    """
    librosa = load_librosa()

    harmonic, percussive = librosa.decompose.hpss(_spectrum(samples))
    low = librosa.fft_frequencies(sr=sample_rate, n_fft=_N_FFT) < _BASS_HZ
    parts = {
        "drums": percussive,
        "bass": harmonic * low[:, None],
        "other": harmonic * ~low[:, None],
    }
    return {stem: _sound(part, len(samples)) for stem, part in parts.items()}


def repet_sim_stems(samples: np.ndarray, sample_rate: int) -> dict[str, np.ndarray]:
    """Split what repeats from what does not (Rafii and Pardo, ISMIR 2012).

    Args:
        samples: `(n_samples,)` float32.
        sample_rate: Hz.

    Returns:
        `vocals` (what does not repeat) and `other` (what does).
    """
    librosa = load_librosa()

    spectrum = _spectrum(samples)
    magnitude = np.abs(spectrum)
    width = min(round(_APART_S * sample_rate / _HOP), magnitude.shape[1] // 3)
    repeating = np.minimum(
        magnitude,
        librosa.decompose.nn_filter(
            magnitude, aggregate=np.median, metric="cosine", width=max(1, width)
        ),
    )
    rest = magnitude - repeating
    voice = librosa.util.softmask(rest, _MARGIN_FOREGROUND * repeating, power=_POWER)
    band = librosa.util.softmask(repeating, _MARGIN_BACKGROUND * rest, power=_POWER)
    parts = {"vocals": voice * spectrum, "other": band * spectrum}
    return {stem: _sound(part, len(samples)) for stem, part in parts.items()}


def _spectrum(samples: np.ndarray) -> np.ndarray:
    librosa = load_librosa()

    bins: np.ndarray = librosa.stft(samples, n_fft=_N_FFT, hop_length=_HOP)
    return bins


def _sound(bins: np.ndarray, n_samples: int) -> np.ndarray:
    librosa = load_librosa()

    samples: np.ndarray = librosa.istft(bins, hop_length=_HOP, length=n_samples)
    return samples
