"""Yes and no agree with what was heard: a constraint on decoding.

A small language model says its verdict first and copies what it hears behind it: "Yes, it is rock
to my ear", asked for reggae. So where a question names one style, one metre, one family or one
instrument, and asks nothing but whether it is there, a reply that begins with yes or no begins with
the one that the encoder's notes give. What a question asks is read off its words: they must all be
words of the grammar's own checks, so that another topic ("is the sax in tune?") is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import torch

from llark_py.compose.instruments import family_of
from llark_py.compose.styles import STYLES
from llark_py.prompting import read_prompt_data

from .noted import family_meant, player_words, read_notes, take_names
from .reply_constraint import ReplyConstraint, allow_only, word_tokens

_YES, _NO = frozenset({"yes"}), frozenset({"no"})
_LIKE_YES, _LIKE_NO = frozenset({"yes", "yeah", "yep"}), frozenset({"no", "nope", "not", "none"})
_WORD = re.compile(r"[a-z][a-z'&]*")
_METRE = re.compile(r"(?<![\d/])\d{1,2}/\d{1,2}(?![\d/])")
_WALTZ = re.compile(r"\b(?:waltz\w*|threes?|triple)\b")
_OTHERWISE = re.compile(
    r"\b(?:no|not|nor|nobody|none|never|without|only|just|alone)\b|\d:\d\d|\bin tune\b"
    r"|\bare you an?\b|\byou like\b"
    r"|\b(?:when|where|why|who|which|how(?! about)|what(?! about| they| i))\b"
)
"""Questions that are about absence, about one player alone, a moment or the assistant, or open."""
_NEITHER = re.compile(r"\b(?:yes or no|no or yes|or not)\b")
_MOST_LISTED = 5
"""Notes list so many families at most of a clip: of one that is missing behind them, who knows."""
_KINDS: Mapping[str, tuple[str, ...]] = {
    "style": ("style_check",),
    "time_signature": ("meter_check", "waltz"),
    "family": ("family_check", "instrument_check", "drums", "vocals"),
}
"""Families of the grammar that ask for a kind of thing."""


def verdict(question: str, notes: str) -> bool | None:
    """Tell whether yes is the answer to a question, as far as the encoder has heard.

    Args:
        question: The user's words.
        notes: Of the one recording that it is about.

    Returns:
        None where the question asks for anything else, or the notes do not tell.
    """
    text = _NEITHER.sub(" ", question.lower().replace("’", "'"))
    heard = read_notes(notes)
    if _OTHERWISE.search(text) or not heard["style"]:
        return None
    for kind, (rest, things) in (
        ("style", take_names(text, {style: style for style in STYLES})),
        ("time_signature", _metres(text)),
        ("family", take_names(text, player_words())),
    ):
        if things and set(_WORD.findall(rest)) <= _words_of(kind):
            return _judge(kind, things, heard) if len(things) == 1 else None
    return None


def _judge(kind: str, things: set[str], heard: Mapping[str, list[str]]) -> bool | None:
    (thing,) = things
    if kind != "family":
        return thing in heard[kind] if heard[kind] else None
    family = family_meant(thing)
    moving = {event.rsplit(" ", 1)[0] for event in heard["enters"] + heard["leaves"]}
    there = family in heard["families"] + heard["perhaps"]
    there = there or family in map(family_of, heard["instruments"])
    if thing in heard["instruments"] or (thing == family and there):
        return True
    if there or family in moving or len(heard["families"]) >= _MOST_LISTED:
        return None
    return False


def _metres(text: str) -> tuple[str, set[str]]:
    things = set(_METRE.findall(text))
    if _WALTZ.search(text):
        things.add("3/4")
    return _METRE.sub(" ", text), things


@cache
def _words_of(kind: str) -> frozenset[str]:
    """Collect the words with which the grammar asks for things of a kind."""
    grammar = read_prompt_data("grammar/listening.yaml") | read_prompt_data("grammar/voices.yaml")
    slots = read_prompt_data("grammar/words.yaml")
    waiting = [grammar[f].get(case, "") for f in _KINDS[kind] for case in ("questions", "follow")]
    waiting += [slots["openers"], slots["closers"]]
    found, seen = set[str](), set[str]()
    while waiting:
        text = waiting.pop()
        found |= set(_WORD.findall(re.sub(r"\{\w+\}", " ", text.lower())))
        new = set(re.findall(r"\{(\w+)\}", text)) & slots.keys() - seen
        seen |= new
        waiting += [slots[slot] for slot in new if isinstance(slots[slot], str)]
    return frozenset(found | {"a", "an", "are", "be", "called", "is", "like", "the", "to", "you"})


class GroundedVerdicts(ReplyConstraint):
    """Allows a reply to begin only with the verdict that the encoder's notes give.

    Args:
        tokenizer: Any Hugging Face tokenizer; yes and no are watched as far as they are tokens.
        is_so: The verdict; None leaves the reply alone.
        prompt_length: How many leading tokens are the prompt.
    """

    def __init__(self, tokenizer: Any, is_so: bool | None, prompt_length: int):
        super().__init__(tokenizer, prompt_length)
        self._is_so = is_so

    def mask(self, row: torch.Tensor, text: str) -> None:
        """Forbid tokens in `row` (vocabulary,), in place, behind the text of a reply."""
        if self._is_so is None or text.strip():
            return
        right, wrong = (_YES, _LIKE_NO) if self._is_so else (_NO, _LIKE_YES)
        allowed, forbidden = (word_tokens(self._tokenizer, words) for words in (right, wrong))
        if allowed and int(row.argmax()) in forbidden:
            # A verdict was going to be given: then it is this one, not what came second.
            allow_only(row, allowed)
        row[forbidden] = -torch.inf
