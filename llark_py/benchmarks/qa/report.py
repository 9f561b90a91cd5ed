"""The report of a run for people: Markdown, and a page of HTML that stands alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2

from ..answers import write_whole
from ..estimates import Estimate
from ..table import describe_run, markdown_table
from .results import TaskRun
from .sounds import AUDIO

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
    parts = [_Part(run) for run in runs]
    head = describe_run({k: v for k, v in settings.items() if v != []})
    text = "\n\n".join(["# Published benchmarks", head, *(part.markdown() for part in parts)])
    if folder is None:
        return text
    write_whole(folder / "report.md", text + "\n")
    pictures = []
    if plots:
        from .figures import draw_rows

        pictures = [draw_rows(run) for run in runs]
    template = resources.files("llark_py.benchmarks.qa").joinpath("report.html.jinja")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=True)
    page = environment.from_string(template.read_text(encoding="utf-8")).render(
        head=head, parts=[part.tables() for part in parts], pictures=pictures
    )
    write_whole(folder / "report.html", page)
    return text


class _Part:
    """The tables of one task."""

    def __init__(self, run: TaskRun):
        self._run = run

    def tables(self) -> dict[str, Any]:
        """Everything that the report tells of the task, as tables of text."""
        run = self._run
        asked = f"{len(run.questions)} questions"
        if len(run.questions) < run.n_original:
            asked += f" of {run.n_original}; the recordings of the others are not there"
        return {
            "name": run.task.name,
            "asked": asked,
            "tables": [
                table
                for table in (self._rows(), self._categories(), self._judged())
                if table["rows"]
            ],
            "unread": self._unread(),
        }

    def markdown(self) -> str:
        told = self.tables()
        parts = [f"## {told['name']}\n{told['asked']}."]
        for table in told["tables"]:
            title = f"### {table['title']}\n" if table["title"] else ""
            parts.append(title + markdown_table(table["head"], table["rows"]))
        if told["unread"]:
            lines = [f"- {name}: `{said}`" for name, said in told["unread"]]
            parts.append("### Answers that could not be read\n" + "\n".join(lines))
        return "\n\n".join(parts)

    def _rows(self) -> dict[str, Any]:
        run = self._run
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
        return {"title": "", "head": ["row", "read", *names, "unparsed"], "rows": rows}

    def _categories(self) -> dict[str, Any]:
        run = self._run
        rows = [
            [dimension, name, _cell(estimate), str(estimate.n)]
            for dimension, found in run.categories.items()
            for name, estimate in found.items()
        ]
        score = next(iter(run.heard.scores)) if run.heard else ""
        title = f"By category ({score}, {run.reader})"
        return {"title": title, "head": ["of", "category", "score", "n"], "rows": rows}

    def _judged(self) -> dict[str, Any]:
        rows = [[name, _cell(estimate)] for name, estimate in self._run.judged.items()]
        return {
            "title": "Judged by a language model",
            "head": ["against", "preferred"],
            "rows": rows,
        }

    def _unread(self) -> list[tuple[str, str]]:
        run = self._run
        if run.heard is None:
            return []
        said = run.said[AUDIO]
        unread = [
            (question.id, " ".join((said.get(question.id) or "").split())[:_LONGEST])
            for question, value in zip(run.questions, run.heard.values, strict=True)
            if value is None and said.get(question.id)
        ]
        return unread[:_N_EXAMPLES]


def _cell(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
