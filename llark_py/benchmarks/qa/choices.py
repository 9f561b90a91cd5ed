"""Multiple choice: how options are written, how a choice is read, scored, and guessed blindly."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .task import Question, Scores

LETTERS = "ABCDEFGHIJ"
_THOUGHT = re.compile(r"^.*</think>", re.DOTALL)
_ONLY_LETTER = re.compile(r"\W*(?:(?:answer|option)\W+)?([A-J])\W*", re.IGNORECASE)
_LETTER_AND_TEXT = re.compile(r"\W*([A-J])\W+(.*)", re.DOTALL)
_ANNOUNCED = re.compile(
    r"\b(?i:answer|choice|option|choose|chose|select|guess|pick)\b(?i:\s+(?:is|would be|must be))?"
    r"[\s:*\"'(\[]*([A-J])\b(?!['’])"
)
_BRACKETED = re.compile(r"[(\[]\s*([A-J])\s*[)\]]")
_AT_START = re.compile(r"\s*\**([A-J])\s*(?:[).:,\]*]|$)")


def write_options(options: Sequence[str]) -> str:
    """Write options in one line: `(A) Reggae (B) Ska`."""
    return " ".join(f"({letter}) {text}" for letter, text in zip(LETTERS, options, strict=False))


def shuffled(options: Sequence[str], seed: str) -> tuple[tuple[str, ...], list[int]]:
    """Mix options by a seed.

    Returns:
        The options, and of each its number before.
    """
    order = list(range(len(options)))
    random.Random(seed).shuffle(order)
    return tuple(options[i] for i in order), order


def read_strictly(question: Question, text: str) -> int | None:
    """Read an answer that is nothing but a letter, an option, or both (`B`, `(B) Ska`, `ska.`)."""
    said = _THOUGHT.sub("", text).strip()
    if letter := _ONLY_LETTER.fullmatch(said):
        return _number(letter[1], question)
    plain = [_plain(option) for option in question.options]
    both = _LETTER_AND_TEXT.fullmatch(said)
    if both and _plain(both[2]) in plain:
        number = _number(both[1], question)
        return number if number is not None and plain[number] == _plain(both[2]) else None
    return plain.index(_plain(said)) if plain.count(_plain(said)) == 1 else None


def read_leniently(question: Question, text: str) -> int | None:
    """Read an answer as a person would: what it announces last, else the one option it names.

    In this order: nothing but a letter or an option; the last letter that is announced (`the answer
    is B`); the one letter in brackets, or in front; the one option whose words stand in the answer,
    longer ones first, so that `electric guitar` is no `guitar`.
    """
    strict = read_strictly(question, text)
    if strict is not None:
        return strict
    said = _THOUGHT.sub("", text)
    for found in (_ANNOUNCED.findall(said)[-1:], set(_BRACKETED.findall(said))):
        numbers = [_number(letter, question) for letter in found]
        if len(numbers) == 1 and numbers[0] is not None:
            return numbers[0]
    if start := _AT_START.match(said):
        return _number(start[1], question)
    named = _named_options(question, said)
    return named[0] if len(named) == 1 else None


def _named_options(question: Question, said: str) -> list[int]:
    rest, named = f" {_plain(said)} ", []
    plain = [_plain(option) for option in question.options]
    for number in sorted(range(len(plain)), key=lambda i: -len(plain[i])):
        if plain[number] and f" {plain[number]} " in rest:
            rest = rest.replace(f" {plain[number]} ", "  ")
            named.append(number)
    return named


def _number(letter: str, question: Question) -> int | None:
    number = LETTERS.index(letter.upper())
    return number if number < len(question.options) else None


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[\w#♯♭]+", text.lower()))


def score_choice(question: Question, value: Any) -> Scores:
    """Score a choice: 1 for the right option; of a blind guess, the chance that it is right.

    Args:
        question: With the number of the right option as its target.
        value: The number of an option, None, or chances by number of an option.
    """
    if isinstance(value, Mapping):
        return {"acc": float(value.get(question.target, 0.0))}
    return {"acc": float(value is not None and value == question.target)}


def guess_choices(questions: Sequence[Question]) -> dict[str, list[dict[int, float]]]:
    """Guess without a model.

    Returns:
        `longest` and `shortest`: the option with most or fewest characters; options of one length
        share the guess evenly, so that the row depends on no order and no seed. `most frequent`:
        always the letter that is right most often (the first of several). `random`: every option
        with the same chance.
    """
    counts = [question.target for question in questions]
    usual = max(sorted(set(counts)), key=counts.count)
    return {
        "longest": [_extreme(question, max) for question in questions],
        "shortest": [_extreme(question, min) for question in questions],
        "most frequent": [{usual: 1.0} for _ in questions],
        "random": [dict.fromkeys(range(len(q.options)), 1.0 / len(q.options)) for q in questions],
    }


def _extreme(question: Question, pick: Any) -> dict[int, float]:
    lengths = [len(option) for option in question.options]
    wanted = [i for i, length in enumerate(lengths) if length == pick(lengths)]
    return {i: 1.0 / len(wanted) for i in wanted}
