"""Slips of the finger: which are mended, what is left alone, and that only the model sees it."""

from __future__ import annotations

import json
from random import Random
from types import SimpleNamespace

import pytest

from llark_py.assistant.spelling import mend, mender
from llark_py.assistant.turns import ToolLoop
from llark_py.instruct.colloquial import _mistype
from llark_py.instruct.phrases import fill, grammar, words
from llark_py.messages import user


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("what is the tmepo", "what is the tempo"),
        (
            "Wich cord is in teh frist sectoin?",
            "Wich cord is in teh first section?",
        ),  # taught as they are
        ("Gutiar or pinao?", "Guitar or piano?"),
        ("REGAE?", "REGGAE?"),
        ("isolate the percusion, 0:10 to 0:20", "isolate the percussion, 0:10 to 0:20"),
        ("the accompanyment please", "the accompaniment please"),
    ],
)
def test_the_nearest_word_of_the_grammar_is_read(typed, meant):
    assert mend(typed) == meant


@pytest.mark.parametrize(
    "question",
    [
        "is that a theremin or a bouzouki?",
        "does it sound like Metallica or Shostakovich",
        "is there an Ebmaj7 in bar 4, and F#m7b5",
        "what is the form, like AABA?",
        "In welcher Tonart ist das Lied?",
        "che tonalita ha questo brano",
        "Dans quelle tonalité est ce morceau ?",
        "compare artefact_12 with my_tempp.mp3 and www.tempoo.com/chrod",
        "don't u have a gener for it",
        "",
        "?!",
    ],
)
def test_names_chords_files_and_other_languages_are_left_alone(question):
    assert mend(question) == question


def _questions(n, seed):
    rng = Random(seed)
    plain = [name for name in grammar() if "questions" in grammar()[name]]
    made = []
    while len(made) < n:
        phrasing = rng.choice(grammar()[rng.choice(plain)]["questions"])
        if "slot" not in json.dumps(phrasing):
            made.append(fill(phrasing, {}, rng))
    return made


def test_nothing_of_the_grammar_is_changed():
    for question in _questions(400, 1):
        assert mend(question) == question


def test_most_slips_are_mended_to_what_was_meant():
    rng = Random(2)
    pairs = [(_mistype(question, rng), question) for question in _questions(400, 2)]
    slips = [(typed, meant) for typed, meant in pairs if typed != meant]
    mended = [mend(typed) == meant for typed, meant in slips]
    print(f"{sum(mended)} of {len(slips)} slips mended")
    assert len(slips) > 250 and sum(mended) > 0.85 * len(slips)


def test_the_usual_misspellings_are_no_aim():
    wrong = {word for several in words()["spellings"].values() for word in several}
    assert mend("the instumentss") == "the instruments"
    assert "instuments" in wrong


class Reader(ToolLoop):
    """Keeps what it is given to read, and says what it is told to."""

    def __init__(self, *replies, **options):
        super().__init__(**options)
        self.replies, self.read = list(replies), []

    def _speak(self, messages, reply, stop, *, may_call, measured):
        self.read.append(messages[-1].text)
        yield self.replies.pop(0)

    def _check_room(self, messages):
        pass


def test_only_the_model_reads_what_was_meant():
    loop = Reader("It is fast.", mend=mend)
    asked = [user("what is the tmepo")]
    answer = loop.ask(asked)
    assert loop.read == ["what is the tempo"]
    assert asked[0].text == "what is the tmepo"
    assert [m.text for m in answer.messages] == ["It is fast."]
    plain = Reader("It is fast.")
    plain.ask(asked)
    assert plain.read == ["what is the tmepo"]


@pytest.mark.parametrize("taught", [True, False])
def test_a_larger_model_reads_what_is_typed(taught):
    model = SimpleNamespace(
        config=SimpleNamespace(audio_config=SimpleNamespace(writes_notes=taught))
    )
    assert mender(model) is (mend if taught else None)
