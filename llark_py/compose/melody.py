"""Melodies: motifs that repeat, chord tones on the beat, steps between, and phrases that end."""

from __future__ import annotations

import random

from .accompaniment import QuarterNote, accent, chord_at
from .harmony import Harmony, fit, nearest, scale_over
from .patterns import BAR_QUARTERS, BEAT_QUARTERS

# Note lengths that fill a beat, from calm to busy; in quarters.
_CELLS = {
    "simple": (
        ((2.0,), (1.0,), (1.0,), (3.0,)),
        ((1.0,), (0.5, 0.5), (1.0,), (2.0,)),
        ((0.5, 0.5), (1.0,), (1.5, 0.5), (0.5, 0.5)),
        ((0.5, 0.5), (0.25, 0.25, 0.5), (0.5, 0.25, 0.25), (0.75, 0.25), (0.5, 0.5)),
    ),
    "compound": (
        ((3.0,), (1.5,), (1.5,)),
        ((1.0, 0.5), (1.5,), (0.5, 1.0)),
        ((0.5, 0.5, 0.5), (1.0, 0.5), (1.5,)),
        ((0.5, 0.5, 0.5), (0.5, 0.5, 0.25, 0.25), (0.25, 0.25, 0.5, 0.5)),
    ),
}
# Lengths that put the weight between the beats, calm or busy.
_SYNCOPATED = (
    ((0.5, 1.0, 0.5), (1.5, 0.5), (0.75, 0.75, 0.5), (1.0,)),
    ((0.25, 0.5, 0.25), (0.5, 1.0, 0.5), (0.75, 0.75, 0.5), (0.5, 0.5)),
)
_REST = 0.1
_PHRASE_BARS = 4


def _motif(
    metre: str, busy: int, syncopation: float, rng: random.Random
) -> list[tuple[float, float]]:
    """Draw the rhythm of one bar: (place, length) of its notes, rests left out."""
    cells = _CELLS["compound" if metre == "6/8" else "simple"][busy]
    if metre != "6/8" and rng.random() < syncopation:
        cells = _SYNCOPATED[busy >= 2]
    notes: list[tuple[float, float]] = []
    at, end = 0.0, BAR_QUARTERS[metre]
    while at < end - 1e-6:
        for length in rng.choice(cells):
            length = min(length, end - at)
            if length <= 1e-6:
                break
            if at == 0 or rng.random() > _REST:
                notes.append((at, length))
            at += length
    return notes


def write_melody(
    metre: str,
    chords: list[Harmony],
    n_bars: int,
    quarter_bpm: float,
    register: tuple[int, int, int],
    velocity: int,
    key: tuple[int, str],
    rng: random.Random,
    busy: int | None = None,
    syncopation: float = 0.0,
) -> list[QuarterNote]:
    """Write a melody over the chords.

    Args:
        metre: The time signature.
        chords: The harmony, equally long chords from time 0.
        n_bars: How many bars to write.
        quarter_bpm: Quarter notes a minute; fast music gets calmer rhythms.
        register: (centre, low, high) MIDI pitches.
        velocity: Middle velocity.
        key: (tonic pitch class, mode).
        rng: Source of the choices.
        busy: 0 calm to 3 busy; drawn when None.
        syncopation: How often a motif has its weight between the beats.
    """
    centre, low, high = register
    bar = BAR_QUARTERS[metre]
    beat = BEAT_QUARTERS[metre]
    if busy is None:
        busy = rng.choice((0, 1, 1, 2, 2, 3))
    if quarter_bpm > 130:
        busy = min(busy, 2)
    elif quarter_bpm < 70:
        busy = max(busy, 1)
    motifs = [_motif(metre, busy, syncopation, rng) for _ in range(2)]
    order = rng.choice(((0, 0, 1, 0), (0, 1, 0, 1), (0, 0, 0, 1), (0, 1, 1, 0)))
    scales = {c[2:]: scale_over(c, *key) for c in set(chords)}
    low, high = max(low, centre - 11), min(high, centre + 13)
    pitch = fit(nearest(key[0], centre), low, high)
    drift = rng.choice((-1, 1))
    notes: list[QuarterNote] = []
    for number in range(n_bars):
        rhythm = motifs[order[number % 4]]
        if number % _PHRASE_BARS == _PHRASE_BARS - 1:
            # The phrase ends on a long note in the second half of its last bar.
            rhythm = [n for n in rhythm if n[0] < bar / 2 - 1e-6] + [(bar / 2, bar / 2 * 0.8)]
        if number % 2 == 0:
            drift = -drift
        for at, length in rhythm:
            start = number * bar + at
            chord = chords[chord_at(chords, start)]
            on_beat = at % beat < 1e-6 or length >= beat
            aim = pitch + drift * rng.choice((0, 2, 2, 4)) + rng.choice((-1, 0, 1))
            if on_beat:
                options = [nearest(p, aim) for p in chord.pitch_classes[:3]]
            else:
                options = [
                    p
                    for step in (1, 2, 3, -1, -2, -3)
                    if (p := pitch + step) % 12 in scales[chord[2:]]
                ]
                options = [p for p in options if (p - pitch) * drift > 0] or options
            options = [p for p in options if low <= p <= high] or [
                fit(nearest(chord.root, centre), low, high)
            ]
            pitch = min(options, key=lambda p: abs(p - aim)) if on_beat else rng.choice(options)
            if pitch >= high - 3:
                drift = -1
            elif pitch <= low + 3:
                drift = 1
            loud = velocity + accent(at, metre) // 2 + rng.randint(-5, 5)
            notes.append(QuarterNote(start, length * 0.95, pitch, loud))
    return notes


def write_figuration(
    metre: str,
    chords: list[Harmony],
    n_bars: int,
    quarter_bpm: float,
    register: tuple[int, int, int],
    velocity: int,
    key: tuple[int, str],
    rng: random.Random,
) -> list[QuarterNote]:
    """Write one unaccompanied line that spells out every chord, as a solo cello suite does.

    Arguments as in `write_melody`.
    """
    centre, low, high = register
    step = 0.25 if quarter_bpm < 84 else 0.5
    contour = rng.choice(
        ((0, 1, 2, 3, 2, 1), (0, 2, 1, 2), (2, 1, 0, 1), (0, 1, 2, 1), (3, 2, 1, 0))
    )
    notes: list[QuarterNote] = []
    for chord in chords:
        if chord.start >= n_bars * BAR_QUARTERS[metre]:
            break
        scale = scale_over(chord, *key)
        ladder = [fit(nearest(chord.root, centre - 5), low, high)]
        for pitch_class in (*chord.pitch_classes[1:3], chord.root):
            ladder.append(fit(ladder[-1] + ((pitch_class - ladder[-1]) % 12 or 12), low, high))
        count = round((chord.end - chord.start) / step)
        i = 0
        while i < count:
            at = chord.start + i * step
            pitch = ladder[0] if i == 0 else ladder[contour[i % len(contour)]]
            held = 2 if rng.random() < 0.15 and i + 1 < count else 1
            if i % 2 and rng.random() < 0.3:
                pitch = next((pitch + s for s in (-1, -2) if (pitch + s) % 12 in scale), pitch)
            loud = velocity + accent(at % BAR_QUARTERS[metre], metre)
            notes.append(QuarterNote(at, step * held * 0.95, fit(pitch, low, high), loud))
            i += held
    return notes
