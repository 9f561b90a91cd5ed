"""Pictures that tools make: who plays when, and how alike the moments of a song are.

Dark grey on an opaque pale ground, so that a picture reads the same on a light and a dark page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from llark_py.errors import MissingExtraError

if TYPE_CHECKING:
    from .find_sections import Part

GROUND, INK, COLOUR, LINE = "#f5f3ee", "#3d4148", "#2a6f97", "#c1440e"
WIDTH, DPI = 9.0, 120
_ROW, _MARGINS = 0.42, 1.1  # inches
_LEAST_LABELLED = 0.025  # of the song: what is shorter has no room for its label
_TICKS_S = (5, 10, 15, 30, 60, 120, 300)
_MOST_TICKS = 12
_HIGHEST_SIMILARITY = 99  # percentile that is drawn darkest


def draw_activity(
    activity: Mapping[str, np.ndarray],
    spans: Mapping[str, Sequence[tuple[float, float]]],
    frame_rate: float,
    duration_s: float,
    path: Path,
) -> None:
    """Draw when each family plays, a row for each: how surely as a curve, its spans as bars.

    Args:
        activity: By family, `(frames,)` probability that it sounds.
        spans: By family, in seconds, in the order of the rows.
        frame_rate: Frames per second.
        duration_s: Of the recording.
        path: The PNG file to write.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    figure = new_figure(WIDTH, _MARGINS + _ROW * max(2, len(spans)))
    axes = figure.subplots()
    for row, (family, played) in enumerate(spans.items()):
        curve = activity[family]
        seconds = (np.arange(len(curve)) + 0.5) / frame_rate
        foot = row + 0.4
        axes.fill_between(seconds, foot, foot - 0.8 * curve, color=COLOUR, alpha=0.3, linewidth=0)
        lengths = [(start, end - start) for start, end in played]
        axes.broken_barh(lengths, (foot - 0.14, 0.14), color=COLOUR, linewidth=0)
    axes.set(xlim=(0, duration_s), ylim=(max(2, len(spans)) - 0.5, -0.5))
    axes.set_yticks(range(len(spans)), list(spans))
    axes.set_title("who plays when (bars), and how surely (curves)", fontsize=10, color=INK)
    style_axes(axes, duration_s)
    axes.grid(axis="x", color=INK, alpha=0.15)
    figure.savefig(path, dpi=DPI, format="png")


def draw_similarity(
    similarity: np.ndarray, frame_rate: float, sections: Sequence[Part], path: Path
) -> None:
    """Draw how alike any two moments of a song are, with its sections.

    Args:
        similarity: `(moments, moments)` in [-1, 1].
        frame_rate: Moments per second.
        sections: Without gaps, in order.
        path: The PNG file to write.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    figure = new_figure(WIDTH * 0.8, WIDTH * 0.8)
    axes = figure.subplots()
    duration_s = sections[-1].end_s
    size_s = len(similarity) / frame_rate
    axes.imshow(
        similarity,
        cmap="Blues",
        vmin=0.0,
        vmax=max(float(np.percentile(similarity, _HIGHEST_SIMILARITY)), 1e-6),
        extent=(0, size_s, size_s, 0),
        interpolation="nearest",
    )
    for section in sections[1:]:
        axes.axvline(section.start_s, color=LINE, linewidth=1.2)
        axes.axhline(section.start_s, color=LINE, linewidth=1.2)
    axes.set(xlim=(0, duration_s), ylim=(duration_s, 0))
    style_axes(axes, duration_s)
    label_time(axes.yaxis, duration_s)
    above = axes.secondary_xaxis("top")
    named = [s for s in sections if s.end_s - s.start_s >= _LEAST_LABELLED * duration_s]
    above.set_xticks([(s.start_s + s.end_s) / 2 for s in named], [s.label for s in named])
    above.tick_params(length=0, colors=INK, labelsize=9)
    above.spines["top"].set_visible(False)
    axes.set_title("how alike the moments are (dark: alike), and the sections", fontsize=10)
    axes.title.set_color(INK)
    figure.savefig(path, dpi=DPI, format="png")


def new_figure(width: float, height: float) -> Any:
    """Make an empty picture, without the global state of pyplot."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib, which draws,", "pip install matplotlib") from error
    return Figure(figsize=(width, height), layout="constrained", facecolor=GROUND)


def style_axes(axes: Any, duration_s: float) -> None:
    """Give axes over seconds the colours of the house, and times as labels."""
    axes.set_facecolor(GROUND)
    axes.tick_params(colors=INK, labelsize=9)
    for spine in axes.spines.values():
        spine.set_color(INK)
        spine.set_alpha(0.4)
    label_time(axes.xaxis, duration_s)


def label_time(axis: Any, duration_s: float) -> None:
    """Label an axis of seconds as m:ss, at round times."""
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    fitting = (s for s in _TICKS_S if duration_s / s <= _MOST_TICKS)
    axis.set_major_locator(MultipleLocator(next(fitting, _TICKS_S[-1])))
    axis.set_major_formatter(FuncFormatter(lambda s, _: f"{int(s) // 60}:{int(s) % 60:02d}"))
