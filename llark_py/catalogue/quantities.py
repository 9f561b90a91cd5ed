"""Reads tempi, lengths and loudness out of the words of a search: "under 90 bpm", "2-3 minutes"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from .conditions import Range

GAP = " | "
"""Stands where something was read, so that the words around it do not become neighbours."""

_NUMBER = r"\d+(?:\.\d+)?"
_COUNTS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}
_TIME_UNIT = r"(?:h(?:ours?|rs?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?)"
_TIME = rf"(?:{_NUMBER}|{'|'.join(_COUNTS)})"
_NO_DECADE = r"(?!(?:19|20)?\d0'?s\b)"
# Bare numbers ("around 120") are tempi, within what people tap.
_BARE_BPM = (30.0, 300.0)


class _Quantity(NamedTuple):
    """A fact that is a number, and how people write it.

    `value` is a number with its unit, `loose` without; `subject` names the fact; `more` and
    `less` compare ("faster than"). A record may be off by `exact`, or `about` where the query
    says so: in shares of the value, or in LU. `bare` tells where the unit may be left out:
    `always` when numbers are compared, after the `subject`, or `never`.
    """

    fact: str
    subject: str
    value: str
    loose: str
    more: str
    less: str
    exact: float
    about: float
    bare: str


_QUANTITIES = (
    _Quantity(
        "duration_s",
        r"length|duration|lasting",
        rf"(?:\d+:[0-5]\d(?::[0-5]\d)?|an?\s+(?:minute|hour|second)|{_TIME}[\s-]*{_TIME_UNIT}"
        rf"(?:\s*(?:and\s+)?{_NUMBER}\s*{_TIME_UNIT})?)",
        _TIME,
        "longer",
        "shorter",
        exact=0.05,
        about=0.1,
        bare="never",
    ),
    _Quantity(
        "loudness_lufs",
        r"loudness",
        rf"[-−]?{_NUMBER}\s*(?:lufs|lkfs|db(?:fs)?)",
        rf"[-−]?{_NUMBER}",
        "louder",
        "quieter|softer",
        exact=0.5,
        about=2.0,
        bare="subject",
    ),
    _Quantity(
        "tempo_bpm",
        r"tempo|bpm|speed",
        rf"{_NUMBER}\+?[\s-]*(?:bpm|beats\s+(?:per|a)\s+minute)",
        rf"{_NUMBER}",
        "faster|quicker",
        "slower",
        exact=0.02,
        about=0.05,
        bare="always",
    ),
)


def read_quantities(text: str) -> tuple[list[Range], str]:
    """Read all conditions on numbers.

    Args:
        text: The words of a search.

    Returns:
        The conditions, and the text with a `GAP` where each of them stood.
    """
    found: list[Range] = []
    for quantity in _QUANTITIES:
        for pattern in _patterns(quantity):
            text = pattern.sub(_reader(quantity, found), text)
    return found, text


@cache
def _patterns(quantity: _Quantity) -> tuple[re.Pattern[str], ...]:
    _, subject, value, loose, more, less, *_ = quantity
    named = rf"(?:(?:{subject})\s*(?:of|is|at|:|=)?\s*)"
    no = r"(?:(?P<no>not?|never)\s+)?"
    end = r"(?![\w/:]|\.\d)"
    compared = (
        rf"(?:(?P<above>(?:more|higher|greater|{more})\s+than|over|above|>(?!=))"
        rf"|(?P<below>(?:less|lower|{less})\s+than|under|below|<(?!=))"
        r"|(?P<at_least>at\s+least|from|(?<!\d\s)min(?:imum)?(?:\s+of)?|>=|≥)"
        r"|(?P<at_most>at\s+most|up\s+to|max(?:imum)?(?:\s+of)?|<=|≤)"
        r"|(?P<about>around|about|approximately|approx\.?|roughly|circa|ca\.?|near|close\s+to|~))"
    )
    after = (
        rf"(?:\s+(?:(?P<or_more>(?:or|and)\s+(?:more|above|over|up|{more})|min(?:imum)?)"
        rf"|(?P<or_less>or\s+(?:less|below|under|{less})|max(?:imum)?)){end})?"
    )
    to = r"\s*(?:and|to|-|–|—)\s*"
    between = r"(?:between|from)\s+"
    shapes = [
        rf"{named}?{no}(?:{between})?(?P<low>{value}|{loose}){to}(?P<value>{value}){end}",
        rf"{named}?{no}{compared}\s*(?P<value>{value}){end}",
        rf"{named}?{no}{_NO_DECADE}(?P<value>{value}){end}{after}",
    ]
    if quantity.bare != "never":
        name = named if quantity.bare == "subject" else rf"{named}?"
        shapes += [
            rf"{named}{no}(?:{between})?(?P<low>{loose}){to}(?P<value>{loose}){end}",
            rf"{name}{no}{between}(?P<low>{loose}){to}(?P<value>{loose}){end}",
            rf"{name}{no}{compared}\s*(?P<value>{loose}){end}",
            rf"{named}{no}(?P<value>{loose}){end}{after}",
        ]
    return tuple(re.compile(rf"(?<![\w.#/:]){shape}", re.IGNORECASE) for shape in shapes)


def _reader(quantity: _Quantity, found: list[Range]) -> Callable[[re.Match[str]], str]:
    """Make what replaces each match by a gap, and notes the condition."""

    def read(match: re.Match[str]) -> str:
        groups = match.groupdict()
        low, value = groups.get("low"), groups["value"]
        with_unit = re.fullmatch(quantity.value, value, re.IGNORECASE)
        ends = [_number(quantity, text, value) for text in (low, value) if text]
        if quantity.bare == "always" and not with_unit and not _could_be_bpm(ends):
            return match[0]
        found.append(_condition(quantity, groups, ends))
        return GAP

    return read


def _could_be_bpm(values: list[float]) -> bool:
    return all(_BARE_BPM[0] <= value <= _BARE_BPM[1] for value in values)


def _condition(quantity: _Quantity, groups: dict[str, str | None], ends: list[float]) -> Range:
    said = {name for name, text in groups.items() if text}
    fact, wanted, value = quantity.fact, "no" not in said, ends[-1]
    if len(ends) == 2:
        return Range(fact, min(ends), max(ends), wanted=wanted)
    if said & {"above", "below", "at_least", "at_most"}:
        # "not over" is "at most".
        is_low = bool(said & {"above", "at_least"}) == wanted
        includes = bool(said & {"at_least", "at_most"}) == wanted
        return Range(fact, value if is_low else None, None if is_low else value, includes)
    if "or_more" in said or (groups["value"] or "").find("+") > 0:
        return Range(fact, value, None, wanted=wanted)
    if "or_less" in said:
        return Range(fact, None, value, wanted=wanted)
    off = quantity.about if "about" in said else quantity.exact
    if fact != "loudness_lufs":
        off *= value
    return Range(fact, round(value - off, 2), round(value + off, 2), wanted=wanted)


def _number(quantity: _Quantity, text: str, like: str) -> float:
    """Read a value; a length without unit has that of another one: "2 to 3 minutes"."""
    if quantity.fact != "duration_s":
        number = re.search(rf"[-−]?{_NUMBER}", text)
        assert number is not None
        return float(number[0].replace("−", "-"))
    if ":" in text:
        clock = [float(part) for part in text.split(":")]
        return sum(part * 60.0**power for power, part in enumerate(reversed(clock)))
    parts = list(_times(text))
    if any(unit for _, unit in parts):
        return sum(number * _SECONDS[unit] for number, unit in parts)
    units = [unit for _, unit in _times(like) if unit]
    return parts[0][0] * _SECONDS[units[0] if units else "m"]


def _times(text: str) -> Iterator[tuple[float, str]]:
    """Split "3 min 30 s" into (3, "m"), (30, "s"); the unit is empty where there is none."""
    for match in re.finditer(rf"({_NUMBER}|[a-z]+?)[\s-]*({_TIME_UNIT})?(?![a-z])", text, re.I):
        count, unit = match[1].lower(), (match[2] or "")[:1].lower()
        if count in _COUNTS:
            yield _COUNTS.index(count) + 1.0, unit
        elif count in ("a", "an"):
            yield 1.0, unit
        elif count[0].isdigit():
            yield float(count), unit
