"""JSONL files that survive being cut off: appended in batches, rewritten beside themselves."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from llark_py.errors import ConfigError
from llark_py.files import whole_file

_BLOCK = 1 << 16


def append_lines(path: Path, lines: Iterable[str]) -> int:
    """Append lines and wait until they are on the disk; give the length of the file in bytes."""
    with path.open("ab") as file:
        if text := "".join(f"{line}\n" for line in lines):
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        return file.tell()


def cut_to(path: Path, n_bytes: int | None) -> None:
    """Drop what was appended last and never confirmed, or (None) a last line without its end.

    Args:
        path: May be missing.
        n_bytes: How long the file was when it was last known to be whole.
    """
    if not path.exists():
        return
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        if n_bytes is None or n_bytes > size:
            n_bytes = _last_line_end(file, size)
        if n_bytes < size:
            file.truncate(n_bytes)
            file.flush()
            os.fsync(file.fileno())


def _last_line_end(file: Any, size: int) -> int:
    end = size
    while end:
        start = max(0, end - _BLOCK)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def read_lines(path: Path, needed: Collection[str] = ()) -> Iterator[dict[str, Any]]:
    """Read the objects of a JSONL file; none where there is no file.

    Args:
        path: The file.
        needed: What each object has, if nothing else.

    Raises:
        ConfigError: A line is no JSON object, or lacks something; names it.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                value = json.loads(line)
            except ValueError as error:
                raise _broken(path, number) from error
            if not isinstance(value, dict) or not value.keys() >= set(needed):
                raise _broken(path, number)
            yield value


def _broken(path: Path, number: int) -> ConfigError:
    return ConfigError(
        f"line {number} of '{path}' is no record; take the line out, or give another --out"
    )


def keep_lines(path: Path, keep: Callable[[dict[str, Any]], bool]) -> None:
    """Rewrite a JSONL file with some of its lines; the old one stays until the new one is whole."""
    with path.open("rb") as old, whole_file(path) as unfinished, unfinished.open("wb") as new:
        new.writelines(line for line in old if keep(json.loads(line)))
