"""Writes accompaniments: the chord and bass patterns, played over a harmony."""

from __future__ import annotations

import random
from typing import NamedTuple

from .harmony import INTERVALS, Harmony, fit, nearest, voicing
from .patterns import BAR_QUARTERS, BEAT_QUARTERS, Hit
from .patterns_popular import BASS_PATTERNS, CHORD_PATTERNS

FAST_BPM = 150.0
"""Above this many quarters a minute, sixteenth notes become eighths."""

# How often a weak hit is left out, so that no two bars are quite alike.
_DROPPED = {"strum": 0.25, "chug": 0.1, "power": 0.05, "stab": 0.1, "fast arpeggio": 0.04}
_DROPPED |= {"scratch": 0.2, "jig strum": 0.15, "roll": 0.05, "four loops": 0.05}
_STRUMMED = ("strum", "boom chick", "jig strum", "skank")
_STRUM_S = 0.014


class QuarterNote(NamedTuple):
    """A note on the bar line grid: times in quarter notes, `delay_s` for strummed strings."""

    start: float
    length: float
    pitch: int
    velocity: int
    delay_s: float = 0.0


def bar_plan(
    table: dict[str, tuple[tuple[Hit, ...], ...]], metre: str, n_bars: int, rng: random.Random
) -> list[tuple[Hit, ...]]:
    """Choose what each bar plays: one variant throughout, another at the ends of phrases."""
    variants = table[metre]
    main, other = rng.choice(variants), rng.choice(variants)
    return [other if bar % 4 == 3 else main for bar in range(n_bars)]


def accent(at: float, metre: str) -> int:
    """How much louder a hit is for its place in the bar."""
    if at == 0:
        return 9
    return 3 if at % BEAT_QUARTERS[metre] < 1e-6 else -5


def chord_at(chords: list[Harmony], time: float) -> int:
    """The index of the chord that sounds at a time; all chords are equally long."""
    return min(int((time + 1e-6) / (chords[0].end - chords[0].start)), len(chords) - 1)


def _laid_out(
    plan: list[tuple[Hit, ...]], bar_quarters: float, step: float, chords: list[Harmony]
) -> list[tuple[float, float, float, str]]:
    """Put bars one after the other: (time, place in the bar, length, what), on a grid of `step`.

    Every chord gets a hit where it begins, so that no labelled change passes unheard.
    """
    hits = []
    for number, bar in enumerate(plan):
        for at, length, what in bar:
            if abs(at / step - round(at / step)) < 1e-6:
                hits.append((number * bar_quarters + at, at, max(length, step * 0.8), what))
    struck = {round(h[0], 3) for h in hits}
    for chord in chords:
        if round(chord.start, 3) not in struck and chord.start < len(plan) * bar_quarters:
            first = min((h[0] for h in hits if h[0] > chord.start), default=chord.end)
            length = min(first, chord.end) - chord.start
            hits.append((chord.start, chord.start % bar_quarters, length, "first"))
    hits.sort(key=lambda h: h[0])
    return hits


def write_chords(
    pattern: str,
    metre: str,
    chords: list[Harmony],
    n_bars: int,
    quarter_bpm: float,
    register: tuple[int, int, int],
    velocity: int,
    rng: random.Random,
) -> list[QuarterNote]:
    """Write an accompaniment.

    Args:
        pattern: A name in `CHORD_PATTERNS`.
        metre: The time signature.
        chords: The harmony, equally long chords from time 0.
        n_bars: How many bars to write.
        quarter_bpm: Quarter notes a minute; fast music gets a coarser grid.
        register: (centre, low, high) MIDI pitches.
        velocity: Middle velocity.
        rng: Source of the choices.
    """
    centre, low, high = register
    step = 0.5 if quarter_bpm > FAST_BPM else 0.25
    plan = bar_plan(CHORD_PATTERNS[pattern], metre, n_bars, rng)
    dropped = _DROPPED.get(pattern, 0.0)
    voicings = {c[2:]: voicing(c, centre, low, high) for c in chords}
    palette = {p for c in chords for p in c.pitch_classes}
    notes: list[QuarterNote] = []
    for start, at, length, what in _laid_out(plan, BAR_QUARTERS[metre], step, chords):
        chord = chords[chord_at(chords, start)]
        weak = at % BEAT_QUARTERS[metre] > 1e-6 and start > chord.start + 1e-6
        if dropped and weak and rng.random() < dropped:
            continue
        length = min(length, chord.end - start)
        pitches = voicings[chord[2:]]
        loud = velocity + accent(at, metre)
        delay = _STRUM_S if pattern in _STRUMMED else 0.0
        for i, pitch in enumerate(_tones(what, pitches, chord, low, high, palette)):
            notes.append(QuarterNote(start, length, pitch, loud, delay * i))
    return notes


def _tones(
    what: str, pitches: list[int], chord: Harmony, low: int, high: int, palette: set[int]
) -> list[int]:
    """The pitches one hit of a chord pattern sounds."""
    if what in ("c", "first"):
        return pitches
    if what == "b":
        return pitches[:1]
    if what == "u":
        return pitches[1:]
    if what == "p":
        root = fit(nearest(chord.root, 43), low, high)
        return [root, root + (6 if "dim" in chord.quality else 7)]
    if what == "s":
        root = fit(nearest(chord.root, 43), low, high)
        # The sixth, the seventh or the fifth: what the other chords have too.
        step = next((n for n in (9, 10) if (chord.root + n) % 12 in palette), 7)
        return [root, root + step]
    if what == "l":
        return [fit(nearest(chord.root, pitches[0]) - 12, low, high)]
    if what in ("o", "d"):
        root = fit(nearest(chord.root, pitches[0]), low, high - 12)
        return [root, root + 12] if what == "o" else [root, root + 7, root + 12]
    octave, index = divmod(int(what), len(pitches))
    return [fit(pitches[index] + 12 * octave, low, high)]


def write_bass(
    pattern: str,
    metre: str,
    chords: list[Harmony],
    n_bars: int,
    quarter_bpm: float,
    register: tuple[int, int, int],
    velocity: int,
    rng: random.Random,
) -> list[QuarterNote]:
    """Write a bass line; arguments as in `write_chords`, patterns from `BASS_PATTERNS`."""
    centre, low, high = register
    step = 0.5 if quarter_bpm > FAST_BPM else 0.25
    plan = bar_plan(BASS_PATTERNS[pattern], metre, n_bars, rng)
    notes: list[QuarterNote] = []
    for start, at, length, what in _laid_out(plan, BAR_QUARTERS[metre], step, chords):
        index = chord_at(chords, start)
        chord = chords[index]
        root = fit(nearest(chord.root, centre), low, high)
        pitch = root
        if start > chord.start + 1e-6:
            if what == "5":
                pitch = fit(root + (6 if "dim" in chord.quality else 7), low, high)
            elif what == "8":
                pitch = fit(root + 12, low, high)
            elif what == "3":
                pitch = fit(root + INTERVALS[chord.quality][1], low, high)
            elif what == "6":
                # Over a minor chord the seventh, which stays in the key.
                pitch = fit(root + (9 if INTERVALS[chord.quality][1] == 4 else 10), low, high)
            elif what == "t":
                pitch = fit(nearest(rng.choice(chord.pitch_classes), root + 4), low, high)
            elif what == "a":
                following = chords[min(index + 1, len(chords) - 1)].root
                pitch = fit(nearest(following, root) + rng.choice((-1, 1)), low, high)
        length = min(length, chord.end - start)
        notes.append(QuarterNote(start, length, pitch, velocity + accent(at, metre)))
    return notes
