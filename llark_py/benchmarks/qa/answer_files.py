"""Answers that others published: a benchmark's own files, or JSON lines of ids and answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from llark_py.errors import ConfigError

from .files import read_items
from .sounds import AUDIO
from .task import Question, Task, check_unique

PREFIX = "answers:"
"""What stands before a file's name where a model is expected."""
_IDS, _ANSWERS = ("id", "doc_id", "question_id"), ("answer", "model_output", "response", "resps")


def read_answer_file(
    task: Task, path: Path, read_questions: Callable[[], list[Question]]
) -> tuple[list[Question], dict[str, str | None]]:
    """Read answers to a task.

    Args:
        task: The benchmark.
        path: Its own kind of file, which brings the questions along; or JSON lines (or a JSON
            list) of `id` and `answer`, such as our `samples_TASK.jsonl`, of which the rows about
            the recordings themselves are read. Letters mean the options as `read_questions`
            gives them.
        read_questions: Gives the questions where the file does not bring them.

    Returns:
        The questions, and the answers by id; a question without one is not among them.

    Raises:
        ConfigError: The file cannot be read, or answers other questions.
    """
    if not path.is_file():
        raise ConfigError(f"there is no file of answers at {path}")
    brought = task.read_answers(path) if task.read_answers else None
    if brought is not None:
        questions = check_unique([question for question, _ in brought], str(path))
        return questions, {question.id: said for question, said in brought}
    questions = read_questions()
    said: dict[str, str | None] = {}
    for number, row in enumerate(read_items(path), 1):
        name, answer = _field(row, _IDS), _field(row, _ANSWERS)
        if row.get("condition", AUDIO) != AUDIO:
            continue
        if name is None or answer is None:
            raise ConfigError(
                f"{path}, item {number}: expected an object with an id ({', '.join(_IDS)}) and an "
                f"answer ({', '.join(_ANSWERS)})"
            )
        said[str(name)] = str(answer[0] if isinstance(answer, list) and answer else answer)
    strange = sorted(set(said) - {question.id for question in questions})
    if strange:
        raise ConfigError(
            f"{path} answers '{strange[0]}', which is no question of {task.name} "
            f"({len(strange)} such); the first question is '{questions[0].id}'"
        )
    return questions, said


def _field(row: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)
