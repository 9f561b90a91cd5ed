"""Who comes in later is not said to be there from the start: a constraint on decoding.

"When do the drums come in?" - "From the start", a small language model says, whatever the tool or
the encoder's notes say, as that is how most answers about entrances go. Where an entrance is known
and is none at the start, wordings of the start are forbidden; what is left is to name a time, and
times are those of the tool or of the notes (`grounding`, `grounded_times`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch

from llark_py.messages import Message, ToolResult

from .noted import player_words, read_notes, take_names
from .reply_constraint import ReplyConstraint, text_tokens

_START = "0:00"
_ASKED = re.compile(r"\b(?:enter\w*|come\w* in|start\w*|begin\w*|join\w*|appear\w*|first)\b")
_SPAN = re.compile(r"\d+:\d\d")
_FROM = re.compile(r"\bfrom( the| the very)?$", re.I)
_BEHIND_FROM = frozenset({"the", "its", "bar", "beginning", "very"})
_OPENING = frozenset({"right", "straight", "immediately"})
_BEFORE_A_TIME = frozenset({"are", "is", "there"})
"""They lead to "are there from the start"; to name a time there is "come in at"."""
_ANYWHERE = frozenset({"open", "opens", "opening", "beginning", "outset", "throughout", "first"})


def enters_late(results: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether the last result is about one player, who is not there from the start."""
    if not results:
        return False
    result = results[-1]
    at = result.get("enters")
    if at is None and (spans := _SPAN.findall(str(result.get("sung", "")))):
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
    for event in read_notes(notes)["enters"]:
        name, _, at = event.rpartition(" ")
        if name == thing and at != _START:
            return at
    return None


def results_of(messages: Sequence[Message]) -> list[Mapping[str, Any]]:
    """List what tools have answered since the last question."""
    asked = [i for i, m in enumerate(messages) if m.role == "user" and m.text.strip()]
    since = messages[asked[-1] :] if asked else messages
    return [p.content for m in since for p in m.parts if isinstance(p, ToolResult)]


class GroundedEntrances(ReplyConstraint):
    """Forbids to say that somebody is there from the start.

    Args:
        tokenizer: Any Hugging Face tokenizer; words are watched as far as they are tokens.
        prompt_length: How many leading tokens are the prompt.
    """

    def mask(self, row: torch.Tensor, text: str) -> None:
        """Forbid tokens in `row` (vocabulary,), in place, behind the text of a reply."""
        words = _ANYWHERE
        if _FROM.search(text.rstrip()):
            words |= _BEHIND_FROM
        if not any(map(str.isdigit, text)):
            words |= _BEFORE_A_TIME
        if not text.strip():
            words |= _OPENING
        row[_tokens(self._tokenizer, words)] = -torch.inf


@lru_cache(maxsize=16)
def _tokens(tokenizer: Any, words: frozenset[str]) -> list[int]:
    """List the tokens that are one of some words, however it is written."""
    return [i for i, piece in text_tokens(tokenizer).items() if piece.strip().lower() in words]
