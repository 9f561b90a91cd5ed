"""The samples of a run: a line a question with what was said, what is right, and the scores."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from llark_py.files import write_whole

from .sounds import AUDIO

_BEFORE, _BEHIND = "samples_", ".jsonl"
Key = tuple[str, str]
Samples = dict[Key, Mapping[str, Any]]
"""Rows of a run by id and hash of the question."""


def samples_name(task: str) -> str:
    """The file of a run that holds the questions, answers and scores of a task."""
    return f"{_BEFORE}{task}{_BEHIND}"


def write_samples(folder: Path, task: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the rows of `scoring.sample_rows`."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_whole(folder / samples_name(task), text)


def read_samples(path: Path) -> Samples:
    """Read the rows about the recordings themselves, by id and hash of the question."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {(r["doc_id"], r["doc_hash"]): r for r in rows if r["condition"] == AUDIO}


def shared(first: Samples, second: Samples) -> list[Key]:
    """The questions that two runs were asked about the same sound.

    Where a run does not tell which sound was heard (published answers, versions before 0.13), its
    name counts.
    """
    return [key for key in first if key in second and _same_sound(first[key], second[key])]


def _same_sound(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    heard = {row["sound_hash"] for row in (first, second) if row.get("sound_hash")}
    return len(heard) < 2


def sampled_tasks(folder: Path) -> list[str]:
    """Name the tasks of which a folder holds samples."""
    found = sorted(path.name for path in folder.glob(samples_name("*")))
    return [name.removeprefix(_BEFORE).removesuffix(_BEHIND) for name in found]
