"""What a made-up tool result depends on, and the chances that all of them share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any

from llark_py.compose.instruments import FAMILIES
from llark_py.track import Track

from ..phrases import fill, grammar, pick

P_ERROR = 0.07
P_ERROR_NOT_MUSIC = 0.6
LOW_CONFIDENCE = 0.5
_P_ANY_REASON = 0.4


class Ids:
    """Numbers what tools make in one dialogue.

    Args:
        first_artefact: Number of the first artefact.
        audio_id: The recording that is there already; new ones are numbered on from it.
    """

    def __init__(self, first_artefact: int, audio_id: str):
        self._artefacts = count(first_artefact)
        self._recordings = count(int(audio_id.rpartition("_")[2]) + 1)

    def artefact(self) -> str:
        """Give the id of a new file."""
        return f"artefact_{next(self._artefacts)}"

    def audio(self) -> str:
        """Give the id of a new recording."""
        return f"audio_{next(self._recordings)}"


@dataclass(frozen=True)
class Asked:
    """A call of a tool, with what it is about.

    Attributes:
        truth: The facts that the result follows; None: it is drawn at random.
        is_music: Whether the recording is music.
        duration_s: Length of the recording.
        arguments: Of the call, but for the recording.
        ids: Names what the tool makes.
        rng: Source of chance.
    """

    truth: Track | None
    is_music: bool
    duration_s: float
    arguments: Mapping[str, Any]
    ids: Ids
    rng: Random

    @property
    def timed_truth(self) -> Track | None:
        """The facts, where their times are those of the recording."""
        truth = self.truth
        return truth if truth is not None and truth.duration_s == self.duration_s else None

    def made(self, wish: str) -> str | None:
        """Name the file that the call has wished for with an argument; None without the wish."""
        return self.ids.artefact() if self.arguments.get(wish) else None

    def confidence(self, *, sure: bool) -> float:
        """Draw a confidence: sure ones gather near 0.85, unsure ones near 0.3."""
        rng, sure = self.rng, sure and self.is_music
        value = rng.betavariate(8, 1.7) if sure else rng.betavariate(3, 6)
        return round(min(0.99, max(0.02, value)), 2)

    def chance(self, p: float) -> bool:
        """Be true with a probability."""
        return self.rng.random() < p


def reason(name: str, track: Track | None, rng: Random) -> str:
    """Say why a tool has failed: in its own words, or in any that have to be copied."""
    if track is not None and track.sound == "silence" and rng.random() < 0.7:
        return "the recording is silent"
    reasons = grammar()["reasons"]
    said = pick(reasons["any" if rng.random() < _P_ANY_REASON else name], rng)
    values = {
        "few": str(2 + int(rng.random() * 14)),
        "many": str(16 + int(rng.random() * 74)),
        "family": rng.choice(FAMILIES),
    }
    return fill(said, values, rng)
