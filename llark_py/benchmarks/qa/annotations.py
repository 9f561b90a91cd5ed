"""The official files that a task is read from, by their SHA-256; tells when one is another now."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from llark_py.files import write_whole

from .files import noted_files
from .task import Question, Task

_MOST_NAMED = 3


def read_noting(task: Task, folder: Path) -> tuple[list[Question], dict[str, str]]:
    """Read a task.

    Args:
        task: The benchmark.
        folder: Its data.

    Returns:
        The questions, and of every file that was read its path in `folder` and its SHA-256.
        Recordings are not among them.

    Raises:
        ConfigError: Files are missing or damaged.
    """
    with noted_files() as noted:
        questions = task.read(folder)
    return questions, {path.relative_to(folder).as_posix(): of for path, of in noted.items()}


def tell_changes(task: Task, out: Path, files: Mapping[str, str]) -> None:
    """Say on stderr which files are others than at the last run into a folder, and keep them.

    What a changed file asks in other words is asked anew by itself; what it leaves as it was keeps
    its answer, and is scored by the file that is there now.

    Args:
        task: The benchmark.
        out: The folder; `data_TASK.json` in it holds the files.
        files: From `read_noting`.
    """
    path = out / f"data_{task.name}.json"
    before = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else files
    changed = sorted(name for name in {*before, *files} if before.get(name) != files.get(name))
    if changed:
        named = ", ".join(changed[:_MOST_NAMED])
        more = f" and {len(changed) - _MOST_NAMED} more" if len(changed) > _MOST_NAMED else ""
        sys.stderr.write(
            f"{task.name}: {named}{more} changed since the last run into {out}; answers are kept "
            "where the question's words and sound are the same, and scored by the files of now\n"
        )
    write_whole(path, json.dumps(files, indent=1) + "\n")
