"""Keeps the answers of a run part by part, so that a run that was cut off goes on."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from llark_py.errors import ConfigError
from llark_py.files import write_whole

Row = dict[str, Any]
Piece = tuple[str, Callable[[], Iterable[Row]]]
"""What a part is made of, and kept by while it is not whole: a name, and who asks."""


FAILED = "failed"
"""Marks a row whose question could not be answered."""


def answered(row: Row, answer: str | None) -> Row:
    """Put an answer into a row; None marks it as failed, which is an answer that says nothing."""
    return {**row, "answer": answer} if answer is not None else {**row, "answer": "", FAILED: True}


def rows_of(pieces: Iterable[Piece]) -> Iterator[Row]:
    """Ask all pieces of a part, one after the other."""
    for _, make in pieces:
        yield from make()


class AnswerBook:
    """The rows of a run by part; on disk where it has a folder.

    Parts with rows that failed are scored, but not kept on disk: the next run asks those again.

    Args:
        folder: Where `run.json` and `parts/` are kept; None keeps all in memory.
        settings: What the answers depend on. A folder with answers of other settings is refused.
        claims: Folder in which processes that share a run note which parts each of them makes;
            parts of others are left to them. None: all parts are made here.

    Raises:
        ConfigError: The folder holds another run.
    """

    def __init__(
        self, folder: Path | None, settings: Mapping[str, Any], claims: Path | None = None
    ):
        self._folder, self._claims = folder, claims
        self._rows: dict[str, list[Row]] = {}
        if folder is None:
            return
        (folder / "parts").mkdir(parents=True, exist_ok=True)
        claim_folder(folder, settings)
        for part in sorted((folder / "parts").glob("*.jsonl")):
            self._rows[part.stem] = _read_rows(part)

    def part(self, name: str, make: Callable[[], Iterable[Row]]) -> list[Row]:
        """Give the rows of a part, made now unless they are there.

        Args:
            name: Names the file too.
            make: Asks the questions; called only when there are no answers.

        Returns:
            The rows; none of a part that another process makes.
        """
        return self.pieces(name, lambda: [("", make)])

    def pieces(self, name: str, make: Callable[[], Iterable[Piece]]) -> list[Row]:
        """Give the rows of a part that is kept piece by piece until it is whole.

        A process that is killed loses no more than a piece. The pieces (`parts/<name>/`) are put
        together in their order, so that a part that is whole looks the same however often it was
        cut off.

        Args:
            name: Names the file too.
            make: Gives the pieces; called only when the part is not whole, and of its pieces only
                those are asked that are not there.

        Returns:
            The rows; none of a part that another process makes.
        """
        if name not in self._rows:
            if self._claims is not None and not _claim(self._claims / name):
                return []
            sys.stderr.write(f"{name} ...\n")
            made = [row for piece in make() for row in self._piece(name, *piece)]
            rows = [{"part": name, **row} for row in made]
            if self._folder is not None and not _has_failed(rows):
                _write_rows(self._folder / "parts" / f"{name}.jsonl", rows)
                shutil.rmtree(self._folder / "parts" / name, ignore_errors=True)
            self._rows[name] = rows
        return self._rows[name]

    def _piece(self, part: str, name: str, make: Callable[[], Iterable[Row]]) -> list[Row]:
        if self._folder is None or not name:  # without a name it is all of the part
            return list(make())
        path = self._folder / "parts" / part / f"{quote(name, safe=' ')}.jsonl"
        if path.exists():
            return _read_rows(path)
        rows = list(make())
        if not _has_failed(rows):
            path.parent.mkdir(exist_ok=True)
            _write_rows(path, rows)
        return rows

    def in_chunks(
        self,
        name: str,
        skip: int,
        n: int,
        size: int,
        make: Callable[[int, int], Iterable[Piece]],
    ) -> None:
        """Make the rows about many things part by part: `<name>-<number of the first>`.

        Args:
            name: Of the whole.
            skip: Number of the first thing.
            n: How many.
            size: How many a part.
            make: Number of the first and how many -> pieces.
        """
        for first in range(skip, skip + n, size):
            count = min(size, skip + n - first)
            self.pieces(f"{name}-{first:06d}", partial(make, first, count))

    @property
    def rows(self) -> list[Row]:
        """All rows, in order of their parts' names."""
        return [row for name in sorted(self._rows) for row in self._rows[name]]

    def close(self) -> None:
        """Write all rows into `answers.jsonl`, for people and other programs."""
        if self._folder is not None:
            _write_rows(self._folder / "answers.jsonl", self.rows)


def read_run(folder: Path) -> tuple[dict[str, Any], AnswerBook]:
    """Read the settings and the answers of an earlier run.

    Raises:
        ConfigError: The folder holds no run.
    """
    path = folder / "run.json"
    if not path.is_file():
        raise ConfigError(f"{folder} holds no answers (no run.json); run without --rescore first")
    settings = json.loads(path.read_text(encoding="utf-8"))
    return settings, AnswerBook(folder, settings)


def claim_folder(folder: Path, settings: Mapping[str, Any]) -> None:
    """Note in a folder (`run.json`) what its answers depend on.

    Raises:
        ConfigError: It holds the answers of other settings.
    """
    path = folder / "run.json"
    if not path.exists():
        write_whole(path, json.dumps(settings, indent=1) + "\n")
        return
    there = json.loads(path.read_text(encoding="utf-8"))
    if there != settings:
        other = sorted(k for k in {*there, *settings} if there.get(k) != settings.get(k))
        raise ConfigError(
            f"{folder} holds the answers of another run (other: {', '.join(other)}); "
            "give the same arguments, or another --out"
        )


def _has_failed(rows: Iterable[Row]) -> bool:
    return any(FAILED in row for row in rows)


def _claim(path: Path) -> bool:
    """Make an empty file; False where there is one already."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _read_rows(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _write_rows(path: Path, rows: Iterable[Row]) -> None:
    write_whole(path, "".join(json.dumps(row) + "\n" for row in rows))
