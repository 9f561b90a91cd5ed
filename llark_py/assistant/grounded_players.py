"""No instrument is named that was not heard: a constraint on decoding.

A small language model that lists instruments by ear begins with those of the encoder's notes and
goes on with whatever often plays along. So a name may come only where the notes, or the user, name
it or its family, and once in a sentence, or twice in one that tells times. What is denied ("no
trumpet") may be any instrument, and families (`strings`) are left alone, but nothing is put
together that no instrument is ("acoustic pad").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

import torch

from llark_py.compose.instruments import FAMILIES, INSTRUMENTS, family_of
from llark_py.prompting import read_prompt_data

from .reply_constraint import ReplyConstraint, text_tokens

_EVERYDAY = ("drums", "singer")
"""Talked about whether or not they play; the heads tell them nearly always rightly."""
_NAMES: Mapping[str, str] = {name: family_of(name) for name in INSTRUMENTS if name not in _EVERYDAY}
_MOST_WORDS = max(len(name.split()) for name in _NAMES)
_NEUTRAL = frozenset({"acoustic", "clean", "church", "double", "electric", "english", "french"})
_NEUTRAL |= {"jazz", "music", "rock", "so", "steel", "string", "vocal"}
"""First words of names that are words of their own."""
_MADE = ("acoustic", "electric")
"""How something is made: said of these, and of no other noun that an instrument is called by."""
_MADE_SO = frozenset({"bass", "guitar", "organ", "piano", "violin"})
_NOUNS = frozenset(name.split()[-1] for name in _NAMES)
_BEGINNINGS = frozenset(
    tuple(name.split()[:n]) for name in _NAMES for n in range(1, len(name.split()))
)
_LONGER: Mapping[str, tuple[str, ...]] = {
    name: tuple(other for other in _NAMES if other != name and name in other) for name in _NAMES
}
_TIME = re.compile(r"\d:\d\d")
_CLAUSE_END = re.compile("[^a-z' -]")
_SENTENCE_END = re.compile(r"[.!?\n](?=\s)")
_DENIED = re.compile(
    r"\b(?:no|not|nor|neither|without|never|hardly|any|than|or)\b[^,.;:!?]*$", re.I
)
_WORD = re.compile(r"[a-z][a-z'-]*")


def heard_names(source: str) -> frozenset[str]:
    """List the instruments that a text allows to be named, by name or by family."""
    words = f" {' '.join(_WORD.findall(_perhaps().sub('', source.lower())))} "
    families = {family for family in FAMILIES if f" {family} " in words}
    families |= {family for family in FAMILIES if f" {family}s " in words}
    return frozenset(
        name for name, family in _NAMES.items() if family in families or f" {name} " in words
    )


@cache
def _perhaps() -> re.Pattern[str]:
    """Match families of the encoder's notes that only may play; nobody knows who of them."""
    return re.compile("; " + read_prompt_data("notes")["perhaps"].format(r"[^;\n]*"))


class GroundedPlayers(ReplyConstraint):
    """Allows only tokens that name instruments of the source.

    Args:
        tokenizer: Any Hugging Face tokenizer; names are watched as far as their words are tokens.
        source: What was heard, and the user's words.
        prompt_length: How many leading tokens are the prompt.
    """

    def __init__(self, tokenizer: Any, source: str, prompt_length: int):
        super().__init__(tokenizer, prompt_length)
        self._allowed = heard_names(source)

    def mask(self, row: torch.Tensor, text: str) -> None:
        """Forbid tokens in `row` (vocabulary,), in place, behind the text of a reply."""
        row[self._wrong(text)] = -torch.inf

    def _wrong(self, text: str) -> list[int]:
        sentence = _SENTENCE_END.split(text)[-1].lower()
        if _DENIED.search(sentence):
            return []
        allowed = self._allowed
        if not _TIME.search(sentence):
            allowed = allowed - {name for name in allowed if _says(sentence, name)}
        words = _WORD.findall(_CLAUSE_END.split(sentence)[-1])
        unmade = _unmade_tokens(self._tokenizer, words[-1]) if words else []
        before = tuple(words[1 - _MOST_WORDS :])
        while before and before not in _BEGINNINGS:
            before = before[1:]
        leading = _leading_tokens(self._tokenizer, before)
        return [i for i, names in leading if names.isdisjoint(allowed)] + unmade


def _says(sentence: str, name: str) -> bool:
    """Tell whether a sentence names an instrument itself, not one whose name has more words."""
    if name not in sentence:
        return False
    for other in _LONGER[name]:
        sentence = sentence.replace(other, "")
    return re.search(rf"\b{name}\b", sentence) is not None


def _names_led_to(before: tuple[str, ...], word: str) -> frozenset[str]:
    """List the names that a word behind some others makes, or can only begin."""
    for first in range(len(before) + 1):
        whole = " ".join((*before[first:], word))
        names = frozenset(n for n in _NAMES if n == whole or n.startswith(f"{whole} "))
        if names and whole not in _NEUTRAL:
            return names
    return frozenset()


@lru_cache(maxsize=4 * len(_BEGINNINGS))
def _leading_tokens(tokenizer: Any, before: tuple[str, ...]) -> list[tuple[int, frozenset[str]]]:
    """List the tokens that make or begin names behind some words, and these names."""
    led = [(i, _names_led_to(before, word)) for i, word in _pieces(tokenizer)]
    return [(i, names) for i, names in led if names]


@lru_cache(maxsize=64)
def _unmade_tokens(tokenizer: Any, how: str) -> list[int]:
    """List the tokens of nouns that nothing is called behind a word of `_MADE`."""
    if how not in _MADE:
        return []
    return [i for i, word in _pieces(tokenizer) if word in _NOUNS - _MADE_SO]


@lru_cache(maxsize=4)
def _pieces(tokenizer: Any) -> list[tuple[int, str]]:
    """List the tokens that are words of names, with a space before them or at a beginning."""
    found = []
    words = {word for name in _NAMES for word in name.split()}
    for token_id, piece in text_tokens(tokenizer).items():
        word, begins = piece.strip().lower(), piece[:1] == " " or piece[:1].isupper()
        if begins and word in words:
            found.append((token_id, word))
    return found
