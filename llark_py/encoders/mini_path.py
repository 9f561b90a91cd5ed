"""Paths through classes: the likeliest one where changes cost, and its runs; without torch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np


def likeliest_path(scores: np.ndarray, change: float) -> np.ndarray:
    """Follow the best classes through `(steps, classes)` scores; each change costs the same.

    This is Viterbi's search without a library's compiler, which takes seconds to load.
    """
    best, back = scores[0], np.zeros(scores.shape, int)
    for step in range(1, len(scores)):
        other = int(best.argmax())
        back[step] = np.where(best >= best[other] - change, np.arange(len(best)), other)
        best = np.maximum(best, best[other] - change) + scores[step]
    path = np.zeros(len(scores), int)
    path[-1] = best.argmax()
    for step in range(len(scores) - 1, 0, -1):
        path[step - 1] = back[step, path[step]]
    return path


def equal_runs(path: Sequence[int] | np.ndarray) -> list[tuple[int, int]]:
    """Give where each run of equal neighbours begins and where the next one does."""
    starts = [i for i in range(len(path)) if i == 0 or path[i] != path[i - 1]]
    return list(pairwise([*starts, len(path)]))
