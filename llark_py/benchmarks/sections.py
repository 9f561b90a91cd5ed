"""Scores of when and where in a song: boundaries of sections and entrances, within 3 s."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .answers import Row
from .estimates import Draws, Estimate
from .spoken_times import parse_boundaries, parse_times

WINDOW_S = 3.0
"""The longer window of MIREX music structure segmentation (Turnbull et al., ISMIR 2007)."""
EVEN, OTHER_TRUTH = "evenly spaced", "another song's"


def boundaries_said(row: Row) -> list[float]:
    """The boundaries of a row: those that an analysis found, or those in the words of an answer."""
    return row["value"] if "value" in row else parse_boundaries(row["answer"], row["duration_s"])


def entrance_said(row: Row) -> float | None:
    """The time of a row: the one that the ear found, or the first in the words of an answer."""
    return row["value"] if "value" in row else next(iter(parse_times(row["answer"])), None)


def boundary_f(truth: Sequence[float], said: Sequence[float], duration_s: float) -> float:
    """F-measure of boundaries within 3 s (mir_eval), without the start and the end of the song.

    Args:
        truth, said: Boundaries in seconds, inside the song.
        duration_s: Length of the song.
    """
    import mir_eval

    if not len(said) or not len(truth):
        return float(len(said) == len(truth))
    *_, f = mir_eval.segment.detection(
        _intervals(truth, duration_s), _intervals(said, duration_s), window=WINDOW_S, trim=True
    )
    return float(f)


def _intervals(boundaries: Sequence[float], duration_s: float) -> np.ndarray:
    edges = np.unique([0.0, *(b for b in boundaries if 0 < b < duration_s), duration_s])
    return np.stack([edges[:-1], edges[1:]], 1)


def evenly_spaced(n: int, duration_s: float) -> list[float]:
    """Guess `n` boundaries without listening."""
    return [duration_s * (i + 1) / (n + 1) for i in range(n)]


def score_forms(rows: Sequence[Row], _: Sequence[Any], draws: Draws) -> dict[str, Estimate]:
    """Score boundaries: the mean over songs of `boundary_f`."""
    said = [boundaries_said(row) for row in rows]
    values = [boundary_f(r["truth"], s, r["duration_s"]) for r, s in zip(rows, said, strict=True)]
    return {"form_f": draws.mean(values)}


def score_entrances(rows: Sequence[Row], _: Sequence[Any], draws: Draws) -> dict[str, Estimate]:
    """Score the first time that is said of when an instrument comes in."""
    pairs = [(entrance_said(row), row["truth"]) for row in rows]
    hits = [said is not None and abs(said - truth) <= WINDOW_S for said, truth in pairs]
    return {"entrance_3s": draws.mean(hits)}
