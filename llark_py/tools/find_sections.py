"""The tool that says how a song is built: its sections and which of them are alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from llark_py.analysis.structure import assign_letters, measure_similarity, measure_structure
from llark_py.audio import Audio

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
    """The form as labels in a row, where the sections meet, the picture, and every section.

    There is no confidence: how much a song changes at a boundary is no probability.
    """

    form: str
    section_count: int
    boundaries_s: tuple[float, ...]
    picture: str | None
    sections: tuple[Part, ...] = detail()


def find_sections(audio: Audio, workspace: Workspace, picture: bool = False) -> Form:
    """Divide a song into sections (intro, chorus, outro, else letters) and tell which are alike.

    Args:
        audio: Id of the recording, such as audio_1; at least 20 seconds long.
        picture: Also draw how alike all moments are, with the sections.

    Returns:
        The form such as 'intro A chorus A chorus outro', the number of sections, where they meet
        in seconds, and the id of the picture if one was wanted.
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
        form=" ".join(s.label for s in sections),
        section_count=len(sections),
        boundaries_s=tuple(s.start_s for s in sections[1:]),
        picture=drawn.id if drawn else None,
        sections=sections,
    )
