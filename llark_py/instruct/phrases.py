"""Phrasings with choices and slots: `[how|what] is {it}?`, read from the prompts room.

A phrasing list is one text, a phrasing a line. `[a|b|]` picks one of its parts (they may nest,
and be empty), `{name}` is filled with a value of the caller or, failing that, with a phrasing of
the word list of that name. A YAML list, unlike a text, holds plain words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any

from llark_py.errors import PromptError
from llark_py.prompting import read_prompt, read_prompt_data

# A template is a list of literal text, ("slot", name) or ("choice", [template, ...]).
Template = list[Any]

_TOKEN = re.compile(r"[\[\]|]|\{\w+\}|[^\[\]|{}]+")
# An article of a phrasing is marked until what follows it is known; the A of a chord is none.
_ARTICLE = re.compile(r"\b([aA])( |$)")
_MARK = "\x00"
_BEFORE_VOWEL = re.compile(
    rf"{_MARK} +(?=a|i|e(?!u)|o(?!ne\b)|u(?!k|ni|s[eu])|[AEF](?:[b#m ,.?]|dim|$)|R&B)"
)
_GAP = re.compile(r" {2,}")
_BEFORE_MARK = re.compile(r" (?=[.,?!;](?: |$))")
# None that is written in parts (`play[ing|ed]`).
_WHOLE_WORD = re.compile(r"(?<![\w\]}'])[a-z]{2,}(?![\w\[{'])", re.IGNORECASE)
_GRAMMAR_FILES = (
    "measured",
    "making",
    "chains",
    "comparing",
    "spans",
    "bars",
    "chord_charts",
    "players",
    "form_told",
    "loudness",
    "without",
    "listening",
    "ensemble",
    "voices",
    "harmony",
    "form",
    "timeline",
    "captions",
    "talk",
    "dialogue",
)
_DEGREE = re.compile(r"[b#]?[iv]+o?(?:[,:]| [b#]?[iIvV]+o?\b| in\b)|b[IV]+\b")


def parse_template(text: str) -> Template:
    """Read one phrasing.

    Raises:
        PromptError: Its brackets do not match.
    """
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != text:
        raise PromptError(f"stray brace in the phrasing '{text}'")
    template, rest = _parse(tokens, 0, nested=False)
    if rest != len(tokens):
        raise PromptError(f"unmatched bracket in the phrasing '{text}'")
    return template


def _parse(tokens: list[str], at: int, *, nested: bool) -> tuple[Template, int]:
    options: list[Template] = [[]]
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if token == "[":
            inner, at = _parse(tokens, at, nested=True)
            if at > len(tokens) or tokens[at - 1] != "]":
                raise PromptError(f"unmatched bracket in the phrasing '{''.join(tokens)}'")
            options[-1].append(("choice", inner))
        elif token == "]" and nested:
            return options, at
        elif token == "|" and nested:
            options.append([])
        elif token in "]|":
            raise PromptError(f"unmatched bracket in the phrasing '{''.join(tokens)}'")
        elif token.startswith("{"):
            options[-1].append(("slot", token[1:-1]))
        else:
            options[-1].append(_ARTICLE.sub(rf"\1{_MARK}\2", token))
    if nested:
        raise PromptError(f"unmatched bracket in the phrasing '{''.join(tokens)}'")
    return options[0], at


def parse_phrasings(text: str) -> list[Template]:
    """Read a list of phrasings, one a line; empty lines are skipped."""
    return [parse_template(line.strip()) for line in text.splitlines() if line.strip()]


def slots_of(template: Template) -> set[str]:
    """List the slots that a phrasing may ask for."""
    found: set[str] = set()
    for piece in template:
        if isinstance(piece, tuple):
            kind, inner = piece
            found |= {inner} if kind == "slot" else set().union(*(slots_of(t) for t in inner))
    return found


def _parse_tree(node: Any) -> Any:
    if isinstance(node, str):
        return parse_phrasings(node)
    if isinstance(node, list):
        return tuple(str(value) for value in node)
    return {str(key): _parse_tree(value) for key, value in node.items()}


@cache
def words() -> dict[str, Any]:
    """Return the word lists that every phrasing may name."""
    return _parse_tree(read_prompt_data("grammar/words.yaml"))


@cache
def grammar() -> dict[str, Any]:
    """Return all families of the grammar: family -> case -> phrasings (or cases, or plain words).

    Raises:
        PromptError: Two files hold the same family, or a phrasing cannot be read.
    """
    families: dict[str, Any] = {}
    for name in _GRAMMAR_FILES:
        for family, cases in _parse_tree(read_prompt_data(f"grammar/{name}.yaml")).items():
            if family in families:
                raise PromptError(f"family '{family}' is in two files of the grammar")
            families[family] = cases
    return families


@cache
def taught_words() -> Counter[str]:
    """Count the words, in lower case, of all files that the grammar is written in."""
    texts = (read_prompt(f"grammar/{name}.yaml") for name in ("words", "rates", *_GRAMMAR_FILES))
    return Counter(word.lower() for text in texts for word in _WHOLE_WORD.findall(text))


def fill(template: Template, values: Mapping[str, str], rng: Random) -> str:
    """Make a sentence of a phrasing.

    Raises:
        PromptError: A slot has neither a value nor a word list.
    """
    pieces: list[str] = []
    _fill(template, values, rng, pieces)
    text = _BEFORE_VOWEL.sub("n ", "".join(pieces)).replace(_MARK, "")
    # A choice that came out empty leaves two spaces, or one before a mark.
    return _BEFORE_MARK.sub("", _GAP.sub(" ", text)).strip()


def _fill(template: Template, values: Mapping[str, str], rng: Random, pieces: list[str]) -> None:
    for piece in template:
        if isinstance(piece, str):
            pieces.append(piece)
            continue
        kind, inner = piece
        if kind == "choice":
            _fill(pick(inner, rng), values, rng, pieces)
        elif inner in values:
            pieces.append(values[inner])
        elif inner in words():
            _fill(pick(words()[inner], rng), values, rng, pieces)
        else:
            raise PromptError(f"nothing fills the slot '{{{inner}}}'")


def article_of(word: str) -> str:
    """Return the article that stands before a word, `a` or `an`."""
    return "an" if _BEFORE_VOWEL.match(f"{_MARK} {word}") else "a"


def pick(options: Any, rng: Random) -> Any:
    """Choose one of a sequence; several times as fast as `rng.choice`."""
    return options[int(rng.random() * len(options))]


def sentence(text: str) -> str:
    """Begin with a capital, unless it begins with a degree: `i` is another chord than `I`."""
    return text if _DEGREE.match(text) else text[:1].upper() + text[1:]
