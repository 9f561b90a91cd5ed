"""The tool that writes down the drums of a recording: as MIDI, and as a grid of pieces and bars."""

from __future__ import annotations

from dataclasses import dataclass

from llark_py.analysis.drums import measure_drums, write_drum_midi
from llark_py.analysis.metre import measure_metre
from llark_py.audio import Audio
from llark_py.errors import ToolError
from llark_py.track import DrumHit

from ._note_pictures import draw_strokes
from ._result import as_confidence, detail
from ._workspace import Workspace

_HEARING_SHARE = 0.4
_HI_HATS = ("closed hi-hat", "open hi-hat")


@dataclass(frozen=True)
class DrumTranscription:
    """How many strokes there are, on which pieces, the ids of MIDI and picture; every stroke."""

    hit_count: int
    kick_count: int
    snare_count: int
    hihat_count: int
    other_count: int
    midi: str
    picture: str
    confidence: float
    hits: tuple[DrumHit, ...] = detail()


def transcribe_drums(audio: Audio, workspace: Workspace) -> DrumTranscription:
    """Write down the drums of a recording as a MIDI file and as a picture of its bars.

    Args:
        audio: Id of the recording, such as audio_1.

    Returns:
        How many strokes there are in all, on kick, snare, hi-hat and all other pieces, the ids of
        the MIDI file and of the picture, and a confidence from 0 to 1.
    """
    drums = measure_drums(
        audio, progress=lambda done, note: workspace.progress(_HEARING_SHARE * done, note)
    )
    workspace.progress(_HEARING_SHARE, "finding the bars")
    beats_s, downbeats_s = _bars(audio)
    workspace.progress(0.9, "drawing the strokes")
    midi = workspace.new_artefact("midi", "drums.mid", "audio/midi")
    write_drum_midi(drums.hits, midi.path)
    picture = workspace.new_artefact("image", "drums.png", "image/png")
    draw_strokes(drums.hits, beats_s, downbeats_s, audio.duration_s, picture.path)
    pieces = [hit.piece for hit in drums.hits]
    kicks, snares = pieces.count("kick"), pieces.count("snare")
    hi_hats = sum(pieces.count(piece) for piece in _HI_HATS)
    return DrumTranscription(
        hit_count=len(pieces),
        kick_count=kicks,
        snare_count=snares,
        hihat_count=hi_hats,
        other_count=len(pieces) - kicks - snares - hi_hats,
        midi=midi.id,
        picture=picture.id,
        confidence=as_confidence(drums.confidence),
        hits=tuple(h._replace(time_s=round(h.time_s, 3)) for h in drums.hits),
    )


def _bars(audio: Audio) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Find beats and downbeats; none where no beat can be found, and the picture says so."""
    try:
        metre = measure_metre(audio)
    except ToolError:
        return (), ()
    return metre.beats_s, metre.downbeats_s
