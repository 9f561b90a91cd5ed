"""Datasets: every reader gives true Tracks, and bad data is told by its place."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from llark_py import catalog
from llark_py.audio import Audio, save_audio
from llark_py.commands.compose import compose
from llark_py.commands.instruct import instruct
from llark_py.datasets import composed, table
from llark_py.errors import ConfigError
from llark_py.instruct.records import read_records


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    compose(folder, n=2, duration_s=2.0)
    return folder


@pytest.fixture
def songs(tmp_path) -> Path:
    save_audio(Audio(np.zeros(8_000, np.float32) + 0.1, 8_000), tmp_path / "a.wav")
    (tmp_path / "songs.csv").write_text(
        'audio_path,tempo_bpm,key,instruments,genre\na.wav,96.5,g# minor,"piano, violin",\n'
    )
    return tmp_path / "songs.csv"


@pytest.mark.parametrize("name", catalog.names("datasets"))
def test_dataset_keeps_its_contract(name, clips, songs):
    part = catalog.load("datasets", name)
    tracks = list(part.read_tracks({"composed": clips, "table": songs}[name]))
    assert tracks and part.__doc__ and part.read_tracks.__doc__
    for track in tracks:
        assert Path(track.audio_path).is_file() and track.duration_s > 0
        assert {source.name for source in track.sources.values()} == {f"dataset:{name}"}


def test_table_reads_facts_and_leaves_the_unknown_open(songs):
    (track,) = table.read_tracks(songs)
    assert (track.tempo_bpm, track.key, track.genre) == (96.5, "G# minor", None)
    assert [i.family for i in track.instruments] == ["piano", "strings"]
    assert track.duration_s == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("audio_path,bpm\na.wav,90\n", "unknown column 'bpm'"),
        ("key\nC major\n", "no column 'audio_path'"),
        ("audio_path,key\na.wav,H major\n", "line 2: 'H' is not a note name"),
        ("audio_path,tempo_bpm\na.wav,quick\n", "line 2: could not convert"),
        ("audio_path\nmissing.wav\n", "line 2: .*missing.wav"),
        ("audio_path,instruments\na.wav,kazooo\n", "line 2: no instrument 'kazooo'"),
    ],
)
def test_table_tells_the_bad_cell(songs, text, reason):
    songs.write_text(text)
    with pytest.raises(ConfigError, match=reason):
        list(table.read_tracks(songs))


def test_composed_tells_what_is_missing(tmp_path):
    with pytest.raises(ConfigError, match="no folder"):
        list(composed.read_tracks(tmp_path / "none"))
    with pytest.raises(ConfigError, match="holds no clips"):
        list(composed.read_tracks(tmp_path))
    (tmp_path / "x.json").write_text(json.dumps({"id": "x"}))
    with pytest.raises(ConfigError, match="no facts"):
        list(composed.read_tracks(tmp_path))


def test_instruct_writes_conversations_that_training_reads(clips, tmp_path):
    instruct("composed", clips, tmp_path / "out.jsonl", turns=2, per_track=2)
    records = list(read_records(tmp_path / "out.jsonl"))
    assert len(records) == 4 and all(Path(r.audio).is_file() for r in records)
    first = (tmp_path / "out.jsonl").read_text()
    instruct("composed", clips, tmp_path / "out.jsonl", turns=2, per_track=2)
    assert (tmp_path / "out.jsonl").read_text() == first
