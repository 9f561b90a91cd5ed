"""Behind an instrument stand its own times: a constraint on decoding.

A tool lists who plays when: `drums 0:06-end (0.93), mallet 0:07-0:18 (0.81)`. A small language
model that tells such a list keeps to its numbers (`grounding` sees to that), but now and then puts
the time of one beside the name of another, or tells one of them twice and leaves the next one out.
So a name must be of the list or of the question, is told with numbers only once in a sentence, and
these are those that the list has for it. Who begins at the top of the list goes on in its order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

import torch

from llark_py.compose.instruments import FAMILIES
from llark_py.instruct.family_names import family_words
from llark_py.instruct.listing import END, LISTED_PLAYER
from llark_py.messages import Message

from .conversation import results_since_question, since_question
from .grounding import GroundedNumbers
from .noted import family_meant, player_words, take_names
from .reply_constraint import ReplyConstraint, text_tokens, word_tokens

_SENTENCE_END = re.compile(r"[.!?\n](?=\s|$)")
_CLAUSE_END = re.compile(r"[,;!?\n]|[:.](?=\s)|\b(?:and|then|while|but)\b")
_DENIED = re.compile(r"\b(?:no|not|nor|neither|without|never|hardly|any|than|or)\b", re.I)
_LEADS_TO_A_NUMBER = re.compile(r"\b([a-z]+) *([0-9:.]*)$")
_FIGURE = re.compile(r"[0-9]")
_START = "0:00"
_FROM = frozenset({"from", "since"})
_UNTIL = frozenset({"to", "until", "till"})
_EDGES = frozenset({"the", "its", "start", "beginning", "end"})
"""They lead to "from the start" and "to the end"."""
_WORD = re.compile(r"[a-z]+")
_FAMILIES = frozenset(FAMILIES)

Listed = tuple[str, str, str]
"""First and last time, and confidence."""


def last_line_up(messages: Sequence[Message]) -> tuple[dict[str, Listed], frozenset[str]] | None:
    """Read who plays when off the last tool result.

    Args:
        messages: The conversation, with what tools have answered since the last question.

    Returns:
        What is listed of each family, and the families that may be named besides: those that the
        question or the rest of the result names. None if the last result is no such list.
    """
    results = results_since_question(messages)
    told = results[-1].content if results else {}
    plays = LISTED_PLAYER.findall(str(told.get("plays", "")))
    listed = {family: (start, end, confidence) for family, start, end, confidence in plays}
    if not listed:
        return None
    asked = since_question(messages)[0].text
    other = f"{asked} {told.get('family') or ''} {told.get('lead') or ''}"
    _, things = take_names(other.lower(), player_words())
    return listed, frozenset(family_meant(thing) for thing in things)


class GroundedLineUps(ReplyConstraint):
    """Allows only families of a list, each with its own numbers.

    Args:
        tokenizer: Any Hugging Face tokenizer; names are watched as far as their words are tokens.
        listed: First and last time and confidence of each family, as the tool writes them.
        besides: Other families that may be named.
        prompt_length: How many leading tokens are the prompt.
    """

    def __init__(
        self,
        tokenizer: Any,
        listed: Mapping[str, Listed],
        besides: frozenset[str],
        prompt_length: int,
    ):
        super().__init__(tokenizer, prompt_length)
        self._listed, self._besides = listed, besides
        self._blank = [i for i, piece in text_tokens(tokenizer).items() if piece == " "]

    def mask(self, row: torch.Tensor, text: str) -> None:
        """Forbid tokens in `row` (vocabulary,), in place, behind the text of a reply."""
        # A name behind a full stop begins a sentence; figures there may go on with a number.
        *before, clause = _CLAUSE_END.split(_SENTENCE_END.split(text)[-1].lower())
        told = {family for part in before if _FIGURE.search(part) for family in _families_in(part)}
        wrong = _FAMILIES - self._may_follow(told)
        if not _DENIED.search(clause):
            last = _WORD.findall(clause)[-1:]
            row[_tokens_naming(self._tokenizer, tuple(last), wrong)] = -torch.inf
        clause = _CLAUSE_END.split(text.lower())[-1]
        named = _families_in(clause)
        if len(named) == 1 and not _DENIED.search(clause) and named <= self._listed.keys():
            self._keep_to(self._listed[named.pop()], row, text)

    def _may_follow(self, told: set[str]) -> frozenset[str]:
        """List who may be named where some have been told: in a list begun at its top, the next."""
        order = list(self._listed)
        if told and told == set(order[: len(told)]):
            return frozenset(order[len(told) :][:1])
        return frozenset((self._listed.keys() | self._besides) - told)

    def _keep_to(self, listed: Listed, row: torch.Tensor, text: str) -> None:
        start, end, _ = listed
        leading = _LEADS_TO_A_NUMBER.search(text.lower())
        word, figures = leading.groups() if leading else ("", "")
        numbers = start if word in _FROM else end if word in _UNTIL else " ".join(listed)
        GroundedNumbers(self._tokenizer, numbers, 0).mask(row, text)
        if figures or word not in _FROM | _UNTIL:
            return
        if word in _UNTIL and end == END:
            row[self._blank] = -torch.inf  # it would have to be followed by figures
        elif word in _UNTIL or start != _START:
            row[word_tokens(self._tokenizer, _EDGES)] = -torch.inf


@cache
def _names() -> Mapping[tuple[str, ...], str]:
    words = family_words()
    plurals = {f"{word}s": family for word, family in words.items() if word[-1] != "s"}
    return {tuple(word.split()): family for word, family in (plurals | words).items()}


def _families_in(text: str) -> set[str]:
    """List the families that a text names."""
    return take_names(text, {" ".join(name): family for name, family in _names().items()})[1]


@lru_cache(maxsize=256)
def _tokens_naming(tokenizer: Any, before: tuple[str, ...], families: frozenset[str]) -> list[int]:
    """List the tokens that, behind a word, make or begin names of these families alone."""
    found = []
    for token_id, word in _pieces(tokenizer):
        for words in ((*before, word), (word,)):
            meant = {family for name, family in _names().items() if name[: len(words)] == words}
            if meant:
                if meant <= families:
                    found.append(token_id)
                break
    return found


@lru_cache(maxsize=4)
def _pieces(tokenizer: Any) -> list[tuple[int, str]]:
    """List the tokens that are words of names, with a space before them or at a beginning."""
    words = {word for name in _names() for word in name}
    pieces = ((i, piece, piece.strip().lower()) for i, piece in text_tokens(tokenizer).items())
    return [(i, w) for i, p, w in pieces if w in words and (p[:1] == " " or p[:1].isupper())]
