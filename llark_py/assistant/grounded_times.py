"""No time is said at which nothing was heard: a constraint on decoding.

A small model that has no tool for it makes times up. Wherever a number is followed by a colon it is
taken for a time, which must be one of those that may be told (those of the encoder's notes, or at
least those within the recording) or stand in what the answer may quote (the user's own words, tool
results), and must be finished: `0:1` may not end there. In a list ("verse at 0:12, chorus at ...")
each time is later than the one before, as long as there is a later one, and a number behind "at" is
a time. Other numbers are none of this constraint's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import torch

from .grounding import TIME, number_tokens, seconds_of
from .reply_constraint import ReplyConstraint, allow_only

_LISTED = re.compile(r"\bat [0-9:]*$")
_SENTENCE_END = re.compile(r"[.!?\n](?=\s)")
_ANY = re.compile(r"[0-9][0-9:]*")
_BEGUN = re.compile(r"[0-9]+:[0-9:]*")
_OPEN = re.compile(r"[0-9]+(?::[0-9]*)*$")


class GroundedTimes(ReplyConstraint):
    """Allows only tokens of which every time of the new text can be made.

    Args:
        tokenizer: Any Hugging Face tokenizer, of digits or of longer number tokens.
        times: Those that may be told, as m:ss.
        source: The text whose times may be quoted.
        prompt_length: How many leading tokens are the prompt.
    """

    def __init__(self, tokenizer: Any, times: Iterable[str], source: str, prompt_length: int):
        super().__init__(tokenizer, prompt_length)
        self._allowed = frozenset([*times, *TIME.findall(source)])
        digits, separators, _ = number_tokens(tokenizer)
        self._tokens = digits | separators
        self._wrong: dict[tuple[str, frozenset[str], bool], list[int]] = {}

    def trim(self, text: str) -> str:
        """Cut off a time at the very end that the length limit has broken in the middle."""
        pending = _pending(text)
        if ":" in pending and pending.rstrip(":") not in self._allowed:
            return text[: -len(pending)].rstrip()
        return text

    def mask(self, row: torch.Tensor, text: str) -> None:
        """Forbid tokens in `row` (vocabulary,), in place, behind the text of a reply."""
        pending, (allowed, begun) = _pending(text), self._next(text)
        wrong = self._wrong.get((pending, allowed, begun))
        if wrong is None:
            wrong = [i for i, t in self._tokens.items() if not _fits(pending + t, allowed, begun)]
            self._wrong[pending, allowed, begun] = wrong
        is_time = ":" in pending or (begun and pending)
        if is_time and pending[-1] != ":" and pending not in allowed:
            right = [
                i
                for i, t in self._tokens.items()
                if _pending(pending + t).startswith(pending) and _fits(pending + t, allowed, begun)
            ]
            allow_only(row, right)
        row[wrong] = -torch.inf

    def _next(self, text: str) -> tuple[frozenset[str], bool]:
        """List the times that may come next, and say whether a list of times has begun."""
        if not _LISTED.search(text):
            return self._allowed, False
        sentence = _SENTENCE_END.split(_OPEN.sub("", text))[-1]
        last_s = max((seconds_of(time) for time in TIME.findall(sentence)), default=-1)
        later = frozenset(t for t in self._allowed if seconds_of(t) > last_s)
        return later or self._allowed, last_s >= 0


def _fits(text: str, allowed: frozenset[str], begun: bool) -> bool:
    """Say whether all times in the text are allowed, one at its end so far.

    In a list that has `begun` every number is a time.
    """
    for found in (_ANY if begun else _BEGUN).finditer(text):
        time = found.group()
        open_end = found.end() == len(text) and any(other.startswith(time) for other in allowed)
        if not (time.rstrip(":") in allowed or open_end):
            return False
    return True


def _pending(text: str) -> str:
    last = _OPEN.search(text)
    return last.group() if last else ""
