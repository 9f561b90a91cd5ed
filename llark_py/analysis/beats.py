"""Beats at a given tempo, by dynamic programming (Ellis, JNMR 2007): over note onsets alone, or
over onsets and what the encoder takes for beats."""

from __future__ import annotations

import numpy as np

from llark_py.audio import Audio

from .spectrum import magnitudes, mel_filters

SAMPLE_RATE, HOP = 16_000, 160
FRAME_RATE = SAMPLE_RATE / HOP
ONSETS = "onsets"
"""Under this name `once` keeps the onset strength of a recording."""
_WINDOW, _BANDS, _LOW_HZ, _HIGH_HZ = 1024, 40, 30.0, 7600.0
_DYNAMIC_RANGE_DB = 80.0
_TIGHTNESS = 100.0
"""How much more an even beat counts than strong onsets; the published value."""
_FOLLOWING_TIGHTNESS, _P_BEAT_WEIGHT = 150.0, 3.0
"""The same where a strong onset counts 1, and what a sure beat of the encoder counts beside it."""
_EVEN_TIGHTNESS = 700.0
"""The same once it is known how the tempo moves. Loosely held, beats slide over to the off-beats in
half a bar wherever these are the louder ones for a while."""
_TEMPO_BEATS, _TEMPO_SMOOTHING, _FURTHEST = 25, 5, 1.25
"""The tempo at a moment is the median over so many beats, smoothed over some, at most so far from
the tempo of the whole."""
_STRONG = 95.0
"""Percentile of the onset strength from which onsets count as much as the strongest."""
EARLY_S = 0.018
"""A window of 64 ms feels an onset before its centre is there; measured on click tracks."""


def onset_strength(audio: Audio) -> np.ndarray:
    """Measure how much begins at each moment: the rise in level over 40 mel bands.

    Returns:
        (n_frames,) at 100 frames a second, at least 0.
    """
    samples = audio.mono().resample(SAMPLE_RATE).samples
    filters = mel_filters(_BANDS, _WINDOW, SAMPLE_RATE, _LOW_HZ, _HIGH_HZ)
    bands = magnitudes(samples, _WINDOW, HOP) @ filters
    level = 20 * np.log10(np.maximum(bands, 1e-10))
    level = np.maximum(level, level.max() - _DYNAMIC_RANGE_DB)
    rise = np.maximum(0.0, np.diff(level, axis=0)).mean(1)
    return np.concatenate([[0.0], rise])


def track_beats(strength: np.ndarray, tempo_bpm: float) -> np.ndarray:
    """Place beats at about the given tempo, from the first to the last onset.

    Args:
        strength: (n_frames,) of `onset_strength`.
        tempo_bpm: The tempo.

    Returns:
        (n_beats,) seconds, rising; empty where nothing begins.
    """
    period = 60.0 * FRAME_RATE / tempo_bpm
    if strength.max() <= 0 or len(strength) < 2 * period:
        return np.zeros(0)
    periods = np.full(len(strength), period)
    return _trace(_smooth(strength / strength.std(), period), periods, _TIGHTNESS)


def follow_beats(strength: np.ndarray, p_beat: np.ndarray, tempo_bpm: float) -> np.ndarray:
    """Place beats at about the given tempo where the encoder hears them, to 10 ms by the onsets.

    An onset counts for less than the encoder's word, so that syncopations do not draw the beat
    away, as they did from onsets alone in 9 of 24 composed clips (F < 0.87 at the right tempo).
    A first look finds how the tempo moves, a second one holds the beats to that.

    Args:
        strength: (n_frames,) of `onset_strength`.
        p_beat: (n_frames,) probability of a beat, a peak of 0.1 s a beat, at the same rate.
        tempo_bpm: The tempo.

    Returns:
        (n_beats,) seconds, rising, none past the end; empty where nothing begins.
    """
    period = 60.0 * FRAME_RATE / tempo_bpm
    if strength.max() <= 0 or len(strength) < 2 * period:
        return np.zeros(0)
    smooth = _smooth(strength, period)
    strong = np.percentile(smooth, _STRONG)
    onsets = np.minimum(smooth / strong, 1.0) if strong > 0 else smooth / smooth.max()
    local = onsets + _P_BEAT_WEIGHT * p_beat
    periods = np.full(len(local), period)
    beats = _trace(local, periods, _FOLLOWING_TIGHTNESS)
    if len(beats) > _TEMPO_SMOOTHING:
        beats = _trace(local, _moving_periods(beats, periods), _EVEN_TIGHTNESS)
    return beats[beats < (len(strength) - 1) / FRAME_RATE]


