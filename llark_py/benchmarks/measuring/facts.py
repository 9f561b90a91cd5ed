"""What is true of composed music, and what tools say of it, in the same plain shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llark_py.audio import Audio
from llark_py.benchmarks.clips import is_sung
from llark_py.benchmarks.songs import boundaries_of
from llark_py.tools import Workspace, run_tool
from llark_py.track import Note, Track

NO_CHORD = "N"
_FEWEST_BEATS = 8
_FINE = 3  # decimals of seconds

Facts = dict[str, Any]


def track_facts(track: Track) -> Facts:
    """Write down what of a composed clip can be measured; what it has nothing of is left out.

    Returns:
        `tempo` (BPM), `key`, `beats` and `downbeats` (s), `chords` ((start, end, Harte label),
        without gaps), `instruments` (families), `activity` (family -> spans), `vocals`.
    """
    facts: Facts = {"vocals": is_sung(track), "instruments": sorted(track.families)}
    spans: dict[str, list[list[float]]] = {}
    for instrument in track.instruments:
        spans.setdefault(instrument.family, []).extend(_rounded(instrument.activity))
    facts["activity"] = spans
    if track.key:
        facts["key"] = track.key
    if len(track.beats_s) >= _FEWEST_BEATS:
        facts["tempo"] = track.tempo_bpm
        facts["beats"] = _seconds(track.beats_s)
        facts["downbeats"] = _seconds(track.downbeats_s)
    if track.chords:
        facts["chords"] = _without_gaps(track.chords, track.duration_s)
    return facts


def note_facts(notes: Iterable[Note]) -> list[list[float]]:
    """Write notes as [start, end, MIDI pitch]."""
    return [[round(n.start_s, _FINE), round(n.end_s, _FINE), n.pitch] for n in notes]


def section_facts(track: Track) -> list[list[Any]]:
    """Write the sections of a song as [start, end, label]; none where nothing changes."""
    if not boundaries_of(track):
        return []
    return [[round(s.start_s, _FINE), round(s.end_s, _FINE), s.label] for s in track.sections]


def measure(tool: str, audio: Audio) -> Mapping[str, Any]:
    """Run a tool on a recording; everything it found, or nothing where it says it cannot."""
    result = run_tool(tool, {}, {"audio_1": audio}, Workspace())
    return {} if result.error else {**result.details, **result.content}


def measured_facts(audio: Audio) -> dict[str, tuple[Any, Any]]:
    """Ask the tools for all that `track_facts` knows of a clip.

    Returns:
        Fact -> (what was said, None if the tool could not; its confidence or None). For
        `instruments` the confidence is one of each family that is named.
    """
    tempo, beats = measure("estimate_tempo", audio), measure("track_beats", audio)
    key, chords = measure("estimate_key", audio), measure("recognize_chords", audio)
    players, singing = measure("detect_instruments", audio), measure("detect_vocals", audio)
    families = {p["family"]: p for p in players.get("players", ())}
    return {
        "tempo": (tempo.get("tempo_bpm"), tempo.get("confidence")),
        "beats": (beats.get("beats_s"), beats.get("confidence")),
        "downbeats": (beats.get("downbeats_s"), None),
        "key": (key.get("key"), key.get("confidence")),
        "chords": (_triples(chords.get("chords")), chords.get("confidence")),
        "instruments": (
            sorted(families),
            {name: player["confidence"] for name, player in families.items()},
        ),
        "activity": ({name: player["spans_s"] for name, player in families.items()}, None),
        "vocals": (singing.get("singing"), singing.get("confidence")),
    }


def measured_notes(audio: Audio) -> list[list[float]]:
    """Ask `transcribe_notes`; no notes where it finds none."""
    notes = measure("transcribe_notes", audio).get("notes", ())
    return [[n["start_s"], n["end_s"], n["pitch"]] for n in notes]


def measured_sections(audio: Audio) -> list[list[Any]]:
    """Ask `find_sections`; none where it cannot tell."""
    sections = measure("find_sections", audio).get("sections", ())
    return [[s["start_s"], s["end_s"], s["letter"]] for s in sections]


def _triples(chords: Sequence[Mapping[str, Any]] | None) -> list[list[Any]] | None:
    return None if chords is None else [[c["start_s"], c["end_s"], c["label"]] for c in chords]


def _without_gaps(chords: Iterable[Sequence[Any]], duration_s: float) -> list[list[Any]]:
    joined: list[list[Any]] = []
    now = 0.0
    for start, end, label in chords:
        if start > now + 10**-_FINE:
            joined.append([now, round(start, _FINE), NO_CHORD])
        now = round(end, _FINE)
        joined.append([joined[-1][1] if joined else round(start, _FINE), now, label])
    if now < duration_s - 10**-_FINE:
        joined.append([now, round(duration_s, _FINE), NO_CHORD])
    return joined


def _seconds(times_s: Iterable[float]) -> list[float]:
    return [round(t, _FINE) for t in times_s]


def _rounded(spans: Iterable[Sequence[float]]) -> list[list[float]]:
    return [[round(a, 2), round(b, 2)] for a, b in spans]
