"""What drums play: grooves for each kind of kit and metre, with fills and crashes."""

from __future__ import annotations

import random

from .accompaniment import QuarterNote
from .patterns import BAR_QUARTERS, BEAT_QUARTERS

PIECES = {
    36: "kick",
    37: "rim shot",
    38: "snare",
    39: "clap",
    42: "closed hi-hat",
    44: "pedal hi-hat",
    45: "low tom",
    46: "open hi-hat",
    47: "mid tom",
    49: "crash cymbal",
    50: "high tom",
    51: "ride cymbal",
    63: "conga",
    70: "maracas",
    75: "claves",
}
"""General MIDI key -> name of the piece."""

_KEYS = {name: key for key, name in PIECES.items()}
_LENGTH = 0.2

# piece -> (level relative to the kit, alternatives of times in quarters)
Groove = dict[str, tuple[int, tuple[tuple[float, ...], ...]]]


def _every(step: float, end: float, start: float = 0.0) -> tuple[float, ...]:
    return tuple(start + i * step for i in range(round((end - start) / step)))


_HATS4 = (_every(0.5, 4), _every(0.5, 4), _every(0.25, 4), _every(1, 4))
_ROLL = (*_every(0.5, 3), *_every(0.125, 4, 3))
_WALTZ = {"kick": (5, ((0.0,), (0.0, 2.5))), "closed hi-hat": (-25, (_every(0.5, 3), _every(1, 3)))}
_JIG = {"kick": (5, ((0.0,), (0.0, 1.0), (0.0, 2.5))), "closed hi-hat": (-25, (_every(0.5, 3),))}

GROOVES: dict[str, dict[str, Groove]] = {
    "rock": {
        "4/4": {
            "kick": (5, ((0, 2), (0, 1.5, 2), (0, 2, 2.5), (0, 0.5, 2), (0, 2.5))),
            "snare": (5, ((1, 3), (1, 3), (1, 3), (2,))),
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
            "ride cymbal": (-10, ((0, 1, 1.5, 2.5), _every(0.5, 3))),
            "pedal hi-hat": (-15, ((1.5,),)),
            "kick": (-15, ((0,),)),
        },
    },
    "dance": {
        "4/4": {
            "kick": (10, ((0, 1, 2, 3), (0, 1, 2, 3), (0, 1, 2, 3), (0, 1.5, 2, 3.5))),
            "open hi-hat": (-20, (_every(1, 4, 0.5), _every(1, 4, 0.5), ())),
            "clap": (0, ((1, 3), (1, 3), ())),
            "closed hi-hat": (-35, (_every(0.25, 4), (), _every(0.5, 4))),
        },
        "3/4": {
            "kick": (10, ((0, 1, 2), (0,))),
            "open hi-hat": (-20, (_every(1, 3, 0.5),)),
            "clap": (0, ((2,), (1, 2))),
        },
        "6/8": {
            "kick": (10, ((0, 1.5),)),
            "clap": (0, ((1.5,),)),
            "closed hi-hat": (-30, (_every(0.5, 3),)),
        },
    },
    "hip-hop": {
        "4/4": {
            "kick": (8, ((0, 2.75), (0, 1.5, 2.5), (0, 0.75, 2.5), (0, 2.5, 2.75))),
            "snare": (8, ((1, 3), (1, 3), (2,))),
            "closed hi-hat": (-25, (_every(0.5, 4), _every(0.25, 4), _ROLL)),
        },
        "3/4": {**_WALTZ, "snare": (5, ((2.0,), (1.0, 2.0)))},
        "6/8": {**_JIG, "snare": (8, ((1.5,),))},
    },
    "latin": {
        "4/4": {
            "kick": (-15, ((0, 1.5, 2, 3.5), (0, 2), (1.5, 3.5))),
            "rim shot": (-10, ((0, 1.5, 3), (0, 1.5, 3), (1, 2))),
            "maracas": (-25, (_every(0.5, 4), _every(0.25, 4))),
            "conga": (-12, ((1, 3, 3.5), (1, 3.5), ())),
            "claves": (-12, ((), (0, 1.5, 3), (0, 0.75, 1.5))),
        },
        "3/4": {
            "kick": (-10, ((0, 1.5),)),
            "rim shot": (-10, ((1, 2),)),
            "maracas": (-25, (_every(0.5, 3),)),
        },
        "6/8": {
            "kick": (-10, ((0, 1.5),)),
            "conga": (-12, ((0.5, 1, 2, 2.5),)),
            "maracas": (-25, (_every(0.5, 3),)),
            "claves": (-15, ((0, 1, 2), ())),
        },
    },
    "metal": {
        "4/4": {
            "kick": (8, (_every(0.25, 4), _every(0.5, 4), (0, 0.5, 0.75, 2, 2.5, 2.75))),
            "snare": (10, ((1, 3), (1, 3), (2,), _every(1, 4, 0.5))),
            "ride cymbal": (-20, (_every(1, 4), _every(0.5, 4))),
        },
        "3/4": {
            "kick": (8, (_every(0.25, 3), (0, 0.5, 2.5))),
            "snare": (10, ((1, 2), (2,))),
            "ride cymbal": (-20, (_every(1, 3),)),
        },
        "6/8": {
            "kick": (8, (_every(0.25, 3), (0, 0.5, 1), _every(0.5, 3))),
            "snare": (10, ((1.5,),)),
            "ride cymbal": (-20, (_every(0.5, 3), (0, 1.5))),
        },
    },
    "brush": {
        "4/4": {
            "kick": (-20, ((0, 2), (0,))),
            "rim shot": (-20, ((1, 3), (2,))),
            "maracas": (-28, (_every(0.5, 4), _every(1, 4))),
        },
        "3/4": {
            "kick": (-15, ((0,),)),
            "rim shot": (-20, ((1, 2), (2,))),
            "maracas": (-28, (_every(0.5, 3), _every(1, 3))),
        },
        "6/8": {
            "kick": (-15, ((0,),)),
            "rim shot": (-18, ((1.5,),)),
            "maracas": (-28, (_every(0.5, 3),)),
        },
    },
}

