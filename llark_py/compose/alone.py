"""One player of a piece alone: an unaccompanied singer, a bass line, the drums.

People give single tracks to listen to, and tools make them. Who has heard instruments in company
only takes a singer without a band for somebody who talks.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from .instruments import SINGER
from .score import Score
from .score_parts import Part
from .writing import NO_CHORD

_P_SINGER = 0.7
_LEAST_SOUNDING = 0.3
"""Share of a piece in which who is left alone has to play."""
_ACCOMPANIES, _TONES, _LEAST_CHORDS = ("chords", "pad"), 3, 0.6
"""Who accompanies with three tones in so many of the chords tells the harmony."""


def leave_alone(score: Score) -> Score:
    """Silence all players but one, who is drawn from the score's seed: mostly a singer, if any.

    Args:
        score: The piece.

    Returns:
        The piece with the parts of one instrument. Of what only the others told nothing is known
        any more: style, feel and form; chords and key unless the one who is left plays most chords.
        The piece as it is where nobody plays enough of it.
    """
    rng = random.Random(f"alone {score.seed}")
    played: dict[str, list[Part]] = {}
    for part in score.parts:
        played.setdefault(part.instrument, []).append(part)
    able = [name for name, parts in played.items() if _sounding(parts, score) >= _LEAST_SOUNDING]
    if not able:
        return score
    sung = SINGER.name in able and rng.random() < _P_SINGER
    name = SINGER.name if sung else rng.choice(sorted(able))
    left = tuple(played[name])
    harmony = _plays_chords(left, score)
    return replace(
        score,
        parts=left,
        lead=name if any(part.role == "melody" for part in left) else None,
        genre=None,
        feel=None,
        sections=(),
        chords=score.chords if harmony else (),
        keys=score.keys if harmony else (),
    )


def _sounding(parts: Sequence[Part], score: Score) -> float:
    """Share of the piece, counted in tenths of seconds, in which some parts have notes."""
    n = max(1, round(10 * score.duration_s))
    tenths = {
        t
        for part in parts
        for note in part.notes
        for t in range(int(10 * note.start_s), min(n, int(10 * note.end_s) + 1))
    }
    return len(tenths) / n


def _plays_chords(parts: Sequence[Part], score: Score) -> bool:
    notes = [note for part in parts if part.role in _ACCOMPANIES for note in part.notes]
    chords = [chord for chord in score.chords if chord.label != NO_CHORD]
    told = sum(
        len({n.pitch % 12 for n in notes if n.start_s < chord.end_s and n.end_s > chord.start_s})
        >= _TONES
        for chord in chords
    )
    return bool(chords) and told / len(chords) >= _LEAST_CHORDS
