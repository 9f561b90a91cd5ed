"""The samples of a run: a line a question with what was said, what is right, and the scores."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..answers import write_whole
from .sounds import AUDIO

_BEFORE, _BEHIND = "samples_", ".jsonl"


def samples_name(task: str) -> str:
    """The file of a run that holds the questions, answers and scores of a task."""
    return f"{_BEFORE}{task}{_BEHIND}"


def write_samples(folder: Path, task: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the rows of `scoring.sample_rows`."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_whole(folder / samples_name(task), text)


def read_samples(path: Path) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Read the rows about the recordings themselves, by id and hash of the question."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {(r["doc_id"], r["doc_hash"]): r for r in rows if r["condition"] == AUDIO}


def sampled_tasks(folder: Path) -> list[str]:
    """Name the tasks of which a folder holds samples."""
    found = sorted(path.name for path in folder.glob(samples_name("*")))
    return [name.removeprefix(_BEFORE).removesuffix(_BEHIND) for name in found]
