"""Chord and bass patterns of the styles that were added later; codes as in `patterns.py`."""

from __future__ import annotations

from .patterns import (
    BAR_QUARTERS,
    FIRST_BASS_PATTERNS,
    FIRST_CHORD_PATTERNS,
    HELD,
    Hit,
    at,
    grid,
    line,
)

_MORE_CHORDS: dict[str, dict[str, tuple[tuple[Hit, ...], ...]]] = {
    # Root and fifth, root and sixth in turn: the left hand of boogie and rock and roll.
    "boogie": {
        "4/4": (
            line(0.45, "0 p, 0.5 p, 1 s, 1.5 s, 2 p, 2.5 p, 3 s, 3.5 s"),
            line(0.9, "0 p, 1 s, 2 p, 3 s"),
        ),
        "3/4": (line(0.45, "0 p, 0.5 p, 1 s, 1.5 s, 2 p, 2.5 p"),),
        "6/8": (line(0.45, "0 p, 0.5 p, 1 s, 1.5 p, 2 p, 2.5 s"), grid(0.5, 3, "c")),
    },
    "power eighths": {
        "4/4": (grid(0.5, 4, "p", 0.9), grid(0.5, 4, "p", 0.6)),
        "3/4": (grid(0.5, 3, "p", 0.9),),
        "6/8": (grid(0.5, 3, "p", 0.9),),
    },
    "skank": {
        "4/4": (at("c", 0.22, 0.5, 1.5, 2.5, 3.5), at("c", 0.2, 0.5, 0.75, 1.5, 2.5, 2.75, 3.5)),
        "3/4": (at("c", 0.22, 0.5, 1.5, 2.5),),
        "6/8": (at("c", 0.22, 0.5, 1, 2, 2.5), at("c", 0.22, 1, 2.5)),
    },
    # Clipped sixteenths with holes.
    "scratch": {
        "4/4": (
            at("u", 0.16, 0, 0.75, 1.25, 1.5, 2.25, 2.75, 3.25, 3.5),
            at("u", 0.16, 0.5, 0.75, 1.5, 2, 2.25, 3, 3.5, 3.75),
            at("u", 0.16, 0, 0.25, 0.75, 1.5, 2, 2.25, 2.75, 3.5),
        ),
        "3/4": (at("u", 0.16, 0, 0.75, 1.25, 1.5, 2.25, 2.75),),
        "6/8": (at("u", 0.16, 0, 0.5, 0.75, 1.5, 2, 2.25),),
    },
    # A low root on the strong beats and the chord on the weak ones, far apart.
    "stride": {
        "4/4": (
            line(0.55, "0 l, 1 c, 2 l, 3 c"),
            line(0.3, "0 l, 0.5 c, 1 l, 1.5 c, 2 l, 2.5 c, 3 l, 3.5 c"),
        ),
        "3/4": (line(0.55, "0 l, 1 c, 2 c"),),
        "6/8": (line(0.4, "0 l, 1 c, 1.5 l, 2.5 c"),),
    },
    "pulse": {
        "4/4": (grid(1, 4, "c", 0.9), grid(0.5, 4, "c", 0.85), at("c", 0.9, 0, 1.5, 2, 3)),
        "3/4": (grid(1, 3, "c", 0.9), grid(0.5, 3, "c", 0.85)),
        "6/8": (grid(0.5, 3, "c", 0.85), at("c", 0.9, 0, 1, 1.5, 2.5)),
    },
    # Triplets of full chords, or chords that push into the beat.
    "gospel": {
        "4/4": (
            line(0.6, "0 l, 0.5 c, 1 c, 2 l, 2.5 c, 3 c, 3.5 c"),
            line(0.9, "0 c, 1.5 c, 2 l, 3 c, 3.5 c"),
        ),
        "3/4": (line(0.7, "0 l, 1 c, 1.5 c, 2 c"), grid(0.5, 3, "l c c c c c", 0.8)),
        "6/8": (line(0.45, "0 l, 0.5 c, 1 c, 1.5 l, 2 c, 2.5 c"),),
    },
    "boom chick": {
        "4/4": (
            line(0.45, "0 l, 1 u, 1.5 u, 2 b, 3 u, 3.5 u"),
            line(0.45, "0 l, 1 u, 2 b, 3 u"),
        ),
        "3/4": (line(0.6, "0 l, 1 u, 2 u"), line(0.45, "0 l, 1 u, 1.5 u, 2 u, 2.5 u")),
        "6/8": (line(0.45, "0 l, 1 u, 1.5 b, 2.5 u"),),
    },
    # Fingers roll over the strings in groups of three against four.
    "roll": {
        "4/4": (grid(0.25, 4, "0 2 3 1 2 3 2 3"), grid(0.25, 4, "3 1 0 3 1 0 3 1")),
        "3/4": (grid(0.25, 3, "0 2 3 1 2 3"),),
        "6/8": (grid(0.25, 3, "0 2 3 1 2 3"),),
    },
    **{
        f"inner {i}": {
            m: (at(str(i), HELD, 0), at(str(i), 0.95 * BAR_QUARTERS[m] / 2, 0, BAR_QUARTERS[m] / 2))
            for m in BAR_QUARTERS
        }
        for i in range(3)
    },
    "drone": {m: (at("d", HELD, 0),) for m in BAR_QUARTERS},
    "jig strum": {
        "4/4": (at("d", 0.4, 0, 0.75, 1, 1.5, 2, 2.75, 3, 3.5), grid(0.5, 4, "d", 0.8)),
        "3/4": (at("d", 0.6, 0, 1, 1.5, 2), grid(0.5, 3, "d", 0.8)),
        "6/8": (at("d", 0.4, 0, 1, 1.5, 2.5), grid(0.5, 3, "d", 0.8)),
    },
    "four loops": {
        "4/4": (
            at("c", 1.3, 0, 1.5, 3),
            line(0.7, "0 b, 0.5 u, 1.5 u, 2 b, 2.5 u, 3.5 u"),
            at("c", 0.45, 0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5),
        ),
        "3/4": (line(0.7, "0 b, 1 u, 1.5 u, 2 u"),),
        "6/8": (line(0.5, "0 b, 0.5 u, 1 u, 1.5 b, 2 u, 2.5 u"),),
    },
}

