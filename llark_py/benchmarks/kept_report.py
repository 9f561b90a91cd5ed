"""Keeps what a run has come to: numbers for programs, a report and its plots for people."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .chapters import Chapter, Picture, write_page
from .qa.report import pictures_of, unread_answers
from .qa.results import write_results
from .qa.samples import write_samples
from .set_runs import SetRun
from .table import describe_run

_INTERVALS = "The first column with 95 % bootstrap intervals over recordings."
Draw = Callable[[Path], Sequence[Path]]
"""Draws plots into a folder and gives their files."""


def keep_report(
    folder: Path | None,
    found: Mapping[str, Any],
    text: str,
    *,
    draw: Draw | None = None,
    name: str = "report.md",
) -> str:
    """Write a run's scores and report.

    Args:
        folder: Where to; None keeps nothing.
        found: Goes into `scores.json`.
        text: The report as Markdown.
        draw: Draws the plots that the report then shows.
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


def keep_run(
    folder: Path | None,
    settings: Mapping[str, Any],
    summary: Mapping[str, Any],
    *,
    title: str,
    chapters: Sequence[Chapter],
    sets: Sequence[SetRun],
    draw: Draw | None,
) -> str:
    """Write all that a run comes to: also results and samples as published benchmarks have them.

    Args:
        folder: Where to; None keeps nothing.
        settings: What was run, and how.
        summary: Goes into `scores.json`, with the settings.
        title: Of the report.
        chapters: Of the report.
        sets: The sets of the run as tasks.
        draw: Draws the plots; None goes without.

    Returns:
        The report as Markdown.
    """
    plots: list[Path] = []

    def draw_plots(place: Path) -> Sequence[Path]:
        plots.extend(draw(place) if draw is not None else ())
        return plots

    described = describe_run(settings)
    text = "\n\n".join(
        [f"# {title}\n{described}", _INTERVALS, *(chapter.markdown() for chapter in chapters)]
    )
    found = {"run": dict(settings), **summary}
    text = keep_report(folder, found, text, draw=draw_plots if draw is not None else None)
    if folder is None:
        return text
    for run, samples in sets:
        write_samples(folder, run.task.name, samples)
    runs = [run for run, _ in sets]
    write_results(runs, settings, folder, None)
    pictures = [Picture.of(path.stem, path.read_bytes()) for path in plots]
    if draw is not None:
        pictures += [picture for run in runs for picture in pictures_of(run)]
    unread = [Chapter(run.task.name, unread=unread_answers(run)) for run in runs]
    page = [*chapters, *(chapter for chapter in unread if chapter.unread)]
    if pictures:
        page.insert(0, Chapter("Plots", pictures=pictures))
    write_page(folder / "report.html", title, f"{described}. {_INTERVALS}", page)
    return text
