"""The tool that measures how fast a recording is and where its beats fall."""

from __future__ import annotations

from dataclasses import dataclass

from llark_py.analysis.rhythm import measure_rhythm
from llark_py.audio import Audio

from ._result import as_confidence, detail
from ._workspace import Workspace


@dataclass(frozen=True)
class Tempo:
    """Tempo in beats per minute, the next likeliest tempo, and the beats in seconds."""

    tempo_bpm: float
    runner_up_bpm: float
    beat_count: int
    confidence: float
    beats_s: tuple[float, ...] = detail()


def estimate_tempo(audio: Audio, workspace: Workspace) -> Tempo:
    """Measure the tempo of a recording in beats per minute and find its beats.

    Args:
        audio: Id of the recording, such as audio_1.

    Returns:
        The tempo, the runner-up, the number of beats and a confidence from 0 to 1.
    """
    workspace.progress(0.0, "finding the beat")
    rhythm = measure_rhythm(audio)
    return Tempo(
        tempo_bpm=round(rhythm.tempo_bpm, 1),
        runner_up_bpm=round(rhythm.runner_up_bpm, 1),
        beat_count=len(rhythm.beats_s),
        confidence=as_confidence(rhythm.confidence),
        beats_s=tuple(round(t, 3) for t in rhythm.beats_s),
    )
