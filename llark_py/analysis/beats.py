"""Beats at a given tempo, by dynamic programming over note onsets (Ellis, JNMR 2007)."""

from __future__ import annotations

import numpy as np

from llark_py.audio import Audio

from .spectrum import magnitudes, mel_filters

SAMPLE_RATE, HOP = 16_000, 160
FRAME_RATE = SAMPLE_RATE / HOP
_WINDOW, _BANDS, _LOW_HZ, _HIGH_HZ = 1024, 40, 30.0, 7600.0
_DYNAMIC_RANGE_DB = 80.0
_TIGHTNESS = 100.0
"""How much more an even beat counts than strong onsets; the published value."""
_EARLY_S = 0.018
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


def track_beats(audio: Audio, tempo_bpm: float) -> np.ndarray:
    """Place beats at about the given tempo, from the first to the last onset.

    Returns:
        (n_beats,) seconds, rising; empty where nothing begins.
    """
    strength = onset_strength(audio)
    period = 60.0 * FRAME_RATE / tempo_bpm
    if strength.max() <= 0 or len(strength) < 2 * period:
        return np.zeros(0)
    local = _smooth(strength / strength.std(), period)
    score, previous = _best_paths(local, period)
    beat, beats = _last_beat(score), []
    while beat >= 0:
        beats.append(beat)
        beat = previous[beat]
    return np.array(beats[::-1]) / FRAME_RATE + _EARLY_S


def _smooth(strength: np.ndarray, period: float) -> np.ndarray:
    """Let each onset count for its close surroundings, a thirty-second of a beat."""
    around = np.arange(-round(period), round(period) + 1)
    return np.convolve(strength, np.exp(-0.5 * (around * 32.0 / period) ** 2), "same")


def _best_paths(local: np.ndarray, period: float) -> tuple[np.ndarray, np.ndarray]:
    """Find for each frame the best chain of beats that ends there.

    Returns:
        Its score, and the frame of the beat before (-1 where the chain begins).
    """
    back = np.arange(-round(2 * period), -round(period / 2) + 1)
    penalty = _TIGHTNESS * np.log(-back / period) ** 2
    padding = -int(back[0])
    score = np.full(padding + len(local), -np.inf)
    previous = np.full(len(local), -1)
    audible, started = 0.01 * local.max(), False
    for frame, here in enumerate(local):
        chains = score[frame : frame + len(back)] - penalty
        best = int(chains.argmax())
        score[padding + frame] = here
        if np.isfinite(chains[best]):
            score[padding + frame] += chains[best]
            previous[frame] = frame + back[best]
        elif not started and here < audible:
            score[padding + frame] = -np.inf  # nothing has been heard yet
            continue
        started = True
    return score[padding:], previous


def _last_beat(score: np.ndarray) -> int:
    """Choose the last peak of the score that is not far below the usual peak."""
    peaks = np.flatnonzero((score[1:-1] > score[:-2]) & (score[1:-1] >= score[2:])) + 1
    if len(peaks) == 0:
        return int(score.argmax())
    return int(peaks[2 * score[peaks] >= np.median(score[peaks])][-1])
