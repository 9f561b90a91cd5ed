"""Readers of answers: the authors' own rules with their quirks, strict and lenient ones."""

from __future__ import annotations

import json

import pytest
from published_data import mmau_items, muchomusic_file

from llark_py.benchmarks.published import mmau_music, muchomusic, rul_muchomusic
from llark_py.benchmarks.qa.answer_files import read_answer_file
from llark_py.benchmarks.qa.choices import read_leniently, read_strictly
from llark_py.benchmarks.qa.scoring import score_categories, score_task
from llark_py.benchmarks.qa.sets import set_readers
from llark_py.benchmarks.qa.task import Question
from llark_py.benchmarks.qa.values import (
    label_readers,
    read_first_number,
    read_key_leniently,
    read_key_strictly,
    read_tempo_leniently,
    read_tempo_strictly,
)
from llark_py.errors import ConfigError

FOUR = Question("1", "?", 1, ("Guitar", "Electric guitar", "A calm duet", "Drums and bass"))
ANY = Question("1", "?", None)


@pytest.mark.parametrize(
    ("said", "official", "strict", "lenient"),
    [
        ("B", 1, 1, 1),
        ("(B)", 1, 1, 1),
        ("b", None, 1, 1),
        ("The correct answer is: C", 2, None, 2),
        # Characters count, not words: the A of an article is option A.
        ("A guitar that is electric", 0, None, 0),
        # The D of `Drums` is option D.
        ("Drums and bass", 3, 3, 3),
        ("drums and bass", 3, 3, 3),
        # Two letters: then the first option, in their order, whose words stand in the answer.
        ("(A) or (D): electric guitar", 0, None, 1),
        ("electric guitar.", 0, 1, 1),
        ("(B) Electric guitar", 1, 1, 1),
        ("(A) Electric guitar", 0, None, 0),
        ("I would say the answer is D because of the beat", 3, None, 3),
        ("<think>The answer is A.</think> The answer is D.", None, None, 3),
        ("no idea", None, None, None),
        ("", None, None, None),
        ("E", None, None, None),
    ],
)
def test_choices_are_read_in_three_ways(said, official, strict, lenient):
    assert muchomusic.read_officially(FOUR, said) == official
    assert read_strictly(FOUR, said) == strict
    assert read_leniently(FOUR, said) == lenient


@pytest.mark.parametrize(
    ("said", "choice"),
    [
        ("[[A]] no, [[C]]", 2),
        ("My guess is b", 1),
        ("I choose D, or (B)", 3),
        ("Maybe (C), maybe (B)", 1),
        ("Option D it is", 3),
        # Without a letter: the first option whose words stand in the answer.
        ("an electric guitar", 0),
        ("[[E]]", None),
        ("B", None),
    ],
)
def test_rul_is_read_as_its_script_does(said, choice):
    assert rul_muchomusic.read_officially(FOUR, said) == choice


@pytest.mark.parametrize(
    ("said", "choice"),
    [
        ("Electric guitar", 1),
        ("It is the electric guitar.", 1),
        # A letter alone names no option: all its words must be there.
        ("B", None),
        # `drums` stands in a wrong option only.
        ("Electric guitar, not drums", None),
        ("Guitar", 0),
        ("", None),
    ],
)
def test_mmau_is_read_as_its_script_does(said, choice):
    assert mmau_music.read_officially(FOUR, said) == choice


@pytest.mark.parametrize(
    ("said", "strict", "lenient"),
    [
        ("The key is F# minor.", "F# minor", "F# minor"),
        ("B-flat major", "Bb major", "Bb major"),
        ("C♯ minor", "C# minor", "C# minor"),
        ("Gb minor", "F# minor", "F# minor"),
        ("Am", "A minor", "A minor"),
        ("C major or A minor", None, "C major"),
        ("C major, that is C major.", "C major", "C major"),
        ("It is in E flat.", None, "Eb major"),
        ("A lively piece", None, None),
        ("in a minor key", None, None),
        ("I cannot tell.", None, None),
    ],
)
def test_keys(said, strict, lenient):
    assert read_key_strictly(ANY, said) == strict
    assert read_key_leniently(ANY, said) == lenient


@pytest.mark.parametrize(
    ("said", "strict", "lenient", "first"),
    [
        ("It is 127.5 BPM.", 127.5, 127.5, 127.5),
        ("120bpm, maybe 60 bpm", None, 120.0, 120.0),
        ("In 4/4 at 96 beats per minute", 96.0, 96.0, 4.0),
        ("In 4/4 at about 96", None, 96.0, 4.0),
        ("fast", None, None, None),
    ],
)
def test_tempi(said, strict, lenient, first):
    assert read_tempo_strictly(ANY, said) == strict
    assert read_tempo_leniently(ANY, said) == lenient
    assert read_first_number(ANY, said) == first


def test_labels_and_sets_are_found_whole_and_longest_first():
    readers = label_readers({"hiphop": ("hip hop",), "pop": (), "rock": ()})
    assert readers["strict"](ANY, "This is pop.") == "pop"
    assert readers["strict"](ANY, "rock, or pop") is None
    assert readers["strict"](ANY, "popular music") is None
    assert readers["lenient"](ANY, "Hip-hop rather than rock") == "hiphop"
    options = ("guitar", "drums", "voice", "acoustic guitar")
    sets = set_readers({"voice": ("singer",)})
    question = Question("1", "?", frozenset(), options)
    assert sets["lenient"](question, "An acoustic guitar and a singer, no drums.") == {
        "acoustic guitar",
        "voice",
    }
    assert sets["strict"](question, "Guitars and a singer") == {"guitar"}
    assert sets["strict"](question, "nothing") is None


# --- files of answers ---------------------------------------------------------------------------


