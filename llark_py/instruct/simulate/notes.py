"""Made-up results of the tools that write down notes."""

from __future__ import annotations

import math
from typing import Any

from llark_py.theory import note_name

from ..phrases import pick
from .asking import Asked
from .making import span_error


def transcribe_notes(asked: Asked) -> dict[str, Any]:
    """Make up how many notes there are, and from where to where they go."""
    rng, truth = asked.rng, asked.truth
    start_s = float(asked.arguments.get("start_s", 0.0))
    end_s = float(asked.arguments.get("end_s", asked.duration_s))
    if refused := span_error(start_s, end_s, asked.duration_s):
        return refused
    share = (end_s - start_s) / asked.duration_s
    if truth is None or not truth.notes:
        count = round(math.exp(rng.uniform(math.log(3), math.log(3000))))
        low = 24 + int(rng.random() * 40)
        high = low + 3 + int(rng.random() * 44)
    else:
        count = max(1, round(min(1.0, share) * len(truth.notes) * rng.gauss(0.95, 0.1)))
        pitches = [n.pitch for n in truth.notes]
        low = min(pitches) + pick((0, 0, 0, 0, 12, -12, 1), rng)
        high = max(max(pitches) + pick((0, 0, 0, 0, 12, -12, -1), rng), low)
    return {
        "note_count": count,
        "lowest_note": note_name(low),
        "highest_note": note_name(high),
        "midi": asked.ids.artefact(),
    }
