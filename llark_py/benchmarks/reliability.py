"""Does confidence mean anything? How often what is said with p is right in a share p."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from llark_py.theory import parse_key, pitch_class

from .answers import Row
from .baselines import TEMPO_TOLERANCE
from .questions import HEADS

N_BINS = 10


def reliability(confidences: Sequence[float], right: Sequence[float]) -> dict[str, Any]:
    """Compare confidences with how often they are right, in ten bins of equal width.

    Args:
        confidences: In [0, 1].
        right: Whether each answer was right, or how much of it, in [0, 1] (for a probability that
            something is there, whether it was).

    Returns:
        `ece`: the expected calibration error (Guo et al., 2017), weighted by bin; `n`; `mean`
        confidence and `accuracy`; `bins`: `low`, `high`, `confidence`, `accuracy`, `n` of each
        bin that is not empty.
    """
    p, hit = np.clip(np.asarray(confidences, float), 0, 1), np.asarray(right, float)
    if not len(p):
        return {"n": 0, "ece": None, "bins": []}
    place = np.minimum((p * N_BINS).astype(int), N_BINS - 1)
    bins, error = [], 0.0
    for i in range(N_BINS):
        inside = place == i
        if not inside.any():
            continue
        mean, accuracy = float(p[inside].mean()), float(hit[inside].mean())
        error += inside.mean() * abs(mean - accuracy)
        bins.append(
            {
                "low": i / N_BINS,
                "high": (i + 1) / N_BINS,
                "confidence": round(mean, 4),
                "accuracy": round(accuracy, 4),
                "n": int(inside.sum()),
            }
        )
    return {
        "n": len(p),
        "ece": round(float(error), 4),
        "mean": round(float(p.mean()), 4),
        "accuracy": round(float(hit.mean()), 4),
        "bins": bins,
    }


def reliability_of_rows(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Compare all confidences of a run with the truth.

    Returns:
        By `<set>: <head|tool> <fact>` what `reliability` gives. Of families every probability of
        every family counts; of `vocals` and `not_music` the probability that it is so.
    """
    found: dict[str, tuple[list[float], list[float]]] = {}
    for row in rows:
        who = {HEADS: "head", "audio": "tool"}.get(row["condition"])
        if who is None:
            continue
        confidences, right = found.setdefault(f"{row['set']}: {who} {row['fact']}", ([], []))
        if "probabilities" in row:
            confidences += row["probabilities"].values()
            right += [family in row["truth"] for family in row["probabilities"]]
        elif row.get("confidence") is not None:
            confidences.append(row["confidence"])
            right.append(is_right(row))
    return {name: reliability(*pair) for name, pair in sorted(found.items()) if pair[0]}


def is_right(row: Row) -> bool:
    """Tell whether an answer with a confidence was right."""
    fact, said, truth = row["fact"], row["value"], row["truth"]
    if fact in ("vocals", "not_music"):
        return bool(truth)
    if fact == "tempo":
        return bool(said) and abs(said / truth - 1) < TEMPO_TOLERANCE
    if fact == "key":
        return bool(said) and parse_key(said) == parse_key(truth)
    if fact == "tonic":
        return bool(said) and pitch_class(said.split()[0]) == pitch_class(truth)
    return said == truth
