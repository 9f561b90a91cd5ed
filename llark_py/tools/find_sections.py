"""The tool that says how a song is built: its sections and which of them are alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from llark_py.analysis.structure import assign_letters, measure_similarity, measure_structure
from llark_py.audio import Audio
from llark_py.instruct.listing import list_parts

from ._result import detail
from ._workspace import Workspace


class Part(NamedTuple):
    """A section: its name where one can be told, else its letter; the same letter is alike."""

    start_s: float
    end_s: float
    label: str
    letter: str


@dataclass(frozen=True)
class Form:
    """Which section begins when, how many there are, the picture; the labels in a row, where the
    sections meet, and every section.

    There is no confidence: how much a song changes at a boundary is no probability.
    """

    parts: str
    section_count: int
    picture: str | None
    form: str = detail()
    boundaries_s: tuple[float, ...] = detail()
    sections: tuple[Part, ...] = detail()


def find_sections(audio: Audio, workspace: Workspace, picture: bool = False) -> Form:
    """Divide a song into sections (intro, chorus, outro, else letters) and tell which are alike.

    Args:
        audio: Id of the recording, such as audio_1; at least 20 seconds long.
        picture: Also draw how alike all moments are, with the sections.

    Returns:
        The sections with their beginnings such as 'intro 0:00, A 0:12, chorus 0:40', at most the
        first twelve, how many there are, and the id of the picture if one was wanted.
    """
    workspace.progress(0.0, "looking for sections")
    found = measure_structure(audio).sections
    letters = assign_letters([s.label for s in found])
    sections = tuple(
        Part(round(s.start_s, 1), round(min(s.end_s, audio.duration_s), 1), s.label, letter)
        for s, letter in zip(found, letters, strict=True)
    )
    drawn = None
    if picture:
        from ._pictures import draw_similarity

        workspace.progress(0.8, "drawing the form")
        similarity, rate = measure_similarity(audio)
        drawn = workspace.new_artefact("image", "sections.png", "image/png")
        draw_similarity(similarity, rate, sections, drawn.path)
    return Form(
        parts=list_parts([(s.start_s, s.label) for s in sections], audio.duration_s),
        section_count=len(sections),
        picture=drawn.id if drawn else None,
        form=" ".join(s.label for s in sections),
        boundaries_s=tuple(s.start_s for s in sections[1:]),
        sections=sections,
    )
