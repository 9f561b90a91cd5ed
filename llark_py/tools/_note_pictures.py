"""Pictures of what is played: notes as a piano roll, drums as a grid of pieces and bars."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from llark_py.analysis.drum_pieces import PIECES
from llark_py.theory import note_name
from llark_py.track import DrumHit, Note

from ._pictures import COLOUR, DPI, GROUND, INK, WIDTH, new_figure, style_axes

_ROLL_HEIGHT, _ROLL_ROOM = 4.2, 2  # inches; semitones above and below
_OCTAVE = 12
_MOST_SYSTEMS, _LEAST_BARS, _LEAST_S = 8, 4, 8.0
_ROW, _SYSTEM, _MARGIN = 0.17, 0.32, 0.5  # inches
_EARLY_S = 0.06
"""So much before its bar line a system begins: nobody strikes exactly on it."""
_TALLEST = 0.42  # of a row, each way
_MOST_NUMBERS = 8


def draw_roll(notes: Sequence[Note], start_s: float, end_s: float, path: Path) -> None:
    """Draw notes as bars over time and pitch, loud ones darker.

    Args:
        notes: At least one.
        start_s: Where the picture begins.
        end_s: Where it ends.
        path: The PNG file to write.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    figure = new_figure(WIDTH, _ROLL_HEIGHT)
    axes = figure.subplots()
    axes.barh(
        [n.pitch for n in notes],
        [n.end_s - n.start_s for n in notes],
        left=[n.start_s for n in notes],
        height=0.9,
        color=[(*_rgb(COLOUR), 0.35 + 0.65 * n.velocity / 127) for n in notes],
        linewidth=0,
    )
    low = min(n.pitch for n in notes) - _ROLL_ROOM
    high = max(n.pitch for n in notes) + _ROLL_ROOM
    style_axes(axes, end_s - start_s)
    axes.set(xlim=(start_s, end_s), ylim=(low - 0.5, high + 0.5))
    octaves = range(-(-low // _OCTAVE) * _OCTAVE, high + 1, _OCTAVE)
    axes.set_yticks(list(octaves), [note_name(pitch) for pitch in octaves])
    axes.grid(color=INK, alpha=0.15)
    axes.set_title("the notes (dark: loud)", fontsize=10, color=INK)
    figure.savefig(path, dpi=DPI, format="png")


def draw_strokes(
    hits: Sequence[DrumHit],
    beats_s: Sequence[float],
    downbeats_s: Sequence[float],
    duration_s: float,
    path: Path,
) -> None:
    """Draw strokes as a score of the kit: a row for each piece, bars one after another.

    Args:
        hits: At least one; pieces of `drum_pieces.PIECES`.
        beats_s: Where beats fall; may be empty.
        downbeats_s: Where bars begin; without them the picture is ruled in seconds only.
        duration_s: Of the recording.
        path: The PNG file to write.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    pieces = [piece for piece in PIECES if any(h.piece == piece for h in hits)]
    rows = {piece: len(pieces) - 1 - number for number, piece in enumerate(pieces)}
    edges = split_systems(downbeats_s, duration_s)
    longest_s = max(b - a for a, b in pairwise(edges))
    height = _MARGIN + (len(edges) - 1) * (_SYSTEM + _ROW * len(pieces))
    figure = new_figure(WIDTH, height)
    systems = figure.subplots(len(edges) - 1, squeeze=False)[:, 0]
    times = np.array([h.time_s for h in hits])
    places = np.array([rows[h.piece] for h in hits])
    sizes = np.array([0.12 + (_TALLEST - 0.12) * h.velocity / 127 for h in hits])
    for axes, start_s, end_s in zip(systems, edges, edges[1:], strict=False):
        style_axes(axes, longest_s)
        axes.axvspan(end_s, start_s + longest_s, color=INK, alpha=0.06, linewidth=0)
        here = [t for t in beats_s if start_s <= t < end_s]
        axes.vlines(here, -0.5, len(pieces) - 0.5, color=INK, alpha=0.12, linewidth=0.7)
        bars = [(n, t) for n, t in enumerate(downbeats_s, 1) if start_s <= t < end_s]
        axes.vlines(
            [t for _, t in bars], -0.5, len(pieces) - 0.5, color=INK, alpha=0.5, linewidth=0.9
        )
        struck = (times >= start_s) & (times < end_s)
        axes.vlines(
            times[struck],
            (places - sizes)[struck],
            (places + sizes)[struck],
            color=COLOUR,
            linewidth=1.8,
        )
        axes.set(xlim=(start_s, start_s + longest_s), ylim=(-0.5, len(pieces) - 0.5))
        axes.set_yticks([rows[p] for p in pieces], pieces)
        axes.tick_params(length=0, labelsize=7, pad=2)
        if bars:
            shown = bars[:: -(-len(bars) // _MOST_NUMBERS)]
            axes.set_xticks([t for _, t in shown], [str(n) for n, _ in shown])
    ruled = "bars numbered" if len(downbeats_s) > 1 else "no steady beat: minutes and seconds"
    systems[0].set_title(f"the strokes (tall: hard), {ruled}", fontsize=10, color=INK)
    figure.savefig(path, dpi=DPI, format="png", facecolor=GROUND)


def split_systems(downbeats_s: Sequence[float], duration_s: float) -> list[float]:
    """Break a recording into at most about eight systems of whole bars, or of seconds.

    Returns:
        The edges in seconds, from 0 to the end of the recording.
    """
    if len(downbeats_s) > 1:
        bars = max(_LEAST_BARS, -(-len(downbeats_s) // _MOST_SYSTEMS))
        inner = [t - _EARLY_S for t in downbeats_s[bars::bars]]
    else:
        step_s = max(_LEAST_S, duration_s / _MOST_SYSTEMS)
        inner = [float(t) for t in np.arange(step_s, duration_s - 1.0, step_s)]
    return [0.0, *inner, duration_s]


def _rgb(colour: str) -> tuple[float, float, float]:
    """Read a colour such as `#2a6f97`."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue
