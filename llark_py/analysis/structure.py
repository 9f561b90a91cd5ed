"""The form of a recording: its sections by novelty, who enters and who leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase

import numpy as np

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


def assign_letters(labels: Sequence[str]) -> list[str]:
    """Give each section a letter, the same to those that sound alike.

    Args:
        labels: Of the sections, letters or names, as in `Structure`.

    Returns:
        Letters as they are; a name gets the next letter that no section has, so that what the
        encoder's notes call A is A here too.
    """
    known = set(ascii_uppercase)
    letters = {label: label for label in labels if label in known}
    # After Z comes a: a song of 26 letters may have an intro and an outro besides.
    unused = iter([x for x in ascii_uppercase + ascii_lowercase if x not in letters])
    for label in labels:
        if label not in letters:
            letters[label] = next(unused)
    return [letters[label] for label in labels]


def measure_similarity(audio: Audio) -> tuple[np.ndarray, float]:
    """Compare every half second of a recording with every other.

    Returns:
        `(moments, moments)` similarity in [-1, 1], and how many moments there are in a second.

    Raises:
        ToolError: Silent, too short, or not music.
    """
    from llark_py.encoders.mini_form import SECTION_FRAME_RATE, compare_moments
    from llark_py.encoders.mini_network import N_GLOBAL
    from llark_py.encoders.mini_songs import to_numpy

    check_sounding(audio, MIN_DURATION_S)
    check_music(listen(audio))
    heard = hear(audio).heard
    similarity = compare_moments(
        to_numpy(heard.tokens[0, N_GLOBAL:]), to_numpy(heard.frame_posteriors["activity"][0])
    )
    return similarity, SECTION_FRAME_RATE
