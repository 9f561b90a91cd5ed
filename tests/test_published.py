"""Every published benchmark: official layouts are read, known answers get known scores."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import mir_eval
import numpy as np
import pytest
from published_data import make, say
from sklearn.metrics import f1_score

from llark_py import catalog
from llark_py.benchmarks.qa.choices import guess_choices, score_choice
from llark_py.benchmarks.qa.files import data_folder
from llark_py.benchmarks.qa.scoring import score_categories, score_task
from llark_py.benchmarks.qa.task import Question
from llark_py.cli import load_command
from llark_py.errors import ConfigError
from llark_py.theory import KEYS

NAMES = catalog.names("benchmarks.published")
CHOICES = ("mmau_music", "muchomusic", "rul_muchomusic")
TEXTS = Path(__file__).parents[2] / "shared" / "real" / "text"


@pytest.fixture(scope="session")
def tasks(tmp_path_factory):
    """Each benchmark with the questions of its made-up data."""
    root = tmp_path_factory.mktemp("data")
    found = {}
    for name in NAMES:
        task = catalog.load("benchmarks.published", name).TASK
        folder = data_folder(make(name, root), name, task.source)
        found[name] = (task, task.read(folder))
    return found


def scores(task, questions, value_of, n_draws=0):
    """Scores by reader of answers that say `value_of(question)`."""
    said = {"audio": {q.id: say(q, value_of(q), task.name) for q in questions}}
    table = score_task(task, questions, said, n_draws)
    return table, {
        reader: {name: estimate.value for name, estimate in column.scores.items()}
        for reader, column in table["audio"].items()
    }


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


@pytest.mark.parametrize("name", CHOICES)
def test_constant_letters_score_the_share_of_that_letter_and_a_quarter_together(tasks, name):
    task, questions = tasks[name]
    four = [q for q in questions if len(q.options) == 4]
    found = []
    for letter in range(4):
        _, by_reader = scores(task, four, lambda q, letter=letter: letter)
        share = np.mean([q.target == letter for q in four])
        assert {values["acc"] for values in by_reader.values()} == {share}
        found.append(share)
    assert np.mean(found) == pytest.approx(0.25)
    row = score_task(task, four, {"audio": {}}, 0)["random"]["none"]
    assert row.scores["acc"].value == pytest.approx(0.25)


def test_the_most_frequent_letter_is_what_the_blind_row_says(tasks):
    task, questions = tasks["mmau_music"]
    table, _ = scores(task, questions, lambda q: q.target)
    # Three questions of two options have A, two of four options have B.
    assert [q.target for q in questions] == [0, 1, 0, 1, 0]
    assert table["most frequent"]["none"].scores["acc"].value == pytest.approx(3 / 5)
    assert table["random"]["none"].scores["acc"].value == pytest.approx((3 / 2 + 2 / 4) / 5)


def test_longest_and_shortest_options_share_a_tie_evenly():
    options = [("aa", "bb", "c", "dddd"), ("aa", "bb", "cc", "dd"), ("x", "yy", "z", "w")]
    questions = [Question(str(i), "?", 0, own) for i, own in enumerate(options)]
    blind = guess_choices(questions)
    found = {
        row: [score_choice(q, value)["acc"] for q, value in zip(questions, values, strict=True)]
        for row, values in blind.items()
    }
    assert found["longest"] == [0, 1 / 4, 0]
    assert found["shortest"] == [0, 1 / 4, pytest.approx(1 / 3)]
    assert found["random"] == [1 / 4] * 3


def test_a_distractor_is_left_out_at_a_time_and_the_votes_are_counted(tasks):
    task, questions = tasks["rul_muchomusic"]
    assert len(questions) == 8 and {len(q.options) for q in questions} == {4}
    assert all("Flute" in q.options or "A very loud brass band" in q.options for q in questions)
    for left_out, name in enumerate(["Oboe!", "Violin", "Marimba", "Vibraphone"]):
        assert name not in questions[left_out].options
    # Flute and Oboe! are shortest together, so each has half of what Oboe! is in.
    table, _ = scores(task, questions, lambda q: q.target)
    flute = (1 + 3 * 1 / 2) / 4
    assert table["shortest"]["none"].scores["acc"].value == pytest.approx(flute / 2)
    assert table["longest"]["none"].scores["acc"].value == pytest.approx(1 / 2)
    # Of a tie the first counts: a right answer that comes last does not.
    right_twice = {"17/0", "17/1", "8/3"}
    _, found = scores(task, questions, lambda q: q.target if q.id in right_twice else _wrong(q))
    assert found["official"] == {"acc": 3 / 8, "acc_vote": 1 / 2}


def _wrong(question):
    # Another one each time, so that two right answers are the commonest.
    return next(
        i for i, text in enumerate(question.options) if text == _OTHER[question.id.split("/")[1]]
    )


_OTHER = {"0": "Violin", "1": "Oboe!", "2": "Vibraphone", "3": "Marimba"}


def test_a_random_key_and_a_constant_key_score_what_mir_eval_says(tasks):
    task, questions = tasks["giantsteps_key"]
    _, found = scores(task, questions, lambda q: "C major")
    wanted = [mir_eval.key.weighted_score(q.target, "C major") for q in questions]
    assert found["strict"]["mirex"] == pytest.approx(np.mean(wanted))
    assert found["strict"]["acc"] == 1 / 4
    every = [scores(task, questions, lambda q, key=key: key)[1]["strict"] for key in KEYS]
    assert np.mean([values["acc"] for values in every]) == pytest.approx(1 / 24)
    # Of 24 keys one is right, one a fifth off, one relative, one parallel.
    chance = (1 + 0.5 + 0.3 + 0.2) / 24
    assert np.mean([values["mirex"] for values in every]) == pytest.approx(chance)
    table, _ = scores(task, questions, lambda q: "C major")
    assert table["most frequent"]["none"].values == ["F minor"] * 4
    assert table["most frequent"]["none"].scores["acc"].value == 1 / 2


def test_tempo_zero_is_no_tempo_and_octaves_count_apart(tasks):
    task, questions = tasks["giantsteps_tempo"]
    assert [q.target for q in questions] == [127.0, 128.0, 174.0, 64.0]
    table, found = scores(task, questions, lambda q: 128.0)
    assert found["strict"] == {"acc1": 0.5, "acc2": 0.75}
    assert table["most frequent"]["none"].scores["acc1"].value == 0.5


def test_sets_are_scored_as_scikit_learn_scores_them(tasks):
    task, questions = tasks["jamendo_tags"]
    assert [q.target for q in questions] == [{"punkrock", "drums"}, {"drums", "happy"}, {"rock"}]
    labels = questions[0].options
    said = frozenset(["drums", "rock"])
    _, found = scores(task, questions, lambda q: said)
    true = [[label in q.target for label in labels] for q in questions]
    guess = [[label in said for label in labels]] * 3
    for average in ("micro", "macro"):
        wanted = f1_score(true, guess, average=average, zero_division=0)
        assert found["strict"][f"{average}_f1"] == pytest.approx(wanted)
    assert score_task(task, questions, {"audio": {}}, 0)["most frequent"]["none"].values[0] == {
        "drums"
    }


def test_parts_of_musicnet_are_what_the_labels_sound_in_them(tasks):
    _, questions = tasks["musicnet_instruments"]
    assert {q.id: q.target for q in questions} == {
        "1759/0": {"piano"},
        "1759/1": {"piano", "violin"},
        "2303/0": {"clarinet"},
    }
    excerpt = questions[1].excerpt
    assert (excerpt.start_s, excerpt.end_s) == (30.0, 60.0)
    assert excerpt.load().duration_s == pytest.approx(30.0)


def test_stems_count_by_their_kind(tasks):
    _, questions = tasks["medleydb_instruments"]
    assert [q.target for q in questions] == [
        {"guitar", "drums", "voice"},
        {"violin", "bass"},
        {"guitar"},
    ]


def test_categories_are_scored_apart(tasks):
    task, questions = tasks["muchomusic"]
    knows = {q.id for q in questions if q.categories["knowledge"]}
    said = {
        "audio": {q.id: say(q, q.target, "muchomusic") if q.id in knows else "" for q in questions}
    }
    table = score_task(task, questions, said, 0)
    found = score_categories(task, questions, table["audio"]["official"])
    assert found["knowledge"]["all"].value == 1.0 == found["knowledge"]["melody"].value
    assert found["reasoning"]["genre and style"].value == 0.0
    assert found["genre"]["Reggae"].n == 4 == found["knowledge"]["all"].n


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
