"""What published results were made of: official files and sounds; what a change of them does."""

from __future__ import annotations

import hashlib
import json
import os

import pytest
from published_data import make, sound

from llark_py import catalog
from llark_py.benchmarks.qa import hashes
from llark_py.benchmarks.qa.annotations import read_noting
from llark_py.benchmarks.qa.asking import InTurn, Said
from llark_py.benchmarks.qa.comparison import compare_runs
from llark_py.benchmarks.qa.results import write_results
from llark_py.benchmarks.qa.run import Plan, ask_task, score_blindly
from llark_py.benchmarks.qa.sounds import Sounds
from llark_py.errors import ConfigError

NAMES = catalog.names("benchmarks.published")
# GTZAN's labels are the names of its folders; nothing is read but its list, where there is one.
OFFICIAL = {
    "giantsteps_key": [f"annotations/key/{i}.LOFI.key" for i in range(4)],
    "giantsteps_tempo": [f"annotations_v2/tempo/{i}.LOFI.bpm" for i in range(5)],
    "gtzan_genre": [],
    "jamendo_tags": ["autotagging_top50tags-test.tsv"],
    "medleydb_instruments": [f"Metadata/{x}_Song_METADATA.yaml" for x in "ABC"],
    "mmau_music": ["mmau-test-mini.json"],
    "muchomusic": ["muchomusic.csv"],
    "musiccaps": ["musiccaps-public.csv"],
    "musicnet_instruments": ["test_labels/1759.csv", "test_labels/2303.csv"],
    "rul_muchomusic": ["RUL-MuchoMusic.json"],
    "song_describer": ["song_describer.csv"],
}


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Counting(InTurn):
    """Answers the same to everything; keeps what it was asked and heard."""

    settings = {"model": "counting", "tools": []}

    def __init__(self):
        self.heard = []

    def answer(self, prompt, audio):
        self.heard.append(None if audio is None else audio.content_hash)
        return Said("It is F minor.")


@pytest.fixture
def keys(tmp_path):
    """The made-up key benchmark: its task, the folder of its data, a plan."""
    root = make("giantsteps_key", tmp_path / "data")
    plan = Plan(root, tmp_path / "out", blind=False)
    plan.out.mkdir()
    return (
        catalog.load("benchmarks.published", "giantsteps_key").TASK,
        root / "giantsteps_key",
        plan,
    )


def asked_again(task, plan):
    """Run a task; gives how many questions were asked."""
    clerk = Counting()
    ask_task(task, plan, clerk)
    return len(clerk.heard)


@pytest.mark.parametrize("name", NAMES)
def test_every_official_file_that_is_read_is_hashed_and_no_recording(tmp_path, name):
    folder = make(name, tmp_path) / name
    task = catalog.load("benchmarks.published", name).TASK
    questions, files = read_noting(task, folder)
    assert questions == task.read(folder)
    assert files == {file: sha256(folder / file) for file in OFFICIAL[name]}


def test_a_list_of_clips_is_an_official_file(tmp_path):
    folder = make("gtzan_genre", tmp_path) / "gtzan_genre"
    (folder / "test_filtered.txt").write_text("blues/blues.00000.wav\n")
    task = catalog.load("benchmarks.published", "gtzan_genre").TASK
    questions, files = read_noting(task, folder)
    assert len(questions) == 1 and list(files) == ["test_filtered.txt"]


def test_a_file_that_is_no_text_is_told_by_name(tmp_path):
    folder = make("song_describer", tmp_path) / "song_describer"
    (folder / "song_describer.csv").write_bytes(b"\xff\xfe\x00")
    task = catalog.load("benchmarks.published", "song_describer").TASK
    with pytest.raises(ConfigError, match=r"song_describer\.csv is no text in UTF-8"):
        task.read(folder)


def test_a_recording_is_hashed_once_whatever_is_asked_about_it(tmp_path, monkeypatch):
    task = catalog.load("benchmarks.published", "musicnet_instruments").TASK
    questions = task.read(make("musicnet_instruments", tmp_path) / "musicnet_instruments")
    read = []
    digest = hashlib.file_digest
    monkeypatch.setattr(
        hashes.hashlib, "file_digest", lambda f, kind: read.append(f.name) or digest(f, kind)
    )
    sounds = Sounds(questions)
    asked = [sounds.asked(question, "audio") for question in questions]
    assert len(read) == 2 and len({one.hash for one in asked}) == len(questions) == 3
    assert asked[0].sound_hash == asked[1].sound_hash == sha256(questions[0].excerpt.path)
    # Two parts of one file are two sounds.
    assert asked[0].hash != asked[1].hash


