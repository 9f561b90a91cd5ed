"""The tool that measures how loud a recording is and how its sound is balanced."""

from __future__ import annotations

from dataclasses import dataclass

from llark_py.analysis import loudness
from llark_py.audio import Audio

from ._result import detail
from ._workspace import Workspace


@dataclass(frozen=True)
class SoundLevel:
    """Loudness, peaks, spectral balance and stereo image; short-term loudness once a second.

    `loudness_range_lu` is None and `short_term_lufs` empty for recordings of less than 3 s.
    """

    loudness_lufs: float
    loudness_range_lu: float | None
    true_peak_dbtp: float
    crest_factor_db: float
    bass_percent: int
    treble_percent: int
    stereo_width_percent: int
    peak_dbfs: float = detail()
    mid_percent: int = detail()
    spectral_centroid_hz: float = detail()
    stereo_correlation: float = detail()
    short_term_lufs: tuple[float, ...] = detail()


def measure_loudness(audio: Audio, workspace: Workspace) -> SoundLevel:
    """Measure the loudness, peaks, tonal balance and stereo width of any recording.

    Args:
        audio: Id of the recording, such as audio_1.

    Returns:
        Integrated loudness in LUFS and its range in LU, true peak and crest factor in decibels, how
        much of the energy is bass (below 250 Hz) and treble (above 4 kHz) in percent, and how much
        of it is in the difference of the channels (0 percent for mono).
    """
    workspace.progress(0.0, "measuring the loudness")
    level = loudness.measure_loudness(audio)
    workspace.progress(0.4, "looking for peaks")
    peaks = loudness.measure_peaks(audio)
    workspace.progress(0.8, "measuring the spectrum")
    balance, stereo = loudness.measure_balance(audio), loudness.measure_stereo(audio)
    return SoundLevel(
        loudness_lufs=round(level.integrated_lufs, 1),
        loudness_range_lu=None if level.range_lu is None else round(level.range_lu, 1),
        true_peak_dbtp=round(peaks.true_peak_dbtp, 1),
        crest_factor_db=round(peaks.crest_factor_db, 1),
        bass_percent=round(100 * balance.bass_share),
        treble_percent=round(100 * balance.treble_share),
        stereo_width_percent=round(100 * stereo.width_share),
        peak_dbfs=round(peaks.peak_dbfs, 1),
        mid_percent=round(100 * balance.mid_share),
        spectral_centroid_hz=round(balance.centroid_hz),
        stereo_correlation=round(stereo.correlation, 2),
        short_term_lufs=tuple(round(level, 1) for level in level.short_term_lufs),
    )
