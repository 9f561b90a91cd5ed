"""The tool that says which instruments play in a recording, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from llark_py.analysis.timbre import NOBODY, Player, measure_timbre
from llark_py.audio import Audio
from llark_py.errors import ToolError
from llark_py.instruct.listing import MOST_PLAYERS, list_players

from ._result import as_confidence, detail, round_spans
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


@dataclass(frozen=True)
class Instruments:
    """Who plays from when to when, with confidences, the lead, the picture; the same by family,
    and every span."""

    plays: str
    lead: str | None
    lead_confidence: float | None
    picture: str | None
    families: Mapping[str, float] = detail()
    first_heard_s: Mapping[str, float] = detail()
    players: tuple[Family, ...] = detail()


def detect_instruments(audio: Audio, workspace: Workspace, picture: bool = False) -> Instruments:
    """Find out which instrument families play in a recording, when, and which has the melody.

    Args:
        audio: Id of the recording, such as audio_1.
        picture: Also draw when each family plays.

    Returns:
        The surest families, at most seven, each with the times at which it is first and last heard
        and a confidence from 0 to 1, such as 'drums 0:00-end (0.93), voice 0:05-0:35 (0.81)'; the
        lead instrument with its confidence (nothing where none has the melody), and the id of the
        picture if one was wanted.
    """
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
    return Instruments(
        plays=list_players(
            (
                (p.family, p.spans[0].start_s, p.spans[-1].end_s, as_confidence(p.probability))
                for p in players
                if p in surest
            ),
            audio.duration_s,
        ),
        lead=timbre.lead if leads else None,
        lead_confidence=as_confidence(timbre.lead_probability) if leads else None,
        picture=drawn.id if drawn else None,
        families={p.family: as_confidence(p.probability) for p in players},
        first_heard_s={p.family: round(p.spans[0].start_s, 1) for p in players},
        players=tuple(_describe(p, audio.duration_s) for p in players),
    )


def _describe(player: Player, duration_s: float) -> Family:
    return Family(
        family=player.family,
        confidence=as_confidence(player.probability),
        share=round(player.sounding_s / duration_s, 2),
        spans_s=round_spans(player.spans),
        instruments={name: as_confidence(p) for name, p in player.instruments.items()},
    )
