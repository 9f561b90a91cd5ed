"""Is one run better than another? Differences of the same questions, with tests for pairs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from llark_py.errors import ConfigError

from ..estimates import SEED, Draws, Estimate
from ..table import markdown_table
from .samples import read_samples, sampled_tasks, samples_name, shared

SAMPLED = ("listening", "tools")
"""The benchmarks of our own that keep samples."""
MCNEMAR, PERMUTATION = "McNemar", "permutation"
_N_RESAMPLES = 9999


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
        ConfigError: They have no task in common, or no question of one, or a run of ours has no
            samples.
    """
    of_first, of_second = (_tasks(folder) for folder in (first, second))
    tasks = [task for task in of_first if task in of_second]
    if not tasks:
        raise ConfigError(
            f"{first} and {second} have no task in common; there are "
            f"{', '.join(of_first) or 'none'} and {', '.join(of_second) or 'none'}"
        )
    return [row for task in tasks for row in _compare_task(task, first, second)]


def _tasks(folder: Path) -> list[str]:
    """Name the tasks of a run; where a run of our own is there without them, say what to do."""
    found = sampled_tasks(folder)
    run = folder / "run.json"
    inside = sorted(str(path.parent) for path in folder.glob("*/run.json"))
    if inside and not found and not run.is_file():
        raise ConfigError(f"{folder} holds several runs; compare one of {', '.join(inside)}")
    if found or not run.is_file():
        return found
    benchmark = json.loads(run.read_text(encoding="utf-8")).get("benchmark")
    if benchmark in SAMPLED:
        raise ConfigError(
            f"{folder} holds a run of '{benchmark}' without {samples_name('*')}: it is not "
            "finished, or of an older version. Give its command again (what was answered is not "
            f"asked again), or `llark evaluate {benchmark} --rescore --out {folder}`"
        )
    if benchmark is not None:
        raise ConfigError(
            f"{folder} holds a run of '{benchmark}', which cannot be compared; runs of "
            f"{', '.join(SAMPLED)} and of published benchmarks can"
        )
    return found


def _compare_task(task: str, first: Path, second: Path) -> list[Difference]:
    a, b = (read_samples(folder / samples_name(task)) for folder in (first, second))
    both = shared(a, b)
    if not both:
        raise ConfigError(
            f"{task}: the runs were asked different questions, or about other sounds under the "
            "same names; use the same data and version"
        )
    readers = [name for name in a[both[0]]["metrics"] if name in b[both[0]]["metrics"]]
    found = []
    for reader in readers:
        scored = [(key, a[key]["metrics"][reader], b[key]["metrics"][reader]) for key in both]
        # Questions of one task may have scores of their own: a key is not scored like a tempo.
        for score in dict.fromkeys(name for _, of_a, _ in scored for name in of_a):
            of = [one for one in scored if score in one[1] and score in one[2]]
            if of:
                pairs = [one[1][score] for one in of], [one[2][score] for one in of]
                groups = [a[key]["doc"]["group"] for key, _, _ in of]
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
