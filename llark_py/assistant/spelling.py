"""Slips of the finger in a question, mended before a small model reads it.

A small model knows the words that it was taught with and hardly any other: it takes `temop` for
the start of some other word. Here a word that is neither English nor of the grammar becomes the
nearest word of the grammar (optimal string alignment distance, in which two swapped letters count
once), where one is near enough. The user's own message stays as it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from llark_py.instruct.phrases import taught_words, words

if TYPE_CHECKING:
    from symspellpy import SymSpell

_WORD = re.compile(r"(?<![\w'])[a-z]{2,}(?![\w'])", re.IGNORECASE)
_MENDABLE = re.compile(r"(?<![\w#@./'-])[a-z]{4,}(?![\w#@'-]|[./]\w)", re.IGNORECASE)
_LONG = 8
"""From so many letters on two slips are mended, in shorter words one."""
_MOST_FOREIGN = 1 / 3
"""With a larger share of words that are not English a question is in another language."""
_OFTEN, _SHORTEST = 3, 4
_ENGLISH = "frequency_dictionary_en_82_765.txt"


def mender(model: Any) -> Callable[[str], str] | None:
    """Give what mends the questions for a model; None for one that reads what is typed.

    Args:
        model: A `LlarkForConditionalGeneration`. One whose encoder writes notes was taught with
            our grammar from nothing; a larger one has read more than any list of words holds.
    """
    return mend if model.config.audio_config.writes_notes else None


def mend(question: str) -> str:
    """Mend the slips in a question.

    Args:
        question: As it was typed.

    Returns:
        The same with misspelt words replaced, in the case they were typed in; the question itself
        where there is none, or where it does not look like English.
    """
    pieces, end = [], 0
    for match in _MENDABLE.finditer(question):
        typed = match[0]
        # `AABA` is no word; in a question that shouts, all are.
        if _is_known(typed) or (typed.isupper() and not question.isupper()):
            continue
        meant = _nearest(typed.lower())
        if meant is not None:
            pieces += [question[end : match.start()], _in_case_of(typed, meant)]
            end = match.end()
    if not pieces or not _looks_english(question, len(pieces) // 2):
        return question
    return "".join([*pieces, question[end:]])


def _is_known(word: str) -> bool:
    lower = word.lower()
    return lower in taught_words() or lower in _english()


def _looks_english(question: str, n_mended: int) -> bool:
    found = [word.lower() for word in _WORD.findall(question)]
    n_foreign = sum(word not in _english() for word in found) - n_mended
    return question.isascii() and n_foreign <= max(1, len(found) * _MOST_FOREIGN)


def _in_case_of(typed: str, word: str) -> str:
    if typed.isupper():
        return word.upper()
    return word.capitalize() if typed[0].isupper() else word


@lru_cache(maxsize=4_096)
def _nearest(word: str) -> str | None:
    """Find the nearest word of the grammar, of several the most frequent; None if none is near."""
    from symspellpy import Verbosity

    slips = 2 if len(word) >= _LONG else 1
    found = _index().lookup(word, Verbosity.TOP, max_edit_distance=slips)
    return found[0].term if found else None


@cache
def _english() -> frozenset[str]:
    text = resources.files("symspellpy").joinpath(_ENGLISH).read_text(encoding="utf-8-sig")
    return frozenset(line.partition(" ")[0] for line in text.splitlines())


@cache
def _index() -> SymSpell:
    """Index what a word may be mended to: English, or taught often; no usual misspellings."""
    from symspellpy import SymSpell

    wrong = {word for spellings in words()["spellings"].values() for word in spellings}
    index = SymSpell(max_dictionary_edit_distance=2)
    for word, count in taught_words().items():
        likely = count >= _OFTEN or word in _english()
        if likely and word not in wrong and len(word) >= _SHORTEST:
            index.create_dictionary_entry(word, count)
    return index
