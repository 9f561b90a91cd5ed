"""A report as chapters, written once: as Markdown, and as a page of HTML that stands alone."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2

from llark_py.files import write_whole

from .table import markdown_table

_TEMPLATE = "report.html.jinja"


@dataclass(frozen=True)
class Grid:
    """A table of a report: its title, which may be empty, head and rows."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def markdown(self) -> str:
        """Write the table as Markdown."""
        table = markdown_table(self.head, self.rows)
        return f"### {self.title}\n{table}" if self.title else table


@dataclass(frozen=True)
class Picture:
    """A picture of a page: what it shows, and itself as a data URI."""

    shows: str
    uri: str

    @classmethod
    def of(cls, shows: str, png: bytes) -> Picture:
        """Make one of the bytes of a PNG."""
        return cls(shows, "data:image/png;base64," + base64.b64encode(png).decode())


@dataclass(frozen=True)
class Chapter:
    """A chapter of a report: a sentence, a table, or both.

    Attributes:
        title: What it is about.
        text: A sentence in front of its tables; may be empty.
        tables: Its tables.
        pictures: Shown on the page; Markdown goes without.
        unread: Questions and what was said to them that could not be read.
    """

    title: str
    text: str = ""
    tables: Sequence[Grid] = ()
    pictures: Sequence[Picture] = ()
    unread: Sequence[tuple[str, str]] = ()

    def markdown(self) -> str:
        """Write the chapter as Markdown."""
        head = f"## {self.title}\n"
        parts = [table.markdown() for table in self.tables]
        parts = [head + self.text, *parts] if self.text else [head + parts[0], *parts[1:]]
        if self.unread:
            lines = [f"- {name}: `{said}`" for name, said in self.unread]
            parts.append("### Answers that could not be read\n" + "\n".join(lines))
        return "\n\n".join(parts)


def write_page(path: Path, title: str, head: str, chapters: Sequence[Chapter]) -> None:
    """Write a report as a page of HTML that needs no other file.

    Args:
        path: The file.
        title: Of the report.
        head: What was run, and how.
        chapters: Its chapters.
    """
    template = resources.files("llark_py.benchmarks").joinpath(_TEMPLATE)
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=True)
    page = environment.from_string(template.read_text(encoding="utf-8")).render(
        title=title, head=head, chapters=chapters
    )
    write_whole(path, page)
