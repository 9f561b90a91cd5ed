"""A progression in an answer is one that was found: a constraint on decoding.

A small model starts to copy a progression faithfully and then goes on as songs usually do. From
`C - ` on, the next chord must be one that follows these chords in a progression of the source
(the results of tools, or what the encoder heard), and where none follows the progression ends. A
chord on its own is left alone: `A` and `C` are words and names of sections as well.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import torch

from .reply_constraint import ReplyConstraint, allow_only, text_tokens

_CHORD = r"[A-G][#b]?(?:dim|m)?"
_LINK = " - "
_PROGRESSION = re.compile(rf"(?<![\w#]){_CHORD}(?:(?: - | ){_CHORD})+(?![\w#])")
_SPLIT = re.compile(r" - | ")
# The chords that are written out, each with its link, and what is being written behind them.
_TAIL = re.compile(rf"(?:^|(?<=[\s(:]))((?:{_CHORD} - )*)((?:[A-G][#b]?[dim]*)?(?: -?)?)$")
_LINK_BEGUN = re.compile(" - ?")
_WRITTEN_WITH = re.compile(r"[ A-Ga-g#dim-]+")

_DEGREE = r"[#b]?[iIvV]+o?"
_DEGREES = re.compile(rf"(?<![\w#]){_DEGREE}(?: {_DEGREE})+(?![\w#])")
_DEGREES_TAIL = re.compile(rf"(?:(?<![^\s(]){_DEGREE} )*(?:(?<![^\s(]){_DEGREE})?$")
_ROW_BEGINS = re.compile(rf"(?:\bthat is|(?<![\w#]){_CHORD},) ?$")
_DEGREES_ASKED = re.compile(r"\b(?:roman|numerals?|degrees?)\b", re.I)
_DEGREES_WRITTEN_WITH = re.compile(r" ?[#b]?[iIvV]*o?")


def progressions_in(text: str) -> list[tuple[str, ...]]:
    """List the progressions in a text: two chords or more, behind each other or with dashes."""
    return [tuple(_SPLIT.split(found)) for found in _PROGRESSION.findall(text)]


class GroundedChords(ReplyConstraint):
    """Allows only tokens that keep every progression of the new text inside the source.

    Args:
        tokenizer: Any Hugging Face tokenizer.
        source: The text whose progressions may be quoted; without any nothing is forbidden.
        prompt_length: How many leading tokens are the prompt.
    """

    def __init__(self, tokenizer: Any, source: str, prompt_length: int):
        super().__init__(tokenizer, prompt_length)
        self._known = progressions_in(source)
        self._pieces = _pieces(tokenizer)
        self._following: dict[tuple[str, ...], set[str]] = {}
        self._fitting: dict[tuple[tuple[str, ...], str], tuple[list[int], list[int]]] = {}

    def mask(self, row: torch.Tensor, text: str) -> None:
        """Forbid tokens in `row` (vocabulary,), in place, behind the text of a reply."""
        tail = _TAIL.search(text) if self._known else None
        if not tail or not tail[0]:
            return  # no chord yet
        written, begun = tail[1], tail[2]
        before = tuple(written.split(_LINK)[:-1])
        right, wrong = self._divide(before, begun)
        *linked, last = _LINK_BEGUN.split(begun)
        follows = (*before, *linked)
        if follows and last.strip(" ") not in self._next(follows):
            # A chord must come, or go on: only what writes it is let through.
            allow_only(row, right)
        row[wrong] = -torch.inf

    def _divide(self, before: tuple[str, ...], begun: str) -> tuple[list[int], list[int]]:
        """List the tokens that may follow, and those that may not."""
        if (before, begun) not in self._fitting:
            fits = [(i, self._fits(before, begun + piece)) for i, piece in self._pieces]
            divided = [i for i, fit in fits if fit], [i for i, fit in fits if not fit]
            self._fitting[before, begun] = divided
        return self._fitting[before, begun]

    def _next(self, before: tuple[str, ...]) -> set[str]:
        """List the chords that follow others in a known progression."""
        if before not in self._following:
            n = len(before)
            self._following[before] = {
                known[i + n]
                for known in self._known
                for i in range(len(known) - n)
                if known[i : i + n] == before
            }
        return self._following[before]

    def _fits(self, before: tuple[str, ...], begun: str) -> bool:
        """Say whether what stands behind some chords may become a chord that follows them."""
        chord, link, rest = begun.partition(" -")
        if not link:
            known = self._next(before)
            return not before or any(other.startswith(chord.strip(" ")) for other in known)
        if rest and not rest.startswith(" "):
            return False
        after = (*before, chord.strip(" "))
        return bool(self._next(after)) and self._fits(after, rest)


class GroundedDegrees(ReplyConstraint):
    """Allows only tokens that keep every row of degrees (`i VII VI`) inside the source.

    Args:
        tokenizer: Any Hugging Face tokenizer.
        source: The text whose rows may be quoted; without any nothing is forbidden.
        prompt_length: How many leading tokens are the prompt.
        asked: What was asked, if it is known.
    """

    def __init__(self, tokenizer: Any, source: str, prompt_length: int, asked: str = ""):
        super().__init__(tokenizer, prompt_length)
        self._known = [tuple(found.split(" ")) for found in _DEGREES.findall(source)]
        minor = any(known[0][0].islower() for known in self._known)
        self._begins_small = minor and _DEGREES_ASKED.search(asked) is not None
        self._pieces = _pieces(tokenizer, _DEGREES_WRITTEN_WITH)

    def mask(self, row: torch.Tensor, text: str) -> None:
        """Forbid tokens in `row` (vocabulary,), in place, behind the text of a reply."""
        if self._begins_small and not text.strip():
            # A row in minor, begun with a capital as sentences are, could not go on.
            row[[i for i, piece in self._pieces if piece.strip(" ").startswith("I")]] = -torch.inf
        tail = _DEGREES_TAIL.search(text) if self._known else None
        if not tail:
            return
        if tail[0].strip():
            self._go_on(row, tail[0])
        elif _ROW_BEGINS.search(text):
            row[[i for i, piece in self._pieces if not self._begins(piece)]] = -torch.inf

    def _begins(self, piece: str) -> bool:
        """Say whether a token may begin a row where one is due: at its beginning."""
        return any(known[0].startswith(piece.strip(" ")) for known in self._known)

    def _go_on(self, row: torch.Tensor, written: str) -> None:
        right = [i for i, piece in self._pieces if self._fits(written + piece)]
        if not self._fits(f"{written.rstrip(' ')} "):
            # `VI` was to be `VII`: only what goes on to it is let through.
            allow_only(row, right)
        row[sorted({i for i, _ in self._pieces} - set(right))] = -torch.inf

    def _fits(self, row: str) -> bool:
        """Say whether a row is part of a known one, its last degree so far; `I` may be a word.

        So may whatever a row begins with be the beginning of one, but not `Ivi`.
        """
        *before, last = row.rstrip(" ").split(" ")
        if not before:
            known = any(degree.startswith(last) for degrees in self._known for degree in degrees)
            return known or len(last) == 1 or last[0] != "I"
        n, whole = len(before), row.endswith(" ")
        return any(
            list(known[i : i + n]) == before
            and (known[i + n] == last if whole else known[i + n].startswith(last))
            for known in self._known
            for i in range(len(known) - n)
        )


@lru_cache(maxsize=8)
def _pieces(tokenizer: Any, written_with: re.Pattern[str] = _WRITTEN_WITH) -> list[tuple[int, str]]:
    """List the tokens that a progression may be written with, and their text."""
    return [
        (i, piece) for i, piece in text_tokens(tokenizer).items() if written_with.fullmatch(piece)
    ]
