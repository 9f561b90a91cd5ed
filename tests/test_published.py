"""Every published benchmark: official layouts are read, known answers get known scores."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from published_data import make, read_all, scores

from llark_py import catalog
from llark_py.benchmarks.qa.files import data_folder
from llark_py.benchmarks.qa.scoring import score_task
from llark_py.cli import load_command
from llark_py.errors import ConfigError

NAMES = catalog.names("benchmarks.published")
CHOICES = ("mmau_music", "muchomusic", "rul_muchomusic")
TEXTS = Path(__file__).parents[2] / "shared" / "real" / "text"


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    """Each benchmark with the questions of its made-up data."""
    return read_all(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("name", NAMES)
def test_task_keeps_its_contract(tasks, name):
    task, questions = tasks[name]
    assert task.name == name and task.version >= 1 and task.source.endswith(".")
    assert len({q.id for q in questions}) == len(questions) > 1
    for question in questions:
        assert question.prompt and "{" not in question.prompt
        assert question.excerpt is not None and question.excerpt.path.is_file()
        assert question.group
    assert len({q.doc_hash for q in questions}) == len(questions)


def test_the_command_names_every_benchmark():
    told = " ".join(load_command("evaluate").params[0].help.split())
    assert [name for name in NAMES if name not in told] == []


@pytest.mark.parametrize("name", NAMES)
def test_perfect_answers_score_one_by_every_reader(tasks, name):
    task, questions = tasks[name]
    table, found = scores(task, questions, lambda q: q.target)
    for reader, values in found.items():
        assert list(values.values()) == pytest.approx([1.0] * len(values)), (reader, values)
        assert table["audio"][reader].unparsed == 0 == table["audio"][reader].missing
    assert task.primary in next(iter(found.values()))


@pytest.mark.parametrize("name", NAMES)
def test_no_answer_and_unreadable_answers_score_zero_and_are_shown(tasks, name):
    task, questions = tasks[name]
    nothing = score_task(task, questions, {"audio": {}}, 0)["audio"]
    said = {"audio": {q.id: " " for q in questions}}
    empty = score_task(task, questions, said, 0)["audio"]
    for columns, missing in ((nothing, len(questions)), (empty, 0)):
        for column in columns.values():
            assert {e.value for e in column.scores.values()} == {0.0}
            assert column.unparsed == 1.0 and column.missing == missing


@pytest.mark.parametrize("name", NAMES)
def test_missing_data_are_told_with_where_to_get_them(tmp_path, name):
    task = catalog.load("benchmarks.published", name).TASK
    with pytest.raises(ConfigError, match="needs --data"):
        data_folder(None, name, task.source)
    with pytest.raises(ConfigError, match=re.escape(task.source)):
        data_folder(tmp_path / "nowhere", name, task.source)
    with pytest.raises(ConfigError, match=re.escape(task.source)):
        task.read(tmp_path)


def test_damaged_files_are_told_by_name(tmp_path):
    make("mmau_music", tmp_path)
    broken = tmp_path / "mmau_music" / "mmau-test-mini.json"
    broken.write_text(broken.read_text().replace('"answer": "Male"', '"answer": "Nobody"', 1))
    task = catalog.load("benchmarks.published", "mmau_music").TASK
    with pytest.raises(ConfigError, match="item-0: the answer 'Nobody' is not among the choices"):
        task.read(broken.parent)
    broken.write_text("[")
    with pytest.raises(ConfigError, match="is neither JSON nor JSON lines"):
        task.read(broken.parent)


# --- samples of the real files -------------------------------------------------------------------


@pytest.fixture
def official(tmp_path):
    """Lay out a sample of an official file; the test is skipped where there is none."""

    def lay_out(name, file, under):
        if not (TEXTS / file).is_file():
            pytest.skip(f"{TEXTS / file} is not there")
        shutil.copy(TEXTS / file, tmp_path / under)
        task = catalog.load("benchmarks.published", name).TASK
        return task, task.read(tmp_path)

    return lay_out


def blind(task, questions, row, score):
    return score_task(task, questions, {"audio": {}}, 0)[row]["none"].scores[score].value


def test_giantsteps_has_as_many_keys_and_tempi_as_are_published(official):
    task, questions = official("giantsteps_key", "giantsteps_key.tsv", "giantsteps_key.tsv")
    assert len(questions) == 604
    # LLark's notebooks give the majority class .150.
    assert blind(task, questions, "most frequent", "mirex") == pytest.approx(0.150, abs=0.001)
    assert blind(task, questions, "most frequent", "acc") == pytest.approx(73 / 604)


def test_giantsteps_tempo_has_661_tempi(official):
    _, questions = official("giantsteps_tempo", "giantsteps_tempo_v2.tsv", "giantsteps_tempo.tsv")
    assert len(questions) == 661


def test_real_rows_of_jamendo_and_captions_are_read(official):
    _, tags = official(
        "jamendo_tags", "mtg_jamendo_autotagging_test_first200.tsv", "autotagging-test.tsv"
    )
    assert len(tags) == 200 and tags[0].target == {"punkrock"}
    _, captions = official("musiccaps", "musiccaps_sample60.csv", "musiccaps-public.csv")
    assert captions[0].id == "1heMbyumHAo" and captions[0].target[0].startswith("This is a remix")
    _, choices = official("muchomusic", "muchomusic_sample60.json", "muchomusic.json")
    assert len(choices) == 60 and choices[1].options[choices[1].target].startswith("Strummed")
    assert "(A) Plucked with fingers (B) Strummed with upstrokes" in choices[1].prompt
    _, songs = official("song_describer", "song_describer_sample60.csv", "song_describer.csv")
    assert songs[0].id == "1169731"
