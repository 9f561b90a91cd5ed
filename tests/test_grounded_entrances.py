"""Who comes in later is not said to be there from the start."""

from __future__ import annotations

import pytest
from assistant_parts import first_refused
from transformers import PreTrainedTokenizerFast

from llark_py.assistant.constraints import constrain
from llark_py.assistant.grounded_entrances import (
    GroundedEntrances,
    noted_entrance,
    told_late,
)
from llark_py.embedded import embedded_folder
from llark_py.messages import Message, ToolResult, user

NOTES = (
    "heard: 0:50; style rock; metre 4/4; families drums, voice, bass; players drums, singer?; "
    "enters drums 0:11, voice 0:20, bass 0:00; leaves drums 0:40; music"
)
AT_THE_START = (
    "From the start.",
    "The drums play from the beginning.",
    "The drums are there from the start.",
    "Right at the beginning.",
    "From the first bar on.",
    "The drums open it, at 0:11.",
    "From the very beginning, 0:11.",
)


@pytest.fixture(scope="module")
def tokenizer():
    return PreTrainedTokenizerFast.from_pretrained(embedded_folder())


def told(*results):
    return [
        Message("tool", (ToolResult("1", "detect_instruments", content),)) for content in results
    ]


@pytest.mark.parametrize(
    ("results", "late"),
    [
        ([{"family": "drums", "enters": "0:11", "leaves": "2:30"}], True),
        ([{"enters": "0:00"}, {"singing": True, "sung": "0:05-0:20, 0:40-0:50"}], True),
        ([{"enters": "0:11"}, {"enters": "0:00"}], False),
        ([{"enters": None}], False),
        ([{"tempo_bpm": 120.0}], False),
        ([], False),
    ],
)
def test_results_tell_who_enters_late(results, late):
    assert told_late([user("When do the drums come in?"), *told(*results)]) is late


def test_results_are_those_since_the_last_question():
    early = [user("when do the drums come in?"), *told({"enters": "0:11"})]
    assert told_late(early)
    assert not told_late([*early, user("and when does the bass?")])
    assert not told_late([*early, user("is there a bass?"), *told({"enters": "0:11"})])
    assert not told_late(told({"enters": "0:11"}))


@pytest.mark.parametrize(
    ("question", "at"),
    [
        ("When do the drums come in?", "0:11"),
        ("at what point does the singing start", "0:20"),
        ("When does the bass come in?", None),  # from the start
        ("when does the electric bass come in?", None),
        ("when does the singer come in?", "0:20"),
        ("when does the drum kit enter?", "0:11"),
        ("when does the piano come in?", None),
        ("when do the drums and the bass come in?", None),
        ("how loud are the drums?", None),
    ],
)
def test_entrances_are_read_off_the_notes(question, at):
    assert noted_entrance(question, NOTES) == at


@pytest.mark.parametrize("said", AT_THE_START)
def test_nobody_who_comes_later_is_there_from_the_start(tokenizer, said):
    assert first_refused(tokenizer, said, GroundedEntrances(tokenizer, 0)) is not None


@pytest.mark.parametrize(
    "said",
    [
        "The drums come in at 0:11.",
        "At 0:11, right?",
        "From 0:11.",
        "I hear the drums from 0:11 on.",
        "The drums begin at 0:11.",
        "Perhaps at 0:11, but I am not sure that it is the drums.",
    ],
)
def test_a_time_may_be_told(tokenizer, said):
    assert first_refused(tokenizer, said, GroundedEntrances(tokenizer, 0)) is None


def test_by_ear_the_time_is_that_of_who_was_asked_for(tokenizer):
    def refused(question, said):
        times = ["0:00", "0:11", "0:20", "0:40"]
        about = {"measured": False, "about": question}
        constraint, _ = constrain(tokenizer, question, times, NOTES, 0, **about)
        return first_refused(tokenizer, said, constraint) is not None

    asked = "When do the drums come in?"
    assert not refused(asked, "At 0:11.")
    assert refused(asked, "At 0:20.") and refused(asked, "From the start.")
    assert refused(asked, "The drums stop at 0:11.")
    assert refused(asked, "From 0210.") and refused(asked, "From 0:11 to 0:40.")
    assert not refused("When does the bass come in?", "From the start.")
    assert not refused("When do the drums stop?", "At 0:40.")