def test_another_sound_under_the_same_name_is_asked_anew(keys, capsys):
    task, folder, plan = keys
    assert asked_again(task, plan) == 4 and asked_again(task, plan) == 0
    sound(folder / "audio" / "1.LOFI.wav", seed=99)
    capsys.readouterr()
    assert asked_again(task, plan) == 1
    assert "giantsteps_key, audio: 1 questions are asked anew; their words or" in (
        capsys.readouterr().err
    )
    assert asked_again(task, plan) == 0
    lines = (plan.out / "samples_giantsteps_key.jsonl").read_text().splitlines()
    rows = {row["doc_id"]: row for row in map(json.loads, lines)}
    for name, row in rows.items():
        assert row["sound_hash"] == sha256(folder / "audio" / f"{name}.wav")


def test_a_file_that_is_moved_renamed_or_touched_is_not_asked_anew(keys):
    task, folder, plan = keys
    asked_again(task, plan)
    path = folder / "audio" / "1.LOFI.wav"
    os.utime(path, (1, 1))
    (folder / "elsewhere").mkdir()
    path.rename(folder / "elsewhere" / path.name)
    assert asked_again(task, plan) == 0


def test_blind_rows_depend_on_the_sound_that_is_heard(keys):
    task, folder, plan = keys
    plan = Plan(plan.data, plan.out)
    assert asked_again(task, plan) == 5 * 4
    # Its own row, its noise and its silence; and the one for which it is the other recording.
    # Without sound nothing changed.
    sound(folder / "audio" / "1.LOFI.wav", seed=99, seconds=0.3)
    assert asked_again(task, plan) == 4
    assert asked_again(task, plan) == 0


def test_answers_of_older_versions_are_kept_by_name(keys, capsys):
    task, folder, plan = keys
    asked_again(task, plan)
    path = plan.out / "answers_giantsteps_key.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    prompt = task.read(folder)[0].prompt
    for line in lines:
        del line["sound_hash"]
        asked = json.dumps([prompt, f"{line['id']}.wav"], sort_keys=True)
        line["asked_hash"] = hashlib.sha256(asked.encode()).hexdigest()
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (plan.out / "data_giantsteps_key.json").unlink()
    capsys.readouterr()
    assert asked_again(task, plan) == 0
    assert "4 answers are of a version before 0.13" in capsys.readouterr().err
    samples = (plan.out / "samples_giantsteps_key.jsonl").read_text().splitlines()
    # What was heard then is not known now.
    assert {json.loads(line)["sound_hash"] for line in samples} == {None}
    (folder / "audio" / "1.LOFI.wav").rename(folder / "audio" / "1.LOFI.flac")
    assert asked_again(task, plan) == 1


def test_a_changed_official_file_is_told_and_scored_by(keys, capsys):
    task, folder, plan = keys
    ask_task(task, plan, Counting())
    assert "changed" not in capsys.readouterr().err
    (folder / "annotations" / "key" / "2.LOFI.key").write_text("F minor")
    (folder / "annotations" / "key" / "3.LOFI.key").unlink()
    run, _ = ask_task(task, plan, None)
    told = capsys.readouterr().err
    assert "annotations/key/2.LOFI.key, annotations/key/3.LOFI.key changed since the last" in told
    assert run.table["audio"]["strict"].scores["acc"].value == 1.0 and len(run.questions) == 3
    ask_task(task, plan, None)
    assert "changed" not in capsys.readouterr().err


def test_results_hold_the_hashes_of_files_prompts_and_sounds(keys):
    task, folder, plan = keys
    run, _ = ask_task(task, plan, Counting())
    found = json.loads(write_results([run], {"model": "x"}, plan.out, 1.0).read_text())
    files = found["data_hashes"]["giantsteps_key"]["annotations"]
    assert files == {f: sha256(folder / f) for f in OFFICIAL["giantsteps_key"]}
    sounds = [sha256(folder / "audio" / f"{i}.LOFI.wav") for i in range(4)]
    whole = hashlib.sha256(json.dumps(sounds).encode()).hexdigest()
    assert found["data_hashes"]["giantsteps_key"]["sounds"] == whole
    prompts = json.dumps([q.prompt for q in run.questions]).encode()
    assert found["prompt_hashes"]["giantsteps_key"] == hashlib.sha256(prompts).hexdigest()
    blind = score_blindly(task, Plan(plan.data))
    assert blind.data == {"annotations": files, "sounds": None}


def test_runs_about_other_sounds_are_not_compared(keys, tmp_path):
    task, folder, plan = keys
    later = Plan(plan.data, tmp_path / "later", blind=False)
    later.out.mkdir()
    ask_task(task, plan, Counting())
    sound(folder / "audio" / "0.LOFI.wav", seed=99)
    ask_task(task, later, Counting())
    assert {row.n for row in compare_runs(plan.out, later.out)} == {3}
    for i in range(1, 4):
        sound(folder / "audio" / f"{i}.LOFI.wav", seed=99 + i)
    ask_task(task, later, Counting())
    with pytest.raises(ConfigError, match="other sounds under the same names"):
        compare_runs(plan.out, later.out)
