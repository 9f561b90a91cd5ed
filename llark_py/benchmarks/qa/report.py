"""The report of a run for people: its chapters, a task each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llark_py.files import write_whole

from ..chapters import Chapter, Grid, Picture, write_page
from ..estimates import Estimate
from ..table import describe_run
from .results import TaskRun
from .sounds import AUDIO

_TITLE = "Published benchmarks"
_N_EXAMPLES = 5
_LONGEST = 160


def write_report(
    runs: Sequence[TaskRun], settings: Mapping[str, Any], folder: Path | None, plots: bool
) -> str:
    """Write `report.md` and `report.html` into a folder.

    Args:
        runs: The tasks.
        settings: Who answered, and how.
        folder: Where to; None writes nothing.
        plots: Whether the page has pictures.

    Returns:
        The report as Markdown.
    """
    chapters = [_chapter(run, plots and folder is not None) for run in runs]
    head = describe_run({k: v for k, v in settings.items() if v != []})
    text = "\n\n".join([f"# {_TITLE}", head, *(chapter.markdown() for chapter in chapters)])
    if folder is not None:
        write_whole(folder / "report.md", text + "\n")
        write_page(folder / "report.html", _TITLE, head, chapters)
    return text


def _chapter(run: TaskRun, plots: bool) -> Chapter:
    asked = f"{len(run.questions)} questions"
    if len(run.questions) < run.n_original:
        asked += f" of {run.n_original}; the recordings of the others are not there"
    return Chapter(
        title=run.task.name,
        text=f"{asked}.",
        tables=[table for table in (_rows(run), _categories(run), _judged(run)) if table.rows],
        pictures=pictures_of(run) if plots else (),
        unread=unread_answers(run),
    )


def pictures_of(run: TaskRun) -> list[Picture]:
    """Draw the primary score of a run by row; nothing where it was not scored."""
    from .figures import draw_rows

    columns = [column for of in run.table.values() for column in of.values()]
    if not any(run.task.primary in column.scores for column in columns):
        return []
    return [Picture.of(f"Scores of {run.task.name} by row", draw_rows(run))]


def unread_answers(run: TaskRun) -> list[tuple[str, str]]:
    """Give some answers that could not be read, with the ids of their questions."""
    if run.heard is None:
        return []
    said = run.said[AUDIO]
    unread = [
        (question.id, " ".join((said.get(question.id) or "").split())[:_LONGEST])
        for question, value in zip(run.questions, run.heard.values, strict=True)
        if value is None and said.get(question.id)
    ]
    return unread[:_N_EXAMPLES]


def _rows(run: TaskRun) -> Grid:
    columns = [(row, reader, c) for row, of in run.table.items() for reader, c in of.items()]
    names = list(dict.fromkeys(name for _, _, column in columns for name in column.scores))
    rows = [
        [
            row,
            reader,
            *(_cell(column.scores.get(name)) for name in names),
            f"{column.unparsed:.3f}" if row in run.said else "-",
        ]
        for row, reader, column in columns
    ]
    return Grid("", ["row", "read", *names, "unparsed"], rows)


def _categories(run: TaskRun) -> Grid:
    rows = [
        [dimension, name, _cell(estimate), str(estimate.n)]
        for dimension, found in run.categories.items()
        for name, estimate in found.items()
    ]
    score = next(iter(run.heard.scores)) if run.heard else ""
    title = f"By category ({score}, {run.reader})"
    return Grid(title, ["of", "category", "score", "n"], rows)


def _judged(run: TaskRun) -> Grid:
    rows = [[name, _cell(estimate)] for name, estimate in run.judged.items()]
    return Grid("Judged by a language model", ["against", "preferred"], rows)


def _cell(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
