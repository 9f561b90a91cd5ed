"""What a run comes to, as a file in the shape that lm-evaluation-harness writes."""

from __future__ import annotations

import json
import platform
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import stdev
from typing import Any

import llark_py
from llark_py.files import write_whole

from ..estimates import N_DRAWS, SEED, Estimate
from .hashes import sha256
from .scoring import Column, Said, Table
from .sounds import AUDIO
from .task import Card, Question, task_hash

_SEEDS = {"bootstrap": SEED, "noise": "CRC-32 of the question's id"}
_PACKAGES = ("torch", "transformers", "numpy", "scikit-learn", "mir_eval", "sacrebleu")


@dataclass(frozen=True)
class TaskRun:
    """A task with its answers, scored.

    Attributes:
        task: The benchmark, or one of its parts.
        questions: Those that were asked.
        n_original: How many the benchmark has; of the others the sound is not there.
        data: `annotations`: the SHA-256 of every official file that was read, by its path;
            `sounds`: one of the SHA-256 of all recordings in order, None where nobody heard them.
        said: Answers by condition; none where nobody was asked.
        table: Scores by row and reader.
        categories: Scores of the first reader by dimension and category.
        judged: What a judge preferred, if one was asked.
        own: What the row of the recordings themselves is called in pictures.
    """

    task: Card
    questions: Sequence[Question]
    n_original: int
    data: Mapping[str, Any]
    said: Said
    table: Table
    categories: Mapping[str, Mapping[str, Estimate]]
    judged: Mapping[str, Estimate]
    own: str = AUDIO

    @property
    def reader(self) -> str:
        """The reader that counts in plots and comparisons."""
        return next(iter(self.task.readers))

    @property
    def heard(self) -> Column | None:
        """The model with the recordings themselves, read by `reader`; None: nobody was asked."""
        return self.table[AUDIO][self.reader] if AUDIO in self.table else None


def write_results(
    runs: Sequence[TaskRun], settings: Mapping[str, Any], folder: Path, seconds: float | None
) -> Path:
    """Write `results_DATE.json`.

    Args:
        runs: The tasks.
        settings: Who answered, and how.
        folder: Where to.
        seconds: How long it took; None where that is not known, since it was made in pieces.

    Returns:
        The file.
    """
    date = time.strftime("%Y-%m-%dT%H-%M-%S")
    path = folder / f"results_{date}.json"
    text = json.dumps(_results(runs, settings, seconds), indent=2, ensure_ascii=False)
    write_whole(path, text + "\n")
    return path


def _results(
    runs: Sequence[TaskRun], settings: Mapping[str, Any], seconds: float | None
) -> dict[str, Any]:
    results: dict[str, Any] = {}
    groups: dict[str, list[str]] = {}
    for run in runs:
        names = {row: run.task.name if row == AUDIO else _subtask(run, row) for row in run.table}
        for row, columns in run.table.items():
            alias = run.task.name if row == AUDIO else f" - {row}"
            results[names[row]] = {"alias": alias, **_scores(columns)}
        if run.judged:
            for name, estimate in run.judged.items():
                results[run.task.name][f"{name},judge"] = round(estimate.value, 6)
        if run.task.group:
            groups.setdefault(run.task.group, []).append(run.task.name)
        groups[run.task.name] = [name for row, name in names.items() if row != AUDIO]
    return {
        "results": results,
        "group_subtasks": groups,
        "categories": {
            run.task.name: {
                dimension: {name: estimate.as_dict() for name, estimate in found.items()}
                for dimension, found in run.categories.items()
            }
            for run in runs
        },
        "configs": {
            run.task.name: {
                "task": run.task.name,
                "num_fewshot": 0,
                "filter_list": list(run.task.readers),
                "primary": run.task.primary,
                "source": run.task.source,
                "metadata": {"version": run.task.version},
            }
            for run in runs
        },
        "versions": {run.task.name: run.task.version for run in runs},
        "n-shot": {run.task.name: 0 for run in runs},
        "higher_is_better": {run.task.name: dict.fromkeys(_all_scores(run), True) for run in runs},
        "n-samples": {
            run.task.name: {"original": run.n_original, "effective": len(run.questions)}
            for run in runs
        },
        "config": {
            "model": settings.get("model"),
            "model_sha": settings.get("weights"),
            "model_args": dict(settings),
            "limit": settings.get("limit"),
            "bootstrap_iters": N_DRAWS,
            "bootstrap_seed": SEED,
        },
        "git_hash": git_hash(),
        "date": time.time(),
        "pretty_env_info": f"{platform.platform()}, Python {platform.python_version()}",
        "llark_version": llark_py.__version__,
        "package_versions": package_versions(),
        "transformers_version": package_versions()["transformers"],
        "task_hashes": {run.task.name: task_hash(run.questions) for run in runs},
        "prompt_hashes": {run.task.name: sha256([q.prompt for q in run.questions]) for run in runs},
        "data_hashes": {run.task.name: dict(run.data) for run in runs},
        "seeds": {run.task.name: {**_SEEDS, **run.task.seeds} for run in runs},
        "total_evaluation_time_seconds": None if seconds is None else round(seconds, 3),
    }


def _all_scores(run: TaskRun) -> list[str]:
    columns = [column for of in run.table.values() for column in of.values()]
    return list(dict.fromkeys(name for column in columns for name in column.scores))


def _subtask(run: TaskRun, row: str) -> str:
    return f"{run.task.name}/{row.replace(' ', '_')}"


def _scores(columns: Mapping[str, Column]) -> dict[str, Any]:
    """Scores as lm-eval names them: `acc,strict`, `acc_stderr,strict`; intervals beside."""
    found: dict[str, Any] = {}
    for reader, column in columns.items():
        for name, estimate in column.scores.items():
            found[f"{name},{reader}"] = round(estimate.value, 6)
            found[f"{name}_stderr,{reader}"] = _stderr(column, name)
            found[f"{name}_n,{reader}"] = estimate.n
            found[f"{name}_ci95,{reader}"] = [round(estimate.low, 6), round(estimate.high, 6)]
        found[f"unparsed,{reader}"] = round(column.unparsed, 6)
        found[f"missing,{reader}"] = column.missing
    return found


def _stderr(column: Column, name: str) -> float | str:
    """Of a mean: as lm-eval computes it, all answers apart; the interval goes by recordings."""
    values = [one[name] for one in column.each if name in one]
    if len(values) < 2:
        return "N/A"
    return round(stdev(values) / len(values) ** 0.5, 6)


def git_hash() -> str | None:
    """The commit of the repository that this runs from; None where it is installed without one."""
    root = Path(llark_py.__file__).parents[1]
    if not (root / ".git").exists():
        return None
    asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True)
    return asked.stdout.strip() or None


def package_versions() -> dict[str, str | None]:
    """The versions of what the answers and scores may depend on."""
    found: dict[str, str | None] = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found
