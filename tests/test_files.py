"""Files are there whole or not at all."""

from __future__ import annotations

import hashlib
import os

import pytest

from llark_py.files import hash_file, whole_file, write_whole


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    there = []
    monkeypatch.setattr(
        os, "fsync", lambda _: there.append((tmp_path / "a.jsonl").exists()) or None
    )
    write_whole(tmp_path / "a.jsonl", "x\n")
    assert there == [False] and (tmp_path / "a.jsonl").read_text() == "x\n"


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ValueError])
def test_what_was_there_stays_when_its_successor_fails(tmp_path, stop):
    path = tmp_path / "song.wav"
    write_whole(path, "old")
    with pytest.raises(stop), whole_file(path) as unfinished:
        # A hidden name with the same ending, by which some writers choose the format.
        assert unfinished.suffix == ".wav" and unfinished.name.startswith(".song.")
        unfinished.write_text("half")
        raise stop
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_writer_that_writes_nothing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "a.txt"):
        pass
    assert not list(tmp_path.iterdir())


def test_the_hash_is_that_of_the_bytes(tmp_path):
    path = tmp_path / "a.bin"
    for content in (b"one", b"two"):  # of one size, perhaps of one time
        path.write_bytes(content)
        assert hash_file(path) == hash_file(str(path)) == hashlib.sha256(content).hexdigest()
