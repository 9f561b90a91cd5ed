"""Made-up results of the tools that measure key and chords."""

from __future__ import annotations

from typing import Any

from llark_py.theory import KEYS, SHARP_NAMES, key_index, parse_key, roman_numeral
from llark_py.track import Chord

from ..facts import chord_symbol, key_at
from ..listing import list_modulations
from ..phrases import pick
from ..timeline import Timeline
from .asking import Asked
from .making import span_error

_MOST_CYCLE = 8
_P_MODULATES = 0.5
# Degrees in semitones above the tonic, with their qualities, that songs go round in.
_CYCLES = {
    "major": (
        "0 7 9m 5",
        "9m 5 0 7",
        "2m 7 0",
        "0 5 7",
        "0 9m 5 7",
        "0 4m 5 7",
        "0 5",
        "0 2m 7 4 9m",
    ),
    "minor": ("0m 8 3 10", "0m 10 8 7", "0m 5m 7", "0m 8 10", "0m 3 10 5m", "0m 2dim 7", "0m 5m"),
}
_QUALITIES = {"": "", "m": ":min", "dim": ":dim"}


def estimate_key(asked: Asked) -> dict[str, Any]:
    """Make up a key and its runner-up."""
    rng, truth = asked.rng, asked.truth
    right = True
    if truth is None or truth.key is None:
        index = int(rng.random() * 24)
    else:
        index = key_index(truth.key)
        right = asked.chance(0.88)
        if not right:
            index = pick(_neighbours(index), rng)
    runner_up = pick(_neighbours(index), rng)
    sure = asked.is_music and asked.chance(0.88 if right else 0.35)
    return {
        "key": KEYS[index],
        "runner_up": KEYS[runner_up],
        "confidence": asked.confidence(sure=sure),
        "modulations": _modulations(KEYS[index], asked),
        "tuning_cents": round(rng.gauss(0.0, 12.0), 1),
    }


def recognize_chords(asked: Asked) -> dict[str, Any]:
    """Make up a progression, with the chords at both ends."""
    rng = asked.rng
    start_s, end_s = (asked.arguments.get(name) for name in ("start_s", "end_s"))
    if refused := span_error(start_s or 0.0, end_s or asked.duration_s, asked.duration_s):
        return refused
    # A part may have other chords than the facts list for the whole.
    truth = asked.truth if start_s is None is end_s else None
    labels: list[str] = []
    key = pick(KEYS, rng)
    if truth is not None and truth.key and truth.chords:
        key, labels = truth.key, _once_round(truth.chords)
    if not labels:
        labels = _draw_cycle(key, asked)
    symbols = [str(chord_symbol(label, key)) for label in labels]
    sure = asked.is_music and asked.chance(0.85)
    return {
        "progression": " - ".join(symbols),
        "degrees": " ".join(roman_numeral(label, key) for label in labels),
        "key": key,
        "first_chord": symbols[0],
        "last_chord": pick(symbols, rng),
        "different_count": len(set(symbols)) + pick((0, 0, 0, 1, 2), rng),
        "confidence": asked.confidence(sure=sure),
        "midi": asked.ids.artefact(),
    }


def _once_round(chords: tuple[Chord, ...]) -> list[str]:
    """Give the labels of the tool (plain triads) in order, each change once, once round."""
    named = [c.label for c in chords if c.label not in ("N", "X")]
    changes = [b for a, b in zip([None, *named], named, strict=False) if a != b]
    for period in range(2, _MOST_CYCLE + 1):
        repeats = all(changes[i] == changes[i - period] for i in range(period, len(changes)))
        if repeats and len(changes) > period:
            return changes[:period]
    return changes[:_MOST_CYCLE]


def _draw_cycle(key: str, asked: Asked) -> list[str]:
    tonic, mode = parse_key(key)
    labels = []
    for step in pick(_CYCLES[mode], asked.rng).split():
        degree = step.rstrip("dim")
        quality = _QUALITIES[step[len(degree) :]]
        labels.append(SHARP_NAMES[(tonic + int(degree)) % 12] + quality)
    return labels


def _modulations(key: str, asked: Asked) -> str | None:
    truth = asked.timed_truth
    if truth is not None and truth.keys:
        timeline = Timeline(truth)
        keys = [(0.0, key)]
        keys += [(t, str(key_at(truth, t + 1e-3))) for t in timeline.key_changes]
    elif asked.chance(_P_MODULATES):
        times = sorted(asked.rng.random() for _ in range(pick((1, 1, 2), asked.rng)))
        index = key_index(key)
        keys = [(0.0, key)]
        for time in times:
            index = pick([i for i in _neighbours(index) if i != index], asked.rng)
            keys.append((time * asked.duration_s, KEYS[index]))
    else:
        keys = [(0.0, key)]
    return list_modulations(keys, asked.duration_s)


def _neighbours(index: int) -> list[int]:
    """List the keys that are easily taken for a key: relative, parallel, fifths up and down."""
    tonic, minor = index % 12, index // 12
    relative = (tonic + (3 if minor else 9)) % 12 + (0 if minor else 12)
    parallel = tonic + (0 if minor else 12)
    fifths = [(tonic + 7) % 12 + 12 * minor, (tonic + 5) % 12 + 12 * minor]
    return [relative, relative, parallel, *fifths]