_FILLED = {"rock", "metal", "dance", "hip-hop"}
_TOMS = ("snare", "high tom", "mid tom", "low tom")


def write_drums(
    kit: str, metre: str, n_bars: int, quarter_bpm: float, velocity: int, rng: random.Random
) -> list[QuarterNote]:
    """Write a drum part; pitches are General MIDI keys of `PIECES`.

    Args:
        kit: A name in `GROOVES`.
        metre: The time signature.
        n_bars: How many bars to write.
        quarter_bpm: Quarter notes a minute; nothing faster than ~14 strokes a second is written.
        velocity: Middle velocity of the kit.
        rng: Source of the choices.
    """
    bar = BAR_QUARTERS[metre]
    step = 60.0 / quarter_bpm
    groove = {
        piece: (level, rng.choice(options))
        for piece, (level, options) in GROOVES[kit][metre].items()
    }
    if "closed hi-hat" in groove and rng.random() < 0.25:
        groove["ride cymbal"] = groove.pop("closed hi-hat")
    fill_every = rng.choice((0, 4, 4, 8)) if kit in _FILLED else 0
    crash_every = rng.choice((0, 4, 8)) if kit in _FILLED else 0
    notes: list[QuarterNote] = []
    for number in range(n_bars):
        start = number * bar
        filling = fill_every and number % fill_every == fill_every - 1
        # A fill takes the last beat (of two or more) away from the groove.
        end = bar - BEAT_QUARTERS[metre] if filling else bar
        for piece, (level, times) in groove.items():
            last = -1.0
            for at in times:
                if at >= end or (last >= 0 and (at - last) * step < 0.07):
                    continue
                last = at
                weak = at % BEAT_QUARTERS[metre] > 1e-6
                if weak and rng.random() < 0.04:
                    continue
                loud = velocity + level - (9 if weak else 0)
                notes.append(QuarterNote(start + at, _LENGTH, _KEYS[piece], loud))
        if filling:
            strokes = 4 if BEAT_QUARTERS[metre] * step > 0.4 else 2
            if metre == "6/8":
                strokes = 3
            toms = [rng.choice(_TOMS) for _ in range(strokes)]
            for i, piece in enumerate(toms):
                at = end + i * BEAT_QUARTERS[metre] / strokes
                notes.append(QuarterNote(start + at, _LENGTH, _KEYS[piece], velocity + 2 * i))
        if crash_every and number % crash_every == 0:
            notes.append(QuarterNote(start, _LENGTH, _KEYS["crash cymbal"], velocity))
    return notes
