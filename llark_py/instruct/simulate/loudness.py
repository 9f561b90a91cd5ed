"""Made-up results of the tool that measures how loud a recording is."""

from __future__ import annotations

from typing import Any

from .asking import Asked

_SHORTEST_FOR_RANGE_S = 3.0
_P_MONO, _P_LIMITED = 0.15, 0.6


def measure_loudness(asked: Asked) -> dict[str, Any]:
    """Make up levels and a balance; nothing of them is among the facts of a track."""
    rng = asked.rng
    lufs = max(-45.0, min(-4.0, rng.gauss(-14.5, 5.5)))
    peak = rng.gauss(-1.0, 1.6) if asked.chance(_P_LIMITED) else rng.uniform(-12.0, 1.0)
    peak = min(1.8, max(lufs + 3.0, peak if lufs > -25 else lufs + 12.0))
    bass = int(100 * rng.betavariate(2.5, 3.0))
    treble = int((100 - bass) * rng.betavariate(1.2, 7.0))
    lasts = asked.duration_s >= _SHORTEST_FOR_RANGE_S
    return {
        "loudness_lufs": round(lufs, 1),
        "loudness_range_lu": round(20 * rng.betavariate(1.8, 3.5), 1) if lasts else None,
        "true_peak_dbtp": round(peak, 1),
        "crest_factor_db": round(6 + 16 * rng.betavariate(3, 3), 1),
        "bass_percent": bass,
        "treble_percent": treble,
        "stereo_width_percent": 0 if asked.chance(_P_MONO) else int(50 * rng.betavariate(1.5, 4.0)),
    }
