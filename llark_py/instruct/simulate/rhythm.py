"""Made-up results of the tools that measure tempo and beats."""

from __future__ import annotations

import math
from typing import Any

from ..phrases import pick
from .asking import Asked

_TEMPO_RANGE = (40.0, 220.0)
_TEMPO_FACTORS = (1.0,) * 17 + (0.5, 2.0, 1.5)
_METRES = ("4/4",) * 5 + ("3/4",) * 2 + ("6/8", "2/4", "5/4", "7/8", "12/8")
_BEATS_A_BAR = {"6/8": 2, "7/8": 7, "12/8": 4}
_P_STEADY = 0.6
_RUNNER_UP_FACTORS = (0.5, 0.5, 2.0, 2.0, 1.5, 2 / 3)


def estimate_tempo(asked: Asked) -> dict[str, Any]:
    """Make up a tempo, its runner-up and a number of beats."""
    bpm, sure = _draw_tempo(asked)
    return {
        "tempo_bpm": round(bpm, 1),
        "runner_up_bpm": round(bpm * pick(_RUNNER_UP_FACTORS, asked.rng), 1),
        "beat_count": _count_beats(bpm, asked),
        "confidence": asked.confidence(sure=sure),
    }


def track_beats(asked: Asked) -> dict[str, Any]:
    """Make up tempo, metre, beats and bars, and how steady it is."""
    rng, truth = asked.rng, asked.truth
    bpm, sure = _draw_tempo(asked)
    known = truth is not None and truth.time_signature is not None and asked.chance(0.9)
    metre = truth.time_signature if truth is not None and known else pick(_METRES, rng)
    beats = _count_beats(bpm, asked)
    per_bar = _BEATS_A_BAR.get(str(metre)) or int(str(metre).partition("/")[0])
    spread = 0.02 if asked.chance(_P_STEADY) else 0.3 * rng.random()
    return {
        "tempo_bpm": round(bpm, 1),
        "time_signature": metre,
        "beat_count": beats,
        "bar_count": max(1, beats // per_bar + pick((0, 0, 1), rng)),
        "slowest_bpm": round(bpm * (1 - spread * rng.random()), 1),
        "fastest_bpm": round(bpm * (1 + spread * rng.random()), 1),
        "confidence": asked.confidence(sure=sure),
        "click_track": asked.made("click_track"),
    }


def _draw_tempo(asked: Asked) -> tuple[float, bool]:
    """Draw a tempo, and whether the tool is sure of it: seldom where it has mistaken the level."""
    rng, truth = asked.rng, asked.truth
    low, high = _TEMPO_RANGE
    factor = 1.0
    if truth is None or truth.tempo_bpm is None:
        bpm = low * math.exp(rng.random() * math.log(high / low))
    else:
        factor = pick(_TEMPO_FACTORS, rng)
        bpm = min(high, max(low, truth.tempo_bpm * factor * rng.gauss(1.0, 0.003)))
    return bpm, asked.is_music and asked.chance(0.88 if factor == 1.0 else 0.5)


def _count_beats(bpm: float, asked: Asked) -> int:
    return max(2, round(bpm * asked.duration_s / 60.0) + pick((-1, 0, 0, 0, 1), asked.rng))
