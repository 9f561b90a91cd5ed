"""What is played: notes in seconds, and the part of one player."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .lyrics import Sung


class ScoreNote(NamedTuple):
    """A note as played: seconds from the start of the piece, MIDI pitch and velocity."""

    start_s: float
    end_s: float
    pitch: int
    velocity: int


@dataclass(frozen=True)
class Part:
    """What one player plays.

    `program` is the General MIDI program (for drums the kit); `volume` and `pan` are MIDI
    controller values 0..127.
    """

    instrument: str
    role: str
    program: int
    volume: int
    pan: int
    notes: tuple[ScoreNote, ...]
    singer: str = ""
    """The kind of voice (`singer.RANGES`) of a sung part ..."""
    words: tuple[Sung, ...] = ()
    """... and what is sung on each of its notes."""