_MORE_BASSES: dict[str, dict[str, tuple[tuple[Hit, ...], ...]]] = {
    "boogie": {
        "4/4": (
            grid(1, 4, "r 3 5 6", 0.9),
            grid(0.5, 4, "r r 3 3 5 5 6 5", 0.9),
            grid(0.5, 4, "r 3 5 6 8 6 5 3", 0.9),
        ),
        "3/4": (grid(1, 3, "r 3 5", 0.9), grid(0.5, 3, "r r 3 3 5 5", 0.9)),
        "6/8": (line(0.45, "0 r, 1 3, 1.5 5, 2.5 6"), grid(0.5, 3, "r r 3 5 5 6", 0.9)),
    },
    "funk": {
        "4/4": (
            line(0.22, "0 r, 0.75 r, 1.25 8, 1.75 r, 2.5 5, 2.75 8, 3.5 a"),
            line(0.22, "0 r, 0.25 r, 1.5 8, 1.75 r, 2.25 r, 3 5, 3.25 8"),
            line(0.3, "0 r, 0.5 8, 1.25 r, 2 r, 2.75 5, 3.25 t, 3.75 a"),
        ),
        "3/4": (line(0.22, "0 r, 0.75 r, 1.25 8, 2 5, 2.5 8"),),
        "6/8": (line(0.22, "0 r, 0.75 8, 1.25 r, 1.5 5, 2.25 8"),),
    },
    # The first beat stays empty where the chord allows.
    "one drop": {
        "4/4": (
            line(0.6, "0.5 r, 1 r, 2 5, 2.5 r, 3 3"),
            line(0.6, "0 r, 0.75 3, 1.5 5, 2.5 r, 3 r"),
            line(0.8, "1 r, 2 5, 3 r"),
        ),
        "3/4": (line(0.6, "0 r, 0.5 3, 1 5, 2 r"),),
        "6/8": (line(0.45, "0 r, 1 3, 1.5 5, 2.5 r"),),
    },
    "disco octaves": {
        "4/4": (
            grid(0.5, 4, "r 8", 0.7),
            line(0.22, "0 r, 0.5 8, 0.75 8, 1 r, 1.5 8, 2 r, 2.5 8, 2.75 8, 3 r, 3.5 8"),
        ),
        "3/4": (grid(0.5, 3, "r 8", 0.7),),
        "6/8": (grid(0.5, 3, "r 8 8", 0.7),),
    },
    "two beat": {
        "4/4": (line(0.95, "0 r, 2 5"), line(0.95, "0 r, 2 5, 3 a")),
        "3/4": (line(0.95, "0 r"), line(0.95, "0 r, 2 5")),
        "6/8": (line(0.9, "0 r, 1.5 5"),),
    },
    # It goes before the beat: the fifth before the third, the next root before the first.
    "tumbao": {
        "4/4": (line(1.3, "0 r, 1.5 5, 3 8"), line(1.3, "0 r, 1.5 5, 3 a")),
        "3/4": (line(0.9, "0 r, 1.5 5, 2.5 8"),),
        "6/8": (line(0.9, "0 r, 1 5, 2 8"),),
    },
    # Long low notes that move late.
    "sub": {
        "4/4": (
            line(1.4, "0 r, 1.5 r, 2.75 r"),
            ((0, 2.4, "r"), (2.5, 0.7, "r"), (3.25, 0.7, "5")),
            ((0, 0.7, "r"), (0.75, 1.6, "r"), (2.5, 1.4, "8")),
        ),
        "3/4": (((0, 1.4, "r"), (1.5, 1.4, "r")),),
        "6/8": (((0, 1.2, "r"), (1.25, 1.6, "5")),),
    },
    "melodic": {
        "4/4": (
            line(0.9, "0 r, 1 5, 1.5 8, 2.5 5, 3 3, 3.5 a"),
            line(0.9, "0 r, 1.5 r, 2 3, 3 5, 3.5 a"),
        ),
        "3/4": (line(0.9, "0 r, 1 3, 2 5"),),
        "6/8": (line(0.45, "0 r, 1 5, 1.5 8, 2.5 a"),),
    },
}

CHORD_PATTERNS = FIRST_CHORD_PATTERNS | _MORE_CHORDS
"""Name of a pattern -> metre -> variants of a bar."""
BASS_PATTERNS = FIRST_BASS_PATTERNS | _MORE_BASSES
