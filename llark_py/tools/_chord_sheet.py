"""Chords as musicians read them: names, and a sheet with four bars a line."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from llark_py.instruct.facts import chord_symbol
from llark_py.track import Chord

_BARS_A_LINE = 4
_SHORTEST_S = 0.15
"""What sounds for less in a bar belongs to the bar beside it."""
_NO_CHORD = "N.C."


def write_sheet(chords: Sequence[Chord], bars_s: Sequence[float], key: str) -> str:
    """Write a chord sheet: `0:08 | Am | F | C G | G |`.

    Args:
        chords: In order and without gaps, at least one.
        bars_s: Where bars begin, in seconds; where there are none each chord gets a bar.
        key: The chords are spelled in it.
    """
    start_s, end_s = chords[0].start_s, chords[-1].end_s
    begins = list(bars_s) or [c.start_s for c in chords]
    inner = [t for t in begins if start_s + _SHORTEST_S < t < end_s - _SHORTEST_S]
    bars = list(pairwise([start_s, *inner, end_s]))
    lines = []
    for first in range(0, len(bars), _BARS_A_LINE):
        line = bars[first : first + _BARS_A_LINE]
        cells = " | ".join(_cell(chords, *bar, key) for bar in line)
        seconds = int(line[0][0])
        lines.append(f"{seconds // 60}:{seconds % 60:02} | {cells} |")
    return "\n".join(lines)


def _cell(chords: Sequence[Chord], start_s: float, end_s: float, key: str) -> str:
    shared = [(min(c.end_s, end_s) - max(c.start_s, start_s), c.label) for c in chords]
    sounding = [label for length_s, label in shared if length_s >= _SHORTEST_S]
    return " ".join(chord_symbol(label, key) or _NO_CHORD for label in sounding or [max(shared)[1]])
