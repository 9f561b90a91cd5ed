"""The course of a recording, read from frame posteriors: who sounds when, and its sections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from .mini_periodicity import FRAMES_PER_SECOND
from .mini_sections import Section, find_sections, measure_similarity, smooth

ENTERS_AT, LEAVES_AT = 0.5, 0.35
"""An activity above the first begins a span, one below the second ends it."""
_SMOOTH_S, _SHORTEST_S, _GAP_S = 0.9, 1.2, 2.5
_EDGE_S = 1.0
"""What begins this early was there from the start; what ends this late stays to the end."""
_HEARD = 0.25
_SECTION_FRAMES = 5
"""Frames of 0.1 s in a frame of the section search."""
SECTION_FRAME_RATE = FRAMES_PER_SECOND / _SECTION_FRAMES


class Span(NamedTuple):
    """When something sounds, in seconds."""

    start_s: float
    end_s: float


@dataclass(frozen=True)
class Form:
    """The course of a recording.

    Attributes:
        duration_s: Length in seconds.
        spans: By family, when it sounds; families that never do are left out.
        sections: Without gaps; empty where they were not looked for.
    """

    duration_s: float
    spans: dict[str, tuple[Span, ...]] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()

    @property
    def entrances(self) -> list[tuple[float, str]]:
        """When a family begins to sound after the beginning, in order of time."""
        found = [(s.start_s, name) for name, spans in self.spans.items() for s in spans]
        return sorted((t, name) for t, name in found if t > _EDGE_S)

    @property
    def exits(self) -> list[tuple[float, str]]:
        """When a family ceases to sound before the end, in order of time."""
        found = [(s.end_s, name) for name, spans in self.spans.items() for s in spans]
        return sorted((t, name) for t, name in found if t < self.duration_s - _EDGE_S)


def find_spans(
    activity: np.ndarray,
    frame_rate: float = FRAMES_PER_SECOND,
    *,
    enters_at: float = ENTERS_AT,
    leaves_at: float = LEAVES_AT,
) -> tuple[Span, ...]:
    """Find when something sounds.

    Args:
        activity: `(frames,)` probability that it sounds.
        frame_rate: Frames per second.
        enters_at: Smoothed activity that begins a span.
        leaves_at: Smoothed activity below which a span ends.

    Returns:
        Spans of at least 1.2 s, with pauses of at least 2.5 s between them.
    """
    curve = smooth(activity[:, None], _SMOOTH_S * frame_rate)[:, 0]
    awake = curve >= leaves_at
    edges = np.flatnonzero(np.diff(np.concatenate([[0], awake.astype(int), [0]])))
    spans: list[Span] = []
    for first, stop in zip(edges[::2].tolist(), edges[1::2].tolist()):
        strong = np.flatnonzero(curve[first:stop] >= enters_at)
        if not len(strong):
            continue
        start_s, end_s = (first + strong[0]) / frame_rate, stop / frame_rate
        if start_s < _SMOOTH_S:  # the mean over the beginning says no more than the first frames
            start_s = first / frame_rate
        if spans and start_s - spans[-1].end_s < _GAP_S:
            spans[-1] = Span(spans[-1].start_s, end_s)
        else:
            spans.append(Span(float(start_s), float(end_s)))
    return tuple(s for s in spans if s.end_s - s.start_s >= _SHORTEST_S)


def read_spans(
    activity: np.ndarray, families: np.ndarray, names: Sequence[str]
) -> dict[str, tuple[Span, ...]]:
    """Say when each family sounds.

    Args:
        activity: `(frames, families)` probability, 10 frames a second.
        families: `(families,)` probability that it sounds at all; unlikely ones are left out.
        names: Of the families.
    """
    loud = (activity.max(0) >= ENTERS_AT) & (families >= _HEARD)
    found = {names[i]: find_spans(activity[:, i]) for i in np.flatnonzero(loud)}
    return {name: spans for name, spans in found.items() if spans}


def read_sections(
    tokens: np.ndarray,
    bands: np.ndarray,
    activity: np.ndarray,
    level: np.ndarray,
    boundary: np.ndarray | None = None,
) -> tuple[Section, ...]:
    """Divide a song into sections by all that changes in it.

    Args:
        tokens: `(frames, width)`, 10 frames a second, as all of these.
        bands: `(frames, 64)` mel spectrum.
        activity: `(frames, families)`.
        level: `(frames,)` loudness, linear.
        boundary: `(frames,)` probability of a boundary, where a head has learned it.
    """
    views = [_pool(standard) for standard in (_standardise(tokens), bands, activity)]
    peaks = None if boundary is None else _pool(boundary[:, None], np.max)[:, 0]
    return find_sections(views, _pool(level[:, None])[:, 0], SECTION_FRAME_RATE, boundary=peaks)


def compare_moments(tokens: np.ndarray, activity: np.ndarray) -> np.ndarray:
    """Compare every half second of a song with every other, as the search for sections does.

    Args:
        tokens: `(frames, width)`, 10 frames a second.
        activity: `(frames, families)`.

    Returns:
        `(moments, moments)` similarity in [-1, 1], `SECTION_FRAME_RATE` moments a second.
    """
    return measure_similarity([_pool(_standardise(tokens)), _pool(activity)], SECTION_FRAME_RATE)


def _pool(rows: np.ndarray, how: Callable[..., np.ndarray] = np.mean) -> np.ndarray:
    edges = np.arange(0, len(rows), _SECTION_FRAMES)
    return np.stack([how(rows[e : e + _SECTION_FRAMES], axis=0) for e in edges])


def _standardise(rows: np.ndarray) -> np.ndarray:
    return (rows - rows.mean(0)) / (rows.std(0) + 1e-6)
