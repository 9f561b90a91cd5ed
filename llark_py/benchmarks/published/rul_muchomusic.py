"""RUL-MuchoMusic (Zang et al., ISMIR 2025): MuChoMusic's questions with options that need ears.

Every question is asked four times, each time without one of its four distractors. `acc` is over
all of these (chance 25 %); `acc_vote` counts the option that an item's four answers name most
often, as the authors' script does. Published answers of one shot (five options) are read too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llark_py.errors import ConfigError
from llark_py.prompting import read_prompt_data

from ..estimates import Draws, Estimate
from ..qa.choices import (
    guess_choices,
    read_leniently,
    read_strictly,
    score_choice,
    shuffled,
    write_options,
)
from ..qa.files import audio_by_stem, fields, need, read_items, read_json
from ..qa.task import Excerpt, Question, Task, check_unique

SOURCE = (
    "Get RUL-MuchoMusic.json (github.com/yongyizang/AreYouReallyListening) and the sound of its"
    " questions as audio/ID.mp3 (huggingface.co/datasets/yongyizang/RUListening)."
)
_LETTERS = "ABCDE"
_SEED = "rul {item} {left_out}"
_DOUBLE = re.compile(r"\[\[([A-E])\]\]")
_ANNOUNCED = re.compile(
    r"(?:answer is|chose|choose|select|guess is|I choose|I select|I guess) ([A-E])\b",
    re.IGNORECASE,
)


def read(folder: Path) -> list[Question]:
    """Read `RUL-MuchoMusic.json`: `{id: {question, correct_answer, distractors, ...}}`."""
    path = need(folder, SOURCE, "RUL-MuchoMusic.json")
    items = read_json(path)
    if not isinstance(items, dict):
        raise ConfigError(f"{path} is no object of questions by id")
    audio = audio_by_stem(folder)
    questions = []
    for name, item in items.items():
        text, right, wrong = fields(
            item, ("question", "correct_answer", "distractors"), f"{path}, {name}"
        )
        excerpt = Excerpt(audio.get(name, folder / "audio" / f"{name}.mp3"))
        for left_out in range(len(wrong)):
            kept = [option for i, option in enumerate(wrong) if i != left_out]
            options, order = shuffled([right, *kept], _SEED.format(item=name, left_out=left_out))
            questions.append(_question(name, left_out, text, options, order.index(0), excerpt))
    return check_unique(questions, str(path))


def _question(
    name: str,
    left_out: int,
    text: str,
    options: tuple[str, ...],
    target: int,
    excerpt: Excerpt | None,
) -> Question:
    layout = read_prompt_data("published")["rul_muchomusic"]
    prompt = layout.format(question=text, options=write_options(options))
    return Question(f"{name}/{left_out}", prompt, target, options, excerpt, name)


def read_officially(question: Question, text: str) -> int | None:
    """Read an answer as the authors' script does.

    The last `[[A]]`; else the last letter behind `answer is`, `choose` and such; else the first
    letter of the alphabet that stands as `(A)` or `option A`; else the first option whose words
    stand in the answer.
    """
    if found := _DOUBLE.findall(text) or _ANNOUNCED.findall(text):
        return _number(found[-1], question)
    for letter in _LETTERS:
        if any(form in text for form in (f"option {letter}", f"Option {letter}", f"({letter})")):
            return _number(letter, question)
    for number, option in enumerate(question.options):
        if option and option.lower() in text.lower():
            return number
    return None


def _number(letter: str, question: Question) -> int | None:
    number = _LETTERS.index(letter.upper())
    return number if number < len(question.options) else None


def total_votes(
    questions: Sequence[Question], values: Sequence[Any], draws: Draws
) -> dict[str, Estimate]:
    """The share of items whose answers name the right option most often (the first of several).

    Blind guesses that are chances have no votes, nor have items that are asked once.
    """
    once = len({question.group for question in questions}) == len(questions)
    if once or any(isinstance(value, dict) for value in values):
        return {}
    named: dict[str, list[str]] = {}
    right: dict[str, str] = {}
    for question, value in zip(questions, values, strict=True):
        right[question.group] = question.options[question.target]
        votes = named.setdefault(question.group, [])
        if value is not None:
            votes.append(question.options[value])
    hits = [bool(v) and Counter(v).most_common(1)[0][0] == right[g] for g, v in named.items()]
    return {"acc_vote": Draws(list(named), len(draws.weights) - 1).mean(hits)}


def read_answers(path: Path) -> list[tuple[Question, str]] | None:
    """Read what the authors' scripts write: items with `passes`, or of one shot.

    `MODEL_leave_one_out.json` has four `passes` an item; `MODEL_one_shot.json` has one answer to
    all five options (chance 20 %), and so no votes.

    Raises:
        ConfigError: An item lacks a field, or does not say what its letters mean.
    """
    items = read_items(path)
    if not any({"passes", "letter_mapping"} & set(item) for item in items):
        _refuse_bare_letters(path, items[0])
        return None
    found = []
    for item in items:
        name, right = fields(item, ("question_id", "correct_answer"), str(path))
        where = f"{path}, {name}"
        if "passes" not in item:
            found.append(_read_pass(str(name), right, item, where, str(name)))
            continue
        for one in item["passes"]:
            (number,) = fields(one, ("pass_number",), where)
            found.append(_read_pass(f"{name}/{number}", right, one, where, str(name)))
    return found


def _read_pass(
    question_id: str, right: str, said: Any, where: str, item: str
) -> tuple[Question, str]:
    text, letters = fields(said, ("model_output", "letter_mapping"), where)
    options = tuple(letters[letter] for letter in sorted(letters))
    if right not in options:
        raise ConfigError(f"{where}: the right answer is not among the options")
    return Question(question_id, "", options.index(right), options, None, item), text


def _refuse_bare_letters(path: Path, item: dict[str, Any]) -> None:
    """Refuse answers to whole items: nobody knows in which order their options stood."""
    name = str(item.get("question_id", ""))
    if "model_output" in item and name and "/" not in name:
        raise ConfigError(
            f"{path}, {name}: an answer with neither 'passes' nor 'letter_mapping' does not say "
            "which options its letters mean, since the authors' scripts mix them anew every time. "
            "Give the file as the scripts write it (MODEL_leave_one_out.json, MODEL_one_shot.json),"
            " or lines of 'id' (such as 17/0) and 'answer', with the options as "
            "samples_rul_muchomusic.jsonl shows them"
        )


TASK = Task(
    name="rul_muchomusic",
    version=1,
    source=SOURCE,
    read=read,
    readers={"official": read_officially, "strict": read_strictly, "lenient": read_leniently},
    score=score_choice,
    primary="acc",
    blind=guess_choices,
    totals=total_votes,
    read_answers=read_answers,
    seeds={"options": _SEED},
)
