"""Tables of scores as Markdown: one column a condition, one row a score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .estimates import Estimate


def score_table(scores: Mapping[str, Mapping[str, float | Estimate]]) -> str:
    """Write scores by condition as a Markdown table; the first column with intervals it has."""
    return markdown_table(*score_cells(scores))


def score_cells(
    scores: Mapping[str, Mapping[str, float | Estimate]],
) -> tuple[list[str], list[list[str]]]:
    """Write scores by condition as the head and the rows of a table."""
    names = list(dict.fromkeys(name for column in scores.values() for name in column))
    first = next(iter(scores))
    rows = [
        [name, *(_cell(column.get(name), in_full=c == first) for c, column in scores.items())]
        for name in names
    ]
    return ["", *scores], rows


def describe_run(settings: Mapping[str, Any]) -> str:
    """Name the settings of a run in one line, those that are set."""
    return ", ".join(f"{name} {value}" for name, value in settings.items() if value is not None)


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Write a Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines).replace("|  |", "| |")


def _cell(value: float | Estimate | None, *, in_full: bool) -> str:
    if value is None:
        return "-"
    if not isinstance(value, Estimate):
        return f"{value:.3f}"
    if not in_full:
        return f"{value.value:.3f}"
    return f"{value.value:.3f} [{value.low:.3f}, {value.high:.3f}]"
