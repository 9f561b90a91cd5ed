"""Tables of scores as Markdown: one column a condition, one row a score."""

from __future__ import annotations

from collections.abc import Mapping


def score_table(scores: Mapping[str, Mapping[str, float]]) -> str:
    """Write scores by condition as a Markdown table."""
    names = list(next(iter(scores.values())))
    lines = [
        "| | " + " | ".join(scores) + " |",
        "|---|" + "---|" * len(scores),
    ]
    for name in names:
        cells = (f"{column[name]:.3f}" if name in column else "-" for column in scores.values())
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
