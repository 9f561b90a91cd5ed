"""Made-up results of the tools that measure tempo and beats."""

from __future__ import annotations

import math
from typing import Any

from ..phrases import pick
from .asking import Asked

_TEMPO_RANGE = (40.0, 220.0)
_TEMPO_FACTORS = (1.0,) * 17 + (0.5, 2.0, 1.5)
_RUNNER_UP_FACTORS = (0.5, 0.5, 2.0, 2.0, 1.5, 2 / 3)


def estimate_tempo(asked: Asked) -> dict[str, Any]:
    """Make up a tempo, its runner-up and a number of beats."""
    rng, truth = asked.rng, asked.truth
    low, high = _TEMPO_RANGE
    factor = 1.0
    if truth is None or truth.tempo_bpm is None:
        bpm = low * math.exp(rng.random() * math.log(high / low))
    else:
        factor = pick(_TEMPO_FACTORS, rng)
        bpm = min(high, max(low, truth.tempo_bpm * factor * rng.gauss(1.0, 0.003)))
    runner_up = bpm * pick(_RUNNER_UP_FACTORS, rng)
    sure = asked.is_music and asked.chance(0.88 if factor == 1.0 else 0.5)
    count = max(2, round(bpm * asked.duration_s / 60.0) + pick((-1, 0, 0, 0, 1), rng))
    return {
        "tempo_bpm": round(bpm, 1),
        "runner_up_bpm": round(runner_up, 1),
        "beat_count": count,
        "confidence": asked.confidence(sure=sure),
    }
