"""The tool that takes out of a recording whatever sounds like an example."""

from __future__ import annotations

from dataclasses import dataclass

from llark_py.analysis.stems import find_like
from llark_py.audio import Audio

from ._result import as_confidence
from ._workspace import Workspace


@dataclass(frozen=True)
class Found:
    """The ids of what sounds like the example and of the rest, the level of what was found in dB
    relative to the whole recording, and the probability that it stands well above its errors."""

    found: str
    rest: str
    level_db: float
    confidence: float


def separate_like(
    audio: Audio,
    workspace: Workspace,
    example_start_s: float,
    example_end_s: float,
    example_audio: Audio | None = None,
) -> Found:
    """Separate all that sounds like an example: some seconds of the recording, or of another.

    Args:
        audio: Id of the recording to separate, such as audio_1.
        example_start_s: Where the example begins, in seconds; best where the sound is alone.
        example_end_s: Where the example ends, in seconds.
        example_audio: Id of the recording that the example is in; leave it out for the same one.

    Returns:
        The ids of what was found and of the rest, which other tools take as audio, its level in
        dB relative to the whole recording, and a confidence from 0 to 1 that it can be used.
    """
    example = example_audio or audio
    result = find_like(audio, example, example_start_s, example_end_s, workspace.progress)
    return Found(
        found=workspace.new_sound(result.sound, "found.wav").id,
        rest=workspace.new_sound(result.rest, "rest.wav").id,
        level_db=round(result.level_db, 1),
        confidence=as_confidence(result.confidence),
    )
