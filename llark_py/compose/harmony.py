"""Progressions and voicings: which chords follow each other, and on which pitches they sound.

Progressions are written in Roman numerals (upper case major, lower case minor, `o` diminished,
`7` with a minor seventh, `b` before a lowered degree).
Every one holds the tonic and an approach to it that its relative key would not make, so that the
label of the key is not a matter of taste; minor uses the raised leading tone in V.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from llark_py.theory import MAJOR_TONICS

PROGRESSIONS = {
    "major": (
        "I V vi IV",
        "I IV V I",
        "I vi IV V",
        "ii V I I",
        "I iii IV V",
        "I IV vi V",
        "I V IV V",
        "I IV I V",
        "I vi ii V",
        "I I IV V",
        "I ii V I",
        "IV V I I",
        "I bVII IV I",
        "I IV ii V",
        "I viio I V",
        "I iv I V",
        "I IV iv I",
        "I bIII IV I",
        "I bVI bVII I",
        "I III7 vi V",
        "I VI7 ii V",
        "I II7 IV I",
        "I vi ii V iii vi ii V",
        "I V vi iii IV I IV V",
        "I IV I V I IV V I",
    ),
    "minor": (
        "i VI iv V",
        "i iv V i",
        "i VII VI V",
        "i VII VI VII",
        "i VI V i",
        "i iv i V",
        "iio V i i",
        "i V i iv",
        "i VI VII i",
        "i i iv V",
        "i III iv V",
        "VI VII i i",
        "i v VI iv",
        "i iio V i",
        "i iv VII i",
        "i VI iio V",
        "i bII V i",
        "i IV i V",
        "i VII III V",
        "i iv VII III VI iio V i",
        "i v iv V",
        "i VI III VII i VI iv V",
    ),
}
_DEGREES = {
    "major": {"I": 0, "II": 2, "III": 4, "IV": 5, "V": 7, "VI": 9, "VII": 11, "BVII": 10}
    | {"BII": 1, "BIII": 3, "BVI": 8},
    "minor": {"BII": 1, "I": 0, "II": 2, "III": 3, "IV": 5, "V": 7, "VI": 8, "VII": 10},
}
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
_TRIADS = {"maj": (0, 4, 7), "min": (0, 3, 7), "dim": (0, 3, 6)}
_SEVENTHS = {"maj7": (0, 4, 7, 11), "7": (0, 4, 7, 10), "min7": (0, 3, 7, 10)}
INTERVALS = {**_TRIADS, **_SEVENTHS, "hdim7": (0, 3, 6, 10)}
"""Harte quality -> semitones above the root."""


class Harmony(NamedTuple):
    """One chord on the bar line grid: times in quarter notes, root as a pitch class."""

    start: float
    end: float
    root: int
    quality: str

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """The pitch classes of the chord, root first."""
        return tuple((self.root + i) % 12 for i in INTERVALS[self.quality])

    @property
    def label(self) -> str:
        """The chord in Harte syntax, `A:min`."""
        return f"{MAJOR_TONICS[self.root]}:{self.quality}"


def read_numeral(numeral: str, mode: str, sevenths: bool) -> tuple[int, str]:
    """Read a Roman numeral as (semitones above the tonic, Harte quality)."""
    bare = numeral.rstrip("o7")
    steps = _DEGREES[mode][bare.upper()]
    if numeral.endswith("o"):
        return steps, "hdim7" if sevenths else "dim"
    if numeral.endswith("7"):
        return steps, "min7" if bare[-1].islower() else "7"
    if bare[-1].islower():
        return steps, "min7" if sevenths else "min"
    if not sevenths:
        return steps, "maj"
    dominant = bare in ("V", "bVII") or (mode == "minor" and bare == "VII")
    return steps, "7" if dominant else "maj7"


def draw_harmony(
    rng: random.Random,
    tonic: int,
    mode: str,
    sevenths: bool,
    chord_quarters: float,
    end: float,
    pool: Sequence[str] = (),
) -> list[Harmony]:
    """Write chords of `chord_quarters` each until the quarter `end`.

    Two progressions alternate (A A B A), so that longer music does not only loop: of `pool`, or of
    all of the key when it is empty.
    """
    first, second = _two(pool or PROGRESSIONS[mode], rng)
    turns = (second if turn % 4 == 2 else first for turn in itertools.count())
    numerals = (numeral for progression in turns for numeral in progression.split())
    return write_harmony(numerals, tonic, mode, sevenths, chord_quarters, end)


def _two(pool: Sequence[str], rng: random.Random) -> Sequence[str]:
    """Draw two different progressions, the same twice where there is only one."""
    return rng.sample(pool, 2) if len(pool) > 1 else (pool[0], pool[0])


def write_harmony(
    numerals: Iterable[str],
    tonic: int,
    mode: str,
    sevenths: bool,
    chord_quarters: float,
    end: float,
) -> list[Harmony]:
    """Write the chords of Roman numerals, `chord_quarters` each, until the quarter `end`."""
    chords: list[Harmony] = []
    start = 0.0
    for numeral in numerals:
        if start >= end - 1e-6:
            break
        steps, quality = read_numeral(numeral, mode, sevenths)
        chords.append(Harmony(start, start + chord_quarters, (tonic + steps) % 12, quality))
        start += chord_quarters
    return chords


def scale_over(chord: Harmony, tonic: int, mode: str) -> frozenset[int]:
    """The pitch classes a melody may use over a chord: the key's scale, bent to the chord."""
    scale = {(tonic + s) % 12 for s in SCALES[mode]}
    tones = set(chord.pitch_classes)
    # A borrowed tone replaces its own degree: in minor the raised leading tone the seventh below
    # it, in major a lowered tone the degree above it.
    degree = -1 if mode == "minor" else 1
    replaced = {(p + degree) % 12 for p in tones - scale}
    scale -= replaced - tones
    return frozenset(scale | tones)


def nearest(pitch_class: int, centre: int) -> int:
    """The MIDI pitch of a pitch class that lies nearest to `centre`."""
    return centre + (pitch_class - centre + 6) % 12 - 6


def fit(pitch: int, low: int, high: int) -> int:
    """Move a pitch by octaves into a register."""
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    return pitch


def voicing(chord: Harmony, centre: int, low: int, high: int) -> list[int]:
    """Spread a chord around a centre, lowest note first; smooth, since every tone stays near."""
    pitches = {fit(nearest(p, centre), low, high) for p in chord.pitch_classes}
    return sorted(pitches)
