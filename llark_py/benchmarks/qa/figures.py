"""Pictures of a run: the model beside its blind rows, and how the readers differ."""

from __future__ import annotations

import io
from typing import Any

from ..estimates import Estimate
from .results import TaskRun
from .sounds import AUDIO

_PAGE, _INK, _MODEL, _BLIND = "#f7f6f2", "#5a5a5a", "#2f6f9f", "#b9b4a7"
_DPI, _WIDTH, _ROW, _HEAD = 110, 7.0, 0.32, 0.9


def draw_rows(run: TaskRun) -> bytes:
    """Draw the primary score of every row with its interval.

    Returns:
        A PNG.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    bars = _bars(run)[::-1]
    figure = Figure(figsize=(_WIDTH, _HEAD + _ROW * len(bars)), layout="constrained")
    FigureCanvasAgg(figure)
    figure.set_facecolor(_PAGE)
    place: Any = figure.subplots()
    place.set_facecolor(_PAGE)
    values = [estimate.value for _, _, estimate in bars]
    spread = [
        [max(0.0, e.value - e.low) for _, _, e in bars],
        [max(0.0, e.high - e.value) for _, _, e in bars],
    ]
    colours = [_MODEL if own else _BLIND for _, own, _ in bars]
    place.barh(range(len(bars)), values, color=colours, xerr=spread, ecolor=_INK, height=0.7)
    place.set_yticks(range(len(bars)), [name for name, _, _ in bars])
    if all(0 <= value <= 1 for value in values):  # decibels have no such limits
        place.set_xlim(0, 1)
    place.set_title(f"{run.task.name}: {run.task.primary} (95 % interval)", color=_INK, fontsize=10)
    place.tick_params(colors=_INK, labelsize=9)
    for spine in place.spines.values():
        spine.set_color(_INK)
    file = io.BytesIO()
    figure.savefig(file, dpi=_DPI, facecolor=_PAGE)
    return file.getvalue()


def _bars(run: TaskRun) -> list[tuple[str, bool, Estimate]]:
    """Name, whether it is the model with its own sound, and score of every row and reader."""
    bars = []
    for row, columns in run.table.items():
        for reader, column in columns.items():
            if run.task.primary not in column.scores:
                continue
            own = row == AUDIO
            if own or reader == run.reader or len(columns) == 1:
                said_by = run.own if own else row
                name = f"{said_by} ({reader})" if own and len(columns) > 1 else said_by
                bars.append((name, own, column.scores[run.task.primary]))
    return bars