def test_a_published_file_of_muchomusic_gets_the_scores_of_the_authors_script(tmp_path):
    """Counted by hand by the rules of mulab-mir/muchomusic, `muchomusic_eval/scoring.py`."""
    path = muchomusic_file(tmp_path / "out.json")
    found = muchomusic.read_answers(path)
    questions = [question for question, _ in found]
    said = {"audio": {question.id: text for question, text in found}}
    column = score_task(muchomusic.TASK, questions, said, 0)["audio"]["official"]
    assert column.values == [1, 0, None, 2, 3]
    assert column.scores["acc"].value == pytest.approx(3 / 5)
    assert column.unparsed == pytest.approx(1 / 5)
    parts = score_categories(muchomusic.TASK, questions, column)
    assert parts["reasoning"]["all"].value == 1.0 and parts["reasoning"]["all"].n == 3
    assert parts["knowledge"]["all"].value == parts["knowledge"]["melody"].value == 0.5
    assert parts["genre"]["Folk"].value == 0.5 and parts["genre"]["Rock"].value == 1.0
    assert questions[0].group == questions[1].group != questions[2].group


def test_a_published_file_of_rul_is_read_pass_by_pass(tmp_path):
    letters = {"A": "Oboe", "B": "Flute", "C": "Horn", "D": "Tuba"}
    passes = [
        {"pass_number": i, "model_output": said, "letter_mapping": letters}
        for i, said in enumerate(["[[B]]", "(B)", "[[A]]", "?"])
    ]
    item = {"question_id": "17", "correct_answer": "Flute", "passes": passes}
    path = tmp_path / "out.json"
    path.write_text(json.dumps([item]))
    found = rul_muchomusic.read_answers(path)
    questions = [question for question, _ in found]
    said = {"audio": {question.id: text for question, text in found}}
    column = score_task(rul_muchomusic.TASK, questions, said, 0)["audio"]["official"]
    assert column.scores["acc"].value == 1 / 2 and column.scores["acc_vote"].value == 1.0
    path.write_text(json.dumps([{**item, "correct_answer": "Lute"}]))
    with pytest.raises(ConfigError, match="17: the right answer is not among the options"):
        rul_muchomusic.read_answers(path)


def one_shot_item(name, said, right="Flute", **more):
    """An item as `evaluate_one_shot` of the authors' scripts writes it."""
    letters = {"A": "Oboe", "B": "Flute", "C": "Horn", "D": "Tuba", "E": "Lute"}
    return {
        "question_id": name,
        "model_output": said,
        "extracted_answer_letter": "",
        "extracted_answer_text": "",
        "correct_answer": right,
        "is_correct": False,
        "letter_mapping": letters,
        **more,
    }


def test_a_published_file_of_rul_in_one_shot_has_five_options_and_no_votes(tmp_path):
    path = tmp_path / "out_one_shot.json"
    said = {"17": "Thinking ... [[B]]", "8": "[[E]]", "9": "the flute", "10": "?"}
    path.write_text(json.dumps([one_shot_item(name, text) for name, text in said.items()]))
    task = rul_muchomusic.TASK
    questions, answers = read_answer_file(task, path, lambda: pytest.fail("brings them along"))
    assert [q.id for q in questions] == list(said) and len(questions[0].options) == 5
    table = score_task(task, questions, {"audio": answers}, 0)
    column = table["audio"]["official"]
    assert column.values == [1, 4, 1, None] and column.unparsed == 1 / 4
    assert {name: e.value for name, e in column.scores.items()} == {"acc": 1 / 2}
    assert table["random"]["none"].scores["acc"].value == pytest.approx(1 / 5)
    path.write_text(json.dumps([one_shot_item("17", "B", right="Lyre")]))
    with pytest.raises(ConfigError, match="17: the right answer is not among the options"):
        rul_muchomusic.read_answers(path)


def test_letters_of_rul_without_their_options_are_refused_with_what_to_give(tmp_path):
    path = tmp_path / "out.json"
    path.write_text(json.dumps([{"question_id": "17", "model_output": "[[B]]"}]))
    with pytest.raises(ConfigError, match=r"17: .* does not say which options its letters mean"):
        rul_muchomusic.read_answers(path)
    # Answers to our own questions name their options by the id.
    path.write_text(json.dumps([{"question_id": "17/0", "model_output": "[[B]]"}]))
    assert rul_muchomusic.read_answers(path) is None


@pytest.mark.parametrize("key", ["model_prediction", "model_output"])
def test_answers_that_mmau_would_skip_count_as_wrong(tmp_path, key):
    items = mmau_items()
    for item in items[:2]:
        item[key] = item["answer"]
    path = tmp_path / "out.json"
    path.write_text(json.dumps(items))
    found = mmau_music.read_answers(path)
    assert [text for _, text in found] == ["Male", "Slow blues", "", "", ""]
    questions = [question for question, _ in found]
    said = {"audio": {question.id: text for question, text in found}}
    column = score_task(mmau_music.TASK, questions, said, 0)["audio"]["official"]
    assert column.scores["acc"].value == pytest.approx(2 / 5) and column.unparsed == 3 / 5


@pytest.mark.parametrize("part", [muchomusic, rul_muchomusic, mmau_music])
def test_files_of_another_kind_are_left_to_others(tmp_path, part):
    path = tmp_path / "out.json"
    path.write_text(json.dumps([{"id": "1", "answer": "B"}]))
    assert part.read_answers(path) is None
    path.write_text('{"id": "1", "answer": "B"}\n{"id": "2", "answer": "C"}\n')
    assert part.read_answers(path) is None
    path.write_text("B\nC\n")
    with pytest.raises(ConfigError, match="neither JSON nor JSON lines"):
        part.read_answers(path)
