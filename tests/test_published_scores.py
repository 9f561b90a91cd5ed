"""Scores of published benchmarks: constant, random and blind answers get what can be computed."""

from __future__ import annotations

import mir_eval
import numpy as np
import pytest
from published_data import read_all, say, scores
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu import corpus_bleu
from sklearn.metrics import f1_score

from llark_py.benchmarks.published.gtzan_genre import GENRES
from llark_py.benchmarks.qa.choices import guess_choices, score_choice
from llark_py.benchmarks.qa.scoring import score_categories, score_task
from llark_py.benchmarks.qa.task import Question
from llark_py.theory import KEYS

CHOICES = ("mmau_music", "muchomusic", "rul_muchomusic")


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    """Each benchmark with the questions of its made-up data."""
    return read_all(tmp_path_factory.mktemp("data"))


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


def test_a_constant_genre_scores_its_share_and_a_tenth_on_average(tasks):
    task, questions = tasks["gtzan_genre"]
    every = [scores(task, questions, lambda q, g=g: g)[1]["strict"]["acc"] for g in GENRES]
    assert dict(zip(GENRES, every, strict=True))["blues"] == 0.5
    assert np.mean(every) == pytest.approx(1 / len(GENRES))
    table, _ = scores(task, questions, lambda q: "jazz")
    assert table["most frequent"]["none"].scores["acc"].value == 0.5


def test_a_constant_caption_scores_what_the_libraries_say(tasks):
    task, questions = tasks["song_describer"]
    said = ("A slow blues with bells and claps.",)
    _, found = scores(task, questions, lambda q: said)
    rouge = RougeScorer(["rougeL"])
    best = [
        max(rouge.score(target, said[0])["rougeL"].fmeasure for target in q.target)
        for q in questions
    ]
    assert found["none"]["rouge_l"] == pytest.approx(np.mean(best))
    # Song 6 has one caption only.
    references = [[q.target[0] for q in questions], [questions[0].target[1], None]]
    wanted = corpus_bleu([said[0]] * 2, references).score / 100
    assert found["none"]["bleu"] == pytest.approx(wanted)
    assert 0 < wanted < 1
