"""Grooves of the first styles as data: which piece of the kit is struck when, for each metre.

A groove gives for each piece its level (velocity relative to the kit's) and alternatives of times
in quarters from the bar line, one of which a piece of music keeps.
"""

from __future__ import annotations

# piece -> (level relative to the kit, alternatives of times in quarters)
Groove = dict[str, tuple[int, tuple[tuple[float, ...], ...]]]


def every(step: float, end: float, start: float = 0.0) -> tuple[float, ...]:
    """Times every `step` quarters from `start` to before `end`."""
    return tuple(start + i * step for i in range(round((end - start) / step)))


_HATS4 = (every(0.5, 4), every(0.5, 4), every(0.25, 4), every(1, 4))
_ROLL = (*every(0.5, 3), *every(0.125, 4, 3))
_WALTZ = {"kick": (5, ((0.0,), (0.0, 2.5))), "closed hi-hat": (-25, (every(0.5, 3), every(1, 3)))}
_JIG = {"kick": (5, ((0.0,), (0.0, 1.0), (0.0, 2.5))), "closed hi-hat": (-25, (every(0.5, 3),))}

FIRST_GROOVES: dict[str, dict[str, Groove]] = {
    "rock": {
        "4/4": {
            "kick": (5, ((0, 2), (0, 1.5, 2), (0, 2, 2.5), (0, 0.5, 2), (0, 2.5))),
            "snare": (5, ((1, 3),)),
            "closed hi-hat": (-25, _HATS4),
        },
        "3/4": {**_WALTZ, "snare": (0, ((1, 2), (1.0, 2.0), (2.0,)))},
        "6/8": {**_JIG, "snare": (5, ((1.5,),))},
    },
    "swing": {
        "4/4": {
            "ride cymbal": (-10, ((0, 1, 1.5, 2, 3, 3.5), (0, 1, 2, 3), (0, 1, 1.5, 2, 3))),
            "pedal hi-hat": (-15, ((1, 3),)),
            "kick": (-30, ((0,), (0, 2), (0, 1, 2, 3), ())),
            "snare": (-35, ((1.5,), (3.5,), (), (0.5, 2.5))),
        },
        "3/4": {
            "ride cymbal": (-10, ((0, 1, 1.5, 2), (0, 1, 2, 2.5))),
            "pedal hi-hat": (-15, ((1, 2),)),
            "kick": (-20, ((0,),)),
            "snare": (-35, ((2.5,), ())),
        },
        "6/8": {
            "ride cymbal": (-10, ((0, 1, 1.5, 2.5), every(0.5, 3))),
            "pedal hi-hat": (-15, ((1.5,),)),
            "kick": (-15, ((0,),)),
        },
    },
    "dance": {
        "4/4": {
            "kick": (10, ((0, 1, 2, 3), (0, 1, 2, 3), (0, 1, 2, 3), (0, 1.5, 2, 3.5))),
            "open hi-hat": (-20, (every(1, 4, 0.5), every(1, 4, 0.5), ())),
            "clap": (0, ((1, 3), (1, 3), ())),
            "closed hi-hat": (-35, (every(0.25, 4), (), every(0.5, 4))),
        },
        "3/4": {
            "kick": (10, ((0, 1, 2), (0,))),
            "open hi-hat": (-20, (every(1, 3, 0.5),)),
            "clap": (0, ((2,), (1, 2))),
        },
        "6/8": {
            "kick": (10, ((0, 1.5),)),
            "clap": (0, ((1.5,),)),
            "closed hi-hat": (-30, (every(0.5, 3),)),
        },
    },
    "hip-hop": {
        "4/4": {
            "kick": (8, ((0, 2.75), (0, 1.5, 2.5), (0, 0.75, 2.5), (0, 2.5, 2.75))),
            "snare": (8, ((1, 3),)),
            "closed hi-hat": (-25, (every(0.5, 4), every(0.25, 4), _ROLL)),
        },
        "3/4": {**_WALTZ, "snare": (5, ((2.0,), (1.0, 2.0)))},
        "6/8": {**_JIG, "snare": (8, ((1.5,),))},
    },
    "latin": {
        "4/4": {
            "kick": (-15, ((0, 1.5, 2, 3.5), (0, 2), (1.5, 3.5))),
            "cowbell": (-14, ((0, 1, 2, 3), (0, 1, 1.5, 2, 3, 3.5), ())),
            "timbale": (-12, ((0, 1, 1.5, 2.5, 3.5), (), (3, 3.5))),
            "maracas": (-25, (every(0.5, 4), every(0.25, 4))),
            "conga": (-10, ((1, 3, 3.5), (1, 3.5), (0.5, 1, 2.5, 3))),
            "claves": (-12, ((), (0, 1.5, 3), (0, 0.75, 1.5))),
        },
        "3/4": {
            "kick": (-10, ((0, 1.5),)),
            "rim shot": (-10, ((1, 2),)),
            "maracas": (-25, (every(0.5, 3),)),
        },
        "6/8": {
            "kick": (-10, ((0, 1.5),)),
            "conga": (-12, ((0.5, 1, 2, 2.5),)),
            "maracas": (-25, (every(0.5, 3),)),
            "claves": (-15, ((0, 1, 2), ())),
        },
    },
    "metal": {
        "4/4": {
            "kick": (8, (every(0.25, 4), every(0.5, 4), (0, 0.5, 0.75, 2, 2.5, 2.75))),
            "snare": (10, ((1, 3), (1, 3), every(1, 4, 0.5))),
            "ride cymbal": (-20, (every(1, 4), every(0.5, 4))),
        },
        "3/4": {
            "kick": (8, (every(0.25, 3), (0, 0.5, 2.5))),
            "snare": (10, ((1, 2), (2,))),
            "ride cymbal": (-20, (every(1, 3),)),
        },
        "6/8": {
            "kick": (8, (every(0.25, 3), (0, 0.5, 1), every(0.5, 3))),
            "snare": (10, ((1.5,),)),
            "ride cymbal": (-20, (every(0.5, 3), (0, 1.5))),
        },
    },
    "brush": {
        "4/4": {
            "kick": (-20, ((0, 2), (0,))),
            "rim shot": (-20, ((1, 3), (2,))),
            "maracas": (-28, (every(0.5, 4), every(1, 4))),
        },
        "3/4": {
            "kick": (-15, ((0,),)),
            "rim shot": (-20, ((1, 2), (2,))),
            "maracas": (-28, (every(0.5, 3), every(1, 3))),
        },
        "6/8": {
            "kick": (-15, ((0,),)),
            "rim shot": (-18, ((1.5,),)),
            "maracas": (-28, (every(0.5, 3),)),
        },
    },
}
