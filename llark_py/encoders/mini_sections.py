"""Sections of a song by novelty: where they begin, which are alike, and names where honest.

Boundaries are peaks of a checkerboard kernel moved along the self-similarity of several features
(Foote, "Automatic audio segmentation using a measure of audio novelty", ICME 2000), averaged over
kernel sizes, since a song changes on more than one time scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

KERNELS_S = (8.0, 16.0)
"""Seconds on either side that are compared."""
SMOOTHING_S = 2.0
"""What is shorter, such as a chord or a bar, makes no section of its own."""
THRESHOLD = 0.15
"""Novelty of a boundary: half the difference of similarity within and across it, at least."""
SHORTEST_S = 6.0
ALIKE = 0.6
"""Mean cosine similarity from which two sections carry the same letter."""
_SHORT, _QUIET, _LOUD = 0.8, 0.95, 1.2  # relative to the other sections
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Section(NamedTuple):
    """A stretch of a song, with a letter (`A`, `B`, ...) or a name (`intro`, `chorus`, `outro`)."""

    start_s: float
    end_s: float
    label: str


def find_novelty(
    views: Sequence[np.ndarray],
    frame_rate: float,
    *,
    kernels_s: Sequence[float] = KERNELS_S,
    smoothing_s: float = SMOOTHING_S,
) -> np.ndarray:
    """Measure how much a recording differs before and after each moment.

    Args:
        views: Features `(frames, width)` of the same frames; each view weighs the same.
        frame_rate: Frames per second.
        kernels_s: Seconds on either side; sizes above a third of the recording are left out.
        smoothing_s: Features are averaged over so many seconds first.

    Returns:
        `(frames,)` in about [-1, 1]; 0 where nothing changes.
    """
    n = len(views[0])
    similarity = measure_similarity(views, frame_rate, smoothing_s=smoothing_s)
    halves = [round(s * frame_rate) for s in kernels_s]
    halves = [h for h in halves if 2 <= h <= n // 3] or [max(1, n // 3)]
    return np.mean([_checkerboard(similarity, half) for half in halves], axis=0)


def measure_similarity(
    views: Sequence[np.ndarray], frame_rate: float, *, smoothing_s: float = SMOOTHING_S
) -> np.ndarray:
    """Compare every moment of a recording with every other.

    Args:
        views: Features `(frames, width)` of the same frames; each view weighs the same.
        frame_rate: Frames per second.
        smoothing_s: Features are averaged over so many seconds first.

    Returns:
        `(frames, frames)` mean cosine similarity in [-1, 1], relative to the recording's mean.
    """
    return np.mean([_similarity(smooth(v, smoothing_s * frame_rate)) for v in views], axis=0)


def pick_boundaries(
    novelty: np.ndarray,
    frame_rate: float,
    *,
    threshold: float = THRESHOLD,
    shortest_s: float = SHORTEST_S,
) -> np.ndarray:
    """Take the peaks of a novelty curve as boundaries.

    Args:
        novelty: `(frames,)`.
        frame_rate: Frames per second.
        threshold: Lower peaks are left out.
        shortest_s: No section is shorter; of two peaks too close the higher one counts.

    Returns:
        Frame numbers, rising.
    """
    gap, n = max(1, round(shortest_s * frame_rate)), len(novelty)
    taken: list[int] = []
    for i in np.argsort(-novelty, kind="stable"):
        if novelty[i] < threshold:
            break
        peak = novelty[i] >= novelty[max(0, i - 2) : i + 3].max()
        inside = gap <= i <= n - gap
        if peak and inside and all(abs(i - j) >= gap for j in taken):
            taken.append(int(i))
    return np.array(sorted(taken), int)


def group_sections(
    views: Sequence[np.ndarray], boundaries: np.ndarray, *, alike: float = ALIKE
) -> list[str]:
    """Give sections letters, the same letter to those that sound alike.

    Args:
        views: Features `(frames, width)`.
        boundaries: Frame numbers between the sections.
        alike: Least mean cosine similarity of a section to those of its letter.

    Returns:
        One letter for each of the `len(boundaries) + 1` sections, in order of appearance.
    """
    edges = [0, *boundaries.tolist(), len(views[0])]
    means = [np.stack([v[a:b].mean(0) for a, b in pairwise(edges)]) for v in views]
    similarity = np.mean([_similarity(m, v) for m, v in zip(means, views)], axis=0)
    groups: list[list[int]] = []
    for section in range(len(edges) - 1):
        closeness = [float(similarity[section, group].mean()) for group in groups]
        if closeness and max(closeness) >= alike:
            groups[int(np.argmax(closeness))].append(section)
        elif len(groups) < len(_LETTERS):
            groups.append([section])
        else:
            groups[int(np.argmax(closeness))].append(section)
    letter = {section: _LETTERS[i] for i, group in enumerate(groups) for section in group}
    return [letter[section] for section in range(len(edges) - 1)]


def name_sections(letters: Sequence[str], lengths: np.ndarray, levels: np.ndarray) -> list[str]:
    """Name what can honestly be named from outside; the rest keeps letters.

    An intro is a first section that is short, quiet and unlike the next, an outro such a last one;
    a chorus is what returns and is loudest. What else returns is a verse too seldom to say so.

    Args:
        letters: Of the sections, in order.
        lengths: `(sections,)` in seconds.
        levels: `(sections,)` mean loudness, linear.

    Returns:
        `intro`, `chorus`, `outro` or a letter (those left begin at A again), for each section.
    """
    names, last = list(letters), len(letters) - 1
    if last < 2:
        return names
    for place, beside, name in ((0, 1, "intro"), (last, last - 1, "outro")):
        others = np.delete(np.arange(last + 1), place)
        short = lengths[place] <= _SHORT * np.median(lengths[others])
        quiet = levels[place] <= _QUIET * np.median(levels[others])
        if short and quiet and letters[place] != letters[beside]:
            names[place] = name
    inner = [x for x, name in zip(letters, names) if x == name]
    loudness = {
        x: float(np.mean([v for y, v in zip(letters, levels) if y == x])) for x in set(inner)
    }
    returning = sorted(x for x in loudness if inner.count(x) > 1)
    if len(loudness) > 1 and returning:
        chorus = max(returning, key=lambda x: loudness[x])
        if loudness[chorus] >= _LOUD * np.median(list(loudness.values())):
            names = ["chorus" if name == chorus else name for name in names]
    unnamed = list(dict.fromkeys(x for x, name in zip(letters, names) if x == name))
    return [_LETTERS[unnamed.index(name)] if name in unnamed else name for name in names]


def find_sections(
    views: Sequence[np.ndarray],
    level: np.ndarray,
    frame_rate: float,
    *,
    boundary: np.ndarray | None = None,
    threshold: float = THRESHOLD,
    shortest_s: float = SHORTEST_S,
    alike: float = ALIKE,
) -> tuple[Section, ...]:
    """Divide a recording into sections.

    Args:
        views: Features `(frames, width)`, each roughly standardised.
        level: `(frames,)` loudness, linear.
        frame_rate: Frames per second.
        boundary: `(frames,)` probability of a boundary from a head that has learned it; counts as
            much as the novelty.
        threshold: See `pick_boundaries`.
        shortest_s: See `pick_boundaries`.
        alike: See `group_sections`.

    Returns:
        Sections from 0 to the end without gaps; a single one (`A`) where nothing changes.
    """
    n = len(level)
    if n < 3 * shortest_s * frame_rate:
        return (Section(0.0, n / frame_rate, "A"),)
    novelty = find_novelty(views, frame_rate)
    if boundary is not None:
        novelty = novelty / 2 + smooth(boundary[:, None], frame_rate)[:, 0] / 2
    boundaries = pick_boundaries(novelty, frame_rate, threshold=threshold, shortest_s=shortest_s)
    letters = group_sections(views, boundaries, alike=alike)
    edges = np.array([0, *boundaries, n])
    levels = np.array([level[a:b].mean() for a, b in pairwise(edges)])
    names = name_sections(letters, np.diff(edges) / frame_rate, levels)
    seconds = (edges / frame_rate).tolist()
    return tuple(Section(*part) for part in zip(seconds, seconds[1:], names))


def smooth(values: np.ndarray, width: float) -> np.ndarray:
    """Average `(frames, n)` over about `width` frames around each; fewer at the ends."""
    half, n = max(0, round(width / 2)), len(values)
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, 0, dtype=float)])
    low, high = np.maximum(np.arange(n) - half, 0), np.minimum(np.arange(n) + half + 1, n)
    return (total[high] - total[low]) / (high - low)[:, None]


def _similarity(rows: np.ndarray, around: np.ndarray | None = None) -> np.ndarray:
    """Cosine similarity of rows relative to the mean of the recording."""
    centred = rows - (rows if around is None else around).mean(0)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = centred / np.maximum(length, 1e-3 * max(float(length.max()), 1e-6))
    return unit @ unit.T


def _checkerboard(similarity: np.ndarray, half: int) -> np.ndarray:
    """Move a Gaussian checkerboard of `2 half` frames along the diagonal."""
    place = (np.arange(2 * half) + 0.5 - half) / half
    side = np.sign(place) * np.exp(-0.5 * (2 * place) ** 2)
    kernel = np.outer(side, side)
    padded = np.pad(similarity, half, mode="reflect")
    n, step = len(similarity), padded.strides[0] + padded.strides[1]
    blocks = np.lib.stride_tricks.as_strided(
        padded, (n, 2 * half, 2 * half), (step, *padded.strides), writeable=False
    )
    return np.einsum("nij,ij->n", blocks, kernel) / np.abs(kernel).sum()
