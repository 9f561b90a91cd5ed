"""Keeps what a run has come to: `scores.json` for programs, a report and its plots for people."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any


def keep_report(
    folder: Path | None,
    found: Mapping[str, Any],
    text: str,
    *,
    draw: Callable[[Path], Sequence[Path]] | None = None,
    name: str = "report.md",
) -> str:
    """Write a run's scores and report.

    Args:
        folder: Where to; None keeps nothing.
        found: Goes into `scores.json`.
        text: The report as Markdown.
        draw: Draws plots into the folder and gives their files, which the report then shows.
        name: File name of the report.

    Returns:
        The report, with its plots where some were drawn.
    """
    if folder is None:
        return text
    (folder / "scores.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if draw is not None:
        links = "\n".join(f"![{path.stem}]({path.name})" for path in draw(folder))
        text = f"{text}\n\n## Plots\n{links}"
    (folder / name).write_text(text + "\n", encoding="utf-8")
    return text
