"""Reads facts out of answers. What cannot be read is None, and counts as wrong."""

from __future__ import annotations

import re

from llark_py.compose.instruments import FAMILIES, INSTRUMENTS, family_of
from llark_py.compose.styles import STYLES, TIME_SIGNATURES
from llark_py.instruct.facts import FAMILY_WORDS

_BY_LENGTH = sorted(INSTRUMENTS, key=len, reverse=True)
_METRE = re.compile(r"\b(?:" + "|".join(re.escape(t) for t in TIME_SIGNATURES) + r")\b")


def parse_style(text: str) -> str | None:
    """Read the one style that an answer names; None when it names none or several."""
    lowered = text.lower()
    found = [style for style in STYLES if re.search(rf"\b{re.escape(style)}\b", lowered)]
    return found[0] if len(found) == 1 else None


def parse_families(text: str) -> set[str]:
    """Read the instrument families of the instruments that an answer names.

    Longer names are read first, so that `electric piano` is not also a `piano`, nor `acoustic bass`
    an unknown thing.
    """
    lowered, found = text.lower(), set()
    for name in _BY_LENGTH:
        pattern = rf"\b{re.escape(name)}s?\b"
        if re.search(pattern, lowered):
            found.add(family_of(name))
            lowered = re.sub(pattern, " ", lowered)
    for family in FAMILIES:
        if re.search(rf"\b{re.escape(FAMILY_WORDS.get(family, family))}\b", lowered):
            found.add(family)
    return found


def parse_time_signature(text: str) -> str | None:
    """Read the one time signature that an answer names."""
    found = set(_METRE.findall(text))
    return found.pop() if len(found) == 1 else None


def parse_yes_no(text: str) -> bool | None:
    """Read an answer that begins with yes or no."""
    first = re.match(r"\W*(\w+)", text.lower())
    return {"yes": True, "no": False}.get(first.group(1)) if first else None
