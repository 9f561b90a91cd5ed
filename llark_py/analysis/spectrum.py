"""Short-time magnitude spectra in numpy.

librosa has all this, but loading it compiles numba code for seconds, and a first question about a
song should not wait for that.
"""

from __future__ import annotations

import numpy as np

_FRAMES_AT_ONCE = 4096


def magnitudes(samples: np.ndarray, window: int, hop: int) -> np.ndarray:
    """Take Hann-windowed spectra centred on every `hop`-th sample.

    Args:
        samples: (n_samples,) float32, mono.
        window: Samples in a window.
        hop: Samples between windows.

    Returns:
        (1 + n_samples // hop, window // 2 + 1) float32.
    """
    padded = np.pad(samples, window // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    taper = np.hanning(window + 1)[:-1].astype(np.float32)
    pieces = (
        np.abs(np.fft.rfft(frames[i : i + _FRAMES_AT_ONCE] * taper))
        for i in range(0, len(frames), _FRAMES_AT_ONCE)
    )
    return np.concatenate(list(pieces)).astype(np.float32)


def mel_filters(
    n_bands: int, window: int, sample_rate: int, low_hz: float, high_hz: float
) -> np.ndarray:
    """Make triangular filters, evenly spaced in mel (O'Shaughnessy, 1987).

    Returns:
        (window // 2 + 1, n_bands) float32; each band's highest weight is at most 1.
    """
    frequencies = np.fft.rfftfreq(window, 1 / sample_rate)
    low, high = 2595 * np.log10(1 + np.array([low_hz, high_hz]) / 700)
    mel = np.linspace(float(low), float(high), n_bands + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    rising = (frequencies[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - frequencies[:, None]) / np.diff(edges)[1:]
    return np.clip(np.minimum(rising, falling), 0, None).astype(np.float32)
