"""The tool that says which instruments play in a recording, and when."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from llark_py.analysis.timbre import NOBODY, Player, Timbre, measure_timbre
from llark_py.audio import Audio
from llark_py.compose.instruments import FAMILIES
from llark_py.errors import ToolError
from llark_py.instruct.family_names import family_named
from llark_py.instruct.listing import MOST_PLAYERS, first_and_last, list_players

from ._result import absent, as_confidence, detail, round_spans
from ._workspace import Workspace

_LEAST = 0.2
"""Where no family is sure enough, the likeliest is told from this probability on: music is played
on something, and the confidence says that it is a guess."""


class Family(NamedTuple):
    """A family that plays: how surely, its share of the recording, when, and what it likely is."""

    family: str
    confidence: float
    share: float
    spans_s: tuple[tuple[float, float], ...]
    instruments: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Instruments:
    """Who plays from when to when, with confidences, the lead, the picture; the same by family,
    and every span. Of one family alone: when it is first and last heard (None: it is not), with
    its confidence; who plays instead, where it is not heard."""

    family: str = absent()
    enters: str | None = absent()
    leaves: str | None = absent()
    confidence: float = absent()
    plays: str = absent()
    lead: str | None = absent()
    lead_confidence: float | None = absent()
    picture: str | None = absent()
    families: Mapping[str, float] = detail()
    first_heard_s: Mapping[str, float] = detail()
    players: tuple[Family, ...] = detail()


def detect_instruments(
    audio: Audio, workspace: Workspace, picture: bool = False, instrument: str | None = None
) -> Instruments:
    """Find out which instrument families play in a recording, when, and which has the melody.

    Args:
        audio: Id of the recording, such as audio_1.
        picture: Also draw when each family plays.
        instrument: Tell of this one alone when it is first and last heard: a family (drums,
            strings, brass) or an instrument (violin), which stands for its family.

    Returns:
        The surest families, at most seven, each with the times at which it is first and last heard
        and a confidence from 0 to 1, such as 'drums 0:00-end (0.93), voice 0:05-0:35 (0.81)'; the
        lead instrument with its confidence (nothing where none has the melody), and the id of the
        picture if one was wanted. Of one instrument: its family, when that enters and leaves
        (nothing where it is not heard), and the confidence that it plays.
    """
    wanted = None if instrument is None else _family_of(instrument)
    workspace.progress(0.0, "listening for instruments")
    timbre = measure_timbre(audio)
    players = timbre.players
    if not players:
        likeliest = timbre.likeliest
        if likeliest.probability < _LEAST:
            raise ToolError(
                "no instrument family is heard surely enough to name it; the likeliest is "
                f"{likeliest.family} ({as_confidence(likeliest.probability)})"
            )
        players = (likeliest,)
    drawn = None
    if picture:
        from ._pictures import draw_activity

        workspace.progress(0.8, "drawing who plays when")
        drawn = workspace.new_artefact("image", "instruments.png", "image/png")
        spans = {p.family: p.spans for p in players}
        activity = {family: timbre.activity[family] for family in spans}
        draw_activity(activity, spans, timbre.frame_rate, audio.duration_s, drawn.path)
    leads = timbre.lead != NOBODY
    surest = sorted(players, key=lambda p: -p.probability)[:MOST_PLAYERS]
    plays = list_players(
        (
            (p.family, p.spans[0].start_s, p.spans[-1].end_s, as_confidence(p.probability))
            for p in players
            if p in surest
        ),
        audio.duration_s,
    )
    shown: dict[str, Any] = {
        "plays": plays,
        "lead": timbre.lead if leads else None,
        "lead_confidence": as_confidence(timbre.lead_probability) if leads else None,
        "picture": drawn.id if drawn else None,
    }
    if wanted is not None:
        shown = _tell_one(wanted, players, plays, timbre, audio.duration_s)
        if drawn is not None:
            shown["picture"] = drawn.id
    return Instruments(
        **shown,
        families={p.family: as_confidence(p.probability) for p in players},
        first_heard_s={p.family: round(p.spans[0].start_s, 1) for p in players},
        players=tuple(_describe(p, audio.duration_s) for p in players),
    )


def _family_of(instrument: str) -> str:
    family = family_named(instrument)
    if family is None:
        raise ToolError(
            f"no instrument {json.dumps(instrument[:40])} is known; name one of the families: "
            + ", ".join(FAMILIES)
        )
    return family


def _tell_one(
    family: str, players: Sequence[Player], plays: str, timbre: Timbre, duration_s: float
) -> dict[str, Any]:
    player = next((p for p in players if p.family == family), None)
    if player is None:
        probability = as_confidence(timbre.probabilities.get(family, 0.0))
        silent = {"enters": None, "leaves": None, "confidence": probability}
        return {"family": family, **silent, "plays": plays}
    enters, leaves = first_and_last(player.spans[0].start_s, player.spans[-1].end_s, duration_s)
    return {
        "family": family,
        "enters": enters,
        "leaves": leaves,
        "confidence": as_confidence(player.probability),
    }


def _describe(player: Player, duration_s: float) -> Family:
    return Family(
        family=player.family,
        confidence=as_confidence(player.probability),
        share=round(player.sounding_s / duration_s, 2),
        spans_s=round_spans(player.spans),
        instruments={name: as_confidence(p) for name, p in player.instruments.items()},
    )
