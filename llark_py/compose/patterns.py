"""What accompaniments play, as data: chord and bass patterns as bars of hits.

A hit is (place, length, what) in quarters from the bar line. For chords `what` is `c` the whole
chord, `u` its upper notes, `b` its lowest note, `p` root and fifth, `o` the root in octaves, or a
digit: that note of the arpeggio, `s` root and sixth, `l` the root an octave lower, `d` a drone of
root and fifth. For basses it is `r` root, `3` third, `5` fifth, `6` sixth, `8` octave, `t` any
chord tone, `a` a step towards the next root.
"""

from __future__ import annotations

BAR_QUARTERS = {"4/4": 4.0, "3/4": 3.0, "6/8": 3.0}
BEAT_QUARTERS = {"4/4": 1.0, "3/4": 1.0, "6/8": 1.5}
HELD = 99.0
"""A length that lasts until the chord changes."""

Hit = tuple[float, float, str]


def grid(step: float, end: float, what: str, length: float = 0.95) -> tuple[Hit, ...]:
    """Hits every `step` quarters; `what` may be several codes, taken in turn."""
    codes = what.split()
    n = round(end / step)
    return tuple((i * step, step * length, codes[i % len(codes)]) for i in range(n))


def at(what: str, length: float, *times: float) -> tuple[Hit, ...]:
    """Hits of one length and kind at given places."""
    return tuple((t, length, what) for t in times)


def line(length: float, hits: str) -> tuple[Hit, ...]:
    """Hits of one length, written as `place what, place what, ...`."""
    pairs = (hit.split() for hit in hits.split(","))
    return tuple((float(at), length, what) for at, what in pairs)


_GALLOP = tuple(beat + part for beat in range(4) for part in (0, 0.5, 0.75))
_BETWEEN_KICKS = tuple(beat + part for beat in range(4) for part in (0.25, 0.5, 0.75))

