"""Tempo and beats: the encoder says how fast, a beat tracker says where the beats are.

The tempo head of the embedded encoder reads a tempogram in context, so it confuses a tempo with
its double less often than a tempogram does; a beat tracker held to that tempo then gives the
places of the beats, and the beats give the tempo its decimals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llark_py.audio import Audio

from .beats import ONSETS, onset_strength, track_beats
from .listening import Posteriors, check_music, check_sounding, listen
from .once import once

MIN_DURATION_S = 3.0
NEAR = 0.04
"""Tempi within 4 % are the same tempo (the tolerance of tempo evaluation since Gouyon 2006)."""
_NEAR_PEAK = 0.06  # the labels of the tempo head are blurred over neighbouring bins
_SPAN_BEATS, _MIN_SPAN_BEATS = 8, 4


@dataclass(frozen=True)
class Rhythm:
    """Tempo in BPM with its rival, where the beats fall, and how sure the encoder is (0..1)."""

    tempo_bpm: float
    runner_up_bpm: float
    beats_s: tuple[float, ...]
    confidence: float


def measure_rhythm(audio: Audio) -> Rhythm:
    """Measure the tempo and the beats of a recording.

    Args:
        audio: Any rate, mono or stereo, at least 3 s.

    Returns:
        `confidence` is the posterior mass within 6 % of the tempo; `runner_up_bpm` the next peak
        of the posterior (often the double or the half).

    Raises:
        ToolError: Silent, too short, or not music.
    """
    check_sounding(audio, MIN_DURATION_S)
    posteriors = listen(audio)
    check_music(posteriors)
    tempo, runner_up, confidence = read_tempo(posteriors)
    strength = once(audio, posteriors, ONSETS, lambda: onset_strength(audio))
    beats = track_beats(strength, tempo)
    return Rhythm(refine_tempo(tempo, beats), runner_up, tuple(beats.tolist()), confidence)


def read_tempo(posteriors: Posteriors) -> tuple[float, float, float]:
    """Read the tempo posterior.

    Returns:
        Its peak and its second peak in BPM, interpolated between bins, and the mass within 6 %
        of the first.
    """
    p, bins = np.asarray(posteriors.tempo, float), posteriors.tempo_bins_bpm
    best = int(p.argmax())
    near = np.abs(np.log(bins / bins[best])) <= _NEAR_PEAK
    rivals = np.where(near, -1.0, p)
    return (
        _interpolate_peak(p, bins, best),
        _interpolate_peak(p, bins, int(rivals.argmax())),
        float(np.clip(p[near].sum() / p.sum(), 0.0, 1.0)),
    )


def _interpolate_peak(p: np.ndarray, bins: np.ndarray, peak: int) -> float:
    """Fit a parabola to the log probabilities around a bin; give its top in BPM."""
    if not 0 < peak < len(p) - 1:
        return float(bins[peak])
    left, top, right = np.log(p[peak - 1 : peak + 2] + 1e-9)
    curvature = left - 2 * top + right
    # A bin that is no local peak (the shoulder of another one) is taken as it is.
    shift = 0.5 * (left - right) / curvature if top >= max(left, right) and curvature < 0 else 0.0
    return float(np.exp(np.interp(peak + shift, np.arange(len(bins)), np.log(bins))))


def refine_tempo(tempo_bpm: float, beats_s: np.ndarray) -> float:
    """Take the tempo from the median beat interval where that is the same tempo (within 4 %).

    Intervals are taken over 4 to 8 beats: a single one is no finer than the 10 ms between two
    frames of the beat tracker.
    """
    span = min(_SPAN_BEATS, len(beats_s) - 1)
    if span < _MIN_SPAN_BEATS:
        return tempo_bpm
    interval_s = float(np.median(beats_s[span:] - beats_s[:-span])) / span
    measured = 60.0 / interval_s
    return measured if abs(measured / tempo_bpm - 1.0) <= NEAR else tempo_bpm
