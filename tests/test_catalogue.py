"""A catalogue is the same however often its making was stopped, and says what it could not read."""

from __future__ import annotations

import json
import os
import random
import signal
import time

import numpy as np
import psutil
import pytest
import soundfile
from catalogue_parts import MAKER, HereWorkers, QuickCaptioner, quick_decode, quick_measure, run

from llark_py.catalogue.decode import needed_bytes
from llark_py.catalogue.engine import Engine
from llark_py.catalogue.export import export_table
from llark_py.catalogue.ledger import Ledger
from llark_py.catalogue.progress import Progress
from llark_py.catalogue.record import Record
from llark_py.catalogue.scan import look_at, scan
from llark_py.catalogue.sidecars import write_sidecars
from llark_py.errors import ConfigError


@pytest.fixture(autouse=True)
def quick_stages(monkeypatch):
    monkeypatch.setattr("llark_py.catalogue.engine.decode_song", quick_decode)
    monkeypatch.setattr("llark_py.catalogue.engine.measure_song", quick_measure)


@pytest.fixture
def songs(tmp_path):
    """Forty files, every seventh bad."""
    folder = tmp_path / "songs"
    folder.mkdir()
    for i in range(40):
        (folder / f"{i:02d}.mp3").write_text(f"{'bad' if i % 7 == 3 else 'song'} {i}")
    return folder


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def names(records):
    return [os.path.basename(record["path"]) for record in records]


# --- what is found --------------------------------------------------------------------------


