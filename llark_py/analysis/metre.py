"""Beats in bars: which tempo, where the beats fall, which of them are downbeats, and the metre.

The encoder says of every 0.1 s whether a beat or a downbeat falls there. Of the tempi that it
finds likely the one is taken whose beats fall where it hears beats and nowhere else; a hidden
Markov model over the places in a bar then chooses metre and downbeats together (as in Böck et al.,
ISMIR 2016, with the beats given).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from llark_py.audio import Audio
from llark_py.librosa_import import load_librosa

from .beats import EARLY_S, FRAME_RATE, ONSETS, follow_beats, onset_strength
from .listening import ENCODER_RATE, Posteriors, check_music, check_sounding, listen
from .once import once
from .rhythm import refine_tempo

MIN_DURATION_S = 3.0
BEATS_PER_BAR = {"4/4": 4, "3/4": 3, "6/8": 2}
"""Beats of 6/8 are dotted quarters."""
_CANDIDATES, _APART, _LEAST = 3, 0.06, 1e-3
_TEMPO_WEIGHT, _SECONDS, _BARS_WEIGHT = 0.6, 0.9, 0.2
"""How much the tempo head, the beats and the bars count for a tempo. The beats as if heard for so
many seconds, however long the recording: they are not independent. On 110 composed clips the mean
F-measure of the beats was 0.876 and the expected calibration error of the confidence 0.066."""
_METRE_BEATS = 10.0
"""What the downbeats say of the metre counts as if heard on so many beats."""
_SUREST = 0.98
_CLEAR = 0.5
"""Mean probability of a beat at the beats of music that has any, whatever its style, at least."""
_STAY = 0.98
"""Probability that the next beat is the next place of the bar: beats are seldom missed or added."""
_CHANGE_ON_DOWNBEAT, _CHANGE_ELSEWHERE = 0.55, 0.17
"""Probability that the chord changes there."""
_ENDS_BELOW, _END_BEATS = 0.4, 4
_SPAN_BEATS = 8
_USUAL_BEATS = 3.5
"""Beats in the bars that the encoder learned downbeats from, in the mean."""


class TempoPoint(NamedTuple):
    """The tempo at a moment."""

    time_s: float
    tempo_bpm: float


@dataclass(frozen=True)
class Metre:
    """The beats of a recording, in bars.

    Attributes:
        tempo_bpm: In beats per minute (dotted quarters in 6/8).
        time_signature: `4/4`, `3/4` or `6/8`.
        beats_s: Seconds, rising; may be empty.
        downbeats_s: Those of the beats that begin a bar.
        curve: The tempo over eight beats around each beat.
        confidence: Probability of this tempo with its beats against the other ones that were
            tried, 0..1; less where hardly any beats are heard.
    """

    tempo_bpm: float
    time_signature: str
    beats_s: tuple[float, ...]
    downbeats_s: tuple[float, ...]
    curve: tuple[TempoPoint, ...]
    confidence: float


def measure_metre(audio: Audio) -> Metre:
    """Measure beats, downbeats and metre of a recording.

    Args:
        audio: Any rate, mono or stereo, at least 3 s.

    Raises:
        ToolError: Silent, too short, or not music.
    """
    check_sounding(audio, MIN_DURATION_S)
    posteriors = listen(audio)
    check_music(posteriors)
    return once(audio, posteriors, "metre", lambda: _measure(audio, posteriors))


def _measure(audio: Audio, posteriors: Posteriors) -> Metre:
    strength = once(audio, posteriors, ONSETS, lambda: onset_strength(audio))
    best, probability = find_metre(strength, posteriors)
    said = around(posteriors.heads["beat_frames"][:, 1:].sum(1), best.beats_s)
    return Metre(
        tempo_bpm=refine_tempo(best.tempo_bpm, best.beats_s),
        time_signature=best.bars.time_signature,
        beats_s=tuple(best.beats_s.tolist()),
        downbeats_s=tuple(best.beats_s[best.bars.begins].tolist()),
        curve=tempo_curve(best.beats_s),
        confidence=probability * min(1.0, float(said.mean()) / _CLEAR) if len(said) else 0.0,
    )


class Bars(NamedTuple):
    """A way to count beats: the metre, which beats begin a bar `(n_beats,)`, its log score."""

    time_signature: str
    begins: np.ndarray
    score: float


class Reading(NamedTuple):
    """A tempo with the beats `(n_beats,)` in seconds and the bars that fit it best."""

    tempo_bpm: float
    beats_s: np.ndarray
    bars: Bars
    score: float


def find_metre(strength: np.ndarray, posteriors: Posteriors) -> tuple[Reading, float]:
    """Find the tempo, the beats and the bars that agree best with what the encoder hears.

    Args:
        strength: (n,) of `onset_strength`.
        posteriors: With the frames of the heads for beats and chords.

    Returns:
        The best reading, and how likely it is beside the others.
    """
    p_beat = posteriors.heads["beat_frames"][:, 1:].sum(1)
    times = np.arange(len(strength)) / FRAME_RATE + EARLY_S
    fine = np.interp(times, np.arange(len(p_beat)) / ENCODER_RATE, p_beat)
    readings = []
    for tempo_bpm, probability in likely_tempi(posteriors):
        beats = _without_end(follow_beats(strength, fine, tempo_bpm), p_beat)
        said = np.clip(around(p_beat, beats), 1 - _SUREST, _SUREST)
        agreement = np.log(said / (1 - said)).sum() / len(p_beat) * ENCODER_RATE
        bars = find_bars(beats, posteriors)
        score = _TEMPO_WEIGHT * np.log(probability) + _SECONDS * agreement
        score += _BARS_WEIGHT * bars.score
        readings.append(Reading(tempo_bpm, beats, bars, float(score)))
    best = max(readings, key=lambda r: r.score)
    return best, 1.0 / sum(float(np.exp(r.score - best.score)) for r in readings)


def likely_tempi(posteriors: Posteriors) -> list[tuple[float, float]]:
    """List the highest peaks of the tempo posterior and their doubles and halves.

    Returns:
        (BPM, probability within 6 %, less what the ones before it have taken).
    """
    bins, left = posteriors.tempo_bins_bpm, np.array(posteriors.tempo, float)
    tempi: list[tuple[float, float]] = []

    def take(tempo_bpm: float) -> None:
        near = np.abs(np.log(bins / tempo_bpm)) <= _APART
        tempi.append((tempo_bpm, float(left[near].sum()) + _LEAST))
        left[near] = 0.0

    for _ in range(_CANDIDATES):
        take(float(bins[left.argmax()]))
    for ratio in (0.5, 2.0, 2 / 3, 1.5):
        other = tempi[0][0] * ratio
        far = all(abs(np.log(other / tempo_bpm)) > _APART for tempo_bpm, _ in tempi)
        if far and bins[0] <= other <= bins[-1]:
            take(other)
    return tempi


def around(frames: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Sum what is said of the frame at each time and of its two neighbours, `(n_times,)`."""
    padded = np.pad(frames, 1)
    at = np.clip(np.round(times_s * ENCODER_RATE).astype(int), 0, len(frames) - 1)
    return padded[at] + padded[at + 1] + padded[at + 2]


