"""The raw answers of a task, written line by line as they come, so that none is asked for twice."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from llark_py.errors import ConfigError

from .task import Question

Line = dict[str, Any]
_NEEDED = ("id", "condition", "asked_hash")


class Ledger:
    """Answers by question and condition, on disk as JSON lines.

    Every line is on the disk before the next question is asked. A line that was half written when
    a run was killed is cut off. An answer counts only for what was asked: where the words or the
    recording are others now, the question is asked anew. Of several lines about one question the
    last counts; failures (`error`) do not count as answers.

    Args:
        path: The file; it need not be there. None keeps all in memory.

    Raises:
        ConfigError: A line in the middle cannot be read.
    """

    def __init__(self, path: Path | None):
        self._path = path
        self._lines: dict[tuple[str, str, str], Line] = {}
        if path is not None and path.exists():
            for line in _read_repaired(path):
                self._take(line)

    def answer(self, question: Question, condition: str) -> Line | None:
        """Give what was said, if the question was asked and did not fail."""
        line = self._lines.get((condition, question.id, question.asked_hash))
        return None if line is None or "error" in line else line

    def failure(self, question: Question, condition: str) -> str | None:
        """Give why a question has no answer, if it was asked."""
        line = self._lines.get((condition, question.id, question.asked_hash))
        return line.get("error") if line else None

    def add(self, question: Question, condition: str, said: Line) -> None:
        """Keep an answer: `{"answer": ...}`, or `{"error": ...}`."""
        line = {
            "id": question.id,
            "condition": condition,
            **said,
            "asked_hash": question.asked_hash,
        }
        self._take(line)
        if self._path is None:
            return
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    @property
    def conditions(self) -> list[str]:
        """The conditions that anything was answered under, in order."""
        return list(dict.fromkeys(condition for condition, _, _ in self._lines))

    def _take(self, line: Line) -> None:
        self._lines[line["condition"], line["id"], line["asked_hash"]] = line


def _read_repaired(path: Path) -> list[Line]:
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        sys.stderr.write(f"{path}: the last line was cut off; its question is asked again\n")
        with path.open("r+b") as file:
            file.truncate(whole)
    lines = []
    for number, text in enumerate(data[:whole].splitlines(), 1):
        try:
            line = json.loads(text)
            lines.append({key: line[key] for key in _NEEDED} | line)
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{path}, line {number} cannot be read: {error}") from error
    return lines
