"""Makes a tidy question look typed by a person in a hurry."""

from __future__ import annotations

import re
from functools import cache
from random import Random

from .phrases import fill, pick, words

_P_LOWER = 0.45
_P_NO_MARK = 0.4
_P_OPENER = 0.1
_P_CLOSER = 0.07
_P_SPELLING = 0.3
_P_TYPO = 0.1
_P_SHOUTED = 0.01
_P_MORE_MARKS = 0.03
_MIN_TYPO_LETTERS = 5


@cache
def _spellings() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (re.compile(rf"(?<!\w){re.escape(right)}(?!\w)"), wrong)
        for right, wrongs in words()["spellings"].items()
        for wrong in wrongs
    )


def noisy(question: str, rng: Random) -> str:
    """Return the question with some of what people do: lower case, no question mark, fillers,
    short forms, slips of the finger and shouting."""
    if rng.random() < _P_OPENER:
        opener = fill(pick(words()["openers"], rng), {}, rng)
        question = f"{opener} {question[:1].lower()}{question[1:]}"
    if rng.random() < _P_CLOSER and question[-1:] in (".", "?"):
        closer = fill(pick(words()["closers"], rng), {}, rng)
        question = f"{question[:-1]}{pick((',', ''), rng)} {closer}{question[-1]}"
    if rng.random() < _P_SPELLING:
        right, wrong = pick(_spellings(), rng)
        question = right.sub(wrong, question, count=1)
    if rng.random() < _P_TYPO:
        question = _mistype(question, rng)
    if rng.random() < _P_NO_MARK:
        question = question.rstrip(".?!") or question
    elif question.endswith("?") and rng.random() < _P_MORE_MARKS:
        question += pick(("?", "??", "!", "!?"), rng)
    draw = rng.random()
    if draw < _P_LOWER:
        return question.lower()
    if draw > 1.0 - _P_SHOUTED:
        return question.upper()
    return question[:1].upper() + question[1:]


def _mistype(question: str, rng: Random) -> str:
    parts = question.split(" ")
    long_words = [i for i, w in enumerate(parts) if len(w) >= _MIN_TYPO_LETTERS and w.isalpha()]
    if not long_words:
        return question
    place = pick(long_words, rng)
    word = parts[place]
    at = 1 + int(rng.random() * (len(word) - 2))
    slip = int(rng.random() * 3)
    if slip == 0:
        parts[place] = word[:at] + word[at + 1 :]
    elif slip == 1:
        parts[place] = word[:at] + word[at] + word[at:]
    else:
        parts[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(parts)
