"""Spectral features of the `mini` encoder: a rhythm-and-timbre stream and a pitch stream.

Both streams come from one 16 kHz waveform and are packed into one row for each 0.1 s, so that a
clip is a single `(frames, 488)` array that can be cached, cropped, stretched and transposed:

* columns 0..319: log-mel spectrum, 64 bands, five columns of 20 ms each (64 ms window);
* columns 320..487: log-frequency spectrum, 168 half-semitone bins from C1 (MIDI 24) up, read
  through a 512 ms window below C4 and a 192 ms window above, where pitch moves faster.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from transformers.audio_utils import mel_filter_bank

SAMPLE_RATE = 16_000
HOP = 1_600
"""Samples in a feature frame (0.1 s)."""
MEL_BANDS = 64
MEL_STEPS = 5
"""Mel columns in a feature frame."""
MEL_WIDTH = MEL_BANDS * MEL_STEPS
PITCH_BINS = 168
BINS_PER_SEMITONE = 2
LOWEST_MIDI = 24
FEATURE_WIDTH = MEL_WIDTH + PITCH_BINS

_MEL_WINDOW, _LOW_WINDOW, _HIGH_WINDOW = 1_024, 8_192, 3_072
_LOW_FFT, _HIGH_FFT = 16_384, 8_192
_SPLIT_BIN = 72  # C4: below it the long window resolves semitones, above it the short one does
_FLOOR = 1e-4
_PEAK = 0.7
_UPDATES = 10
_MEL_SPREAD, _PITCH_SPREAD = 1.4, 1.15  # of log magnitudes of music, about
_QUIETEST_PEAK = 1e-3  # quieter input is silence and is not blown up to full level


@lru_cache(maxsize=2)
def _mel_filters(n_fft: int = _MEL_WINDOW) -> Tensor:
    filters = mel_filter_bank(
        num_frequency_bins=n_fft // 2 + 1,
        num_mel_filters=MEL_BANDS,
        min_frequency=30.0,
        max_frequency=7_600.0,
        sampling_rate=SAMPLE_RATE,
        mel_scale="slaney",
    )
    return torch.from_numpy(filters.astype(np.float32)).contiguous()


@lru_cache(maxsize=2)
def _pitch_filters(n_fft: int, window: int) -> Tensor:
    """Triangles around each half semitone, never narrower than the window can resolve."""
    frequencies = np.fft.rfftfreq(n_fft, 1 / SAMPLE_RATE)
    midi = LOWEST_MIDI + np.arange(PITCH_BINS) / BINS_PER_SEMITONE
    centres = 440.0 * 2 ** ((midi - 69) / 12)
    half_step = 2 ** (1 / (12 * BINS_PER_SEMITONE)) - 1
    bandwidths = np.maximum(centres * half_step, 0.3 * SAMPLE_RATE / window)
    weights = np.maximum(0, 1 - np.abs(frequencies[None] - centres[:, None]) / bandwidths[:, None])
    weights /= np.maximum(weights.sum(1, keepdims=True), 1e-6)
    return torch.from_numpy(weights.T.astype(np.float32)).contiguous()


@lru_cache(maxsize=2)
def _pitch_bands(n_fft: int, window: int, first: int, stop: int) -> Tensor:
    """The filters of some pitch bins, cut after the highest frequency they read."""
    weights = _pitch_filters(n_fft, window)[:, first:stop]
    used = int(weights.sum(1).nonzero().max()) + 1
    return weights[:used].contiguous()


def _read_spectrum(
    samples: Tensor, window: int, hop: int, n_fft: int, n_frames: int, filters: Tensor
) -> Tensor:
    """Filter `(bins, bands)` the magnitudes of windows centred on multiples of hop.

    Returns `(batch, n_frames, bands)`. Bins above the filters' last row are never looked at.
    """
    padded = torch.nn.functional.pad(samples, (window // 2, window // 2 + hop))
    frames = padded.unfold(-1, window, hop)[:, :n_frames]
    taper = torch.hann_window(window, periodic=False, device=samples.device)
    spectrum = torch.view_as_real(torch.fft.rfft(frames * taper, n_fft)[..., : len(filters)])
    # sqrt of the sum of squares: three times as fast as abs() of complex numbers
    magnitudes = spectrum.square().sum(-1).sqrt() / (taper.sum() / 2)
    return magnitudes @ filters.to(samples.device)


def num_feature_frames(n_samples: int) -> int:
    """Count the whole feature frames in a waveform; at least one."""
    return max(1, n_samples // HOP)


def normalise_level(samples: Tensor) -> Tensor:
    """Bring each waveform `(batch, n_samples)` to the same peak; silence stays silence."""
    peak = samples.abs().amax(-1, keepdim=True).clamp(min=_QUIETEST_PEAK)
    return samples * (_PEAK / peak)


def extract_features(samples: Tensor) -> Tensor:
    """Turn waveforms into packed spectral features.

    Args:
        samples: `(batch, n_samples)` float32 at 16 kHz, levels as `normalise_level` leaves them.

    Returns:
        `(batch, n_samples // 1600, 488)` float32, natural logarithms of magnitudes.
    """
    samples = samples.float()
    if samples.shape[-1] < HOP:
        samples = torch.nn.functional.pad(samples, (0, HOP - samples.shape[-1]))
    n_frames = num_feature_frames(samples.shape[-1])
    mel = _read_spectrum(
        samples,
        _MEL_WINDOW,
        HOP // MEL_STEPS,
        _MEL_WINDOW,
        n_frames * MEL_STEPS,
        _mel_filters(),
    )
    low = _pitch_bands(_LOW_FFT, _LOW_WINDOW, 0, _SPLIT_BIN)
    high = _pitch_bands(_HIGH_FFT, _HIGH_WINDOW, _SPLIT_BIN, PITCH_BINS)
    pitch = torch.cat(
        [
            _read_spectrum(samples, _LOW_WINDOW, HOP, _LOW_FFT, n_frames, low),
            _read_spectrum(samples, _HIGH_WINDOW, HOP, _HIGH_FFT, n_frames, high),
        ],
        -1,
    )
    packed = torch.cat([mel.reshape(len(samples), n_frames, MEL_WIDTH), pitch], -1)
    return torch.log(packed + _FLOOR)


def split_streams(features: Tensor) -> tuple[Tensor, Tensor]:
    """Unpack `(batch, T, 488)` into mel `(batch, 5 T, 64)` and pitch `(batch, T, 168)`."""
    batch, n_frames, _ = features.shape
    mel = features[..., :MEL_WIDTH].reshape(batch, n_frames * MEL_STEPS, MEL_BANDS)
    return mel, features[..., MEL_WIDTH:]


def standardise(features: Tensor) -> Tensor:
    """Take the mean level of each stream out of each clip and scale it to about unit variance.

    What is left no longer tells how loud a recording is, only how its energy is spread.
    """
    level, spread = _standard(features)
    return (features - level) / spread


def restore_level(standard: Tensor, like: Tensor) -> Tensor:
    """Undo `standardise`, at the level of other features.

    Args:
        standard: `(T, 488)` standardised features.
        like: `(n, 488)` features as of `extract_features`, whose level is taken.
    """
    level, spread = _standard(like)
    return standard * spread + level


def _standard(features: Tensor) -> tuple[Tensor, Tensor]:
    """The mean level and the usual spread of each column of features `(..., T, 488)`."""
    mel, pitch = features[..., :MEL_WIDTH], features[..., MEL_WIDTH:]
    means = [stream.mean((-2, -1), keepdim=True) for stream in (mel, pitch)]
    widths = (MEL_WIDTH, PITCH_BINS)
    level = torch.cat([m.expand(*m.shape[:-1], w) for m, w in zip(means, widths)], -1)
    spread = features.new_tensor([_MEL_SPREAD] * MEL_WIDTH + [_PITCH_SPREAD] * PITCH_BINS)
    return level, spread


def tempo_bin_centres(n_bins: int, lowest_bpm: float, highest_bpm: float) -> np.ndarray:
    """Tempi in BPM of `n_bins` logarithmic bins, ends included."""
    return np.exp(np.linspace(math.log(lowest_bpm), math.log(highest_bpm), n_bins))


def linear_magnitudes(features: Tensor, n_fft: int) -> Tensor:
    """Estimate the magnitude spectrum that features were read from.

    The pitch stream tells where the partials lie, and the mel stream how strong each band is;
    multiplicative updates (Lee and Seung, 2001) bring the former in line with the latter.

    Args:
        features: `(T, 488)` as of `extract_features`.
        n_fft: Of the spectrum; at least 1024.

    Returns:
        `(n_fft // 2 + 1, 5 T)`, magnitudes of a Hann-windowed STFT with windows of 1024 and a hop
        of 320 samples.
    """
    mel, pitch = split_streams(features[None])
    filters = _mel_filters(n_fft)
    bands = (mel[0].exp() - _FLOOR).clamp(min=0) * (n_fft / _MEL_WINDOW)
    hertz = np.fft.rfftfreq(n_fft, 1 / SAMPLE_RATE)[1:]
    midi = 69 + 12 * np.log2(hertz / 440)
    place = np.clip((midi - LOWEST_MIDI) * BINS_PER_SEMITONE, 0, PITCH_BINS - 1)
    nearest = torch.from_numpy(np.concatenate([[0], np.round(place)]).astype(np.int64))
    spectrum = pitch[0].exp()[:, nearest].repeat_interleave(MEL_STEPS, 0)
    for _ in range(_UPDATES):
        ratio = bands / (spectrum @ filters + _FLOOR * _FLOOR)
        spectrum = spectrum * (ratio @ filters.T) / filters.sum(1).clamp(min=_FLOOR)
    return spectrum.T * (torch.hann_window(_MEL_WINDOW, periodic=False).sum() / 2)
