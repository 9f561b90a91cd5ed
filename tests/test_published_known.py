"""Perfect and constant answers, and those of other recordings, score what is known.

What is known is counted by hand on the made-up data of `published_data.py`, follows from how often
things occur, or comes from the metric libraries themselves (`independent_scores.py`); nothing here
is computed by the benchmarks' own code.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from independent_scores import SCORES
from known_answers import RIGHT, assert_share, blind, many, score
from published_data import read_all
from sklearn.metrics import f1_score
from sklearn.preprocessing import MultiLabelBinarizer

from llark_py import catalog

NAMES = catalog.names("benchmarks.published")
CHOICES = ("mmau_music", "muchomusic", "rul_muchomusic")
FREE = [name for name in NAMES if name not in CHOICES]
# A constant answer, and what it scores: counted by hand.
CONSTANT = {
    # F minor and Eb minor are neither a fifth below C major, nor its relative or parallel.
    "giantsteps_key": ("C major", {"mirex": 1 / 4, "acc": 1 / 4}),
    # 127 is within 4 % of 128, 64 is its half; 174 is nothing of it.
    "giantsteps_tempo": (128.0, {"acc1": 2 / 4, "acc2": 3 / 4}),
    "gtzan_genre": ("blues", {"acc": 2 / 4}),
    # Drums are right twice, rock once; six tags are said, five are right.
    "jamendo_tags": (
        frozenset({"drums", "rock"}),
        {
            "f1": (2 / 4 + 2 / 4 + 2 / 3) / 3,
            "precision": (1 / 2 + 1 / 2 + 1 / 2) / 3,
            "recall": (1 / 2 + 1 / 2 + 1) / 3,
            "micro_f1": 2 * 3 / (6 + 5),
            "macro_f1": (2 * 2 / (3 + 2) + 2 * 1 / (3 + 1) + 0 + 0) / 4,
        },
    ),
    # Three guitars are said, two are right, of six instruments of five kinds.
    "medleydb_instruments": (
        frozenset({"guitar"}),
        {
            "f1": (2 / 4 + 0 + 1) / 3,
            "precision": (1 + 0 + 1) / 3,
            "recall": (1 / 3 + 0 + 1) / 3,
            "micro_f1": 2 * 2 / (3 + 6),
            "macro_f1": 2 * 2 / (3 + 2) / 5,
        },
    ),
    # Three pianos are said, two are right, of four instruments of three kinds.
    "musicnet_instruments": (
        frozenset({"piano"}),
        {
            "f1": (1 + 2 / 3 + 0) / 3,
            "precision": (1 + 1 + 0) / 3,
            "recall": (1 + 1 / 2 + 0) / 3,
            "micro_f1": 2 * 2 / (3 + 4),
            "macro_f1": 2 * 2 / (3 + 2) / 3,
        },
    ),
    # ROUGE-L: one word of three and of six, two words of three and of three.
    "musiccaps": (("Loud calm drums.",), {"rouge_l": (2 / (3 + 6) + 2 * 2 / (3 + 3)) / 2}),
    # The best of two captions: "slow blues" of two and of eight; "bells" is not said.
    "song_describer": (("Slow blues",), {"rouge_l": (2 * 2 / (2 + 8) + 0) / 2}),
}


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    """Each benchmark with the questions of its made-up data."""
    return read_all(tmp_path_factory.mktemp("data"))


# --- perfect ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_perfect_answers_score_one(tasks, name):
    task, questions = tasks[name]
    right = RIGHT[name]
    if name in CHOICES:
        right = [q.options.index(text) for q, text in zip(questions, right, strict=True)]
    values = [frozenset(v) if isinstance(v, set) else v for v in right]
    found = score(task, questions, values)
    assert found and list(found.values()) == pytest.approx([1.0] * len(found))


# --- constant -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FREE)
def test_a_constant_answer_scores_what_is_counted_by_hand(tasks, name):
    task, questions = tasks[name]
    said, wanted = CONSTANT[name]
    found = score(task, questions, [said] * len(questions))
    assert {n: found[n] for n in wanted} == pytest.approx(wanted)
    said = said[0] if isinstance(said, tuple) else said
    assert found == pytest.approx(SCORES[name](RIGHT[name], [said] * len(questions)))


@pytest.mark.parametrize("name", CHOICES)
def test_a_constant_letter_scores_how_often_the_right_text_stands_there(tasks, name):
    task, questions = tasks[name]
    for letter in range(2):
        right = [q.options[letter] == t for q, t in zip(questions, RIGHT[name], strict=True)]
        found = score(task, questions, [letter] * len(questions))
        assert found["acc"] == pytest.approx(sum(right) / len(right))
    if name == "mmau_music":
        assert score(task, questions, [0] * 5)["acc"] == 3 / 5


def test_every_letter_of_four_scores_a_quarter_on_average(tasks):
    for name in ("muchomusic", "rul_muchomusic"):
        task, questions = tasks[name]
        found = [score(task, questions, [x] * len(questions))["acc"] for x in range(4)]
        assert sum(found) == pytest.approx(1.0)


def test_a_constant_key_scores_by_the_table_of_relations(tasks):
    task, (one, *_) = tasks["giantsteps_key"]
    # Of MIREX: what C major scores where the key is another, and how often that is.
    table = {
        "C major": (1.0, 6),
        "F major": (0.5, 5),
        "A minor": (0.3, 4),
        "C minor": (0.2, 3),
        "G major": (0.0, 2),
        "E minor": (0.0, 7),
        "F# major": (0.0, 1),
    }
    right = [key for key, (_, n) in table.items() for _ in range(n)]
    questions = [replace(one, id=str(i), target=key) for i, key in enumerate(right)]
    found = score(task, questions, ["C major"] * len(right))
    weighted = sum(value * n for value, n in table.values()) / 28
    assert found == pytest.approx({"mirex": weighted, "acc": 6 / 28})


def test_a_constant_tempo_scores_by_the_distance_to_each(tasks):
    task, (one, *_) = tasks["giantsteps_tempo"]
    # What 100 BPM is of each: right; in another octave or a third; neither.
    near, multiple, far = [100.0, 104.0, 97.0], [200.0, 50.0, 300.0, 33.4], [105.0, 96.0, 150.0]
    right = [*near, *multiple, *far]
    questions = [replace(one, id=str(i), target=tempo) for i, tempo in enumerate(right)]
    found = score(task, questions, [100.0] * 10)
    assert found == {"acc1": pytest.approx(0.3), "acc2": pytest.approx(0.7)}


# --- random: another recording's answer ---------------------------------------------------------


@pytest.mark.parametrize("name", FREE)
def test_answers_of_other_recordings_score_what_the_libraries_say(tasks, name):
    task, questions = tasks[name]
    values, found = blind(task, questions, "random")
    own = [r[0] if isinstance(r, tuple) else r for r in RIGHT[name]]
    plain = [value.replace("D#", "Eb") if name == "giantsteps_key" else value for value in values]
    assert sorted(map(_sorted, plain)) == sorted(map(_sorted, own))
    assert found == pytest.approx(SCORES[name](RIGHT[name], values))
    if len(set(map(_sorted, own))) == len(own):
        assert all(_sorted(v) != _sorted(o) for v, o in zip(plain, own, strict=True))


def _sorted(value):
    return str(sorted(value)) if isinstance(value, (set, frozenset)) else str(value)


@pytest.mark.parametrize("name", ["giantsteps_key", "gtzan_genre"])
def test_answers_of_other_recordings_are_right_as_often_as_two_are_alike(tasks, name):
    task, questions = tasks[name]
    n = 1200
    _, found = blind(task, many(questions, n), "random")
    # Half of the recordings have one answer, a quarter each of two others.
    counts = [n // 2, n // 4, n // 4]
    assert_share(found["acc"], n, sum(k * (k - 1) for k in counts) / (n * (n - 1)))


@pytest.mark.parametrize("name", ["jamendo_tags", "medleydb_instruments", "musicnet_instruments"])
def test_sets_of_other_recordings_score_the_mean_over_all_pairs(tasks, name):
    task, questions = tasks[name]
    n = 900
    _, found = blind(task, many(questions, n), "random")
    binary = MultiLabelBinarizer().fit_transform(RIGHT[name])
    pairs = [
        f1_score(binary[[i]], binary[[j]], average="samples", zero_division=0)
        for i, j in itertools.product(range(3), repeat=2)
    ]
    # Each recording gets any other one; that it is never itself is 1 / n.
    assert found["f1"] == pytest.approx(np.mean(pairs), abs=4 * np.std(pairs) / n**0.5 + 1 / n)


def test_captions_of_other_recordings_without_a_common_word_score_nothing(tasks):
    task, questions = tasks["musiccaps"]
    values, found = blind(task, questions, "random")
    assert values == ["Loud metal drums.", "A calm piano piece for rain."]
    assert found["rouge_l"] == 0.0
