"""The raw answers of a task, written line by line as they come, so that none is asked for twice."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llark_py.errors import ConfigError

Line = dict[str, Any]
_NEEDED = ("id", "condition", "asked_hash")


@dataclass(frozen=True)
class Asked:
    """What was asked, and all that the answer depends on.

    Attributes:
        id: The question.
        condition: With which sound.
        hash: Of the words and of the sound.
        old_hash: What versions before 0.13 kept in its place: of the words and the name of the
            recording. Their answers count as long as these are the same.
        sound_hash: Of the bytes of the file that is heard; None where none is.
    """

    id: str
    condition: str
    hash: str
    old_hash: str | None = None
    sound_hash: str | None = None


class Ledger:
    """Answers by question and condition, on disk as JSON lines.

    Every line is on the disk before the next question is asked. A line that was half written when
    a run was killed is cut off. An answer counts only for what was asked: where the words or the
    sound are others now, the question is asked anew. Of several lines about one question the last
    counts; failures (`error`) do not count as answers.

    Args:
        path: The file; it need not be there. None keeps all in memory.

    Raises:
        ConfigError: A line in the middle cannot be read.
    """

    def __init__(self, path: Path | None):
        self._path = path
        self._lines: dict[tuple[str, str, str], Line] = {}
        self._answered: set[tuple[str, str]] = set()
        if path is not None and path.exists():
            for line in _read_repaired(path):
                self._take(line)

    def answer(self, asked: Asked) -> Line | None:
        """Give what was said, if this was asked and did not fail."""
        line = self._line(asked)
        return None if line is None or "error" in line else line

    def failure(self, asked: Asked) -> str | None:
        """Give why there is no answer, if this was asked."""
        line = self._line(asked)
        return line.get("error") if line else None

    def is_old(self, asked: Asked) -> bool:
        """Tell whether the answer is of a version that did not look at the sound itself."""
        line = self.answer(asked)
        heard = asked.sound_hash is not None
        return heard and line is not None and line["asked_hash"] != asked.hash

    def is_outdated(self, asked: Asked) -> bool:
        """Tell whether there are answers under this id, but to other words or another sound."""
        return self.answer(asked) is None and (asked.condition, asked.id) in self._answered

    def add(self, asked: Asked, said: Line) -> None:
        """Keep an answer: `{"answer": ...}`, or `{"error": ...}`."""
        heard = {"sound_hash": asked.sound_hash} if asked.sound_hash else {}
        line = {"id": asked.id, "condition": asked.condition, **said, **heard}
        line["asked_hash"] = asked.hash
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

    def _line(self, asked: Asked) -> Line | None:
        found = self._lines.get((asked.condition, asked.id, asked.hash))
        if found is None and asked.old_hash is not None:
            found = self._lines.get((asked.condition, asked.id, asked.old_hash))
        return found

    def _take(self, line: Line) -> None:
        self._lines[line["condition"], line["id"], line["asked_hash"]] = line
        if "error" not in line:
            self._answered.add((line["condition"], line["id"]))


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