def _moving_periods(beats_s: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """Read the period at each frame `(n_frames,)` off beats at about the given periods."""
    from scipy.ndimage import median_filter, uniform_filter1d

    intervals = median_filter(np.diff(beats_s) * FRAME_RATE, _TEMPO_BEATS, mode="nearest")
    smooth = uniform_filter1d(intervals, _TEMPO_SMOOTHING, mode="nearest")
    moving = np.interp(np.arange(len(periods)) / FRAME_RATE, beats_s[1:], smooth)
    return np.clip(moving, periods / _FURTHEST, periods * _FURTHEST)


def _trace(local: np.ndarray, periods: np.ndarray, tightness: float) -> np.ndarray:
    """Follow the best chain of beats back from its end; gives seconds."""
    score, previous = _best_paths(local, periods, tightness)
    beat, beats = _last_beat(score), []
    while beat >= 0:
        beats.append(beat)
        beat = previous[beat]
    return np.array(beats[::-1]) / FRAME_RATE + EARLY_S


def _smooth(strength: np.ndarray, period: float) -> np.ndarray:
    """Let each onset count for its close surroundings, a thirty-second of a beat."""
    around = np.arange(-round(period), round(period) + 1)
    return np.convolve(strength, np.exp(-0.5 * (around * 32.0 / period) ** 2), "same")


def _best_paths(
    local: np.ndarray, periods: np.ndarray, tightness: float
) -> tuple[np.ndarray, np.ndarray]:
    """Find for each frame the best chain of beats that ends there.

    Args:
        local: (n_frames,) what a beat at a frame is worth.
        periods: (n_frames,) expected frames since the beat before.
        tightness: What an uneven beat costs: so much times the square of the log of the ratio.

    Returns:
        Its score, and the frame of the beat before (-1 where the chain begins).
    """
    back = np.arange(-round(2 * periods.max()), -round(periods.min() / 2) + 1)
    distances, expected = np.log(-back), np.log(periods)
    padding = -int(back[0])
    score = np.full(padding + len(local), -np.inf)
    previous = np.full(len(local), -1)
    windows = np.lib.stride_tricks.sliding_window_view(score, len(back))
    # Before the first sound nothing has been heard yet, and no chain begins.
    begin = int(np.argmax(local >= 0.01 * local.max()))
    # A chain goes back by at least half a period, so that many frames do not wait for each other.
    step = -int(back[-1])
    for first in range(begin, len(local), step):
        stop = min(first + step, len(local))
        uneven = (distances - expected[first:stop, None]) ** 2
        chains = windows[first:stop] - tightness * uneven
        best = chains.argmax(1)
        reached = chains[np.arange(stop - first), best]
        goes_on = np.isfinite(reached)
        here = local[first:stop]
        score[padding + first : padding + stop] = here + np.where(goes_on, reached, 0.0)
        previous[first:stop] = np.where(goes_on, np.arange(first, stop) + back[best], -1)
    return score[padding:], previous


def _last_beat(score: np.ndarray) -> int:
    """Choose the last peak of the score that is not far below the usual peak."""
    peaks = np.flatnonzero((score[1:-1] > score[:-2]) & (score[1:-1] >= score[2:])) + 1
    if len(peaks) == 0:
        return int(score.argmax())
    return int(peaks[2 * score[peaks] >= np.median(score[peaks])][-1])
