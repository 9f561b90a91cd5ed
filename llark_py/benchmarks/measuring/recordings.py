"""Real recordings put to the tools: what the manifest states, beats, notes, stems.

Besides `file` and `facts` (see `benchmarks/real.py`) three things are read. `beat_zero_s` with
`tempo_bpm` gives the beats of a steady recording. `text/NAME_notesA1.csv` beside `audio/` holds
notes (onset in s, Hz, length in s), as Vocadito has them, `A2` those of a second annotator.
`X.mix`, `X.guitar` and `X.backing` are a mix and its parts, each at half its level in the mix.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from llark_py.audio import load_audio
from llark_py.benchmarks.answers import Piece, Row, rows_of
from llark_py.benchmarks.baselines import librosa_answers
from llark_py.benchmarks.questions import Item
from llark_py.benchmarks.real import read_real
from llark_py.benchmarks.trial import MANIFEST

from .facts import measured_facts, measured_notes
from .music import SAMPLE_RATE, Mix
from .rivals import BASIC_PITCH, LIBROSA, basic_pitch_notes, librosa_beats
from .scoring import TOOL
from .stems import ask_example, ask_mixes

SET, ANNOTATOR = "real", "second annotator"
_FACTS = ("tempo", "key", "tonic", "instruments", "vocals", "beats")
_EXAMPLE_S = 6.0
_PART_GAIN = 0.5
_A4_HZ, _A4_MIDI = 440.0, 69
# One voice alone, over the backing of songs that nobody sings in: real vocals with a known truth.
_VOICE_FILE = "vocadito_1"


def ask_facts(folder: Path) -> Iterator[Row]:
    """Measure what the manifest states of music, and what librosa says."""
    yield from rows_of(facts_by_recording(folder))


def facts_by_recording(folder: Path) -> Iterator[Piece]:
    """Do as `ask_facts`, a piece a recording."""
    zeros = _beat_zeros(folder)
    for number, item in enumerate(read_real(folder)):
        if item.facts["not_music"]:
            continue
        facts = dict(item.facts)
        if item.id in zeros:
            step = 60.0 / facts["tempo"]
            times = np.arange(zeros[item.id] % step, item.audio.duration_s, step)
            facts["beats"] = [round(float(t), 3) for t in times]
        asked = {name: facts[name] for name in _FACTS if name in facts}
        if asked:
            yield f"{number} {item.id}", partial(_ask_item, item, asked)


def _ask_item(item: Item, asked: Mapping[str, Any]) -> Iterator[Row]:
    said = measured_facts(item.audio)
    said["tonic"] = said["key"]
    answers = librosa_answers(item.audio).get(LIBROSA, {})
    if "beats" in asked:
        answers["beats"] = librosa_beats(item.audio)[0]
    for fact, truth in asked.items():
        base = {"set": SET, "id": item.id, "fact": fact, "truth": truth}
        value, confidence = said[fact]
        yield {**base, "condition": TOOL, "value": value, "confidence": confidence}
        if fact in answers:
            yield {**base, "condition": LIBROSA, "value": answers[fact]}


def ask_notes(folder: Path) -> Iterator[Row]:
    """Write down the recordings that come with notes."""
    yield from rows_of(notes_by_recording(folder))


def notes_by_recording(folder: Path) -> Iterator[Piece]:
    """Do as `ask_notes`, a piece a recording."""
    for path in sorted((folder / "text").glob("*_notesA1.csv")):
        yield path.name, partial(_ask_notes_of, folder, path)


def _ask_notes_of(folder: Path, path: Path) -> Iterator[Row]:
    name = path.name.removesuffix("_notesA1.csv")
    [file] = (folder / "audio").glob(f"{name}.*")
    audio = load_audio(file)
    said = {TOOL: measured_notes(audio), BASIC_PITCH: basic_pitch_notes(audio)}
    second = path.with_name(f"{name}_notesA2.csv")
    if second.is_file():
        said[ANNOTATOR] = _read_notes(second)
    truth = _read_notes(path)
    for condition, value in said.items():
        row = {"set": SET, "id": name, "fact": "notes", "condition": condition}
        yield {**row, "truth": truth, "value": value}


def stems_by_song(folder: Path) -> Iterator[Piece]:
    """Take the guitar out of mixes by an example of it, and a singer out of their backing."""
    songs = read_songs(folder)
    for song in songs:
        yield f"guitar of {song.id}", partial(ask_example, SET, song, "guitar", _EXAMPLE_S)
    for mix in _sung(folder, songs):
        yield mix.id, partial(ask_mixes, [mix], SET)


def read_songs(folder: Path) -> list[Mix]:
    """Read the songs of which guitar and backing are known, as they are in the mix."""
    songs = []
    for path in sorted((folder / "audio").glob("*.guitar.*")):
        files = {
            name: path.with_name(path.name.replace(".guitar.", f".{name}.")) for name in _PARTS
        }
        parts = {
            name: _PART_GAIN * load_audio(file, sample_rate=SAMPLE_RATE, mono=True).samples
            for name, file in files.items()
        }
        n = min(map(len, parts.values()))
        songs.append(Mix(path.name.split(".")[0], {k: v[:n] for k, v in parts.items()}))
    return songs


_PARTS = ("guitar", "backing")


def _sung(folder: Path, songs: list[Mix]) -> list[Mix]:
    found = []
    for file in (folder / "audio").glob(f"{_VOICE_FILE}.*"):
        voice = load_audio(file, sample_rate=SAMPLE_RATE, mono=True).samples
        for song in songs:
            n = min(len(voice), len(song.parts["backing"]))
            parts = {"vocals": voice[:n], "backing": song.parts["backing"][:n]}
            level = {name: float(np.sqrt(np.mean(x**2))) for name, x in parts.items()}
            parts["backing"] = parts["backing"] * np.float32(level["vocals"] / level["backing"])
            found.append(Mix(f"{_VOICE_FILE} over {song.id}", parts))
    return found


def _beat_zeros(folder: Path) -> dict[str, float]:
    lines = (folder / MANIFEST).read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in lines if line.strip()]
    return {e["file"]: e["facts"]["beat_zero_s"] for e in entries if "beat_zero_s" in e["facts"]}


def _read_notes(path: Path) -> list[list[float]]:
    table = np.loadtxt(path, delimiter=",")
    pitches = _A4_MIDI + 12 * np.log2(table[:, 1] / _A4_HZ)
    return [
        [round(float(x), 3) for x in (start, start + length, pitch)]
        for start, pitch, length in zip(table[:, 0], pitches, table[:, 2], strict=True)
    ]
