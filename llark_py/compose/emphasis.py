"""Moves the weight of a written piece away from the beat, as bands do that push or play off-beat.

The patterns are loudest on the beat. Heard alone they teach that what is loud is the beat, and then
a guitar that accents the eighths between, or a band that strikes the coming bar half a beat early,
is counted half a beat off.
"""

from __future__ import annotations

import random

from .accompaniment import QuarterNote, accent
from .drums import KICK, SOFTER_BETWEEN, TICKS
from .patterns import BAR_QUARTERS, BEAT_QUARTERS
from .style import Style
from .writing import Piece

EARLY_QUARTERS = 0.5
_P_PIECE, _P_SYNCOPATED = 0.2, 0.5
_LEANS = {"level": 0.5, "between": 0.3, "on": 0.2}
_P_EARLY, _P_EARLY_KICK = 0.5, 0.4
_LOUDER_BETWEEN = 12


def emphasise(piece: Piece, style: Style, metre: str, rng: random.Random) -> Piece:
    """Draw where the parts of a piece have their weight; most pieces stay as they are written.

    Chords, beats and every other fact stay where the bar lines put them: a chord that is struck
    early is still counted from its bar.

    Args:
        piece: What was written.
        style: A syncopated style is moved more often.
        metre: The time signature.
        rng: Source of the choices.
    """
    if rng.random() >= _P_PIECE + _P_SYNCOPATED * style.syncopation:
        return piece
    bar = BAR_QUARTERS[metre]
    places = rng.choice(((0.0,), (0.0,), (bar / 2,), (0.0, bar / 2)))
    can_push = metre != "6/8"
    parts = []
    for i, part in enumerate(piece.parts):
        lean = rng.choices(list(_LEANS), list(_LEANS.values()))[0]
        early = rng.random() < (_P_EARLY_KICK if part.role == "drums" else _P_EARLY)
        # Where nobody keeps the beat, nobody can be early.
        kept = any(p.role in ("drums", "bass") for p in piece.parts[:i] + piece.parts[i + 1 :])
        if part.role not in ("chords", "bass", "drums"):
            parts.append(part)
            continue
        if not kept and lean == "between":
            lean = "level"
        notes = [_leaning(n, lean, metre, drums=part.role == "drums") for n in part.notes]
        if early and kept and can_push:
            notes = _pushed(notes, bar, places, drums=part.role == "drums")
        parts.append(part._replace(notes=notes))
    return piece._replace(parts=parts)


def _leaning(note: QuarterNote, lean: str, metre: str, *, drums: bool) -> QuarterNote:
    """Take a note's accent away, or give it to what lies between the beats."""
    if lean == "on":
        return note
    at = note.start % BAR_QUARTERS[metre]
    beat = BEAT_QUARTERS[metre]
    between = min(at % beat, beat - at % beat) > 1e-6
    if drums:
        change = SOFTER_BETWEEN if between and note.pitch in TICKS else 0
    else:
        change = -accent(at, metre)
    if lean == "between" and between and (not drums or note.pitch in TICKS):
        change += _LOUDER_BETWEEN
    return note._replace(velocity=note.velocity + change)


def _pushed(
    notes: list[QuarterNote], bar: float, places: tuple[float, ...], *, drums: bool
) -> list[QuarterNote]:
    """Let what begins at some places of the bar begin an eighth early, and end where it did."""

    def is_early(note: QuarterNote) -> bool:
        here = any(abs(note.start % bar - place) < 1e-6 for place in places)
        return here and note.start > EARLY_QUARTERS and (not drums or note.pitch == KICK)

    ahead = {round(n.start - EARLY_QUARTERS, 3) for n in notes if is_early(n)}
    moved = []
    for note in notes:
        if is_early(note):
            start, length = note.start - EARLY_QUARTERS, note.length + EARLY_QUARTERS
            moved.append(note._replace(start=start, length=length))
        elif drums:
            moved.append(note)
        elif not any(0 <= note.start - a < EARLY_QUARTERS - 1e-6 for a in ahead):
            # Nothing sounds on from before into what comes early.
            stop = min((a for a in ahead if a > note.start), default=note.start + note.length)
            moved.append(note._replace(length=min(note.length, stop - note.start)))
    return sorted(moved, key=lambda n: n.start)
