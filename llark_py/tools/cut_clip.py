"""The tool that cuts a part out of a recording, as a recording of its own."""

from __future__ import annotations

from dataclasses import dataclass

from llark_py.analysis.excerpt import begins_s, cut
from llark_py.audio import Audio

from ._workspace import Workspace


@dataclass(frozen=True)
class Clip:
    """The id of the new recording, where it was cut out in seconds, and the id of its file."""

    audio: str
    start_s: float
    end_s: float
    file: str


def cut_clip(
    audio: Audio,
    workspace: Workspace,
    start_s: float = 0.0,
    end_s: float | None = None,
    last_s: float | None = None,
) -> Clip:
    """Cut a part out of a recording, to listen to it and to measure it on its own.

    Args:
        audio: Id of the recording, such as audio_1.
        start_s: Where the part begins, in seconds.
        end_s: Where it ends, in seconds; leave it out for the end of the recording.
        last_s: Instead of both: how many seconds at the end of the recording are meant.

    Returns:
        The id of the new recording, which other tools take like any other, its start and end in
        the old one, and the id of the sound file.
    """
    workspace.progress(0.0, "cutting")
    start_s = begins_s(audio, start_s, end_s, last_s)
    excerpt = cut(audio, start_s, end_s)
    part, artefact = workspace.new_recording(excerpt, "clip.wav")
    return Clip(
        audio=part.id,
        start_s=round(start_s, 2),
        end_s=round(start_s + excerpt.duration_s, 2),
        file=artefact.id,
    )