FIRST_CHORD_PATTERNS: dict[str, dict[str, tuple[tuple[Hit, ...], ...]]] = {
    "block": {
        "4/4": (at("c", 3.9, 0), at("c", 1.9, 0, 2), grid(1, 4, "c"), at("c", 1.4, 0, 1.5, 3)),
        "3/4": (at("c", 2.9, 0), grid(1, 3, "b u u"), at("c", 1.0, 0, 2)),
        "6/8": (at("c", 1.45, 0, 1.5), ((0, 0.95, "c"), (1, 0.45, "u"), (1.5, 0.95, "c"))),
    },
    "held": {m: (at("c", HELD, 0),) for m in BAR_QUARTERS},
    "strum": {
        "4/4": (grid(0.5, 4, "c"), at("c", 0.7, 0, 1, 1.5, 2.5, 3, 3.5), grid(1, 4, "b c")),
        "3/4": (grid(1, 3, "b c c"), at("c", 0.6, 0, 1, 1.5, 2, 2.5), grid(0.5, 3, "c")),
        "6/8": (grid(0.5, 3, "c"), at("c", 0.6, 0, 1, 1.5, 2.5), grid(0.5, 3, "b u u")),
    },
    "power": {
        "4/4": (grid(0.5, 4, "p"), at("p", 1.4, 0, 1.5, 3), at("p", 0.9, 0, 0.5, 2, 2.5, 3.5)),
        "3/4": (grid(0.5, 3, "p"), at("p", 0.95, 0, 1, 2), at("p", 1.4, 0, 2)),
        "6/8": (grid(0.5, 3, "p"), at("p", 0.95, 0, 1, 1.5, 2.5), at("p", 1.45, 0, 1.5)),
    },
    "chug": {
        "4/4": (grid(0.25, 4, "p", 0.7), at("p", 0.2, *_GALLOP)),
        "3/4": (grid(0.25, 3, "p", 0.7), grid(0.5, 3, "p", 0.6)),
        "6/8": (grid(0.5, 3, "p", 0.6), grid(0.25, 3, "p", 0.7)),
    },
    "arpeggio": {
        "4/4": (grid(0.5, 4, "0 1 2 3 4 3 2 1", 1.6), grid(0.5, 4, "0 2 1 2 3 2 1 2", 1.6)),
        "3/4": (grid(0.5, 3, "0 1 2 3 2 1", 1.6), grid(0.5, 3, "0 2 3 2 3 2", 1.6)),
        "6/8": (grid(0.5, 3, "0 1 2 3 2 1", 1.6), grid(0.5, 3, "0 2 3 1 2 3", 1.6)),
    },
    "fast arpeggio": {
        "4/4": (
            grid(0.25, 4, "0 1 2 3"),
            grid(0.25, 4, "0 1 2 3 4 3 2 1"),
            grid(0.25, 4, "3 2 1"),
        ),
        "3/4": (grid(0.25, 3, "0 1 2 3"), grid(0.25, 3, "0 1 2 3 2 1")),
        "6/8": (grid(0.25, 3, "0 1 2 3 2 1"), grid(0.25, 3, "0 1 2")),
    },
    "alberti": {
        "4/4": (grid(0.5, 4, "0 2 1 2"), grid(0.25, 4, "0 2 1 2")),
        "3/4": (grid(0.5, 3, "0 1 2 1 2 1"), ((0, 0.95, "b"), (1, 0.95, "u"), (2, 0.95, "u"))),
        "6/8": (grid(0.5, 3, "0 1 2"), grid(0.5, 3, "0 2 1")),
    },
    "comp": {
        "4/4": tuple(
            at("c", 0.6, *t) for t in ((0, 1.5), (0, 2.5), (1, 3), (0, 1.5, 3), (0.5, 2, 3.5))
        ),
        "3/4": tuple(at("c", 0.6, *t) for t in ((0, 1.5), (1, 2), (0, 2.5), (0, 1, 2.5))),
        "6/8": tuple(at("c", 0.5, *t) for t in ((0, 1.5), (0, 1, 2.5), (0, 1, 1.5))),
    },
    "offbeat": {
        "4/4": (at("c", 0.4, 0.5, 1.5, 2.5, 3.5),),
        "3/4": (at("c", 0.4, 0.5, 1.5, 2.5),),
        "6/8": (at("c", 0.4, 0.5, 1, 2, 2.5),),
    },
    "stab": {
        "4/4": (at("c", 0.3, 0, 0.75, 1.5, 2.5, 3.25), at("c", 0.4, 0, 1.5, 2, 3.5)),
        "3/4": (at("c", 0.4, 0, 1.5, 2.5), at("c", 0.3, 0, 0.75, 2)),
        "6/8": (at("c", 0.35, 0, 1, 1.5, 2.5),),
    },
    "bossa": {
        "4/4": (
            at("c", 0.5, 0, 1, 1.5, 2.5, 3.5),
            at("c", 0.5, 0, 1.5, 3),
            at("c", 0.5, 0.5, 1.5, 2, 3.5),
        ),
        "3/4": (at("c", 0.5, 0, 1.5, 2.5), at("c", 0.5, 0, 1, 1.5)),
        "6/8": (at("c", 0.4, 0, 1, 1.5, 2.5), at("c", 0.4, 0, 0.5, 1.5, 2)),
    },
    "montuno": {
        "4/4": (line(0.4, "0 o, 0.5 1, 1 2, 1.5 o, 2.5 1, 3 2, 3.5 o"),),
        "3/4": (line(0.4, "0 o, 0.5 1, 1.5 2, 2 o, 2.5 1"),),
        "6/8": (line(0.4, "0 o, 0.5 1, 1 2, 1.5 o, 2.5 1"),),
    },
    "oompah": {
        "4/4": (grid(1, 4, "b u"), grid(0.5, 4, "b u u u")),
        "3/4": (grid(1, 3, "b u u"),),
        "6/8": (line(0.45, "0 b, 1 u, 1.5 b, 2.5 u"), grid(0.5, 3, "b u u")),
    },
}

