"""Random answers to every published benchmark score what chance says, in closed form.

How far a share may be from it is what draws of that probability allow (a binomial test), with
seeds that are fixed.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from independent_scores import SCORES
from known_answers import RIGHT, assert_share, blind, many, score
from published_data import read_all

from llark_py.benchmarks.published.gtzan_genre import GENRES
from llark_py.theory import KEYS

CHOICES = ("mmau_music", "muchomusic", "rul_muchomusic")


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    """Each benchmark with the questions of its made-up data."""
    return read_all(tmp_path_factory.mktemp("data"))


def test_random_keys_score_the_mean_of_the_relations(tasks):
    task, questions = tasks["giantsteps_key"]
    n = 2400
    asked = many(questions, n)
    rng = np.random.default_rng(0)
    answers = [KEYS[i] for i in rng.integers(24, size=n)]
    for found in (score(task, asked, answers), blind(task, asked, "any key")[1]):
        assert_share(found["acc"], n, 1 / 24)
        # One of 24 is right, one a fifth above, one relative, one parallel.
        points = np.array([1, 0.5, 0.3, 0.2, *[0.0] * 20])
        assert found["mirex"] == pytest.approx(points.mean(), abs=4 * points.std() / n**0.5)


def test_random_tempi_score_how_wide_the_right_ones_are(tasks):
    task, (one, *_) = tasks["giantsteps_tempo"]
    n = 2000
    questions = [replace(one, id=str(i), target=120.0) for i in range(n)]
    answers = [float(t) for t in np.random.default_rng(0).uniform(60, 180, n).round(3)]
    found = score(task, questions, answers)
    # 4 % around 120 are 9.6 BPM of 120; of 4 % around 60, 2.4 BPM are drawn from.
    assert_share(found["acc1"], n, 9.6 / 120)
    assert_share(found["acc2"], n, (9.6 + 2.4) / 120)


def test_random_genres_are_right_once_in_ten(tasks):
    task, questions = tasks["gtzan_genre"]
    n = 2000
    genres = list(GENRES)
    answers = [genres[i] for i in np.random.default_rng(0).integers(10, size=n)]
    assert_share(score(task, many(questions, n), answers)["acc"], n, 1 / 10)


@pytest.mark.parametrize("name", ["jamendo_tags", "medleydb_instruments", "musicnet_instruments"])
def test_random_labels_score_by_how_many_are_right_of_how_many_there_are(tasks, name):
    task, questions = tasks[name]
    n = 1500
    options = questions[0].options
    rng = np.random.default_rng(0)
    answers = [frozenset([options[i]]) for i in rng.integers(len(options), size=n)]
    found = score(task, many(questions, n), answers)
    right = sum(map(len, RIGHT[name])) / 3
    p = right / len(options)
    assert_share(found["precision"], n, p)
    # n labels are said, n times `right` are true: micro F1 is 2 p n / (n + right n).
    spread = 4 * 2 / (1 + right) * (p * (1 - p) / n) ** 0.5
    assert found["micro_f1"] == pytest.approx(2 * p / (1 + right), abs=spread)


@pytest.mark.parametrize("name", CHOICES)
def test_random_options_are_right_once_in_as_many_as_there_are(tasks, name):
    task, questions = tasks[name]
    n = 2000
    asked = many(questions, n)
    rng = np.random.default_rng(0)
    found = score(task, asked, [int(rng.integers(len(q.options))) for q in asked])
    chances = [1 / len(q.options) for q in asked]
    spread = sum(p * (1 - p) for p in chances) ** 0.5
    wanted = {"mmau_music": (3 / 2 + 2 / 4) / 5}.get(name, 1 / 4)
    assert found["acc"] == pytest.approx(wanted, abs=4 * spread / n)
    # The row without a model holds the chance itself.
    assert blind(task, questions, "random")[1] == {"acc": pytest.approx(wanted)}


def test_random_votes_are_right_as_often_as_all_ways_to_vote_say(tasks):
    task, questions = tasks["rul_muchomusic"]
    four = [q for q in questions if q.group == "17"]
    ways = list(itertools.product(range(4), repeat=4))
    votes = [[q.options[i] for q, i in zip(four, way, strict=True)] for way in ways]
    p = sum(Counter(v).most_common(1)[0][0] == "Flute" for v in votes) / len(votes)
    n = 500
    asked = [replace(q, id=f"{i}/{q.id}", group=str(i)) for i in range(n) for q in four]
    rng = np.random.default_rng(0)
    found = score(task, asked, [int(x) for x in rng.integers(4, size=len(asked))])
    assert 1 / 5 < p < 1 / 2
    assert_share(found["acc_vote"], n, p)
    assert_share(found["acc"], 4 * n, 1 / 4)


@pytest.mark.parametrize("name", ["musiccaps", "song_describer"])
def test_random_words_score_what_the_libraries_say(tasks, name):
    task, questions = tasks[name]
    words = ["a", "loud", "slow", "piano", "drums", "rain", "of", "metal", "blues", "bells"]
    rng = np.random.default_rng(0)
    asked = many(questions, 40)
    answers = [(" ".join(rng.choice(words, 6)),) for _ in asked]
    right = list(itertools.islice(itertools.cycle(RIGHT[name]), 40))
    wanted = SCORES[name](right, [text for (text,) in answers])
    found = score(task, asked, answers)
    assert found == pytest.approx(wanted)
    assert 0 < found["rouge_l"] < 0.5 > found["chrf"] > 0
    # No word in common: nothing at all.
    nothing = score(task, questions, [("xyzzy",)] * len(questions))
    assert nothing["rouge_l"] == nothing["bleu"] == 0.0
