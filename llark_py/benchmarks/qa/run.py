"""Runs one published benchmark: reads, asks what is open, scores, keeps everything."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llark_py.errors import ConfigError

from ..estimates import Estimate
from .annotations import read_noting, tell_changes
from .answer_files import read_answer_file
from .asking import Answerer, ask_all
from .files import data_folder
from .hashes import sha256
from .judge import judge_pairs
from .ledger import Ledger
from .results import TaskRun
from .samples import write_samples
from .scoring import sample_rows, score_categories, score_task
from .sounds import AUDIO, BLIND, NOISE, Sounds, noise_seed
from .task import Question, Task

if TYPE_CHECKING:
    from llark_py.assistant.chat_api import ChatApi

RANDOM = "random"
NOBODY = "blind"
"""The model's name where nobody is asked, and only the rows without a model are wanted."""


@dataclass(frozen=True)
class Plan:
    """How tasks are run.

    Attributes:
        data: Where the official files are.
        out: Where answers and scores are kept; None keeps nothing.
        limit: Only so many questions, from the first.
        blind: Whether a model is also asked with noise, silence, another recording and without.
        judge: A language model that prefers one of two captions; None for none.
    """

    data: Path | None
    out: Path | None = None
    limit: int | None = None
    blind: bool = True
    judge: ChatApi | None = None


def ask_task(task: Task, plan: Plan, answerer: Answerer | None) -> tuple[TaskRun, int]:
    """Ask a task what has no answer yet, and score all.

    Args:
        task: The benchmark.
        plan: How.
        answerer: Who is asked; None only scores what was answered before.

    Returns:
        The scored task, and how many questions failed.

    Raises:
        ConfigError: The data are not there, or there is nothing to score.
    """
    every, files = _read(task, plan)
    questions = [q for q in every if q.excerpt is not None and q.excerpt.path.is_file()]
    if not questions:
        first = every[0].excerpt
        where = first.path if first else plan.data
        raise ConfigError(f"{task.name}: no recording is there, such as {where}. {task.source}")
    if len(questions) < len(every):
        missing = len(every) - len(questions)
        sys.stderr.write(f"{task.name}: the recordings of {missing} questions are not there\n")
    path = plan.out / f"answers_{task.name}.jsonl" if plan.out else None
    ledger = Ledger(path)
    failed = 0
    if answerer is not None:
        failed = ask_all(task.name, questions, answerer, ledger, blind=plan.blind)
    sounds = Sounds(questions)
    said: dict[str, dict[str, str | None]] = {}
    about: dict[tuple[str, str], dict[str, Any]] = {}
    for condition in (c for c in (AUDIO, *BLIND) if c in ledger.conditions):
        found = {q.id: ledger.answer(sounds.asked(q, condition)) for q in questions}
        lines = {name: line for name, line in found.items() if line}
        if lines:
            said[condition] = {name: line["answer"] for name, line in lines.items()}
        for name, line in lines.items():
            about[condition, name] = {k: line[k] for k in ("calls", "sound_hash") if k in line}
    if AUDIO not in said:
        raise ConfigError(f"{task.name}: there are no answers to score in {plan.out}")
    heard = sha256([sounds.asked(q, AUDIO).sound_hash for q in questions])
    data = {"annotations": files, "sounds": heard}
    return _score(task, plan, questions, len(every), data, said, about), failed


def score_blindly(task: Task, plan: Plan) -> TaskRun:
    """Score only the rows that need no model; no recording needs to be there.

    Raises:
        ConfigError: The data are not there.
    """
    questions, files = _read(task, plan)
    data = {"annotations": files, "sounds": None}
    return _score(task, plan, questions, len(questions), data, {}, {})


def score_answer_file(task: Task, plan: Plan, path: Path) -> TaskRun:
    """Score answers that others published; see `answer_files.read_answer_file`.

    Raises:
        ConfigError: The file cannot be read, or answers other questions.
    """
    files: dict[str, str] = {}

    def read_questions() -> list[Question]:
        questions, read = _read(task, plan)
        files.update(read)
        return questions

    questions, answers = read_answer_file(task, path, read_questions)
    questions = questions[: plan.limit]
    data = {"annotations": files, "sounds": None}
    return _score(task, plan, questions, len(questions), data, {AUDIO: answers}, {})


def _read(task: Task, plan: Plan) -> tuple[list[Question], dict[str, str]]:
    folder = data_folder(plan.data, task.name, task.source)
    questions, files = read_noting(task, folder)
    if plan.out is not None:
        tell_changes(task, plan.out, files)
    return questions[: plan.limit], files


def _score(
    task: Task,
    plan: Plan,
    questions: list[Question],
    n_original: int,
    data: Mapping[str, Any],
    said: Mapping[str, Mapping[str, str | None]],
    about: Mapping[tuple[str, str], dict[str, Any]],
) -> TaskRun:
    table = score_task(task, questions, said)
    first = table[AUDIO][next(iter(task.readers))] if AUDIO in said else None
    if plan.out is not None and said:
        by_id = {question.id: question for question in questions}

        def describe(condition: str, name: str) -> dict[str, Any]:
            seed = {"noise_seed": noise_seed(by_id[name])} if condition == NOISE else {}
            return {**seed, **about.get((condition, name), {})}

        rows = sample_rows(questions, said, table, describe)
        write_samples(plan.out, task.name, rows)
    return TaskRun(
        task=task,
        questions=questions,
        n_original=n_original,
        data=data,
        said=said,
        table=table,
        categories=score_categories(task, questions, first) if first else {},
        judged=_judge(task, plan, questions, said.get(AUDIO)),
    )


def _judge(
    task: Task, plan: Plan, questions: list[Question], said: Mapping[str, str | None] | None
) -> dict[str, Estimate]:
    """Have captions compared with those of other recordings; nothing where nobody judges."""
    if plan.judge is None or said is None or not task.has_captions:
        return {}
    theirs = dict(zip((q.id for q in questions), task.blind(questions)[RANDOM], strict=True))
    ledger = Ledger(plan.out / f"judge_{task.name}.jsonl" if plan.out else None)
    return judge_pairs(plan.judge, questions, said, theirs, ledger)
