"""The index beside a catalogue: made once, grown with it, never half made."""

from __future__ import annotations

import sqlite3

import pytest
from record_parts import make_record, write_catalogue
from search_parts import find, names, songs

from llark_py.catalogue.index import open_index


@pytest.fixture
def catalogue(tmp_path):
    return write_catalogue(tmp_path / "catalogue.jsonl", songs())


def count(catalogue) -> int:
    return find(catalogue, "minor or major").total


def test_appended_records_are_added_and_no_others_read_again(catalogue, monkeypatch):
    from llark_py.catalogue import rows

    assert count(catalogue) == 4
    read = []
    monkeypatch.setattr(
        rows,
        "read_record",
        lambda line, where, old=rows.read_record: read.append(where) or old(line, where),
    )
    assert count(catalogue) == 4 and read == []
    with catalogue.open("a") as file:
        file.write(make_record("new", key="C major").model_dump_json() + "\n")
    assert count(catalogue) == 5 and len(read) == 1
    assert names(find(catalogue, "C major")) == ["new"]


def test_a_later_record_of_a_song_replaces_the_earlier(catalogue):
    find(catalogue, "jazz")
    again = make_record("swing", "Now a waltz.", style="pop", players=["organ"])
    with catalogue.open("a") as file:
        file.write(again.model_dump_json() + "\n")
    assert count(catalogue) == 4
    assert names(find(catalogue, "pop")) == ["swing"] == names(find(catalogue, "organ"))
    assert names(find(catalogue, "saxophone")) == [] == names(find(catalogue, "story"))


def test_a_rewritten_catalogue_is_indexed_anew(catalogue):
    assert names(find(catalogue, "jazz")) == ["swing"]
    write_catalogue(catalogue, [make_record("other", style="jazz"), *songs()[2:]])
    assert names(find(catalogue, "jazz")) == ["other"] and count(catalogue) == 3


def test_an_unfinished_last_line_is_left_out_and_told(catalogue):
    with catalogue.open("a") as file:
        file.write('{"path": "/music/half')
    told = []
    open_index(catalogue, told.append).close()
    assert "unfinished" in told[-1] and count(catalogue) == 4


def test_a_damaged_index_is_made_again(catalogue):
    find(catalogue, "jazz")
    place = catalogue.with_suffix(".index.sqlite")
    place.write_bytes(b"not a database" * 1000)
    told = []
    open_index(catalogue, told.append).close()
    assert "damaged" in told[0] and names(find(catalogue, "jazz")) == ["swing"]


def test_an_index_of_another_version_is_made_again(catalogue):
    find(catalogue, "jazz")
    with sqlite3.connect(catalogue.with_suffix(".index.sqlite")) as index:
        index.execute("PRAGMA user_version = 0")
        index.execute("DELETE FROM songs")
    assert names(find(catalogue, "jazz")) == ["swing"]


def test_who_is_stopped_while_indexing_leaves_the_old_index(catalogue, monkeypatch):
    from llark_py.catalogue import rows

    find(catalogue, "jazz")
    before = catalogue.with_suffix(".index.sqlite").read_bytes()
    with catalogue.open("a") as file:
        file.write(make_record("new", style="jazz").model_dump_json() + "\n")
    with monkeypatch.context() as patch:
        patch.setattr(rows, "players_of", lambda record: [][1])
        with pytest.raises(IndexError):
            find(catalogue, "jazz")
    assert catalogue.with_suffix(".index.sqlite").read_bytes() == before
    assert len(names(find(catalogue, "jazz"))) == 2
