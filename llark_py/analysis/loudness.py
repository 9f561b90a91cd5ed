"""Sound level: loudness as broadcasters measure it, peaks, spectral balance, stereo image.

Works on any sound, music or not. A mono recording is measured as one loudspeaker, as ITU-R BS.1770
has it: the same sound as two equal channels is 3 LU louder.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llark_py.audio import Audio
from llark_py.errors import ToolError

from .listening import check_sounding

MIN_DURATION_S = 0.4
"""One gating block of ITU-R BS.1770."""
GATE_LUFS = -70.0
"""What is quieter than this has no loudness."""
TREBLE_FROM_HZ, BASS_TO_HZ = 4000.0, 250.0

# Of each channel by their number: front ones, the low-frequency one that is not counted, surround.
_CHANNEL_GAINS: dict[int, tuple[float, ...]] = {
    1: (1.0,),
    2: (1.0, 1.0),
    5: (1.0, 1.0, 1.0, 1.41, 1.41),
    6: (1.0, 1.0, 1.0, 0.0, 1.41, 1.41),
}
_CELL_S, _BLOCK_CELLS, _SHORT_TERM_CELLS = 0.1, 4, 30
_RELATIVE_GATE_LU, _RANGE_GATE_LU = -10.0, -20.0
_RANGE_PERCENTILES = (10, 95)
_FILTER_RATE, _LEAST_FILTER_RATE = 48_000, 44_100
_TRUE_PEAK_RATE = 4 * 44_100
_SAMPLES_AT_ONCE = 1 << 20
_WINDOW = 4096
_LOWEST_HZ = 20.0
_TINY = 1e-20


@dataclass(frozen=True)
class Loudness:
    """How loud a recording is, over all and in the course of it.

    Attributes:
        integrated_lufs: Gated loudness of the whole.
        range_lu: Loudness range (EBU Tech 3342); None for less than 3 s.
        short_term_lufs: Of the 3 s that begin at 0 s, 1 s, 2 s, ..., never below -70; empty for
            less than 3 s.
    """

    integrated_lufs: float
    range_lu: float | None
    short_term_lufs: tuple[float, ...]


@dataclass(frozen=True)
class Peaks:
    """Highest sample and highest point between samples in dB of full scale, and peak over RMS."""

    peak_dbfs: float
    true_peak_dbtp: float
    crest_factor_db: float


@dataclass(frozen=True)
class Balance:
    """Shares of the energy below 250 Hz, up to 4 kHz, and above; and the spectral centroid."""

    bass_share: float
    mid_share: float
    treble_share: float
    centroid_hz: float


@dataclass(frozen=True)
class StereoImage:
    """Share of the energy in the difference of left and right, and their correlation in [-1, 1]."""

    width_share: float
    correlation: float


def measure_loudness(audio: Audio) -> Loudness:
    """Measure loudness (ITU-R BS.1770-4) and loudness range (EBU Tech 3342).

    Args:
        audio: Any rate, at least 0.4 s; mono, stereo, 5.0 or 5.1 in the order of wav files.

    Raises:
        ToolError: Silent, too short, quieter than -70 LUFS all the time, or of as many channels
            as no loudness is defined for.
    """
    check_sounding(audio, MIN_DURATION_S)
    cells = _cell_powers(audio)
    blocks = _moving_level(cells, _BLOCK_CELLS)
    gated = blocks[blocks >= GATE_LUFS]
    if not len(gated):
        raise ToolError(f"the recording is too quiet: nothing in it reaches {GATE_LUFS:g} LUFS")
    gated = gated[gated > _mean_level(gated) + _RELATIVE_GATE_LU]
    short_term = _moving_level(cells, _SHORT_TERM_CELLS)
    each_second = short_term[:: round(1 / _CELL_S)]
    return Loudness(
        integrated_lufs=_mean_level(gated),
        range_lu=_loudness_range(short_term),
        short_term_lufs=tuple(np.maximum(each_second, GATE_LUFS).tolist()),
    )


def measure_peaks(audio: Audio) -> Peaks:
    """Measure the sample peak, the true peak (oversampled as in BS.1770 annex 2), the crest factor.

    `load_audio` turns recordings that go beyond full scale down to it; of those the peaks are told
    as they are then.

    Raises:
        ToolError: The recording is silent or shorter than 0.4 s.
    """
    check_sounding(audio, MIN_DURATION_S)
    peak = float(np.abs(audio.samples).max())
    rms = float(np.sqrt(np.mean(np.square(audio.samples), dtype=np.float64)))
    return Peaks(
        peak_dbfs=_decibels(peak),
        true_peak_dbtp=_decibels(max(peak, _oversampled_peak(audio))),
        crest_factor_db=_decibels(peak / rms),
    )


def measure_balance(audio: Audio) -> Balance:
    """Measure how the energy is spread over frequencies, all channels together.

    The centroid is the mean frequency weighted by the magnitude of the mean spectrum.

    Raises:
        ToolError: The recording is silent or shorter than 0.4 s.
    """
    check_sounding(audio, MIN_DURATION_S)
    hertz, power = _mean_spectrum(audio)
    heard = hertz >= _LOWEST_HZ
    hertz, power = hertz[heard], power[heard] + _TINY
    bass, treble = hertz < BASS_TO_HZ, hertz >= TREBLE_FROM_HZ
    shares = [float(power[band].sum() / power.sum()) for band in (bass, treble)]
    magnitude = np.sqrt(power)
    return Balance(
        bass_share=shares[0],
        mid_share=1.0 - sum(shares),
        treble_share=shares[1],
        centroid_hz=float((hertz * magnitude).sum() / magnitude.sum()),
    )


def measure_stereo(audio: Audio) -> StereoImage:
    """Measure the stereo image of the front channels; mono is width 0 and correlation 1.

    Width is 0.5 for unrelated channels and 1 where they cancel each other. A channel that is
    silent has correlation 0 with the other.

    Raises:
        ToolError: The recording is silent or shorter than 0.4 s.
    """
    check_sounding(audio, MIN_DURATION_S)
    if audio.n_channels == 1:
        return StereoImage(0.0, 1.0)
    left, right = audio.samples[0], audio.samples[1]
    both = float(np.dot(left, right))
    energies = float(np.dot(left, left)), float(np.dot(right, right))
    if min(energies) <= _TINY:
        return StereoImage(0.5, 0.0)
    return StereoImage(
        width_share=float(np.clip(0.5 - both / sum(energies), 0.0, 1.0)),
        correlation=float(np.clip(both / np.sqrt(energies[0] * energies[1]), -1.0, 1.0)),
    )


def _cell_powers(audio: Audio) -> np.ndarray:
    """Sum K-weighted power over channels, in cells of 0.1 s that do not overlap.

    All blocks of the standards are runs of such cells; pyloudnorm alone would filter and square
    the recording anew for each of them.
    """
    from pyloudnorm import Meter

    gains = _CHANNEL_GAINS.get(audio.n_channels)
    if gains is None:
        raise ToolError(
            f"loudness is defined for 1, 2, 5 or 6 channels, not for {audio.n_channels}; "
            "mix the recording down to stereo first"
        )
    if audio.sample_rate < _LEAST_FILTER_RATE:  # the filters bend near half the sample rate
        audio = audio.resample(_FILTER_RATE)
    # Of pyloudnorm's filters these are the ones that equal the tables of the recommendation.
    meter = Meter(audio.sample_rate, "DeMan", block_size=_CELL_S, overlap=0.0)
    count = int(round(audio.duration_s / _CELL_S, 6))
    powers = np.zeros(count)
    for samples, gain in zip(np.atleast_2d(audio.samples), gains, strict=True):
        if gain:
            meter.integrated_loudness(samples)
            levels = np.asarray(meter.blockwise_loudness[:count])
            powers += gain * 10.0 ** (levels / 10)
    return powers


def _moving_level(cells: np.ndarray, length: int) -> np.ndarray:
    """Give the loudness in LUFS of every run of cells; empty if there are fewer."""
    if len(cells) < length:
        return np.zeros(0)
    mean = np.lib.stride_tricks.sliding_window_view(cells, length).mean(1)
    return 10 * np.log10(mean + _TINY)


def _mean_level(levels: np.ndarray) -> float:
    """Give the level of the mean power of some levels."""
    return float(10 * np.log10(np.mean(10.0 ** (levels / 10))))


def _loudness_range(short_term: np.ndarray) -> float | None:
    """Take the distance of the percentiles of gated short-term loudness (EBU Tech 3342)."""
    gated = short_term[short_term >= GATE_LUFS]
    if not len(gated):
        return None
    gated = gated[gated >= _mean_level(gated) + _RANGE_GATE_LU]
    low, high = np.percentile(gated, _RANGE_PERCENTILES)
    return float(high - low)


def _oversampled_peak(audio: Audio) -> float:
    """Give the highest magnitude at four times the rate (or 176.4 kHz), piece by piece."""
    import soxr

    factor = int(np.ceil(_TRUE_PEAK_RATE / audio.sample_rate))
    if factor == 1:
        return float(np.abs(audio.samples).max())
    rate = audio.sample_rate
    stream = soxr.ResampleStream(rate, min(factor, 4) * rate, audio.n_channels, dtype="float32")
    highest = 0.0
    for start in range(0, audio.n_samples, _SAMPLES_AT_ONCE):
        stop = start + _SAMPLES_AT_ONCE
        piece = np.ascontiguousarray(audio.samples[..., start:stop].T)
        finer = stream.resample_chunk(piece, last=stop >= audio.n_samples)
        highest = max(highest, float(np.abs(finer).max(initial=0.0)))
    return highest


def _mean_spectrum(audio: Audio) -> tuple[np.ndarray, np.ndarray]:
    """Give frequencies in Hz and the mean power at them, summed over channels (Welch, 1967)."""
    from scipy.signal import welch

    window = min(_WINDOW, audio.n_samples)
    total = np.zeros(window // 2 + 1)
    for samples in np.atleast_2d(audio.samples):
        for start in range(0, audio.n_samples, _SAMPLES_AT_ONCE):
            piece = samples[start : start + _SAMPLES_AT_ONCE]
            if len(piece) >= window:  # else the last moment of a long recording
                power = welch(piece, nperseg=window, detrend=False, scaling="spectrum")[1]
                total += power * len(piece)
    return np.fft.rfftfreq(window, 1 / audio.sample_rate), total


def _decibels(ratio: float) -> float:
    return float(20 * np.log10(ratio))
