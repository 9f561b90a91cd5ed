"""Reads what is asked for out of the words of a search: "calm piano in A minor, no drums"."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from llark_py.theory import key_name, pitch_class

from .conditions import INSTRUMENTS, WORDS, Condition, OneOf, Query
from .quantities import GAP, read_quantities
from .vocabulary import Vocabulary

_WITHOUT = r"(?:without|w/o|excluding|except(?:\s+for)?|lacking|minus)"
_FILLED = r"(?:[\s-]+(?:any|an?|the|too|so|very|really|much|in|of))*[\s-]+"
_NO = rf"(?:(?P<no>(?<!\w)(?i:{_WITHOUT}|no|not|non|never){_FILLED}))?"
_ACCIDENTAL = r"(?:\s?[#♯b♭]|[\s-]?(?:sharp|flat))?"
_NOUN = r"(?P<noun>[\s-]+(?:keys?|modes?|scale|tonality|feel|mood|songs?|tracks?|pieces?|tunes?))?"
_KEY = re.compile(
    rf"{_NO}(?P<of>(?i:(?:in\s+)?(?:the\s+)?key\s+of|key:?|in)\s+)?"
    rf"(?<!\w)(?P<note>[A-Ga-g]{_ACCIDENTAL})[\s-]*(?P<mode>(?i:major|minor)|maj|min)(?!\w){_NOUN}"
)
_SHORT_MINOR = re.compile(rf"{_NO}(?:in\s+)?(?<!\w)(?P<note>[A-G][#♯b♭]?)m(?!\w)")
_TONIC = re.compile(rf"{_NO}(?<!\w)(?:[Ii]n|[Kk]ey\s+of)\s+(?P<note>[A-G]{_ACCIDENTAL})(?!\w)")
_MODE = re.compile(
    rf"{_NO}(?:in\s+)?(?:an?\s+)?(?<!\w)(?P<mode>major|minor)(?!\w){_NOUN}", re.IGNORECASE
)
_METRE = re.compile(rf"{_NO}(?:in\s+)?(?<![\w/.])(?P<metre>\d{{1,2}}/(?:2|4|8|16))(?![\w/])")
_OR = re.compile(r"\s*(?:,?\s*or|/)\s+")
_WORD = re.compile(rf"{_NO}(?P<word>[^\W_](?:[\w'’-]*[^\W_])?)")
_RANKED = ("style", "mood", INSTRUMENTS)
"""Facts that captions speak of: records that say the very word come first."""
_SINGLE = ("key", "mode", "time_signature", "style", "mood", "speed", "level")
"""Facts of which a song has one: any of those wanted will do."""
_GRAMMAR = ("major", "minor", "without", "minutes", "between", "around")
_SHORTEST_TYPO, _TYPO_LIKENESS = 4, 0.8


def parse_query(text: str, vocabulary: Vocabulary, is_said: Callable[[str], bool]) -> Query:
    """Understand the words of a search.

    Args:
        text: As typed, such as `slow jazz in Bb, 2 to 4 minutes, without vocals`.
        vocabulary: Words and what they mean.
        is_said: Whether captions or tags of the catalogue say a word; one that nobody says and
            nothing is read from may be misspelt.
    """
    query = _parse(text, vocabulary)
    parts = {part for word in vocabulary.meanings for part in word.split()}
    candidates = sorted(p for p in parts if len(p) >= _SHORTEST_TYPO)
    refused = [c.typed for c in query.conditions if isinstance(c, OneOf) and c.fact == WORDS]
    corrected: dict[str, str] = {}
    for word in (*query.words, *refused):
        if len(word) >= _SHORTEST_TYPO and not is_said(word):
            near = difflib.get_close_matches(word, [*candidates, *_GRAMMAR], 1, _TYPO_LIKENESS)
            corrected |= {word: near[0]} if near else {}
    for wrong, right in corrected.items():
        text = re.sub(rf"(?<!\w){re.escape(wrong)}(?!\w)", right, text, flags=re.IGNORECASE)
    return replace(_parse(text, vocabulary), corrected=corrected) if corrected else query


def _parse(text: str, vocabulary: Vocabulary) -> Query:
    conditions: list[Condition] = []
    ranges, rest = read_quantities(" ".join(text.split()))
    conditions += ranges
    for pattern, read in ((_METRE, _metre), (_KEY, _key), (_SHORT_MINOR, _short_minor)):
        rest = _consume(pattern, read, rest, conditions)
    for pattern, read in ((_TONIC, _tonic), (_MODE, _mode)):
        rest = _consume(pattern, read, rest, conditions)
    named, rest = _read_names(_spread_negation(rest, vocabulary), vocabulary)
    conditions += named
    words = []
    for match in _WORD.finditer(rest):
        word = match["word"].lower().replace("’", "'")
        if word in vocabulary.ignored:
            continue
        if match["no"]:
            conditions.append(OneOf(WORDS, (word,), wanted=False, typed=word))
        else:
            words.append(word)
    typed = [c.typed for c in named if c.fact in _RANKED and c.wanted]
    unique = tuple(dict.fromkeys(words))
    return Query(tuple(_merge(conditions)), unique, (*unique, *typed), {})


def _consume(
    pattern: re.Pattern[str],
    read: Callable[[re.Match[str]], OneOf | None],
    text: str,
    conditions: list[Condition],
) -> str:
    """Read a condition from each match and leave a gap in its place; None leaves the text."""

    def replaced(match: re.Match[str]) -> str:
        condition = read(match)
        if condition is None:
            return match[0]
        conditions.append(replace(condition, wanted=not match["no"]))
        return GAP

    return pattern.sub(replaced, text)


def _metre(match: re.Match[str]) -> OneOf:
    return OneOf("time_signature", (match["metre"],))


def _key(match: re.Match[str]) -> OneOf | None:
    note, mode = match["note"], match["mode"].lower()
    if mode in ("maj", "min") and note[0].islower():  # "under a min"
        return None
    mode = {"maj": "major", "min": "minor"}.get(mode, mode)
    opens = note == "A" and match.start("note") == 0
    if (note == "a" and (match["noun"] or not match["of"])) or (opens and match["noun"]):
        return OneOf("mode", (mode,))  # the article: "in a minor key"
    return OneOf("key", (key_name(_pitch(note), mode),))


def _short_minor(match: re.Match[str]) -> OneOf:
    return OneOf("key", (key_name(_pitch(match["note"]), "minor"),))


def _tonic(match: re.Match[str]) -> OneOf:
    return OneOf("key", tuple(key_name(_pitch(match["note"]), m) for m in ("major", "minor")))


def _mode(match: re.Match[str]) -> OneOf:
    return OneOf("mode", (match["mode"].lower(),))


def _pitch(note: str) -> int:
    spelt = re.sub(r"[\s-]+", "", note).replace("sharp", "#").replace("flat", "b")
    return pitch_class(spelt)


def _spread_negation(text: str, vocabulary: Vocabulary) -> str:
    """Write "without drums, bass or vocals" as three negations.

    A list goes on over commas only where `or`, `nor` or (after `without`) `and` ends it: in "no
    drums, piano" the piano is wanted.
    """
    item = vocabulary.pattern
    listed = re.compile(
        rf"(?<!\w)(?:(?P<without>{_WITHOUT})|no|not|never){_FILLED}"
        rf"(?P<list>{item}(?:\s*,\s*{item})*\s*,?\s*(?P<last>or|nor|and|&)\s+(?:any\s+)?{item})",
        re.IGNORECASE,
    )

    def spread(match: re.Match[str]) -> str:
        if not match["without"] and match["last"].lower() in ("and", "&"):
            return match[0]
        found = re.finditer(item, match["list"], re.IGNORECASE)
        return " ".join(f"without {term[0]}" for term in found)

    return listed.sub(spread, text)


def _read_names(text: str, vocabulary: Vocabulary) -> tuple[list[OneOf], str]:
    """Read styles, moods, instruments and other words of the vocabulary, and leave gaps."""
    pattern = re.compile(rf"{_NO}(?P<term>{vocabulary.pattern})", re.IGNORECASE)
    found: list[OneOf] = []
    end = 0
    for match in pattern.finditer(text):
        meaning = vocabulary.meaning(match["term"])
        typed = match["term"].lower()
        here = OneOf(meaning.fact, meaning.values, not match["no"], typed)
        last = found[-1] if found else None
        joined = last and last.fact == here.fact and last.wanted and here.wanted
        if last and joined and _OR.fullmatch(text[end : match.start()]):
            values = tuple(dict.fromkeys((*last.values, *here.values)))
            found[-1] = replace(last, values=values, typed=f"{last.typed} {typed}")
        else:
            found.append(here)
        end = match.end()
    return found, pattern.sub(GAP, text)


def _merge(conditions: Iterable[Condition]) -> list[Condition]:
    """Join what is wanted of one fact: values in common where there are some, else all."""
    merged: list[Condition] = []
    for condition in dict.fromkeys(conditions):
        place = next(
            (
                i
                for i, other in enumerate(merged)
                if isinstance(condition, OneOf)
                and isinstance(other, OneOf)
                and condition.fact in _SINGLE
                and other.fact == condition.fact
                and other.wanted
                and condition.wanted
            ),
            None,
        )
        if place is None:
            merged.append(condition)
            continue
        before = merged[place]
        assert isinstance(before, OneOf) and isinstance(condition, OneOf)
        common = tuple(v for v in before.values if v in condition.values)
        both = tuple(dict.fromkeys((*before.values, *condition.values)))
        merged[place] = replace(before, values=common or both)
    return merged