def test_scan_is_in_order_whatever_the_order_of_the_arguments(tmp_path):
    for name in ("b/2.mp3", "b/10.FLAC", "a.wav", "b/cover.jpg", "b/._2.mp3", "x.mp3/inside.ogg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "list.txt").write_text(f"{tmp_path}/b/*.mp3\n\n{tmp_path}/gone.mp3\n")
    given = [f"@{tmp_path}/list.txt", f"{tmp_path}/a.wav", f"{tmp_path}/*.mp3", str(tmp_path / "b")]
    found, turned = scan(given), scan(given[::-1])
    assert found == turned
    paths = [song.path.removeprefix(f"{tmp_path}/") for song in found.songs]
    assert paths == ["a.wav", "b/10.FLAC", "b/2.mp3", "x.mp3/inside.ogg"]
    assert [(f.path, "No such file" in f.reason) for f in found.failures] == [
        (f"{tmp_path}/gone.mp3", True)
    ]


def test_scan_survives_links_in_circles_pipes_and_odd_names(tmp_path):
    (tmp_path / "a.mp3").write_text("")
    (tmp_path / "circle").symlink_to(tmp_path)
    (tmp_path / "lost.mp3").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.mp3")
    odd = os.fsencode(tmp_path) + b"/\xff.mp3"
    open(odd, "w").close()
    found = scan([str(tmp_path)])
    assert [song.path for song in found.songs] == [f"{tmp_path}/a.mp3"]
    reasons = {os.path.basename(f.path): f.reason for f in found.failures}
    assert reasons.keys() == {"lost.mp3", "pipe.mp3", "\\xff.mp3"}
    assert "no plain file" in reasons["pipe.mp3"] and "UTF-8" in reasons["\\xff.mp3"]


@pytest.mark.parametrize("given", ["nothing.mp3", "*.mp3", "@nothing.txt"])
def test_what_does_not_exist_is_told_before_anything_is_done(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"nothing|match"):
        scan([given])


def test_folders_without_sound_are_told_from_what_is_not_there(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "cover.jpg").write_text("")
    with pytest.raises(ConfigError, match="has no sound in it"):
        scan([str(tmp_path / "empty")])
    (tmp_path / "a.wav").write_text("")
    (tmp_path / "song.mp3").mkdir()
    found = scan([str(tmp_path)])
    assert [s.path for s in found.songs] == [str(tmp_path / "a.wav")]
    assert [(f.path, f.reason) for f in found.failures] == [
        (str(tmp_path / "song.mp3"), "it is a folder, and an empty one")
    ]


def test_a_folder_that_was_mended_is_no_error_any_more(songs, tmp_path):
    out, errors = tmp_path / "c.jsonl", tmp_path / "c.errors.jsonl"
    (songs / "folder.mp3").mkdir()
    for expected in (1, 1):
        run([songs], out, QuickCaptioner())
        assert sum("folder.mp3" in line["path"] for line in lines(errors)) == expected
    (songs / "folder.mp3" / "99.mp3").write_text("song 99")
    before = lines(errors)
    run([songs], out, QuickCaptioner())
    assert lines(errors) == [line for line in before if "folder.mp3" not in line["path"]]


# --- stopping and going on ------------------------------------------------------------------


class SlowCaptioner(QuickCaptioner):
    """Takes its time for each batch, so that one can come between them."""

    def speak(self, songs, listened):
        time.sleep(0.05)
        return super().speak(songs, listened)


def test_killed_at_twenty_random_moments_the_catalogue_is_the_same(songs, tmp_path):
    whole, out = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    errors = [path.with_name(f"{path.stem}.errors.jsonl") for path in (out, whole)]
    start = time.monotonic()
    run([songs], whole, SlowCaptioner())
    took_s, rng, sizes = time.monotonic() - start, random.Random(11), []
    while len(sizes) < 20:
        child = os.fork()
        if child == 0:
            try:
                run([songs], out, SlowCaptioner())
            finally:
                os._exit(0)
        time.sleep(rng.uniform(0.0, took_s))
        os.kill(child, signal.SIGKILL)
        killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        if killed:
            sizes.append(out.stat().st_size if out.exists() else 0)
        else:  # what is done cannot be cut off again
            assert out.read_bytes() == whole.read_bytes()
            for path in (out, errors[0]):
                path.unlink()
    run([songs], out, QuickCaptioner())
    assert out.read_bytes() == whole.read_bytes()
    assert errors[0].read_bytes() == errors[1].read_bytes()
    assert len(set(sizes)) > 1  # not all before anything was written


@pytest.mark.parametrize("cut", [1, 100, 2000, 40_000])
def test_half_written_batches_are_done_again_and_nothing_twice(songs, tmp_path, cut):
    whole, out = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    run([songs], whole, QuickCaptioner())
    first = QuickCaptioner()
    with Ledger(out, MAKER, ()) as ledger:
        next(Engine(first, ledger, HereWorkers()).run(ledger.plan(scan([str(songs)]).songs)))
    confirmed = out.stat().st_size
    # The second batch had begun to be written.
    with out.open("ab") as file:
        file.write(whole.read_bytes()[confirmed : confirmed + cut])
    again = QuickCaptioner()
    run([songs], out, again)
    assert out.read_bytes() == whole.read_bytes()
    assert not {p for batch in again.batches for p in batch} & set(first.batches[0])


def test_without_its_state_a_catalogue_keeps_whole_lines(songs, tmp_path):
    out = tmp_path / "c.jsonl"
    run([songs], out, QuickCaptioner())
    (tmp_path / "c.state.json").unlink()
    text = out.read_bytes()
    out.write_bytes(text[:-10])
    described, _ = run([songs], out, QuickCaptioner())
    assert described == 1
    assert len(names(lines(out))) == len(set(names(lines(out)))) == 34


def test_two_runs_on_one_output_are_refused(tmp_path):
    other = Ledger(tmp_path / "c.jsonl", MAKER, ())
    with (
        Ledger(tmp_path / "c.jsonl", MAKER, ()),
        pytest.raises(ConfigError, match="another run writes"),
    ):
        other.__enter__()
    with Ledger(tmp_path / "c.jsonl", MAKER, ()):
        pass


@pytest.mark.parametrize("keep_state", [True, False])
def test_another_model_or_other_questions_are_refused(songs, tmp_path, keep_state):
    out = tmp_path / "c.jsonl"
    run([songs], out, QuickCaptioner(["Is it calm?"]))
    if not keep_state:
        (tmp_path / "c.state.json").unlink()
    before = out.read_bytes()
    with pytest.raises(ConfigError, match=r"'Is it calm\?'.*no questions.*another --out"):
        run([songs], out, QuickCaptioner())
    other = QuickCaptioner(["Is it calm?"])
    other.maker = MAKER.model_copy(update={"weights": "b" * 32})
    with pytest.raises(ConfigError, match="another model"):
        run([songs], out, other)
    assert out.read_bytes() == before


def test_a_file_that_is_no_catalogue_is_left_alone(songs, tmp_path):
    out = tmp_path / "mine.jsonl"
    out.write_text('{"text": "mine"}\nhalf a line')
    with pytest.raises(ConfigError, match="begun"):
        run([songs], out, QuickCaptioner())
    assert out.read_text() == '{"text": "mine"}\nhalf a line'
    state = tmp_path / "c.jsonl"
    run([songs], state, QuickCaptioner())
    lines_before = state.read_text().splitlines()
    for broken in ('{"path": 1}', "[]", "no JSON"):
        state.write_text("\n".join([lines_before[0], broken, ""]))
        (tmp_path / "c.state.json").unlink()
        with pytest.raises(ConfigError, match=r"line 2 of .* is no record"):
            run([songs], state, QuickCaptioner())
    with pytest.raises(ConfigError, match=r"ends in \.jsonl"):
        run([songs], tmp_path / "mine.csv", QuickCaptioner())


# --- what changes ---------------------------------------------------------------------------


def test_changed_files_are_done_again_and_touched_ones_are_not(songs, tmp_path):
    out = tmp_path / "c.jsonl"
    run([songs], out, QuickCaptioner())
    (songs / "05.mp3").write_text("another song")
    os.utime(songs / "06.mp3")
    (songs / "99.mp3").write_text("new song")
    captioner = QuickCaptioner()
    run([songs], out, captioner)
    [batch] = captioner.batches
    assert [os.path.basename(path) for path in batch] == ["05.mp3", "99.mp3"]
    assert sorted(names(lines(out))) == sorted(set(names(lines(out))))
    assert len(lines(out)) == 35


def test_failures_are_kept_and_retried_when_asked_or_changed(songs, tmp_path):
    out, errors = tmp_path / "c.jsonl", tmp_path / "c.errors.jsonl"
    _, failures = run([songs], out, QuickCaptioner())
    assert len(failures) == 6 and {line["reason"] for line in lines(errors)} == {"it is bad"}
    assert run([songs], out, QuickCaptioner()) == (0, [])
    _, again = run([songs], out, QuickCaptioner(), retry_errors=True)
    assert len(again) == 6 and len(lines(errors)) == 6
    (songs / "03.mp3").write_text("mended")
    assert run([songs], out, QuickCaptioner())[0] == 1
    assert len(lines(errors)) == 5


# --- what is written ------------------------------------------------------------------------


def test_batches_and_records_are_whole(songs, tmp_path):
    out, captioner = tmp_path / "c.jsonl", QuickCaptioner()
    described, _ = run([songs], out, captioner)
    # Sixteen files each, bad ones included, so that a part of the files makes the same batches.
    assert [len(batch) for batch in captioner.batches] == [14, 13, 7] and described == 34
    records = [Record.model_validate(line) for line in lines(out)]
    assert [r.path for r in records] == sorted(r.path for r in records)


def test_songs_heavier_than_the_memory_make_smaller_batches(songs, tmp_path, monkeypatch):
    heavy = 40 << 20
    monkeypatch.setattr("llark_py.catalogue.decode.Decoded.size_bytes", heavy)
    captioner = QuickCaptioner()
    run([songs], tmp_path / "c.jsonl", captioner, memory_mib=1024)
    assert {len(batch) for batch in captioner.batches[:-1]} == {4}
    with pytest.raises(ConfigError, match="at least 1024 MiB"):
        run([songs], tmp_path / "d.jsonl", captioner, memory_mib=10)


def test_a_song_weighs_what_its_header_says(tmp_path):
    noise = np.random.default_rng(0).normal(0, 0.1, (44_100 * 30, 2)).astype(np.float32)
    weights = []
    for name in ("song.wav", "song.mp3"):
        soundfile.write(tmp_path / name, noise, 44_100)
        weights.append(needed_bytes(look_at(str(tmp_path / name))))
    assert weights[0] == weights[1] == 5 * noise.nbytes
    (tmp_path / "junk.mp3").write_bytes(b"\xff" * 1000)
    assert needed_bytes(look_at(str(tmp_path / "junk.mp3"))) == 5 * 60 * 1000


def test_tables_hold_every_record_and_every_question(songs, tmp_path):
    import csv

    from pyarrow import parquet

    out = tmp_path / "c.jsonl"
    run([songs], out, QuickCaptioner(["Is it calm?"]))
    table = parquet.read_table(export_table(out, "parquet")).to_pylist()
    with export_table(out, "csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    paths = [record["path"] for record in lines(out)]
    assert [row["path"] for row in table] == [row["path"] for row in rows] == paths
    assert {row["asked: Is it calm?"] for row in table + rows} == {"yes"}
    assert table[0]["tags"] == ["a", "b"] and rows[0]["tags"] == "a; b"
    assert table[0]["loudness_lufs"] is None and table[0]["instruments"] is None


def test_sidecars_never_overwrite_what_is_not_theirs(songs, tmp_path):
    out = tmp_path / "c.jsonl"
    run([songs], out, QuickCaptioner())
    (songs / "00.txt").write_text("my own words")
    complaints = write_sidecars(out, "txt")
    assert [os.path.basename(c.split()[0]) for c in complaints] == ["00.txt"]
    assert (songs / "00.txt").read_text() == "my own words"
    assert (songs / "01.txt").read_text().startswith("long long")
    assert len(write_sidecars(out, "txt")) == 1
    assert write_sidecars(out, "json") == []
    assert json.loads((songs / "01.json").read_text()) == lines(out)[1]


def test_sidecars_follow_songs_that_change(songs, tmp_path):
    out = tmp_path / "c.jsonl"
    run([songs], out, QuickCaptioner())
    assert write_sidecars(out, "json") == []
    (songs / "02.json").write_text("edited")
    for name in ("01.mp3", "02.mp3"):
        (songs / name).write_text("song of another length")
    run([songs], out, QuickCaptioner())
    complaints = write_sidecars(out, "json")
    assert [os.path.basename(c.split()[0]) for c in complaints] == ["02.json"]
    assert (songs / "02.json").read_text() == "edited"
    by_path = {record["path"]: record for record in lines(out)}
    assert json.loads((songs / "01.json").read_text()) == by_path[str(songs / "01.mp3")]
    (tmp_path / "c.sidecars.json").write_text("no notes")  # then nothing is taken for our own
    (songs / "01.mp3").write_text("song of a third length, longer")
    run([songs], out, QuickCaptioner())
    assert len(write_sidecars(out, "json")) == 2


def test_progress_tells_rate_and_time_left():
    progress = Progress(400)
    progress._done, progress._failed = 90, 10
    assert progress.line(360.0) == "100 of 400 songs, 10 failed, 1000 songs/hour, 0:18:00 left"


def test_memory_stays_flat_over_two_thousand_songs(tmp_path):
    folder = tmp_path / "songs"
    folder.mkdir()
    for i in range(2000):
        (folder / f"{i:04d}.mp3").write_text(f"song {i}")
    found, used = scan([str(folder)]), []
    captioner = QuickCaptioner()
    with Ledger(tmp_path / "c.jsonl", MAKER, ()) as ledger:
        for done, _ in Engine(captioner, ledger, HereWorkers()).run(found.songs):
            assert done == 16
            captioner.batches.clear()
            used.append(psutil.Process().memory_info().rss)
    assert len(used) == 125
    assert max(used[25:]) - max(used[:25]) < 32 << 20  # two batches weigh 40 MB
