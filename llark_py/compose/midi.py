"""Writes the notes of a track as a MIDI file."""

from __future__ import annotations

from pathlib import Path

from llark_py.theory import key_index
from llark_py.track import Track

from .drums import PIECES
from .instruments import VOICES

_DRUM_KEYS = {piece: key for key, piece in PIECES.items()}
_DRUM_HIT_S = 0.1


def write_midi(track: Track, path: Path) -> None:
    """Write a track's notes and drums with its tempo, metre and key.

    Args:
        track: Facts with notes; instruments that the composer does not know sound as a piano.
        path: The file to write.
    """
    import pretty_midi

    # Tempo in MIDI counts quarters; the beat of 6/8 is a dotted quarter.
    beat_quarters = 1.5 if track.time_signature == "6/8" else 1.0
    midi = pretty_midi.PrettyMIDI(initial_tempo=(track.tempo_bpm or 120.0) * beat_quarters)
    if track.time_signature:
        over, under = track.time_signature.split("/")
        midi.time_signature_changes.append(pretty_midi.TimeSignature(int(over), int(under), 0.0))
    if track.key:
        midi.key_signature_changes.append(pretty_midi.KeySignature(key_index(track.key), 0.0))
    by_name: dict[str, pretty_midi.Instrument] = {}
    for note in track.notes:
        name = note.instrument or "piano"
        if name not in by_name:
            voice = VOICES.get(name, VOICES["piano"])
            by_name[name] = pretty_midi.Instrument(voice.programs[0], name=name)
        by_name[name].notes.append(
            pretty_midi.Note(note.velocity, note.pitch, note.start_s, note.end_s)
        )
    midi.instruments.extend(by_name.values())
    if track.drums:
        kit = pretty_midi.Instrument(0, is_drum=True, name="drums")
        kit.notes.extend(
            pretty_midi.Note(
                hit.velocity, _DRUM_KEYS[hit.piece], hit.time_s, hit.time_s + _DRUM_HIT_S
            )
            for hit in track.drums
        )
        midi.instruments.append(kit)
    midi.write(str(path))
