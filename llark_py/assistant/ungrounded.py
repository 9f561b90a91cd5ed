"""What an answer says without a source, found once it has been said.

A model of our own cannot write such a number (`grounding`, `grounded_keys`); of one behind an
address only the text is seen. A number counts as backed when it stands, digit by digit, in a tool
result, in the note of a recording or in the user's words. A key is flagged where none stands there,
or its tonic with the other mode only (another tonic may be that of a related key). A flag is no
proof of an error: a rounded or converted number is flagged as well, and numbers in words are not
seen.
"""

from __future__ import annotations

import re

from .grounded_keys import KEY, measured_modes
from .grounding import heard_numbers, told_times, ungrounded_numbers

_LIST_MARK = re.compile(r"^\s*(?:[-*#]+\s+)?[0-9]{1,2}[.)]\s", re.MULTILINE)
_CHORD = re.compile(rf"{KEY.pattern}(?= chord)")


def ungrounded(text: str, source: str) -> tuple[str, ...]:
    """List the numbers and keys of an answer that nothing backs.

    Args:
        text: The answer. The numbers of a numbered list are left out.
        source: Tool results, the user's own words, what was told of each recording.

    Returns:
        Each as it is written (`118`, `2:30`, `E minor`), once; numbers first, in order.
    """
    said = _CHORD.sub("", _LIST_MARK.sub("\n", text))
    numbers = ungrounded_numbers(said, f"{source} {heard_numbers(told_times(0.0))}")
    keys, measured = KEY.findall(said), KEY.search(source)
    modes = measured_modes(source)
    wrong = [
        f"{tonic} {mode}"
        for tonic, mode in keys
        if not measured or modes.get(tonic, mode.lower()) != mode.lower()
    ]
    return tuple(dict.fromkeys([*numbers, *wrong]))
