"""Searches over catalogues: what is found, in which order, and what is said."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
from record_parts import fact, make_record, random_record, write_catalogue
from search_parts import find, names, songs

from llark_py.analysis.likeness import likeness
from llark_py.audio import save_audio
from llark_py.catalogue.captioner import load_captioner
from llark_py.catalogue.decode import decode_song
from llark_py.catalogue.record import unpack_embedding
from llark_py.catalogue.scan import scan
from llark_py.cli import main
from llark_py.compose.clip import make_clip


@pytest.fixture
def catalogue(tmp_path):
    return write_catalogue(tmp_path / "catalogue.jsonl", songs())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("calm piano in a minor key under 90 bpm", ["nocturne"]),
        ("in A minor", ["nocturne"]),
        ("Db minor", ["ballad"]),
        ("minor", ["ballad", "nocturne"]),
        ("between 80 and 170", ["ballad", "swing"]),
        ("slow", ["ballad", "nocturne"]),
        ("fast", ["swing"]),
        ("waltz time", ["nocturne"]),
        ("longer than 4 minutes", ["nocturne"]),
        ("loud", ["swing"]),
        ("quiet", ["nocturne"]),
        ("piano", ["nocturne", "swing"]),
        ("saxophone", ["swing"]),
        ("piano without drums", ["nocturne"]),
        ("no drums", ["ballad", "nocturne"]),
        ("vocals", ["ballad"]),
        ("instrumental", ["nocturne", "swing"]),
        ("folk", []),
        ("not jazz", ["nocturne"]),
        ("sad", ["ballad"]),
        ("rainy nights", ["nocturne"]),
        ("story or fire", ["ballad", "swing"]),
        ("minor key, no fire", ["nocturne"]),
    ],
)
def test_what_is_unknown_or_unsure_fulfils_nothing(catalogue, text, expected):
    """The wind has no facts, the ballad is folk by 0.3 only."""
    found = find(catalogue, text)
    assert sorted(names(found)) == sorted(expected)
    assert (found.matched, found.total) == (len(expected), 4)


def test_who_says_the_words_comes_first(catalogue):
    assert names(find(catalogue, "minor, fire"))[0] == "ballad"
    assert names(find(catalogue, "minor, nocturne"))[0] == "nocturne"
    hits = find(catalogue, "minor, nocturne").hits
    assert hits[0].words == 1.0 and hits[1].words == 0.0


def test_the_surer_fact_comes_first_where_words_do_not_decide(tmp_path):
    catalogue = write_catalogue(
        tmp_path / "c.jsonl",
        [make_record(f"s{c}", tempo_bpm=fact(80.0, c)) for c in (0.6, 0.95, 0.5, 0.49)],
    )
    found = find(catalogue, "under 90 bpm")
    assert names(found) == ["s0.95", "s0.6", "s0.5"]
    assert [hit.score for hit in found.hits] == pytest.approx([0.95, 0.6, 0.5])
    assert found.tallies[0].unknown == 1


def test_search_agrees_with_a_plain_loop_over_records(tmp_path):
    records = [random_record(number) for number in range(400)]
    catalogue = write_catalogue(tmp_path / "c.jsonl", records)

    def wanted(facts) -> bool:
        sure = all(f.confidence >= 0.5 for f in (facts.tempo_bpm, facts.key))
        families = {player.family for player in facts.instruments.value}
        return (
            sure
            and 80 <= facts.tempo_bpm.value <= 140
            and facts.key.value.endswith("minor")
            and "drums" not in families
            and not (facts.vocals.value.singer or facts.vocals.value.choir)
        )

    expected = {r.path for r in records if wanted(r.facts)}
    found = find(catalogue, "minor, between 80 and 140 bpm, no drums, instrumental", limit=400)
    assert {hit.record["path"] for hit in found.hits} == expected and len(expected) > 5


def test_tallies_say_what_each_condition_excludes(catalogue):
    found = find(catalogue, "fast, in a minor key, with piano")
    assert found.matched == 0
    told = {str(t.condition): (t.fulfilling, t.unknown, t.without) for t in found.tallies}
    assert told == {
        "key: minor": (2, 1, 1),
        "tempo: fast": (1, 1, 1),
        "with piano": (2, 1, 0),
    }
    assert str(found.strictest) == "tempo: fast"


# --- the command line -----------------------------------------------------------------------


def run(capsys, *arguments) -> tuple[int, str, str]:
    code = main(["search", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_table_and_what_was_understood(catalogue, capsys):
    code, out, err = run(capsys, catalogue, "paino in a minor key")
    assert code == 0
    assert err.splitlines() == [
        "llark: read 'paino' as 'piano'",
        "llark: key: minor; with piano",
        "llark: 1 of 4 records match",
    ]
    heading, row = out.splitlines()
    assert " ".join(heading.split()) == "score tempo key metre length style mood song caption"
    assert "/music/nocturne.wav" in row and "4:10" in row and "A minor" in row


def test_unsure_facts_are_marked_and_unprintable_names_do_no_harm(tmp_path, capsys):
    record = make_record("x", style=fact("folk", 0.3), key="C major", path="/a\x1b[2J\n.wav")
    catalogue = write_catalogue(tmp_path / "c.jsonl", [record])
    _, out, _ = run(capsys, catalogue, "C major")
    assert "folk?" in out and "/a?[2J?.wav" in out and "\x1b" not in out


def test_nothing_found_says_which_condition_excludes_most(catalogue, capsys):
    code, out, err = run(capsys, catalogue, "fast, in a minor key")
    assert (code, out) == (0, "")
    assert "none of 4 records fulfils all of this" in err
    assert "key: minor: 2 do, 1 do not tell; without it 1 would match" in err
    assert "what excludes most is 'tempo: fast'" in err


def test_json_holds_whole_records(catalogue, capsys):
    code, out, _ = run(capsys, catalogue, "jazz", "--json", "--limit", 1)
    answer = json.loads(out)
    assert code == 0 and answer["understood"] == ["style: jazz"] and answer["matched"] == 1
    [song] = answer["songs"]
    assert song["record"] == json.loads(catalogue.read_text().splitlines()[1])
    assert song["score"] == 1.0 and song["confidence"] == 0.9


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "does not exist"),
        ("", "holds no records"),
        ("hello\n", "line 1 is no record of llark caption"),
        (songs()[0].model_dump_json() + '\n{"path": 1}\n', "line 2 is no record"),
        (songs()[0].model_copy(update={"schema_version": 99}).model_dump_json() + "\n", "version"),
    ],
)
def test_bad_catalogues_are_told_in_one_line(tmp_path, capsys, text, reason):
    catalogue = tmp_path / "catalogue.jsonl"
    if text is not None:
        catalogue.write_text(text)
    code, out, err = run(capsys, catalogue, "jazz")
    assert (code, out) == (2, "") and reason in err and err.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["catalogue.jsonl"] * (text is not None)


def test_searches_for_nothing_are_refused(catalogue, tmp_path, capsys):
    assert "say what to look for" in run(capsys, catalogue)[2]
    assert "says nothing about the music" in run(capsys, catalogue, "the songs please")[2]
    assert "is a folder" in run(capsys, tmp_path, "jazz")[2]


# --- likeness -------------------------------------------------------------------------------


def test_songs_like_one_come_first_and_it_is_left_out(tmp_path, capsys):
    rng = np.random.default_rng(0)
    here, away = rng.standard_normal(256), rng.standard_normal(256)
    song = tmp_path / "song.wav"
    song.write_bytes(b"known by its content")
    own = make_record("song", embedding=here).model_copy(
        update={"content_hash": hashlib.sha256(song.read_bytes()).hexdigest()}
    )
    others = [
        make_record("far", embedding=away, style="jazz"),
        make_record("near", embedding=here + 0.1 * away, style="jazz"),
        make_record("silent", style="jazz"),
    ]
    catalogue = write_catalogue(tmp_path / "c.jsonl", [own, *others])
    code, out, _ = run(capsys, catalogue, "--like", song, "--json")
    found = [(s["record"]["path"], s["likeness"]) for s in json.loads(out)["songs"]]
    assert code == 0 and [path for path, _ in found] == ["/music/near.wav", "/music/far.wav"]
    assert found[0][1] > 0.9 and found[1][1] < 0.1


@pytest.mark.parametrize("words", [[], ["jazz"]])
def test_the_most_alike_are_found_among_many_and_the_others_counted(words, tmp_path, capsys):
    rng = np.random.default_rng(1)
    song = tmp_path / "song.wav"
    song.write_bytes(b"known by its content")
    here = rng.standard_normal(256)
    own = make_record("song", embedding=here).model_copy(
        update={"content_hash": hashlib.sha256(song.read_bytes()).hexdigest()}
    )
    # Two by two as far away: the path decides between twins.
    away = [here + (number // 2) * 0.2 * rng.standard_normal(256) for number in range(12)]
    others = [
        make_record(f"{number:02d}", embedding=away[number // 2 * 2], style="jazz")
        for number in range(12)
    ]
    catalogue = write_catalogue(tmp_path / "c.jsonl", [own, *others[::-1]])
    asked = [*words, "--like", song, "--json"]
    everything, some = (
        json.loads(run(capsys, catalogue, *asked, "--limit", str(limit))[1]) for limit in (50, 3)
    )
    assert some["matched"] == everything["matched"] == 12
    assert some["total"] == everything["total"]
    assert some["songs"] == everything["songs"][:3]
    assert [s["record"]["path"] for s in some["songs"]][:2] == ["/music/00.wav", "/music/01.wav"]


def test_a_song_that_must_be_heard(tmp_path, capsys):
    captioner = load_captioner(None)
    for number, style in enumerate(("jazz", "metal")):
        save_audio(make_clip(number, 6.0, style=style)[1], tmp_path / f"s{number}.wav")
    songs = [decode_song(song, *captioner.rates) for song in scan([str(tmp_path)]).songs]
    records = [
        make_record(f"s{i}", embedding=unpack_embedding(one.embedding), maker=captioner.maker)
        for i, one in enumerate(captioner.listen(songs, captioner.hear(songs)))
    ]
    catalogue = write_catalogue(tmp_path / "c.jsonl", records)
    code, out, _ = run(capsys, catalogue, "--like", tmp_path / "s1.wav", "--json")
    found = json.loads(out)["songs"]
    assert code == 0 and found[0]["record"]["path"] == "/music/s1.wav"
    assert found[0]["likeness"] == pytest.approx(likeness(1.0), abs=1e-3)
    assert found[1]["likeness"] < found[0]["likeness"]


def test_likeness_that_cannot_be_had_is_told(tmp_path, catalogue, capsys):
    def refused(catalogue) -> str:
        code, out, err = run(capsys, catalogue, "--like", tmp_path / "x.wav")
        assert (code, out) == (2, "") and err.count("\n") == 1
        return err

    assert "has an embedding" in refused(catalogue)
    ones = np.ones(8)
    other = write_catalogue(tmp_path / "c.jsonl", [make_record("s", embedding=ones)])
    assert "No such file" in refused(other)
    (tmp_path / "x.wav").write_text("no sound")
    assert "made by another model (weights 0000" in refused(other)
    captioner = load_captioner(None)
    own = make_record("s", embedding=ones, maker=captioner.maker)
    write_catalogue(other, [own])
    assert "is a text file" in refused(other)
    write_catalogue(other, [own, make_record("t", embedding=ones)])
    assert "several models" in refused(other)
