"""The tempo map: from quarters on the bar line grid to seconds; how time swings and gives way."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from dataclasses import dataclass

_STEP = 0.25  # of a beat: how finely a tempo that moves is drawn
_RUBATO = 0.05
_SLOWEST = 0.55


@dataclass(frozen=True)
class TempoMap:
    """Times of points on the grid; between two of them the tempo stands still."""

    quarters: tuple[float, ...]
    seconds: tuple[float, ...]

    def __call__(self, quarter: float) -> float:
        """Tell when a place on the grid sounds, in seconds from the start of the piece."""
        last = len(self.quarters) - 2
        i = min(max(bisect_right(self.quarters, quarter) - 1, 0), last)
        pace = (self.seconds[i + 1] - self.seconds[i]) / (self.quarters[i + 1] - self.quarters[i])
        return self.seconds[i] + (quarter - self.quarters[i]) * pace

    def scaled(self, factor: float) -> TempoMap:
        """Return the map of the same music taking `factor` times as long."""
        return TempoMap(self.quarters, tuple(s * factor for s in self.seconds))


def steady(quarter_bpm: float) -> TempoMap:
    """Make the map of a tempo that never moves."""
    return TempoMap((0.0, 1.0), (0.0, 60.0 / quarter_bpm))


def draw_tempo_map(
    quarter_bpm: float,
    beat: float,
    end: float,
    rng: random.Random,
    *,
    rubato: bool = False,
    ritardando: float = 0.0,
) -> TempoMap:
    """Draw how the tempo moves.

    Args:
        quarter_bpm: Quarter notes a minute where nothing moves.
        beat: Quarters of a beat.
        end: The quarter at which the music ends (the last chord begins).
        rng: Source of the choices.
        rubato: The tempo gives way in waves of a few bars, and comes back.
        ritardando: Over how many quarters before `end` the music slows down; 0 for none.
    """
    if not rubato and not ritardando:
        return steady(quarter_bpm)
    wave = rng.uniform(8.0, 16.0) * beat
    phase = rng.uniform(0.0, math.tau)
    depth = rng.uniform(0.5, 1.0) * _RUBATO if rubato else 0.0
    slowest = rng.uniform(_SLOWEST, 0.75)
    quarters, seconds = [0.0], [0.0]
    step = _STEP * beat
    while quarters[-1] < end + 8 * beat:
        at = quarters[-1]
        pace = 1.0 + depth * math.sin(math.tau * at / wave + phase)
        if ritardando and at >= end - ritardando:
            pace *= 1.0 - (1.0 - slowest) * min(1.0, (at - end + ritardando) / ritardando)
        quarters.append(at + step)
        seconds.append(seconds[-1] + step * 60.0 / (quarter_bpm * pace))
    return TempoMap(tuple(quarters), tuple(seconds))


def swing_place(quarter: float, swing: float) -> float:
    """Move a place on the grid by swing: the first half of a quarter takes the share `swing`."""
    whole = math.floor(quarter + 1e-6)
    part = max(0.0, quarter - whole)
    if part <= 0.5:
        return whole + part * 2 * swing
    return whole + swing + (part - 0.5) * 2 * (1 - swing)
