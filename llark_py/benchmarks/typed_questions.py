"""Reads files of questions as people type them (`tests/questions/typed.yaml`)."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import yaml

from llark_py.errors import ConfigError


class Question(NamedTuple):
    """A question as somebody typed it.

    Attributes:
        text: What is asked.
        half: Where it belongs (`known`, `fresh`).
        wants: What a good answer is made of.
        instead: Tools any of which answers as well as all of `wants`.
    """

    text: str
    half: str
    wants: tuple[str, ...]
    instead: tuple[str, ...] = ()


def read_questions(path: Path) -> list[Question]:
    """Read a file of halves, each a list of `{ask: question, wants: [...], or: [...]}`.

    `or` may be left out.

    Raises:
        ConfigError: There is no such file, or it is of another shape.
    """
    if not path.is_file():
        raise ConfigError(f"there is no file of questions at {path}")
    try:
        halves = yaml.safe_load(path.read_text(encoding="utf-8"))
        return [
            Question(entry["ask"], half, tuple(entry["wants"]), tuple(entry.get("or", ())))
            for half, entries in halves.items()
            for entry in entries
        ]
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is no file of questions: {error}") from error
