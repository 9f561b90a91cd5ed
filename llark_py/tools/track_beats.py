"""The tool that counts the beats of a recording in bars."""

from __future__ import annotations

from dataclasses import dataclass

from llark_py.analysis.clicks import mix_clicks
from llark_py.analysis.metre import TempoPoint, measure_metre
from llark_py.audio import Audio, save_audio
from llark_py.errors import ToolError

from ._result import as_confidence, detail
from ._workspace import Workspace


@dataclass(frozen=True)
class Beats:
    """Tempo with its slowest and fastest eight beats, metre, how many beats and bars, the id of the
    click track if one was asked for; every beat and downbeat in seconds, the tempo over time."""

    tempo_bpm: float
    time_signature: str
    beat_count: int
    bar_count: int
    slowest_bpm: float
    fastest_bpm: float
    confidence: float
    click_track: str | None
    beats_s: tuple[float, ...] = detail()
    downbeats_s: tuple[float, ...] = detail()
    tempo_curve: tuple[TempoPoint, ...] = detail()


def track_beats(audio: Audio, workspace: Workspace, click_track: bool = False) -> Beats:
    """Find the beats, the bars and the time signature of a recording.

    Args:
        audio: Id of the recording, such as audio_1.
        click_track: Whether to make a sound file of the recording with a click on every beat,
            higher where a bar begins.

    Returns:
        The tempo, the time signature, how many beats and bars there are, the slowest and the
        fastest tempo over eight beats, a confidence from 0 to 1, and the id of the click track.
    """
    workspace.progress(0.0, "finding the beat")
    metre = measure_metre(audio)
    if len(metre.beats_s) < 2:
        raise ToolError("no steady beat was found")
    made = None
    if click_track:
        workspace.progress(0.8, "mixing the clicks in")
        clicked = mix_clicks(audio, metre.beats_s, metre.downbeats_s)
        made = workspace.new_artefact("audio", "click_track.wav", "audio/wav")
        save_audio(clicked, made.path)
    tempi = [point.tempo_bpm for point in metre.curve]
    return Beats(
        tempo_bpm=round(metre.tempo_bpm, 1),
        time_signature=metre.time_signature,
        beat_count=len(metre.beats_s),
        bar_count=len(metre.downbeats_s),
        slowest_bpm=round(min(tempi), 1),
        fastest_bpm=round(max(tempi), 1),
        confidence=as_confidence(metre.confidence),
        click_track=made.id if made else None,
        beats_s=tuple(round(t, 3) for t in metre.beats_s),
        downbeats_s=tuple(round(t, 3) for t in metre.downbeats_s),
        tempo_curve=tuple(
            TempoPoint(round(p.time_s, 3), round(p.tempo_bpm, 1)) for p in metre.curve
        ),
    )
