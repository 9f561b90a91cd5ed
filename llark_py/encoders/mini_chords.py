"""Chords of a recording in their own order, from frame posteriors of chords and beats."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from llark_py.theory import MAJOR_TONICS, MINOR_TONICS

from .mini_path import likeliest_path
from .mini_periodicity import FRAMES_PER_SECOND

CHORD_NAMES = (*MAJOR_TONICS, *(f"{tonic}m" for tonic in MINOR_TONICS))
"""As in lead sheets, by class of the chord head; the last class, anything else, has no name."""
_BEAT = 0.35
_GRID_FRAMES = FRAMES_PER_SECOND // 2
_CLOSEST_BEATS, _FEWEST_BEATS = 2, 4
_STAY = 1.5
"""By how much (in log probability) a change has to be likelier than none, on a beat."""
_LONGEST_CYCLE = 8


class Chords(NamedTuple):
    """Chords in order, each once until another comes.

    Attributes:
        names: Such as `Am`, `F`; one cycle where they return in the same order, else the first.
        times: How often in a row the cycle is played; 1 when there is none.
        probability: Mean of what the head gives the chords it chose.
    """

    names: tuple[str, ...]
    times: int
    probability: float


def read_chords(
    chord: np.ndarray, beat: np.ndarray, *, longest: int = _LONGEST_CYCLE
) -> Chords | None:
    """Read the chords of a recording.

    Args:
        chord: `(frames, 25)` posteriors at 10 Hz: major on C ... B, minor on C ... B, other.
        beat: `(frames, 3)` posteriors: none, beat, downbeat.
        longest: Most chords to give.

    Returns:
        None where no chord is heard.
    """
    edges = _beat_edges(1.0 - beat[:, 0])
    pairs = list(pairwise(edges))
    means = np.stack([chord[a:b].mean(0) for a, b in pairs])
    path = likeliest_path(np.log(means + 1e-4), _STAY)
    chosen = means[np.arange(len(path)), path]
    named = path < len(CHORD_NAMES)
    if not named.any():
        return None
    sequence = [int(c) for i, c in enumerate(path) if named[i] and (i == 0 or c != path[i - 1])]
    merged = [c for i, c in enumerate(sequence) if i == 0 or c != sequence[i - 1]]
    cycle, times = fold_cycle(merged, longest)
    names = tuple(CHORD_NAMES[c] for c in cycle)
    return Chords(names, times, float(chosen[named].mean()))


def fold_cycle(sequence: list[int], longest: int = _LONGEST_CYCLE) -> tuple[list[int], int]:
    """Find the cycle that covers most of a sequence when it is repeated in a row.

    Args:
        sequence: In order, neighbours different.
        longest: Most members of a cycle, and of what is given when there is none.

    Returns:
        The cycle from where it first begins, and how often in a row it comes; the beginning of
        the sequence and 1 when nothing returns. An unfinished last round counts as one.
    """
    best, times, covered = sequence[:longest], 1, 0
    for length in range(2, longest + 1):
        for start in range(min(length, len(sequence))):
            end = start + length
            while end < len(sequence) and sequence[end] == sequence[end - length]:
                end += 1
            rounds = -(-(end - start) // length)
            # Two chords back and forth are found in every song: a cycle has to come round again.
            if end - start >= 2 * length and end - start > covered:
                best, times, covered = sequence[start : start + length], rounds, end - start
    return best, times


def _beat_edges(probability: np.ndarray) -> list[int]:
    """First frames of the beats, ends included; every half second where no beats are heard."""
    n = len(probability)
    around = np.pad(probability, 1)
    peak = (probability >= around[:-2]) & (probability > around[2:]) & (probability >= _BEAT)
    beats: list[int] = []
    for frame in np.flatnonzero(peak).tolist():
        if not beats or frame - beats[-1] >= _CLOSEST_BEATS:
            beats.append(frame)
    if len(beats) < _FEWEST_BEATS or np.median(np.diff(beats)) > 3 * _GRID_FRAMES:
        beats = list(range(0, n, _GRID_FRAMES))
    return sorted({0, *beats, n})
