"""The picture of the tools benchmark: every score of the tools, and where the others stand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .scoring import TOOL

_GROUND, _INK, _COLOUR = "#f5f3ee", "#3d4148", "#2a6f97"
_WIDTH, _ROW, _MARGIN, _DPI = 8.0, 0.24, 0.9, 110
_MARKS = "osD^vP*X"
_DETAILS = ("f1 ", "drums ", "si_sdr ", "snr ")  # rows that would crowd the picture
_DECIBELS = "sdr "


def draw_scores(scores: Mapping[str, Any], path: Path) -> Path:
    """Draw shares and decibels beside each other, a row a score.

    Args:
        scores: Set -> condition -> score -> estimate, as JSON holds them.
        path: The PNG file to write.
    """
    from matplotlib.figure import Figure

    rows = [
        (f"{name}: {score}", columns, score)
        for name, columns in scores.items()
        for score in columns[TOOL]
        if not score.startswith(_DETAILS)
    ]
    shares = [row for row in rows if not row[2].startswith(_DECIBELS)]
    levels = [row for row in rows if row[2].startswith(_DECIBELS)]
    halves = [half for half in (shares, levels) if half]
    heights = [_MARGIN + _ROW * len(half) for half in halves]
    figure = Figure(figsize=(_WIDTH, sum(heights)), layout="constrained", facecolor=_GROUND)
    places = figure.subplots(len(halves), 1, squeeze=False, height_ratios=heights)
    others = list(dict.fromkeys(c for columns in scores.values() for c in columns if c != TOOL))
    for axes, half in zip(places[:, 0], halves, strict=True):
        _draw_half(axes, half, dict(zip(others, _MARKS * len(others), strict=False)))
    figure.savefig(path, dpi=_DPI, format="png")
    return path


def _draw_half(axes: Any, rows: list[tuple[str, Any, str]], marks: Mapping[str, str]) -> None:
    axes.set_facecolor(_GROUND)
    for y, (_, columns, score) in enumerate(rows):
        own = columns[TOOL][score]
        axes.barh(y, own["value"], 0.6, color=_COLOUR, alpha=0.45)
        axes.plot([own["low"], own["high"]], [y, y], color=_COLOUR, linewidth=2)
        for condition, mark in marks.items():
            if score in columns.get(condition, {}):
                axes.plot(columns[condition][score]["value"], y, mark, color=_INK, markersize=5)
    there = [c for c in marks if any(score in columns.get(c, {}) for _, columns, score in rows)]
    for condition in there:
        axes.plot([], [], marks[condition], color=_INK, markersize=5, label=condition)
    axes.set_yticks(range(len(rows)), [name for name, *_ in rows], fontsize=7, color=_INK)
    axes.invert_yaxis()
    axes.tick_params(colors=_INK, labelsize=7)
    axes.grid(axis="x", color=_INK, alpha=0.15)
    if there:
        axes.legend(fontsize=7, facecolor=_GROUND, labelcolor=_INK, loc="best")
    decibels = rows[0][2].startswith(_DECIBELS)
    axes.set_xlabel("dB" if decibels else "share (bars: tools, with intervals)", color=_INK)
    if not decibels:
        axes.set_xlim(0, 1.02)
