"""Parts of a recording as people type them, with the seconds that a tool takes for them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from random import Random

from .phrases import fill, grammar, pick

_SHAPES = (
    *("range",) * 11,
    *("head",) * 4,
    *("tail",) * 3,
    *("length",) * 2,
    *("until",) * 2,
    *("last",) * 4,
)
_STEPS_S = (1, 1, 1, 5, 5, 5, 10, 10, 15, 30)
_LENGTHS_S = (2, 3, 4, 5, 6, 8, 10, 10, 12, 15, 15, 20, 20, 25, 30, 30, 30, 40, 45, 60, 60, 90, 120)
_SHORT_S = 20.0
_P_BEYOND, _P_REVERSED = 0.06, 0.03
_P_SECONDS, _P_SPECIAL, _P_BARE = 0.25, 0.4, 0.35
_MOST_SECONDS = 130


@dataclass(frozen=True)
class Span:
    """A part of a recording.

    Attributes:
        noun: How it is called: `the first 20 seconds`.
        adverb: When it is: `in the first 20 seconds`.
        start_s: Where it begins; None: not said.
        end_s: Where it ends; None: not said, it goes to the end.
        last_s: How long it is if it is counted from the end; None: it is not.
    """

    noun: str
    adverb: str
    start_s: float | None
    end_s: float | None
    last_s: float | None = None

    @property
    def arguments(self) -> dict[str, float]:
        """What a tool is given for it."""
        given = {"start_s": self.start_s, "end_s": self.end_s, "last_s": self.last_s}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def phrases(self) -> dict[str, str]:
        """The slots of phrasings: `part` and `at`."""
        return {"part": self.noun, "at": self.adverb}


def draw_span(rng: Random, duration_s: float) -> Span:
    """Draw a part of a recording, now and then one that is not in it, and how it is typed."""
    beyond = rng.random() < _P_BEYOND
    start, end = _times(rng, duration_s * (2.0 if beyond else 1.0), late=beyond)
    shape = pick(_SHAPES, rng)
    if shape == "range" and rng.random() < _P_REVERSED:
        start, end = end, start
    if shape == "range":
        return _range(rng, start, end)
    if shape == "last":
        length = end if beyond else end - start
        return replace(_span(shape, rng, None, None, d=_length(rng, length)), last_s=length)
    if shape == "tail":
        return _span(shape, rng, start, None, a=_moments(rng, start)[0])
    if shape == "length":
        return _span(
            shape, rng, start, end, a=_moments(rng, start)[0], d=_numeric_length(rng, end - start)
        )
    end = end - start if shape == "head" else end
    if shape == "head":
        return _span(shape, rng, 0, end, d=_length(rng, end))
    return _span(shape, rng, 0, end, b=_moments(rng, end)[0])


def draw_example(rng: Random, duration_s: float) -> Span:
    """Draw a few seconds that serve as an example, always with both of their ends."""
    start, end = _times(rng, duration_s * (2.0 if rng.random() < _P_BEYOND else 1.0), longest_s=12)
    if rng.random() < 0.15:
        return _span("head", rng, 0, end - start, d=_length(rng, end - start))
    return _range(rng, start, end)


def section_noun(section: str, rng: Random) -> str:
    """Name a section as the part that is meant."""
    return fill(pick(grammar()["spans"]["section_noun"], rng), {"section": section}, rng)


def _times(
    rng: Random, duration_s: float, *, late: bool = False, longest_s: float = math.inf
) -> tuple[float, float]:
    """Draw the ends of a part in whole seconds, or in halves where the recording is short."""
    if duration_s < _SHORT_S and rng.random() < 0.2:
        most = max(2, int(2 * duration_s) - 1)
        start = int(rng.random() * (most - 1))
        return start / 2, (start + 1 + int(rng.random() * (most - start))) / 2
    last = max(2, int(duration_s))
    step = pick([s for s in _STEPS_S if s <= max(1, last // 4)], rng)
    lengths = [n for n in _LENGTHS_S if n <= min(longest_s, max(1, last - 1))] or [1]
    length = pick(lengths, rng) if rng.random() < 0.7 else 1 + int(rng.random() * lengths[-1])
    first = last // 2 if late else 0
    start = first + int(rng.random() * max(1, last - first - length + 1)) // step * step
    return start, start + length


def _range(rng: Random, start: float, end: float) -> Span:
    a, b = _moments(rng, start, end)
    if rng.random() < _P_BARE:
        if max(start, end) <= _MOST_SECONDS and rng.random() < 0.7:
            return _span("bare_seconds", rng, start, end, a=f"{start:g}", b=f"{end:g}")
        if start % 60 == end % 60 == 0 and start and end:
            a, b = (f"{time // 60:g}" for time in (start, end))
            return _span("bare_minutes", rng, start, end, a=a, b=b)
    return _span("range", rng, start, end, a=a, b=b)


def _span(
    shape: str, rng: Random, start_s: float | None, end_s: float | None, **values: str
) -> Span:
    noun, adverb = (
        fill(pick(grammar()["spans"][f"{shape}_{kind}"], rng), values, rng)
        for kind in ("noun", "adverb")
    )
    return Span(noun, adverb, start_s, end_s)


def _moments(rng: Random, *times_s: float) -> list[str]:
    """Type moments, all in the same way but for those that have a name of their own."""
    ways, draw = grammar()["spans"], rng.random()
    whole = all(time == int(time) for time in times_s)
    if not whole or (draw < _P_SECONDS and max(times_s) <= _MOST_SECONDS):
        way = pick(ways["seconds"], rng)
    elif all(time % 60 == 0 and time for time in times_s) and rng.random() < 0.5:
        way = pick(ways["minutes"], rng)
    else:
        way = pick(ways["clock"], rng)
    special = ways["special"]
    return [
        pick(special[f"{time:g}"], rng)
        if f"{time:g}" in special and rng.random() < _P_SPECIAL
        else fill(way, _figures(time), rng)
        for time in times_s
    ]


def _figures(time_s: float) -> dict[str, str]:
    minutes, seconds = divmod(int(time_s), 60)
    return {"t": f"{time_s:g}", "m": str(minutes), "s": str(seconds), "ss": f"{seconds:02d}"}


def _numeric_length(rng: Random, length_s: float) -> str:
    return fill(pick(grammar()["spans"]["lengths"], rng), _figures(length_s), rng)


def _length(rng: Random, length_s: float) -> str:
    special = grammar()["spans"]["special_lengths"]
    if f"{length_s:g}" in special and rng.random() < 2 * _P_SPECIAL:
        return pick(special[f"{length_s:g}"], rng)
    return _numeric_length(rng, length_s)
