"""Numbers in an answer are quoted, never made up: a constraint on decoding.

Once a tool has answered, each number the model writes must stand, digit by digit, in a tool
result of the conversation or in the user's own words. While a number is being written only tokens
that go on to one of those are allowed, so streamed text never has to be taken back. A time such as
1:20 counts as one number, and so does a time signature; those that can be heard
(`heard_numbers`) may be told. Numbers in words ("ninety") are not covered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import torch

from .reply_constraint import ReplyConstraint, allow_only, text_tokens

_JOINTS = ".,:/"
"""What joins figures to one number, and may as well end a sentence."""
TIME = re.compile(r"[0-9]+(?::[0-9]+)+")
_NUMBER = re.compile(rf"[0-9]+(?:[{_JOINTS}][0-9]+)*")
_UNFINISHED = re.compile(rf"(?<![0-9])(?:[0-9]+[{_JOINTS}])*[0-9]+[{_JOINTS}]?$")
_TIME_SIGNATURES = "2/4 3/4 4/4 5/4 6/8 7/8 12/8"
_DIGIT = re.compile(r"[0-9]")


def numbers_in(text: str) -> frozenset[str]:
    """List the numbers in a text as they are written (`90.1`, `1,200`, the 3 of `C3`).

    A number with an empty fraction counts without it as well: 90.0 is also 90.
    """
    found = set(_NUMBER.findall(text))
    return frozenset(found | {n[: -len(".0")] for n in found if re.fullmatch(r"[0-9]+\.0", n)})


def seconds_of(time: str) -> float:
    """Read a time such as `1:20`, `1:02:03` or `27.5` as seconds."""
    total = 0.0
    for part in time.split(":"):
        total = 60 * total + float(part)
    return total


def told_times(duration_s: float, notes: str | None = None) -> list[str]:
    """List the times, as m:ss, that may be told of a recording without being asked about.

    Args:
        duration_s: Length of the recording.
        notes: What the encoder heard when, in words; then only its times and the start are told.

    Returns:
        Every whole second where there are no notes.
    """
    if notes is not None:
        return sorted({"0:00", *TIME.findall(notes)})
    return [f"{s // 60}:{s % 60:02d}" for s in range(int(duration_s) + 1)]


def heard_numbers(times: Iterable[str]) -> str:
    """Write what may be said by ear whatever was measured: time signatures and these times."""
    return f"{_TIME_SIGNATURES} {' '.join(times)}"


def ungrounded_numbers(text: str, source: str) -> list[str]:
    """List the numbers of a text that do not stand in the source."""
    allowed = numbers_in(source)
    return [n for n in _NUMBER.findall(text) if n not in allowed]


def trim_unfinished(text: str, source: str) -> str:
    """Cut off a number at the very end that the length limit has broken in the middle."""
    last = _UNFINISHED.search(text)
    if last and last.group().rstrip(_JOINTS) not in numbers_in(source):
        return text[: last.start()].rstrip()
    return text


class GroundedNumbers(ReplyConstraint):
    """Allows only tokens that keep every number of the new text inside a set.

    Args:
        tokenizer: Any Hugging Face tokenizer, of digits or of longer number tokens.
        source: The text whose numbers may be quoted.
        prompt_length: How many leading tokens are the prompt.
    """

    def __init__(self, tokenizer: Any, source: str, prompt_length: int):
        super().__init__(tokenizer, prompt_length)
        self._allowed = numbers_in(source)
        self._prefixes = {n[:i] for n in self._allowed for i in range(1, len(n) + 1)}
        self._with_digits, self._separators, self._letters = number_tokens(tokenizer)
        self._banned: dict[str, list[int]] = {}

    def mask(self, row: torch.Tensor, text: str) -> None:
        """Forbid tokens in `row` (vocabulary,), in place, behind the text of a reply."""
        last = _UNFINISHED.search(text)
        pending = last.group() if last else ""
        if pending and pending.rstrip(_JOINTS) not in self._allowed:
            # The number may not end here: only what continues it is let through.
            allowed = [i for i, t in self._separators.items() if pending + t in self._prefixes]
            allowed += [i for i, t in self._with_digits.items() if self._fits(pending, t)]
            allow_only(row, allowed)
            return
        if pending not in self._banned:
            self._banned[pending] = [
                i for i, t in self._with_digits.items() if not self._fits(pending, t)
            ]
            if pending.endswith(tuple(_JOINTS)):
                # It was the end of a sentence, or a fraction begins; "150.A" would be neither, and
                # "0.," nothing at all.
                self._banned[pending] += [*self._letters, *self._separators]
        row[self._banned[pending]] = -torch.inf

    def _fits(self, pending: str, token: str) -> bool:
        """Say whether the numbers in `pending + token` are allowed, the last one so far."""
        text = pending + token
        last = _UNFINISHED.search(text)
        head = text[: last.start()] if last else text
        if any(n not in self._allowed for n in _NUMBER.findall(head)):
            return False
        if not last:
            return True
        number = last.group()
        return number in self._prefixes or number.rstrip(_JOINTS) in self._allowed


@lru_cache(maxsize=4)
def number_tokens(tokenizer: Any) -> tuple[dict[int, str], dict[int, str], list[int]]:
    """Find tokens with a digit, those that join numbers, and those that begin a word."""
    digits: dict[int, str] = {}
    separators: dict[int, str] = {}
    letters: list[int] = []
    for token_id, text in text_tokens(tokenizer).items():
        if _DIGIT.search(text):
            digits[token_id] = text
        elif len(text) == 1 and text in _JOINTS:
            separators[token_id] = text
        elif text[:1].isalpha():
            letters.append(token_id)
    return digits, separators, letters
