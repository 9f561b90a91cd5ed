"""Made-up results of the tools that tell who plays and who sings."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, NamedTuple

from llark_py.compose.instruments import FAMILIES, INSTRUMENTS
from llark_py.track import Track

from ..facts import FAMILY_WORDS
from ..family_names import family_named
from ..listing import LISTED_PLAYER, MOST_PLAYERS, list_players, list_spans
from ..phrases import pick
from ..timeline import PAUSE_S, Timeline
from .asking import LOW_CONFIDENCE, Asked

_P_MISSED, _P_FROM_START, _P_TO_END = 0.06, 0.5, 0.6
_P_LEAD, _P_SINGER, _P_CHOIR = 0.8, 0.5, 0.12
_MOST_DRAWN, _SPANS_DRAWN = 6, 5
_TYPICAL_ERROR_S = 0.5
_UNHEARD = 0.3
PLAYER_WORDS = {**FAMILY_WORDS, "voice": "voice"}
"""What families are called where it is told who plays when, if not by their own names."""

Span = tuple[float, float]


def detect_instruments(asked: Asked) -> dict[str, Any]:
    """Make up which families play from when to when, and who leads; or when one of them does."""
    truth = asked.timed_truth
    if truth is not None and truth.instruments:
        spans, lead = _family_spans(truth, asked), truth.lead
    else:
        spans, lead = _draw_families(asked), pick(INSTRUMENTS, asked.rng)
        if not asked.chance(_P_LEAD):
            lead = None
    by_start = sorted(spans.items(), key=lambda item: item[1])[:MOST_PLAYERS]
    players = [
        (family, *span, asked.confidence(sure=asked.chance(0.85))) for family, span in by_start
    ]
    result = {
        "plays": list_players(players, asked.duration_s),
        "lead": lead,
        "lead_confidence": asked.confidence(sure=asked.chance(0.7)) if lead else None,
        "picture": asked.made("picture"),
    }
    family = family_named(asked.arguments.get("instrument", ""))
    return result if family is None else tell_one(family, result, asked.rng)


class Player(NamedTuple):
    """A family of a result, with the times at which it is first and last heard."""

    family: str
    start: str
    end: str
    confidence: str

    @property
    def word(self) -> str:
        """What the family is called in a sentence."""
        return PLAYER_WORDS.get(self.family, self.family)

    @property
    def is_sure(self) -> bool:
        """Whether it can be said without a doubt."""
        return float(self.confidence) >= LOW_CONFIDENCE


def read_players(result: Mapping[str, Any]) -> list[Player]:
    """Read the families that a result lists."""
    return [Player(*found) for found in LISTED_PLAYER.findall(result["plays"])]


def tell_one(family: str, result: Mapping[str, Any], rng: Random) -> dict[str, Any]:
    """Tell of one family what a result says of all; who is not heard has a low confidence."""
    player = next((p for p in read_players(result) if p.family == family), None)
    if player is None:
        confidence = round(_UNHEARD * rng.random(), 2)
        silent = {"enters": None, "leaves": None, "confidence": confidence}
        return {"family": family, **silent, "plays": result["plays"]}
    return {
        "family": family,
        "enters": player.start,
        "leaves": player.end,
        "confidence": float(player.confidence),
    }


def detect_vocals(asked: Asked) -> dict[str, Any]:
    """Make up whether and when somebody sings, and whether a choir does."""
    truth = asked.timed_truth
    if truth is not None and truth.instruments:
        timeline = Timeline(truth)
        singers = [i.name for i in truth.instruments if i.family == "voice"]
        spans = timeline.spans.get(singers[0], []) if singers else []
        spans = [(a, min(b, asked.duration_s)) for a, b in spans]
        choir = "choir" in truth.families
    else:
        spans = _draw_spans(asked) if asked.chance(_P_SINGER) else []
        choir = asked.chance(_P_CHOIR)
    sung_s = sum(end - start for start, end in spans)
    return {
        "singing": bool(spans),
        "confidence": asked.confidence(sure=asked.chance(0.88)),
        "sung": list_spans(spans, asked.duration_s),
        "sung_percent": round(100 * sung_s / asked.duration_s),
        "choir": choir,
        "choir_confidence": asked.confidence(sure=asked.chance(0.9)),
    }


def _family_spans(truth: Track, asked: Asked) -> dict[str, Span]:
    """Give when each family is first and last heard, now and then without one of them."""
    timeline = Timeline(truth)
    found: dict[str, Span] = {}
    for instrument in truth.instruments:
        spans = timeline.spans.get(instrument.name)
        if spans:
            start, end = found.get(instrument.family, spans[0])
            found[instrument.family] = min(start, spans[0][0]), max(end, spans[-1][1])
    kept = {
        family: (max(0.0, start + asked.rng.gauss(0.0, _TYPICAL_ERROR_S) * (start > 1)), end)
        for family, (start, end) in found.items()
        if not asked.chance(_P_MISSED)
    }
    return kept or found


def _draw_families(asked: Asked) -> dict[str, Span]:
    rng, length_s = asked.rng, asked.duration_s
    drawn = {pick(FAMILIES, rng) for _ in range(1 + int(rng.random() * _MOST_DRAWN))}
    spans = {}
    for family in sorted(drawn):
        start = 0.0 if asked.chance(_P_FROM_START) else rng.random() * 0.8 * length_s
        to_end = asked.chance(_P_TO_END)
        end = length_s if to_end else start + (0.1 + 0.9 * rng.random()) * (length_s - start)
        spans[family] = start, end
    return spans


def _draw_spans(asked: Asked) -> list[Span]:
    """Draw some spans with pauses between them."""
    borders = 2 * (1 + int(asked.rng.random() * _SPANS_DRAWN))
    times = sorted(asked.rng.random() * asked.duration_s for _ in range(borders))
    spans = list(zip(times[::2], times[1::2], strict=True))
    joined = spans[:1]
    for start, end in spans[1:]:
        if start - joined[-1][1] < PAUSE_S:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined
