"""Lists of what is when, as a language model reads them in tool results: short, times as m:ss.

A name stands before its time, as in the encoder's notes: who looks a name up finds the time next
to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .timeline import PAUSE_S, clock

END = "end"
"""Written for the time of what lasts to the end of the recording."""
MOST_PARTS, MOST_PLAYERS, MOST_SPANS, MOST_KEYS = 12, 7, 4, 4
LISTED_PLAYER = re.compile(r"(\w+) (\d+:\d\d)-(\d+:\d\d|end) \((\d\.\d\d)\)")
"""One of `list_players`: family, first and last time, confidence."""
_BETWEEN = ", "


def list_parts(parts: Sequence[tuple[float, str]], duration_s: float) -> str:
    """List when sections begin: `intro 0:00, A 0:12, chorus 0:40`; the first twelve.

    Args:
        parts: Start in seconds and label of each.
        duration_s: Length of the recording.
    """
    told = (f"{label} {clock(start, duration_s)}" for start, label in parts[:MOST_PARTS])
    return _BETWEEN.join(told)


def list_players(players: Iterable[tuple[str, float, float, float]], duration_s: float) -> str:
    """List who plays when: `drums 0:00-end (0.93), voice 0:05-0:35 (0.81)`.

    Args:
        players: Family, first and last time it is heard in seconds, and confidence.
        duration_s: Length of the recording; who is heard shortly before it plays to the end.
    """
    return _BETWEEN.join(
        f"{family} {clock(start, duration_s)}-{_until(end, duration_s)} ({confidence:.2f})"
        for family, start, end, confidence in players
    )


def first_and_last(start_s: float, end_s: float, duration_s: float) -> tuple[str, str]:
    """Write when somebody is first and last heard, as `list_players` does: `0:05`, `end`."""
    return clock(start_s, duration_s), _until(end_s, duration_s)


def list_spans(spans: Iterable[tuple[float, float]], duration_s: float) -> str | None:
    """List spans of time: `0:05-0:35, 1:02-1:40`; None where there are none.

    The shortest gaps are closed until there are at most four.
    """
    joined = [tuple(span) for span in spans]
    while len(joined) > MOST_SPANS:
        i = min(range(len(joined) - 1), key=lambda i: joined[i + 1][0] - joined[i][1])
        joined[i : i + 2] = [(joined[i][0], joined[i + 1][1])]
    told = [f"{clock(a, duration_s)}-{clock(b, duration_s)}" for a, b in joined]
    return _BETWEEN.join(told) or None


def list_modulations(keys: Sequence[tuple[float, str]], duration_s: float) -> str | None:
    """List which other keys begin when: `C major 1:20`; None where the key stays, at most four.

    Args:
        keys: Start in seconds and name of each key, the first one of the recording included.
        duration_s: Length of the recording.
    """
    return list_parts(keys[1 : 1 + MOST_KEYS], duration_s) or None


def _until(end_s: float, duration_s: float) -> str:
    return END if end_s > duration_s - PAUSE_S else clock(end_s, duration_s)
