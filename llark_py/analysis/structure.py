"""The form of a recording: its sections by novelty, who enters and who leaves."""

from __future__ import annotations

from dataclasses import dataclass

from llark_py.audio import Audio
from llark_py.track import Section

from .listening import check_music, check_sounding, hear, listen

MIN_DURATION_S = 20.0
"""Shorter recordings are one section."""


@dataclass(frozen=True)
class Structure:
    """The course of a recording.

    Attributes:
        sections: Without gaps; letters, or names where they can be told (`intro`, `chorus`).
        entrances, exits: (second, family) in order of time.
    """

    sections: tuple[Section, ...]
    entrances: tuple[tuple[float, str], ...]
    exits: tuple[tuple[float, str], ...]


def measure_structure(audio: Audio) -> Structure:
    """Divide a recording into sections and say when instrument families come and go.

    Args:
        audio: Any rate, mono or stereo, at least 20 s.

    Raises:
        ToolError: Silent, too short, or not music.
    """
    check_sounding(audio, MIN_DURATION_S)
    check_music(listen(audio))
    form = hear(audio).form
    sections = tuple(Section(*section) for section in form.sections)
    return Structure(sections, tuple(form.entrances), tuple(form.exits))
