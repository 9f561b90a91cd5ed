"""Who comes in later is not said to be there from the start: a constraint on decoding.

"When do the drums come in?" - "From the start", a small language model says, whatever the tool or
the encoder's notes say, as that is how most answers about entrances go. Where an entrance is known
and is none at the start, wordings of the start are forbidden; what is left is to name a time, and
times are those of the tool or of the notes (`grounding`, `grounded_times`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import torch

from llark_py.messages import Message

from .conversation import results_since_question, since_question
from .grounding import number_tokens
from .noted import family_meant, player_words, read_notes, take_names
from .reply_constraint import ReplyConstraint, allow_only, word_tokens

_START = "0:00"
_ASKED = re.compile(r"\b(?:enter\w*|come\w* in|start\w*|begin\w*|join\w*|appear\w*|first)\b")
_MOMENT = re.compile(rf"{_ASKED.pattern}|\b(?:when|where|which|what|second|time)\b")
_SPAN = re.compile(r"\d+:\d\d")
_FIGURES = re.compile(r"\d[\d:]*$")
_UNTIL = frozenset({"to", "until", "till"})
_LEAVING = frozenset(
    ["stop", "stops", "drop", "drops", "leave", "leaves", "end", "ends", "stay", "stays"]
)
_FROM = re.compile(r"\bfrom( the| the very)?$", re.I)
_BEHIND_FROM = frozenset({"the", "its", "bar", "beginning", "very"})
_OPENING = frozenset({"right", "straight", "immediately"})
_BEFORE_A_TIME = frozenset({"are", "is", "there"})
"""They lead to "are there from the start"; to name a time there is "come in at"."""
_ANYWHERE = frozenset({"open", "opens", "opening", "beginning", "outset", "throughout", "first"})


def told_late(messages: Sequence[Message]) -> bool:
    """Tell whether the last question is about an entrance that a tool has found, not at the start.

    Args:
        messages: The conversation, with what tools have answered since that question.
    """
    since = since_question(messages)
    if not since or not _MOMENT.search(since[0].text.lower()):
        return False
    results = results_since_question(messages)
    if not results:
        return False
    told = results[-1].content
    at = told.get("enters")
    if at is None and (spans := _SPAN.findall(str(told.get("sung", "")))):
        at = spans[0]
    return at is not None and at != _START


def noted_entrance(question: str, notes: str) -> str | None:
    """Find the time in the notes at which somebody comes in whose entrance is asked for.

    Args:
        question: The user's words.
        notes: Of the one recording that it is about.

    Returns:
        As m:ss; None where another thing is asked, or the notes hold no entrance but at the start.
    """
    text, things = take_names(question.lower(), player_words())
    if len(things) != 1 or not _ASKED.search(text):
        return None
    (thing,) = things
    family = family_meant(thing)
    for event in read_notes(notes)["enters"]:
        name, _, at = event.rpartition(" ")
        if name == family and at != _START:
            return at
    return None


class GroundedEntrances(ReplyConstraint):
    """Forbids to say that somebody is there from the start.

    Args:
        tokenizer: Any Hugging Face tokenizer; words are watched as far as they are tokens.
        prompt_length: How many leading tokens are the prompt.
        at: The one time that may be told, and once, as m:ss; empty where others see to the times.
    """

    def __init__(self, tokenizer: Any, prompt_length: int, at: str = ""):
        super().__init__(tokenizer, prompt_length)
        self._at = at

    def mask(self, row: torch.Tensor, text: str) -> None:
        """Forbid tokens in `row` (vocabulary,), in place, behind the text of a reply."""
        words = _ANYWHERE
        if _FROM.search(text.rstrip()):
            words |= _BEHIND_FROM
        if not any(map(str.isdigit, text)):
            words |= _BEFORE_A_TIME
        if not text.strip():
            words |= _OPENING
        if self._at:
            words |= _LEAVING | (_UNTIL if self._at in text else frozenset())
        row[word_tokens(self._tokenizer, words)] = -torch.inf
        if self._at:
            self._keep_to_the_time(row, text)

    def _keep_to_the_time(self, row: torch.Tensor, text: str) -> None:
        digits, joints, _ = number_tokens(self._tokenizer)
        begun = _FIGURES.search(text)
        if self._at in text:
            row[list(digits)] = -torch.inf
        elif begun:
            figures = (digits | joints).items()
            allow_only(row, [i for i, piece in figures if self._at.startswith(begun[0] + piece)])
        else:
            opening = (i for i, piece in digits.items() if self._at.startswith(piece.strip()))
            row[list(digits.keys() - opening)] = -torch.inf
