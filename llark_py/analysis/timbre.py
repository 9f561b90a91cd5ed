"""Who plays when: instrument families, what they likely are, and who has the melody.

A clip posterior is averaged over a whole song, so a family that plays in a quarter of it has a low
one. It is therefore averaged with what the frames say where the family is heard best, as attention
over time would weigh them (Gururani et al., "An attention mechanism for musical instrument
recognition", ISMIR 2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from llark_py.audio import Audio
from llark_py.compose.instruments import family_of

from .listening import ENCODER_RATE, check_music, check_sounding, hear, listen, listener_config

if TYPE_CHECKING:
    from llark_py.encoders.mini_form import Span

MIN_DURATION_S = 1.0
_HIT = 0.5
"""Activity of a moment in which something sounds that is too short or too rare for a span."""
NOBODY = "none"
"""What the head of the lead says where nobody carries a melody."""


@dataclass(frozen=True)
class Player:
    """An instrument family that plays.

    Attributes:
        family: Such as `brass`.
        probability: That it plays at all, in [0, 1].
        spans: When it sounds, in order of time; never empty.
        instruments: What it likely is, the likeliest first, with probabilities.
    """

    family: str
    probability: float
    spans: tuple[Span, ...]
    instruments: dict[str, float]

    @property
    def sounding_s(self) -> float:
        """Seconds in which it sounds."""
        return sum(end_s - start_s for start_s, end_s in self.spans)


@dataclass(frozen=True, eq=False)
class Timbre:
    """What plays in a recording.

    Attributes:
        players: The families that play, in order of their first entrance.
        likeliest: The likeliest family, whether or not it is sure enough to be among `players`.
        lead: The instrument that has the melody, or `none`.
        lead_probability: Of that, in [0, 1].
        activity: By family that plays, and of the likeliest: `(frames,)` probability that it
            sounds.
        frame_rate: Frames per second of `activity`.
        probabilities: Of every family that the encoder knows, whether or not it plays.
    """

    players: tuple[Player, ...]
    likeliest: Player
    lead: str
    lead_probability: float
    activity: dict[str, np.ndarray]
    frame_rate: float
    probabilities: dict[str, float]


def measure_timbre(audio: Audio) -> Timbre:
    """Find out who plays in a recording, when, and who has the melody.

    Args:
        audio: Any rate, mono or stereo, at least 1 s.

    Raises:
        ToolError: Silent, too short, or not music.
    """
    from llark_py.encoders.mini_form import find_spans

    check_sounding(audio, MIN_DURATION_S)
    check_music(listen(audio))
    heads, config = hear(audio).heads(), listener_config()
    labels = config.labels
    activity = heads["activity_frames"]
    probabilities = heads["families"]
    spans_of = [find_spans(family) for family in activity.T]

    def describe(i: int, spans: tuple[Span, ...]) -> Player:
        family = labels["families"][i]
        likely = likely_instruments(
            family, labels["instruments"], heads["instruments"], config.present_from("instruments")
        )
        ends = tuple(s._replace(end_s=min(s.end_s, audio.duration_s)) for s in spans)
        return Player(family, float(probabilities[i]), ends, likely)

    players = [
        describe(i, spans)
        for i in np.flatnonzero(probabilities > config.present_from("families"))
        if (spans := spans_of[i] or _around_hits(activity[:, i], _HIT))
    ]
    best = int(probabilities.argmax())
    somewhere = _around_hits(activity[:, best], float(activity[:, best].max()) / 2)
    likeliest = describe(best, spans_of[best] or somewhere)
    lead = int(heads["lead"].argmax())
    return Timbre(
        players=tuple(sorted(players, key=lambda p: (p.spans[0].start_s, -p.probability))),
        likeliest=likeliest,
        lead=labels["lead"][lead],
        lead_probability=float(heads["lead"][lead]),
        activity={
            p.family: activity[:, labels["families"].index(p.family)] for p in (*players, likeliest)
        },
        frame_rate=float(ENCODER_RATE),
        probabilities=dict(zip(labels["families"], probabilities.tolist(), strict=True)),
    )


def _around_hits(activity: np.ndarray, least: float) -> tuple[Span, ...]:
    """Give the time from the first to the last moment that is as active as that, if there are."""
    from llark_py.encoders.mini_form import Span

    active = np.flatnonzero(activity >= least)
    if not len(active):
        return ()
    return (Span(float(active[0]) / ENCODER_RATE, float(active[-1] + 1) / ENCODER_RATE),)


def likely_instruments(
    family: str, names: list[str], probabilities: np.ndarray, present_from: np.ndarray
) -> dict[str, float]:
    """Say what a family that plays likely is.

    Args:
        family: That plays.
        names: Of the instruments of all families.
        probabilities: `(instruments,)`.
        present_from: `(instruments,)` from which probability on each is said to play.

    Returns:
        Those of the family that are likely enough, the likeliest first; if none is, the likeliest.
    """
    members = [i for i, name in enumerate(names) if family_of(name) == family]
    ranked = sorted(members, key=lambda i: -probabilities[i])
    likely = [i for i in ranked if probabilities[i] > present_from[i]] or ranked[:1]
    return {names[i]: float(probabilities[i]) for i in likely}
