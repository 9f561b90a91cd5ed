"""Made-up results of the tools that make new sounds, and of the one that writes down drums."""

from __future__ import annotations

import math
from typing import Any

from ..phrases import pick
from .asking import Asked

STEMS = ("vocals", "drums", "bass", "other")
_FAMILY_OF = {"vocals": ("voice", "choir"), "drums": ("drums",), "bass": ("bass",)}
_SHORTEST_S = 0.1


def cut_clip(asked: Asked) -> dict[str, Any]:
    """Cut as asked, or refuse in the tool's words times that are not in the recording."""
    lasts_s = math.floor(asked.duration_s * 100) / 100
    lasts = f"the recording lasts from 0 s to {lasts_s:g} s"
    start_s = float(asked.arguments.get("start_s", 0.0))
    end_s = float(asked.arguments.get("end_s", lasts_s))
    for name, time_s in (("start_s", start_s), ("end_s", end_s)):
        if time_s > lasts_s:
            return {"error": f"{name} = {time_s:g} s is not in the recording; {lasts}"}
    if end_s <= start_s:
        return {"error": f"start_s = {start_s:g} s must lie before end_s = {end_s:g} s; {lasts}"}
    if end_s - start_s < _SHORTEST_S:
        short = f"a part from {start_s:g} s to {end_s:g} s is too short"
        return {"error": f"{short}; cut at least {_SHORTEST_S:g} s"}
    return {
        "audio": asked.ids.audio(),
        "start_s": round(start_s, 2),
        "end_s": round(end_s, 2),
        "file": asked.ids.artefact(),
    }


def separate_stems(asked: Asked) -> dict[str, Any]:
    """Make up one stem and the rest, or four stems."""
    stem = asked.arguments.get("stem", "all")
    there = [name for name in STEMS if _is_there(asked, name)] or ["other"]
    if stem != "all":
        level_db = asked.rng.gauss(-14.0, 5.0) if stem in there else asked.rng.gauss(-42.0, 6.0)
        return {
            stem: asked.ids.artefact(),
            "rest": asked.ids.artefact(),
            "level_db": round(min(-1.0, level_db), 1),
            "confidence": asked.confidence(sure=stem in there and asked.chance(0.8)),
        }
    missing = [name for name in STEMS if name not in there]
    return {
        **{name: asked.ids.artefact() for name in STEMS},
        "loudest": pick(there, asked.rng),
        "silent": ", ".join(missing) or None,
        "confidence": asked.confidence(sure=asked.is_music and asked.chance(0.8)),
    }


def _is_there(asked: Asked, stem: str) -> bool:
    if not asked.is_music:
        return stem == "other"
    if asked.truth is None or not asked.truth.instruments:
        return asked.chance(0.8)
    families = set(asked.truth.families)
    known = {family for names in _FAMILY_OF.values() for family in names}
    return bool(families - known) if stem == "other" else not families.isdisjoint(_FAMILY_OF[stem])


def separate_like(asked: Asked) -> dict[str, Any]:
    """Make up what resembles an example, and what is left."""
    start_s = float(asked.arguments["example_start_s"])
    end_s = float(asked.arguments["example_end_s"])
    if refused := span_error(start_s, end_s, asked.duration_s):
        return refused
    return {
        "found": asked.ids.artefact(),
        "rest": asked.ids.artefact(),
        "level_db": round(min(-1.0, asked.rng.gauss(-17.0, 5.0)), 1),
        "confidence": asked.confidence(sure=asked.is_music and asked.chance(0.6)),
    }


def transcribe_drums(asked: Asked) -> dict[str, Any]:
    """Make up how often each piece of the kit is hit."""
    rng, truth = asked.rng, asked.truth
    if truth is not None and truth.instruments and "drums" not in truth.families:
        return {"error": "no drum hits were found"}
    bars = max(1.0, asked.duration_s / rng.uniform(1.5, 2.6))
    counts = [round(bars * rng.uniform(*span)) for span in ((1, 4), (1, 3), (2, 9), (0, 1.5))]
    return {
        "hit_count": sum(counts),
        "kick_count": counts[0],
        "snare_count": counts[1],
        "hihat_count": counts[2],
        "other_count": counts[3],
        "midi": asked.ids.artefact(),
        "picture": asked.ids.artefact(),
        "confidence": asked.confidence(sure=asked.is_music and asked.chance(0.85)),
    }


def no_end(last_s: float, duration_s: float) -> dict[str, Any]:
    """Refuse an end longer than the recording, as `analysis.excerpt.begins_s` does."""
    return {"error": f"there are no last {last_s:g} s; the recording lasts {duration_s:.1f} s"}


def span_error(start_s: float, end_s: float, duration_s: float) -> dict[str, Any] | None:
    """Refuse a span that is not in the recording, as `analysis.excerpt.check_span` does."""
    if start_s < min(end_s, duration_s):
        return None
    end_s = min(end_s, duration_s)
    lasts = f"the recording lasts {duration_s:.1f} s"
    return {"error": f"there is no span from {start_s:g} s to {end_s:g} s; {lasts}"}