FIRST_BASS_PATTERNS: dict[str, dict[str, tuple[tuple[Hit, ...], ...]]] = {
    "eighths": {
        "4/4": (grid(0.5, 4, "r", 0.9), grid(0.5, 4, "r r r r r r 5 8", 0.9)),
        "3/4": (grid(0.5, 3, "r", 0.9), grid(1, 3, "r r 5", 0.9)),
        "6/8": (
            grid(0.5, 3, "r", 0.9),
            ((0, 0.9, "r"), (1, 0.45, "r"), (1.5, 0.9, "5"), (2.5, 0.45, "r")),
        ),
    },
    "sixteenths": {
        "4/4": (grid(0.25, 4, "r r 8 r", 0.8), at("r", 0.22, *_BETWEEN_KICKS)),
        "3/4": (grid(0.25, 3, "r r 8 r", 0.8),),
        "6/8": (grid(0.25, 3, "r r 8", 0.8),),
    },
    "offbeat": {
        "4/4": (at("r", 0.45, 0.5, 1.5, 2.5, 3.5),),
        "3/4": (at("r", 0.45, 0.5, 1.5, 2.5),),
        "6/8": (at("r", 0.45, 0.5, 1, 2, 2.5),),
    },
    "root fifth": {
        "4/4": (
            ((0, 1.8, "r"), (2, 1.8, "5")),
            grid(1, 4, "r r 5 r", 0.9),
            ((0, 1.4, "r"), (1.5, 0.45, "r"), (2, 1.8, "5")),
        ),
        "3/4": (((0, 1.9, "r"), (2, 0.9, "5")), at("r", 2.8, 0), grid(1, 3, "r 5 5", 0.9)),
        "6/8": (
            ((0, 1.4, "r"), (1.5, 1.4, "5")),
            ((0, 0.95, "r"), (1, 0.45, "r"), (1.5, 1.4, "5")),
        ),
    },
    "walking": {
        "4/4": (grid(1, 4, "r t t a", 0.92),),
        "3/4": (grid(1, 3, "r t a", 0.92),),
        "6/8": (((0, 0.95, "r"), (1, 0.45, "t"), (1.5, 0.95, "t"), (2.5, 0.45, "a")),),
    },
    "sustained": {m: (at("r", HELD, 0),) for m in BAR_QUARTERS},
    "octaves": {
        "4/4": (((0, 1.9, "r"), (2, 1.9, "8")), grid(1, 4, "r 8", 0.9)),
        "3/4": (((0, 0.95, "r"),), grid(1, 3, "r 8 8", 0.9)),
        "6/8": (((0, 1.4, "r"), (1.5, 1.4, "8")),),
    },
    "syncopated": {
        "4/4": (
            ((0, 0.7, "r"), (0.75, 0.7, "r"), (2.5, 1.2, "r")),
            ((0, 1.4, "r"), (1.5, 0.9, "r"), (2.75, 0.7, "5")),
        ),
        "3/4": (((0, 1.2, "r"), (1.5, 0.9, "r")),),
        "6/8": (((0, 0.9, "r"), (1, 0.4, "r"), (2, 0.9, "5")),),
    },
    "bossa": {
        "4/4": (
            ((0, 1.3, "r"), (1.5, 0.45, "5"), (2, 1.3, "5"), (3.5, 0.45, "r")),
            ((0, 0.9, "r"), (1.5, 1.4, "5"), (3, 0.9, "8")),
        ),
        "3/4": (((0, 1.3, "r"), (1.5, 1.3, "5")),),
        "6/8": (((0, 0.9, "r"), (1, 0.45, "5"), (1.5, 0.9, "r"), (2.5, 0.45, "5")),),
    },
}
