"""Reads times out of answers: `1:20`, `80 seconds`, `1 min 20 s`, `from the start`."""

from __future__ import annotations

import re

_NUMBER = r"\d+(?:\.\d+)?"
_SECONDS, _MINUTES = r" ?(?:seconds?|secs?|s)\b", r" ?(?:minutes?|mins?|m)\b"
_START = (
    r"(?:from|at|since) the (?:very )?(?:start|beginning|outset|first (?:bar|second))"
    r"|right away|straight away|all along|throughout"
)
_TIME = re.compile(
    r"(?P<m>\d+):(?P<s>[0-5]\d(?:\.\d+)?)(?!\d)"
    rf"|(?P<min>\d+){_MINUTES}(?:,? (?:and )?(?P<sec>{_NUMBER}){_SECONDS})?"
    rf"|(?P<only>{_NUMBER}){_SECONDS}"
    rf"|(?P<start>{_START})"
)
_SAME_S = 0.5


def parse_times(text: str) -> list[float]:
    """Read all times of an answer in seconds, in the order in which they are said.

    "From the start" is 0. A span (`0:10-0:25`) gives both of its ends.
    """
    times = []
    for found in _TIME.finditer(text.lower()):
        part = found.groupdict()
        if part["m"] is not None:
            times.append(60.0 * int(part["m"]) + float(part["s"]))
        elif part["min"] is not None:
            times.append(60.0 * int(part["min"]) + float(part["sec"] or 0))
        else:
            times.append(0.0 if part["start"] else float(part["only"]))
    return times


def parse_boundaries(text: str, duration_s: float) -> list[float]:
    """Read where an answer says that sections meet: times inside the song, sorted, each once."""
    inside = sorted(t for t in parse_times(text) if _SAME_S < t < duration_s - _SAME_S)
    return [t for i, t in enumerate(inside) if i == 0 or t - inside[i - 1] > _SAME_S]
