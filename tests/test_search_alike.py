"""Searches by words and likeness at once: the order, and what no other song may change."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from record_parts import random_record, write_catalogue
from search_parts import find

from llark_py.analysis.likeness import likeness
from llark_py.catalogue.record import Record, unpack_embedding

N_SONGS, N_TWINS = 120, 40
ALL = 1000


def several() -> list[Record]:
    """Songs, twins that only the path tells apart, and songs in which nothing was heard."""
    songs = [random_record(number) for number in range(N_SONGS)]
    twins = [song.model_copy(update={"path": f"/twin{song.path}"}) for song in songs[:N_TWINS]]
    unheard = [
        song.model_copy(update={"path": f"/unheard{song.path}", "embedding": None})
        for song in songs[::9]
    ]
    return [*songs[::-1], *unheard, *twins]


def with_song(folder: Path, records: list[Record]) -> tuple[Path, Path]:
    """Write a catalogue that knows a song under two names, and the song."""
    song = folder / "song.wav"
    song.write_bytes(b"known by its content")
    content_hash = hashlib.sha256(song.read_bytes()).hexdigest()
    first, last = (
        random_record(N_SONGS).model_copy(update={"path": path, "content_hash": content_hash})
        for path in ("/first", "/last")
    )
    return write_catalogue(folder / "c.jsonl", [first, *records, last]), song


def in_order(catalogue: Path, text: str, records: list[Record]) -> list[tuple[float, float, str]]:
    """Compare every song that fulfils the conditions and sort them all; the best score is least."""
    found = find(catalogue, text, ALL)
    hits = {hit.record["path"]: hit for hit in found.hits}
    wanted = unpack_embedding(random_record(N_SONGS).embedding)
    heard = [r for r in records if r.embedding and (r.path in hits or not found.tallies)]
    cosines = [unpack_embedding(record.embedding) @ wanted for record in heard]
    alike = likeness(np.array(cosines) / np.linalg.norm(wanted))
    confidence = [hits[r.path].confidence if r.path in hits else 1.0 for r in heard]
    words = np.array([(hits[r.path].words or 0.0) if r.path in hits else 0.0 for r in heard])
    scores = (words / words.max() + alike) / 2 if words.any() else alike
    return sorted((-s, -c, r.path) for s, c, r in zip(scores, confidence, heard))


@pytest.mark.parametrize(
    ("text", "n_conditions"),
    [
        ("", 0),
        ("minor", 1),
        ("no dusty", 1),
        ("dusty evening", 0),
        ("slow guitar", 2),
        ("no drums, rainy", 1),
    ],
)
def test_words_and_likeness_agree_with_a_plain_loop_over_records(text, n_conditions, tmp_path):
    records = several()
    catalogue, song = with_song(tmp_path, records)
    expected = in_order(catalogue, text, records)
    everything = find(catalogue, text, ALL, song)
    assert [hit.record["path"] for hit in everything.hits] == [path for *_, path in expected]
    scores = [-score for score, *_ in expected]
    assert [hit.score for hit in everything.hits] == pytest.approx(scores, abs=1e-6)
    assert everything.matched == len(expected) > 7
    assert everything.total == N_SONGS + N_TWINS
    assert len(everything.tallies) == n_conditions
    for limit in (1, 7):
        some = find(catalogue, text, limit, song)
        assert some.hits == everything.hits[:limit]
        assert (some.matched, some.total) == (everything.matched, everything.total)
        assert some.tallies == everything.tallies


def test_likeness_hangs_on_no_other_song_and_no_words(tmp_path):
    """To the last digit: else twins would part, and where depends on who stands beside them."""
    songs = several()
    catalogue, song = with_song(tmp_path, songs)
    told = {hit.record["path"]: hit.likeness for hit in find(catalogue, "", ALL, song).hits}
    assert all(told[f"/twin{r.path}"] == told[r.path] for r in map(random_record, range(N_TWINS)))
    for text in ("minor", "slow guitar", "waltz time", "dusty, no drums"):
        for hit in find(catalogue, text, ALL, song).hits:
            assert hit.likeness == told[hit.record["path"]]
    for count in range(1, 10):
        catalogue, song = with_song(tmp_path, songs[:count])
        hits = find(catalogue, "", ALL, song).hits
        assert [hit.likeness for hit in hits] == [told[hit.record["path"]] for hit in hits]
        assert len(hits) == count


def test_a_song_that_is_alone_with_an_embedding_has_nothing_to_be_compared_with(tmp_path):
    unheard = [record for record in several() if record.embedding is None]
    catalogue, song = with_song(tmp_path, unheard)
    found = find(catalogue, "minor", ALL, song)
    assert (found.hits, found.matched, found.total) == ((), 0, 0)
    assert [tally.fulfilling for tally in found.tallies] == [0]
