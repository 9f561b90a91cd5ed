"""Finds and reads the files of published benchmarks; says what to get where one is missing."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from llark_py.errors import ConfigError

AUDIO_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".m4a", ".au")

_NOTED: ContextVar[dict[Path, str] | None] = ContextVar("noted files", default=None)


@contextmanager
def noted_files() -> Iterator[dict[Path, str]]:
    """Note the files that `read_text` reads inside: the SHA-256 of each."""
    noted: dict[Path, str] = {}
    token = _NOTED.set(noted)
    try:
        yield noted
    finally:
        _NOTED.reset(token)


def read_text(path: Path) -> str:
    """Read an official file as text (UTF-8, with or without a mark at the start).

    Raises:
        ConfigError: It is missing, or no text.
    """
    if not path.is_file():
        raise ConfigError(f"there is no file {path}")
    data = path.read_bytes()
    noted = _NOTED.get()
    if noted is not None:
        noted[path] = hashlib.sha256(data).hexdigest()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no text in UTF-8: {error}") from error


def data_folder(root: Path | None, name: str, source: str) -> Path:
    """Find the data of a task: the folder of its name in `root`, or `root` itself.

    Args:
        root: What the user gave as `--data`.
        name: The task.
        source: What to get where.

    Raises:
        ConfigError: Nothing was given, or it is no folder.
    """
    if root is None:
        raise ConfigError(f"'{name}' needs --data FOLDER. {source} Put it into FOLDER/{name}.")
    folder = root / name if (root / name).is_dir() else root
    if not folder.is_dir():
        raise ConfigError(f"--data {root} is no folder. {source} Put it into {root / name}.")
    return folder


def need(folder: Path, source: str, *patterns: str) -> Path:
    """Give the one file or folder that fits the first pattern that any fits.

    Raises:
        ConfigError: None fits, or several do.
    """
    for pattern in patterns:
        found = sorted(folder.glob(pattern))
        if len(found) > 1:
            names = ", ".join(path.name for path in found[:4])
            raise ConfigError(f"{folder} holds several '{pattern}' ({names}); leave one")
        if found:
            return found[0]
    raise ConfigError(f"{folder} holds no '{' or '.join(patterns)}'. {source} Put it there.")


def read_table(path: Path, columns: Sequence[str], delimiter: str = ",") -> list[dict[str, str]]:
    """Read a table with a head.

    Raises:
        ConfigError: A column is missing, or a row is short.
    """
    rows = list(csv.DictReader(io.StringIO(read_text(path), newline=""), delimiter=delimiter))
    there = list(rows[0]) if rows else []
    missing = [name for name in columns if name not in there]
    if missing:
        raise ConfigError(f"{path}: no column '{missing[0]}'; there are: {', '.join(there)}")
    for number, row in enumerate(rows, 2):
        short = [name for name in columns if row[name] is None]
        if short:
            raise ConfigError(f"{path}, row {number}: nothing in column '{short[0]}'")
    return rows


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        ConfigError: It is missing or no JSON.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigError(f"{path} is no JSON: {error}") from error


def read_items(path: Path) -> list[dict[str, Any]]:
    """Read a list of objects: JSON, or JSON lines (some name a JSON list `.jsonl`).

    Raises:
        ConfigError: It is neither.
    """
    text = read_text(path)
    try:
        items = json.loads(text)
    except ValueError:
        try:
            items = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            raise ConfigError(f"{path} is neither JSON nor JSON lines: {error}") from error
    items = items if isinstance(items, list) else [items]
    if not items or not all(isinstance(item, dict) for item in items):
        raise ConfigError(f"{path} is no list of objects")
    return items


def fields(item: Any, names: Iterable[str], where: str) -> list[Any]:
    """Take fields out of an item.

    Raises:
        ConfigError: It is no object, or lacks a field.
    """
    if not isinstance(item, dict):
        raise ConfigError(f"{where} is {type(item).__name__}, expected an object")
    try:
        return [item[name] for name in names]
    except KeyError as error:
        raise ConfigError(f"{where} has no field {error}") from error


def audio_by_stem(folder: Path) -> dict[str, Path]:
    """Find all recordings under a folder, by their names without ending."""
    return {
        path.stem: path
        for path in sorted(folder.rglob("*"), reverse=True)
        if path.suffix.lower() in AUDIO_SUFFIXES
    }
