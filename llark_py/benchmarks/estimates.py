"""Scores with bootstrap intervals: recordings are drawn again with replacement, not answers.

Every score is a function of weights: how often each recording was drawn. The first row of weights
holds ones, which gives the score itself; the others give its interval (Efron, 1979).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

N_DRAWS = 1000
_LEVEL = 95.0
SEED = 20260101
"""Of the draws; every interval is made with it."""


@dataclass(frozen=True)
class Estimate:
    """A score, its 95 % interval, and the number of answers that it was made of."""

    value: float
    low: float
    high: float
    n: int

    def as_dict(self) -> dict[str, float]:
        """The same as JSON holds it, with four decimals."""
        return {
            "value": round(self.value, 4),
            "low": round(self.low, 4),
            "high": round(self.high, 4),
            "n": self.n,
        }


class Draws:
    """Weights of answers, drawn by recording.

    Args:
        ids: The recording of each answer; answers about one recording stay together.
        n_draws: How many draws; 0 gives no interval.
    """

    def __init__(self, ids: Sequence[Hashable], n_draws: int = N_DRAWS):
        order = {recording: i for i, recording in enumerate(dict.fromkeys(ids))}
        n = len(order)
        drawn = np.random.default_rng(SEED).multinomial(n, np.full(n, 1 / n), n_draws)
        places = np.array([order[i] for i in ids])
        self.weights = np.concatenate([np.ones((1, n)), drawn])[:, places]
        self.n = len(places)

    def estimate(self, score: Callable[[np.ndarray], np.ndarray]) -> Estimate:
        """Take a score over all draws.

        Args:
            score: Weights (draws, answers) -> (draws,); NaN where a draw cannot be scored.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            values = score(self.weights)
        spread = values[1:][~np.isnan(values[1:])]
        if not len(spread):
            spread = values[:1]
        low, high = np.percentile(spread, [(100 - _LEVEL) / 2, (100 + _LEVEL) / 2])
        return Estimate(float(values[0]), float(low), float(high), self.n)

    def mean(self, values: Sequence[float | bool]) -> Estimate:
        """The mean over answers (micro)."""
        x = np.asarray(values, float)
        return self.estimate(lambda w: w @ x / w.sum(1))

    def class_mean(self, values: Sequence[float | bool], classes: Sequence[Hashable]) -> Estimate:
        """The mean over classes of the means within them (macro): balanced accuracy."""
        x, member = np.asarray(values, float), _membership(classes)

        def score(w: np.ndarray) -> np.ndarray:
            return _nan_mean((w * x) @ member / (w @ member))

        return self.estimate(score)

    def balanced_by_group(
        self, values: Sequence[float | bool], sides: Sequence[bool], groups: Sequence[Hashable]
    ) -> Estimate:
        """The mean over groups of their balanced accuracies; a group with one side counts that."""
        x = np.asarray(values, float)
        yes = np.asarray(sides, bool)
        member = _membership(groups)

        def score(w: np.ndarray) -> np.ndarray:
            per_side = [
                (w * x) @ (member * side[:, None]) / (w @ (member * side[:, None]))
                for side in (yes, ~yes)
            ]
            return _nan_mean(_nan_mean(np.stack(per_side, -1)))

        return self.estimate(score)

    def f1(self, said: np.ndarray, true: np.ndarray) -> dict[str, Estimate]:
        """F1 of several labels an answer; see `count_f1`.

        Args:
            said, true: (answers, labels) bool.
        """
        return self.count_f1(said & true, said, true)

    def count_f1(self, hit: np.ndarray, said: np.ndarray, true: np.ndarray) -> dict[str, Estimate]:
        """F1 of things of several labels, such as the strokes on each drum.

        Args:
            hit: (answers, labels) how many are rightly said ...
            said: ... of so many that are said ...
            true: ... and so many that there are.

        Returns:
            `micro`, `macro` and `lowest` over the labels that occur, and one a label by its
            number.
        """
        occurring = true.any(0)

        def per_label(w: np.ndarray) -> np.ndarray:
            support = w @ said + w @ true
            # A label that is not there in this draw, and not said, is no evidence.
            return np.where(support > 0, 2 * (w @ hit) / np.maximum(support, 1), np.nan)

        def micro(w: np.ndarray) -> np.ndarray:
            support = (w @ said + w @ true).sum(1)
            return 2 * (w @ hit).sum(1) / np.maximum(support, 1)

        # Once for all labels: with hundreds of them, each of its own would take an hour.
        by_label = per_label(self.weights)

        def lowest(_: np.ndarray) -> np.ndarray:
            values = np.where(np.isnan(by_label), np.inf, by_label)[:, occurring]
            least = values.min(1, initial=np.inf)
            return np.where(np.isinf(least), np.nan, least)

        found = {
            "micro": self.estimate(micro),
            "macro": self.estimate(lambda _: _nan_mean(by_label[:, occurring])),
            "lowest": self.estimate(lowest),
        }
        for label in map(int, np.flatnonzero(occurring)):
            found[str(label)] = self.estimate(partial(lambda label, _: by_label[:, label], label))
        return found


def _membership(classes: Sequence[Hashable]) -> np.ndarray:
    """One column a class, in order of appearance: (answers, classes)."""
    order = {name: i for i, name in enumerate(dict.fromkeys(classes))}
    return np.eye(len(order))[[order[c] for c in classes]]


def _nan_mean(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis of what is a number; NaN where nothing is."""
    known = ~np.isnan(values)
    return np.where(known, values, 0.0).sum(-1) / np.where(known.any(-1), known.sum(-1), np.nan)
