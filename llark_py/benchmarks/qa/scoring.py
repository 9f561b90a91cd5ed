"""Scores the answers of a task: every row by every reader, with intervals, and by category."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..estimates import N_DRAWS, Draws, Estimate
from .hashes import sha256
from .sounds import AUDIO, BLIND
from .task import Question, Reader, Scores, Task

NO_READER = "none"
"""The reader of rows that no model has answered."""
Said = Mapping[str, Mapping[str, Any]]
"""Answers by condition and question; None, or no entry, is no answer. Models say text; what our
own tools find is what JSON can hold."""


@dataclass(frozen=True)
class Column:
    """What one row of a report (a condition, read in one way) comes to.

    Attributes:
        scores: With intervals, by name.
        unparsed: Share of answers that could not be read, or were not given; they count as wrong.
        missing: How many questions have no answer.
        values: What was read of each question.
        each: The scores of each question; none of one that was not asked under the condition.
    """

    scores: dict[str, Estimate]
    unparsed: float
    missing: int
    values: list[Any]
    each: list[Scores]


Table = dict[str, dict[str, Column]]
"""Columns by condition and reader; the model's own condition comes first."""


def score_task(
    task: Task, questions: Sequence[Question], said: Said, n_draws: int = N_DRAWS
) -> Table:
    """Score all rows of a task.

    Args:
        task: Says how.
        questions: All that count; those without an answer are wrong.
        said: Answers by condition and question.
        n_draws: Bootstrap draws for the intervals.

    Returns:
        The conditions that were asked, by every reader of the task; then the rows without a model,
        by reader `none`.
    """
    draws = Draws([question.group or question.id for question in questions], n_draws)
    asked = [c for c in (AUDIO, *BLIND) if c in said]
    table: Table = {
        condition: {
            name: _column(task, questions, said[condition], reader, draws)
            for name, reader in task.readers.items()
        }
        for condition in asked
    }
    for name, values in task.blind(questions).items():
        table[name] = {NO_READER: _score_values(task, questions, values, 0, draws)}
    return table


def _column(
    task: Task,
    questions: Sequence[Question],
    said: Mapping[str, str | None],
    reader: Reader,
    draws: Draws,
) -> Column:
    texts = [said.get(question.id) for question in questions]
    values = [
        None if text is None else reader(question, text)
        for question, text in zip(questions, texts, strict=True)
    ]
    return _score_values(task, questions, values, texts.count(None), draws)


def _score_values(
    task: Task, questions: Sequence[Question], values: list[Any], missing: int, draws: Draws
) -> Column:
    each = [task.score(q, value) for q, value in zip(questions, values, strict=True)]
    scores = {name: draws.mean([one[name] for one in each]) for name in each[0]}
    if task.totals is not None:
        scores |= task.totals(questions, values, draws)
    unparsed = sum(value is None for value in values) / len(values)
    return Column(scores, unparsed, missing, values, each)


def score_categories(
    task: Task, questions: Sequence[Question], column: Column
) -> dict[str, dict[str, Estimate]]:
    """Score parts of a task, by dimension and category.

    Returns:
        The first score of each question, as a mean over every category; `all` over the questions
        that have any category of the dimension.
    """
    name = next(iter(column.each[0]))
    values = [one[name] for one in column.each]
    found: dict[str, dict[str, Estimate]] = {}
    for dimension in dict.fromkeys(d for question in questions for d in question.categories):
        named = [question.categories.get(dimension, ()) for question in questions]
        categories = sorted({category for of in named for category in of})
        if not categories:
            continue
        found[dimension] = {"all": _mean_of(questions, values, [bool(of) for of in named])}
        for category in categories:
            inside = [category in of for of in named]
            found[dimension][category] = _mean_of(questions, values, inside)
    return found


def _mean_of(
    questions: Sequence[Question], values: Sequence[float], inside: Sequence[bool]
) -> Estimate:
    kept = [i for i, of in enumerate(inside) if of]
    draws = Draws([questions[i].group or questions[i].id for i in kept])
    return draws.mean([values[i] for i in kept])


def sample_rows(
    questions: Sequence[Question], said: Said, table: Table, describe: Callable[[str, str], Any]
) -> list[dict[str, Any]]:
    """Write every question under every condition that a model was asked under, as lm-eval does.

    Args:
        questions: Of the task.
        said: The answers.
        table: From `score_task`.
        describe: Gives what else is known of an answer, by condition and question.

    Returns:
        Rows, of questions that have scores, with `doc_id`, `doc`, `target`, `arguments`, `resps`,
        `filtered_resps` (by reader), `metrics` (by reader), hashes, and what `describe` gives;
        `sound_hash` is that of the file that was heard, None where none was or nobody knows.
    """
    rows = []
    for condition, columns in table.items():
        if condition not in said:
            continue
        for i, question in enumerate(questions):
            if not any(column.each[i] for column in columns.values()):
                continue
            rows.append(
                {
                    "doc_id": question.id,
                    "condition": condition,
                    "doc": question.doc,
                    "target": question.doc["target"],
                    "arguments": [question.prompt],
                    "resps": [said[condition].get(question.id)],
                    "filtered_resps": {n: as_json(c.values[i]) for n, c in columns.items()},
                    "metrics": {name: column.each[i] for name, column in columns.items()},
                    "doc_hash": question.doc_hash,
                    "prompt_hash": sha256(question.prompt),
                    "target_hash": sha256(question.doc["target"]),
                    "sound_hash": None,
                    **describe(condition, question.id),
                }
            )
    return rows


def as_json(value: Any) -> Any:
    """Write a value that was read as JSON holds it."""
    return sorted(value) if isinstance(value, (set, frozenset)) else value
