"""Made-up results of the tool that finds sections."""

from __future__ import annotations

from string import ascii_uppercase
from typing import Any

from ..listing import list_parts
from ..phrases import pick
from ..timeline import Timeline
from .asking import Asked

_SHORTEST_S, _LEAST_TIME_S = 20.0, 5.0
_NAMED = ("intro", "chorus", "outro")
_LETTERS = "AAABBBCCD"
_P_INTRO, _P_CHORUS, _P_OUTRO = 0.55, 0.6, 0.5
_MEAN_SECTION_S = 22.0


def find_sections(asked: Asked) -> dict[str, Any]:
    """Make up sections: names where the tool can tell them, letters elsewhere."""
    if asked.duration_s < _SHORTEST_S:
        return {"error": f"the recording is shorter than {_SHORTEST_S:g} seconds"}
    timeline = Timeline(asked.timed_truth) if asked.timed_truth else None
    if timeline and timeline.sections:
        labels = list(dict.fromkeys(s.label for s in timeline.sections))
        unnamed = [label for label in labels if label not in (*_NAMED, *ascii_uppercase)]
        letters = dict(zip(unnamed, ascii_uppercase, strict=False))
        parts = [(s.start_s, letters.get(s.label, s.label)) for s in timeline.sections]
        parts[0] = (0.0, parts[0][1])  # the tool leaves no time out
    else:
        parts = _draw_parts(asked)
    return {
        "parts": list_parts(parts, asked.duration_s),
        "section_count": len(parts),
        "picture": asked.made("picture"),
    }


def _draw_parts(asked: Asked) -> list[tuple[float, str]]:
    rng = asked.rng
    count = max(1, round(asked.duration_s / _MEAN_SECTION_S * (0.6 + 0.8 * rng.random())))
    inner = sorted(rng.random() * asked.duration_s for _ in range(count - 1))
    starts = [0.0]
    starts += [t for t in inner if _LEAST_TIME_S < t < asked.duration_s - _LEAST_TIME_S]
    kept = starts[:1]
    for start in starts[1:]:
        if start - kept[-1] >= _LEAST_TIME_S:
            kept.append(start)
    pool = [*_LETTERS, *(["chorus"] * 5 if asked.chance(_P_CHORUS) else [])]
    labels = [pick(pool, rng) for _ in kept]
    if len(kept) > 2 and asked.chance(_P_INTRO):
        labels[0] = "intro"
    if len(kept) > 2 and asked.chance(_P_OUTRO):
        labels[-1] = "outro"
    # The tool gives letters in the order in which the sections come.
    letters = dict.fromkeys(label for label in labels if label not in _NAMED)
    order = dict(zip(letters, ascii_uppercase, strict=False))
    return [(start, order.get(label, label)) for start, label in zip(kept, labels, strict=True)]
