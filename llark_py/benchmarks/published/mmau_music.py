"""MMAU test-mini (Sakshi et al., ICLR 2025; v05.15.25): its 334 questions about music."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from llark_py.errors import ConfigError
from llark_py.prompting import read_prompt_data

from ..qa.choices import (
    guess_choices,
    read_leniently,
    read_strictly,
    score_choice,
    write_options,
)
from ..qa.files import fields, need, read_items
from ..qa.task import Excerpt, Question, Task, check_unique

SOURCE = (
    "Get mmau-test-mini.json (github.com/Sakshi113/MMAU, v05.15.25) and test-mini-audios"
    " (huggingface.co/datasets/gamma-lab-umd/MMAU-test-mini)."
)
_ITEM = ("id", "audio_id", "question", "choices", "answer", "task")
# README and script of the authors name the answer differently.
_ANSWERS = ("model_prediction", "model_output")
_CATEGORIES = ("difficulty", "category", "sub-category")


def read(folder: Path) -> list[Question]:
    """Read `mmau-test-mini.json`, the items whose `task` is `music`."""
    path = need(folder, SOURCE, "mmau-test-mini.json")
    return check_unique([question for question, _ in _read_items(path)], str(path))


def _read_items(path: Path) -> list[tuple[Question, dict[str, Any]]]:
    found = []
    for number, item in enumerate(read_items(path)):
        name, sound, text, options, answer, task = fields(item, _ITEM, f"{path}, item {number}")
        if task != "music":
            continue
        if answer not in options:
            raise ConfigError(
                f"{path}, {name}: the answer '{answer}' is not among the choices; the file of"
                " 15 May 2025 had such faults (github.com/Sakshi113/MMAU/issues/12), get the"
                " corrected one of 18 May 2025 or later"
            )
        layout = read_prompt_data("published")["mmau_music"]
        question = Question(
            id=name,
            prompt=layout.format(question=text, options=write_options(options)),
            target=options.index(answer),
            options=tuple(options),
            excerpt=Excerpt(path.parent / sound),
            group=name,
            categories={key: (str(item[key]),) for key in _CATEGORIES if item.get(key)},
        )
        found.append((question, item))
    return found


def read_officially(question: Question, text: str) -> int | None:
    """Read an answer as the authors' script does: all words of an option, none of the others alone.

    The script only tells whether the *right* option is named so; that one is tried first. An answer
    that is nothing but a letter names no option.
    """
    right = question.target
    for number in (right, *(i for i in range(len(question.options)) if i != right)):
        if _names(question, text, number):
            return number
    return None


def _names(question: Question, text: str, number: int) -> bool:
    said, wanted = _words(text), _words(question.options[number])
    others = [_words(option) for option in question.options]
    foreign = set().union(*(words - wanted for words in others if words != wanted))
    return bool(said) and wanted <= said and not said & foreign


def _words(text: str) -> set[str]:
    return set(re.findall(r"\b\w+\b", text.lower()))


def read_answers(path: Path) -> list[tuple[Question, str]] | None:
    """Read the benchmark's file with answers in it; items without one count as not answered."""
    # Our own files have ids and `resps`; JSON lines may name their answers as MMAU does.
    if not any("choices" in item and set(_ANSWERS) & set(item) for item in read_items(path)):
        return None
    return [
        (question, str(next((item[key] for key in _ANSWERS if item.get(key)), "")))
        for question, item in _read_items(path)
    ]


TASK = Task(
    name="mmau_music",
    version=1,
    source=SOURCE,
    read=read,
    readers={"official": read_officially, "strict": read_strictly, "lenient": read_leniently},
    score=score_choice,
    primary="acc",
    blind=guess_choices,
    read_answers=read_answers,
)
