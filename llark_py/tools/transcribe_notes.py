"""The tool that writes down the notes of a recording and makes a MIDI file of them."""

from __future__ import annotations

from dataclasses import dataclass

from llark_py.analysis.excerpt import begins_s, check_span
from llark_py.analysis.notes import transcribe, write_midi
from llark_py.audio import Audio
from llark_py.theory import note_name
from llark_py.track import Note

from ._result import detail
from ._workspace import Workspace


@dataclass(frozen=True)
class Transcription:
    """How many notes, the lowest and the highest, the id of the MIDI file; the id of the piano roll
    if one was asked for, and every note."""

    note_count: int
    lowest_note: str
    highest_note: str
    midi: str
    picture: str | None = detail()
    notes: tuple[Note, ...] = detail()


def transcribe_notes(
    audio: Audio,
    workspace: Workspace,
    start_s: float = 0.0,
    end_s: float | None = None,
    last_s: float | None = None,
    picture: bool = False,
) -> Transcription:
    """Write down the notes of a recording as a MIDI file.

    Args:
        audio: Id of the recording, such as audio_1.
        start_s: Where to begin, in seconds.
        end_s: Where to end, in seconds; leave it out for the end of the recording.
        last_s: Instead of both: how many seconds at the end of the recording are meant.
        picture: Also draw the notes as a piano roll.

    Returns:
        The number of notes, the lowest and the highest note, and the id of the MIDI file.
    """
    start_s = begins_s(audio, start_s, end_s, last_s)
    notes = transcribe(audio, start_s, end_s, progress=workspace.progress)
    midi = workspace.new_artefact("midi", "transcription.mid", "audio/midi")
    write_midi(notes, midi.path)
    drawn = None
    if picture:
        from ._note_pictures import draw_roll

        drawn = workspace.new_artefact("image", "notes.png", "image/png")
        draw_roll(notes, start_s, check_span(audio, start_s, end_s), drawn.path)
    pitches = [n.pitch for n in notes]
    return Transcription(
        note_count=len(notes),
        lowest_note=note_name(min(pitches)),
        highest_note=note_name(max(pitches)),
        midi=midi.id,
        picture=drawn.id if drawn else None,
        notes=tuple(
            n._replace(start_s=round(n.start_s, 3), end_s=round(n.end_s, 3)) for n in notes
        ),
    )
