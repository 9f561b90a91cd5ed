"""Seconds in a tool call are seconds that somebody has named: a constraint on decoding.

A small model copies "0:22" as 2 now and then, and a tool then measures another part than the one
that is meant, without anybody noticing. So when the last question or what tools have said since
names numbers, each argument in seconds (`start_s`, `end_s`, `example_start_s`, ...) must be 0 or
follow from a number in the conversation: a clock time, seconds, minutes, minutes and seconds, or
the sum or difference of two that stand side by side ("10 seconds from 0:20"). Where times are told
in words ("half a minute", "the beginning of that"), in bars or beats, or not at all, nothing is
forbidden.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import torch

from .grounding import number_tokens, seconds_of
from .reply_constraint import ReplyConstraint, allow_only

_ARGUMENT = re.compile(r'"\w+_s": *([0-9.]*)$')
_NAMED = re.compile(r"(?<![0-9.])[0-9]+(?::[0-9]+)+|[0-9]+(?:\.[0-9]+)?")
_DOTTED = re.compile(r"(?<![0-9.])([0-9]+)\.([0-5][0-9])(?![0-9.])")
_FIGURES = "0123456789."
# Numbers by how they begin; "one" is mostly none ("the second one").
_NUMBERS = "two|three|four|five|six|seven|eight|nine|ten|eleven|twel|thirt|fift|twen|fort|hundred"
_OTHERS = "half|quarter|couple|few|dozen|minute|bars?|beats?|measures?"
_IN_WORDS = re.compile(rf"\b(?:{_NUMBERS}|(?:{_OTHERS})\b)", re.I)


def named_seconds(text: str) -> frozenset[str] | None:
    """List the seconds that a text names, as a call writes them.

    Returns:
        None where it names none in figures, or some in words.
    """
    named = [seconds_of(found) for found in _NAMED.findall(text)]
    if not named or _IN_WORDS.search(text):
        return None
    seconds = {0.0, *named, *(60 * n for n in named)}
    seconds |= {60.0 * int(m) + int(s) for m, s in _DOTTED.findall(text)}  # 1.30 for 1:30
    for a, b in pairwise(named):
        seconds |= {60 * a + b, a + b, abs(a - b)}
    for a, b, c in zip(named, named[1:], named[2:], strict=False):
        seconds |= {a + 60 * b + c, abs(60 * b + c - a)}  # "10 seconds after 1 min 20"
    return frozenset(f"{n:.3f}".rstrip("0").rstrip(".") for n in seconds)


class GroundedSeconds(ReplyConstraint):
    """Allows only seconds in tool calls that a text names.

    Args:
        tokenizer: Any Hugging Face tokenizer, of digits or of longer number tokens.
        source: The user's words and the tools' results.
        asked: What of it belongs to the last question; nothing is forbidden where it names none.
        prompt_length: How many leading tokens are the prompt.
    """

    def __init__(self, tokenizer: Any, source: str, asked: str, prompt_length: int):
        super().__init__(tokenizer, prompt_length)
        self._allowed = named_seconds(source) if named_seconds(asked) else None
        digits, separators, _ = number_tokens(tokenizer)
        self._tokens = digits | separators

    def mask(self, row: torch.Tensor, text: str) -> None:
        """Leave the words of a reply alone."""

    def mask_call(self, row: torch.Tensor, text: str) -> None:
        """Forbid tokens in `row` (vocabulary,), in place, behind the text of a call."""
        argument = _ARGUMENT.search(text)
        if self._allowed is None or argument is None:
            return
        begun, allowed = argument[1], self._allowed
        fits = {i: _fits(begun + t.lstrip(), allowed) for i, t in self._tokens.items()}
        if begun and begun not in allowed:
            allow_only(row, [i for i, right in fits.items() if right])  # it may not end here
        else:
            row[[i for i, right in fits.items() if not right]] = -torch.inf


def _fits(text: str, allowed: frozenset[str]) -> bool:
    """Say whether the number that a text begins with is allowed, so far if nothing follows it."""
    behind = text.lstrip(_FIGURES)
    if not behind:
        return any(number.startswith(text) for number in allowed)
    return text.removesuffix(behind) in allowed