def _without_end(beats: np.ndarray, p_beat: np.ndarray) -> np.ndarray:
    """Drop the beats that would be counted into the last chord while it dies away."""
    said = np.minimum(around(p_beat, beats), 1.0)
    if len(beats) < 2 * _END_BEATS:
        return beats
    least = _ENDS_BELOW * np.median(said)
    last = len(beats)
    while last > _END_BEATS and said[last - 1] < least:
        last -= 1
    return beats[:last]


def find_bars(beats_s: np.ndarray, posteriors: Posteriors) -> Bars:
    """Choose the metre and the downbeats of given beats `(n_beats,)` in seconds."""
    p_metres = dict(zip(BEATS_PER_BAR, posteriors.heads["time_signature"], strict=True))
    counts = [
        _count(beats_s, posteriors, name, float(probability))
        for name, probability in p_metres.items()
    ]
    return max(counts, key=lambda bars: bars.score)


def _count(beats_s: np.ndarray, posteriors: Posteriors, name: str, probability: float) -> Bars:
    """Count beats in a metre of a given probability."""
    prior = float(np.log(probability + 1e-3))
    if len(beats_s) == 0:
        return Bars(name, np.zeros(0, bool), prior)
    viterbi = load_librosa("sequence").sequence.viterbi

    n = BEATS_PER_BAR[name]
    first = _first_probability(beats_s, posteriors)
    heard = np.stack([first] + [1 - first] * (n - 1))
    follow = np.full((n, n), (1 - _STAY) / (n - 1))
    follow[np.arange(n), (np.arange(n) + 1) % n] = _STAY
    path, log_likelihood = viterbi(heard, follow, return_logp=True)
    return Bars(name, path == 0, prior + _METRE_BEATS * float(log_likelihood) / len(beats_s))


def _first_probability(beats_s: np.ndarray, posteriors: Posteriors) -> np.ndarray:
    """Give the probability `(n_beats,)` that a beat begins a bar, had half of the beats done so.

    From what the encoder says of downbeats, and from whether the chord changes there.
    """
    frames, chords = posteriors.heads["beat_frames"], posteriors.heads["chord_frames"]
    down, beat = around(frames[:, 2], beats_s), around(frames[:, 1], beats_s)
    share = np.clip((down + 1e-3) / (down + beat + 2e-3), 1 - _SUREST, _SUREST)
    changed = _chord_changes(chords, beats_s)
    lead = np.log(
        (changed * _CHANGE_ON_DOWNBEAT + (1 - changed) * (1 - _CHANGE_ON_DOWNBEAT))
        / (changed * _CHANGE_ELSEWHERE + (1 - changed) * (1 - _CHANGE_ELSEWHERE))
    )
    # Less the mean, so that chords that never change, or always, say nothing of the metre.
    odds = share / (1 - share) * (_USUAL_BEATS - 1) * np.exp(lead - lead.mean())
    return odds / (1 + odds)


def _chord_changes(chords: np.ndarray, beats_s: np.ndarray) -> np.ndarray:
    """Say how far, 0..1, the chords of the beat after each time differ from those before it."""
    beat = 1 if len(beats_s) < 2 else round(float(np.median(np.diff(beats_s))) * ENCODER_RATE)
    padded = np.pad(chords, ((beat, beat), (0, 0)), "edge")
    until = np.concatenate([np.zeros((1, chords.shape[1])), padded.cumsum(0)])
    at = np.clip(np.round(beats_s * ENCODER_RATE).astype(int), 0, len(chords))
    before, after = until[at + beat] - until[at], until[at + 2 * beat] - until[at + beat]
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    return np.clip(1 - (before * after).sum(1) / np.maximum(lengths, 1e-9), 0.0, 1.0)


def tempo_curve(beats_s: np.ndarray) -> tuple[TempoPoint, ...]:
    """Give the tempo around each beat, over eight beats (or all, if there are fewer)."""
    span = min(_SPAN_BEATS, len(beats_s) - 1)
    if span < 1:
        return ()
    tempo = 60.0 * span / (beats_s[span:] - beats_s[:-span])
    middle = (beats_s[span:] + beats_s[:-span]) / 2
    return tuple(map(TempoPoint, middle.tolist(), tempo.tolist()))
