"""The words a search understands: names from our own lists and the catalogue, and synonyms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from importlib import resources
from typing import Any, NamedTuple

import yaml

from llark_py.compose.instruments import FAMILIES
from llark_py.compose.instruments import INSTRUMENTS as INSTRUMENT_NAMES
from llark_py.compose.mood import MOODS
from llark_py.compose.styles import STYLES

from .conditions import INSTRUMENTS

_FILE = "vocabulary.yaml"
_PLURAL = "(?:s|es)?"


class Meaning(NamedTuple):
    """What a word says: a fact has one of these values."""

    fact: str
    values: tuple[str, ...]


class Vocabulary:
    """Words and what they mean.

    Args:
        held: By fact (`style`, `mood`, `instruments`), what the catalogue that is searched holds;
            another model may know more than the composer.
    """

    def __init__(self, held: Mapping[str, Iterable[str]] | None = None):
        written = _written()
        self.ignored = frozenset(str(written["ignored"]).split())
        self.meanings: dict[str, Meaning] = {}
        own = {"style": STYLES, "mood": MOODS, INSTRUMENTS: (*FAMILIES, *INSTRUMENT_NAMES)}
        for names in (own, held or {}):
            for fact, values in names.items():
                spelt: dict[str, list[str]] = {}
                for value in dict.fromkeys(values):
                    spelt.setdefault(value.lower(), []).append(value)
                self.meanings |= {word: Meaning(fact, tuple(v)) for word, v in spelt.items()}
        for fact in (name for name in written if name != "ignored"):
            self.meanings |= {w: Meaning(fact, tuple(v)) for w, v in written[fact].items()}

    @cached_property
    def pattern(self) -> str:
        """A regular expression of any word that means something; the longest is tried first."""
        words = sorted(self.meanings, key=len, reverse=True)
        return rf"(?<!\w)(?:{'|'.join(map(self._spellings, words))})(?!\w)"

    def meaning(self, typed: str) -> Meaning:
        """Look up what the pattern matched: however it is spaced, singular or plural."""
        return self._by_spelling[_bare(typed)]

    @cached_property
    def _by_spelling(self) -> dict[str, Meaning]:
        found: dict[str, Meaning] = {}
        for word, meaning in reversed(self.meanings.items()):
            if meaning.fact == INSTRUMENTS:
                found |= {_bare(word) + "s": meaning, _bare(word) + "es": meaning}
        return found | {_bare(word): meaning for word, meaning in self.meanings.items()}

    def _spellings(self, word: str) -> str:
        plural = _PLURAL if self.meanings[word].fact == INSTRUMENTS else ""
        return r"[\s-]?".join(map(re.escape, re.split(r"[\s-]", word))) + plural


@cache
def _written() -> dict[str, Any]:
    text = resources.files("llark_py.catalogue").joinpath(_FILE).read_text(encoding="utf-8")
    return yaml.safe_load(text)


def _bare(word: str) -> str:
    return re.sub(r"[\s-]", "", word.lower())
