"""Ornaments of a melody: grace notes, turns and trills between the notes of the scale."""

from __future__ import annotations

import random

from .accompaniment import QuarterNote, chord_at
from .harmony import Harmony, scale_over

_GRACE_S = 0.07
_TRILL_S = 0.115
_LONG = 1.4  # quarters a note must last to be trilled
_SOFTER = 12


def _neighbour(pitch: int, scale: frozenset[int], direction: int) -> int:
    """The next pitch of a scale above (1) or below (-1)."""
    return next(
        pitch + direction * s for s in (1, 2, 3, 4) if (pitch + direction * s) % 12 in scale
    )


def ornament(
    notes: list[QuarterNote],
    chords: list[Harmony],
    quarter_bpm: float,
    key: tuple[int, str],
    often: float,
    rng: random.Random,
) -> list[QuarterNote]:
    """Adorn a melody.

    Args:
        notes: The melody, in order.
        chords: The harmony under it.
        quarter_bpm: Quarter notes a minute.
        key: (tonic pitch class, mode).
        often: How likely a note that can carry an ornament gets one, 0 to 1.
        rng: Source of the choices.
    """
    grace = _GRACE_S * quarter_bpm / 60.0
    trill = _TRILL_S * quarter_bpm / 60.0
    adorned: list[QuarterNote] = []
    for note in notes:
        if note.length < 4 * grace or rng.random() >= often:
            adorned.append(note)
            continue
        scale = scale_over(chords[chord_at(chords, note.start)], *key)
        above, below = (_neighbour(note.pitch, scale, d) for d in (1, -1))
        soft = note.velocity - _SOFTER
        kind = rng.choice(("grace", "turn", "trill" if note.length >= _LONG else "grace"))
        if kind == "grace":
            # Before the beat, so that the beat keeps its note.
            pitch = rng.choice((above, below))
            if note.start >= grace:
                adorned.append(QuarterNote(note.start - grace, grace, pitch, soft))
            adorned.append(note)
        elif kind == "turn":
            figure = (note.pitch, rng.choice((above, below)))
            for i, pitch in enumerate(figure):
                adorned.append(QuarterNote(note.start + i * grace, grace, pitch, note.velocity))
            left = note.length - 2 * grace
            adorned.append(note._replace(start=note.start + 2 * grace, length=left))
        else:
            count = int(note.length / trill)
            for i in range(count):
                last = i == count - 1
                length = note.length - i * trill if last else trill
                pitch = above if i % 2 and not last else note.pitch
                loud = note.velocity if i == 0 else soft
                adorned.append(QuarterNote(note.start + i * trill, length, pitch, loud))
    return adorned
