"""Pictures of the listening benchmark: reliability, families, confusion of styles."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .questions import HEADS

_COLUMNS = 4
_DPI = 110
_SPAN = (-0.03, 1.03)  # of probabilities, so that points at 0 and 1 are seen


def draw_all(summary: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw every picture that a summary has numbers for; returns the files."""
    drawn = []
    if summary["reliability"]:
        drawn.append(draw_reliability(summary["reliability"], folder / "reliability.png"))
    drawn.append(_save(_families(summary), folder / "families.png"))
    for condition, name in (("audio", "styles.png"), (HEADS, "styles_head.png")):
        if summary["styles"].get(condition):
            drawn.append(_save(_confusion(summary["styles"][condition]), folder / name))
    return drawn


def draw_reliability(found: Mapping[str, Any], path: Path) -> Path:
    """Draw how often what is said with p is right, a diagram for each of `reliability`."""
    return _save(_reliability(found), path)


def _figure(rows: int, columns: int, width: float, height: float) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False)


def _save(figure: Any, path: Path) -> Path:
    figure.savefig(path, dpi=_DPI)
    return path


def _reliability(found: Mapping[str, Any]) -> Any:
    rows = -(-len(found) // _COLUMNS)
    figure, axes = _figure(rows, _COLUMNS, 3.0 * _COLUMNS, 3.0 * rows)
    for place in axes.flat[len(found) :]:
        place.set_axis_off()
    for place, (name, r) in zip(axes.flat, found.items(), strict=False):
        place.plot([0, 1], [0, 1], color="0.7", linewidth=1)
        place.plot(
            [b["confidence"] for b in r["bins"]], [b["accuracy"] for b in r["bins"]], marker="o"
        )
        shares = [b["n"] / r["n"] for b in r["bins"]]
        place.bar([(b["low"] + b["high"]) / 2 for b in r["bins"]], shares, 0.09, alpha=0.25)
        place.set(xlim=_SPAN, ylim=_SPAN, title=f"{name}\nECE {r['ece']:.3f}, n {r['n']}")
        place.title.set_fontsize(8)
        place.set_xlabel("confidence", fontsize=8)
        place.set_ylabel("right", fontsize=8)
    return figure


def _families(summary: Mapping[str, Any]) -> Any:
    names = list(summary["families"])
    figure, axes = _figure(1, 1, 9.0, 4.0)
    place, width = axes[0, 0], 0.4
    for offset, condition, label in ((-width / 2, "audio", "in words"), (width / 2, HEADS, "head")):
        scores = summary["composed"].get(condition, {})
        found = [scores.get(f"f1 {name}") for name in names]
        values = [f["value"] if f else 0.0 for f in found]
        spread = [
            [max(0.0, f["value"] - f["low"]) if f else 0.0 for f in found],
            [max(0.0, f["high"] - f["value"]) if f else 0.0 for f in found],
        ]
        place.bar(np.arange(len(names)) + offset, values, width, yerr=spread, label=label)
    labels = [f"{name}\n({summary['families'][name]})" for name in names]
    place.set_xticks(range(len(names)), labels, fontsize=8)
    place.set(ylim=(0, 1), ylabel="F1", title="instrument families (clips in which they play)")
    place.legend()
    return figure


def _confusion(counts: Mapping[str, Mapping[str, int]]) -> Any:
    truths = list(counts)
    said = list(dict.fromkeys((*truths, *sorted({s for row in counts.values() for s in row}))))
    shares = np.array([[counts[t].get(s, 0) for s in said] for t in truths], float)
    shares /= shares.sum(1, keepdims=True)
    size = 3.0 + 0.28 * len(said)
    figure, axes = _figure(1, 1, size, 2.5 + 0.28 * len(truths))
    place = axes[0, 0]
    place.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    place.set_xticks(range(len(said)), said, rotation=90, fontsize=7)
    place.set_yticks(range(len(truths)), truths, fontsize=7)
    place.set(xlabel="said", ylabel="composed")
    return figure
