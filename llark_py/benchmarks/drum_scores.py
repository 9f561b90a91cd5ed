"""Scores strokes of drums: onsets within 50 ms (mir_eval), piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from llark_py.analysis.drum_pieces import PIECES, piece_of
from llark_py.track import DrumHit

TOLERANCE_S = 0.05
"""Strokes within so much of each other may be the same one (MIREX)."""
_SAME_S = 0.015
KIT = {
    **{name: name for name in ("kick", "snare", "closed hi-hat", "open hi-hat", "tom")},
    "crash cymbal": "crash cymbal",
    "ride cymbal": "ride cymbal",
    "rim shot": "snare",
}
"""Piece -> class of the drum kit that E-GMD was played on (Callender et al., arXiv 2004.00188).

Its three toms are one, as in `drum_pieces`; what a hand or another percussionist plays is left out.
"""
THREE = {
    "kick": "kick",
    "snare": "snare",
    "rim shot": "snare",
    "closed hi-hat": "closed hi-hat",
    "open hi-hat": "closed hi-hat",
}
"""Piece -> class of bass drum, snare drum and hi-hat, which most systems tell apart (Wu et al.,
"A review of automatic drum transcription", TASLP 2018)."""
Counts = dict[str, list[int]]
"""Piece -> how many strokes were found and are true, were found, are true."""


def true_strokes(hits: Iterable[DrumHit]) -> dict[str, np.ndarray]:
    """Sort the strokes of a composed track by what they are heard as.

    Pieces that are heard as one and struck together (within 15 ms) are one stroke.
    """
    times: dict[str, list[float]] = {}
    for hit in sorted(hits):
        there = times.setdefault(piece_of(hit.piece), [])
        if not there or hit.time_s - there[-1] > _SAME_S:
            there.append(hit.time_s)
    return {piece: np.array(there) for piece, there in times.items()}


def count_strokes(true: Iterable[DrumHit], found: Iterable[DrumHit]) -> Counts:
    """Count what was found and what is true; each stroke is matched once.

    Args:
        true: Pieces by the names of the composer.
        found: Pieces of `drum_pieces.PIECES`.
    """
    from mir_eval.util import match_events

    wanted, told = true_strokes(true), true_strokes(found)
    counts = {}
    for piece in PIECES:
        reference, estimate = (np.asarray(x.get(piece, ())) for x in (wanted, told))
        if len(reference) or len(estimate):
            right = 0
            if len(reference) and len(estimate):
                right = len(match_events(reference, estimate, TOLERANCE_S))
            counts[piece] = [right, len(estimate), len(reference)]
    return counts


def sum_counts(many: Iterable[Mapping[str, Sequence[int]]]) -> Counts:
    """Add the counts of many recordings."""
    total: Counts = {}
    for counts in many:
        for piece, numbers in counts.items():
            before = total.get(piece, [0, 0, 0])
            total[piece] = [a + b for a, b in zip(before, numbers, strict=True)]
    return total


def f_measure(right: int, found: int, true: int) -> float:
    """Harmonic mean of precision and recall; 1 where there is nothing and nothing was found."""
    return 2 * right / (found + true) if found + true else 1.0


def micro_f(counts: Mapping[str, Sequence[int]]) -> float:
    """F-measure of all strokes together."""
    return f_measure(*(sum(numbers[i] for numbers in counts.values()) for i in range(3)))


def macro_f(counts: Mapping[str, Sequence[int]]) -> float:
    """Mean F-measure of the pieces that are there."""
    return float(np.mean([f_measure(*numbers) for numbers in counts.values() if numbers[2]]))
