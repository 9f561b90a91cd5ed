"""Is one run better than another? Differences of the same questions, with tests for pairs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from llark_py.errors import ConfigError

from ..estimates import SEED, Draws, Estimate
from ..table import markdown_table
from .sounds import AUDIO

MCNEMAR, PERMUTATION = "McNemar", "permutation"
_N_RESAMPLES = 9999
_SAMPLES = ("samples_", ".jsonl")
Key = tuple[str, str]
Samples = dict[Key, Mapping[str, Any]]
"""Rows of a run by id and hash of the question."""


@dataclass(frozen=True)
class Difference:
    """How far two runs are apart in one score.

    Attributes:
        task, reader, score: What was scored, and how it was read.
        n: Questions that both runs were asked.
        first, second: Their means.
        difference: Second minus first, with a paired bootstrap interval over recordings.
        p_value: Two-sided, that there is no difference.
        test: `McNemar` (exact) of right and wrong answers, one a recording; else `permutation`
            (recordings change sides).
    """

    task: str
    reader: str
    score: str
    n: int
    first: float
    second: float
    difference: Estimate
    p_value: float
    test: str


def compare_runs(first: Path, second: Path) -> list[Difference]:
    """Compare the scores of two folders, for every task that both have.

    Args:
        first, second: Folders of `llark evaluate ... --out`.

    Raises:
        ConfigError: They have no task in common, or no question of one.
    """
    tasks = [task for task in _tasks(first) if task in _tasks(second)]
    if not tasks:
        raise ConfigError(
            f"{first} and {second} have no task in common; there are "
            f"{', '.join(_tasks(first)) or 'none'} and {', '.join(_tasks(second)) or 'none'}"
        )
    return [row for task in tasks for row in _compare_task(task, first, second)]


def _compare_task(task: str, first: Path, second: Path) -> list[Difference]:
    a, b = (read_samples(folder / samples_name(task)) for folder in (first, second))
    both = shared(a, b)
    if not both:
        raise ConfigError(
            f"{task}: the runs were asked different questions, or about other sounds under the "
            "same names; use the same data and version"
        )
    groups = [a[key]["doc"]["group"] for key in both]
    readers = [name for name in a[both[0]]["metrics"] if name in b[both[0]]["metrics"]]
    found = []
    for reader in readers:
        for score in a[both[0]]["metrics"][reader]:
            pairs = [[run[key]["metrics"][reader][score] for key in both] for run in (a, b)]
            found.append(_difference(task, reader, score, pairs, groups))
    return found


def _difference(
    task: str, reader: str, score: str, pairs: Sequence[Sequence[float]], groups: Sequence[str]
) -> Difference:
    first, second = (np.asarray(values, float) for values in pairs)
    apart = second - first
    single = len(set(groups)) == len(groups)
    right_or_wrong = set(np.unique(np.concatenate([first, second]))) <= {0.0, 1.0}
    if single and right_or_wrong:
        test, p_value = MCNEMAR, mcnemar(first, second)
    else:
        test, p_value = PERMUTATION, permute(apart, groups)
    estimate = Draws(groups).mean(list(apart))
    means = float(first.mean()), float(second.mean())
    return Difference(task, reader, score, len(apart), *means, estimate, p_value, test)


def mcnemar(first: np.ndarray, second: np.ndarray) -> float:
    """McNemar's exact test: do the answers that only one of two runs has right fall evenly?

    Args:
        first, second: (questions,) of 0 and 1.

    Returns:
        The two-sided p value; 1 where both are right about the same questions.
    """
    from scipy.stats import binomtest

    only_first, only_second = int((first > second).sum()), int((second > first).sum())
    if not only_first + only_second:
        return 1.0
    return float(binomtest(only_first, only_first + only_second).pvalue)


def permute(apart: np.ndarray, groups: Sequence[str]) -> float:
    """Test by permutation whether paired differences have a mean of 0.

    Args:
        apart: (questions,) differences.
        groups: The recording of each; all differences of one change sign together.

    Returns:
        The two-sided p value; exact where there are few recordings.
    """
    from scipy.stats import permutation_test

    order = {group: i for i, group in enumerate(dict.fromkeys(groups))}
    sums = np.zeros(len(order))
    np.add.at(sums, [order[group] for group in groups], apart)
    if len(sums) < 2 or not sums.any():
        return 1.0
    found = permutation_test(
        (sums,),
        lambda x, axis: x.mean(axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=_N_RESAMPLES,
        rng=np.random.default_rng(SEED),
    )
    return float(found.pvalue)


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


def samples_name(task: str) -> str:
    """The file of a run that holds the questions, answers and scores of a task."""
    return task.join(_SAMPLES)


def _tasks(folder: Path) -> list[str]:
    found = sorted(path.name for path in folder.glob(samples_name("*")))
    return [name.removeprefix(_SAMPLES[0]).removesuffix(_SAMPLES[1]) for name in found]


def write_comparison(first: Path, second: Path, rows: Sequence[Difference]) -> str:
    """Write differences as Markdown; a star marks p < 0.05 after Holm's correction."""
    sure = holm([row.p_value for row in rows])
    head = ["task", "read", "score", "n", str(first), str(second), "difference", "p", "test"]
    cells = [
        [
            row.task,
            row.reader,
            row.score,
            row.n,
            f"{row.first:.3f}",
            f"{row.second:.3f}",
            f"{row.difference.value:+.3f} [{row.difference.low:+.3f}, {row.difference.high:+.3f}]",
            f"{row.p_value:.4f}{' *' if significant else ''}",
            row.test,
        ]
        for row, significant in zip(rows, sure, strict=True)
    ]
    return markdown_table(head, cells)


def holm(p_values: Sequence[float], level: float = 0.05) -> list[bool]:
    """Tell which of several p values are below a level, all of them together (Holm, 1979)."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    found = [False] * len(p_values)
    for rank, i in enumerate(order):
        if p_values[i] > level / (len(p_values) - rank):
            break
        found[i] = True
    return found
