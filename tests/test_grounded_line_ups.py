"""Who is told to play when plays then."""

from __future__ import annotations

import pytest
from assistant_parts import first_refused
from transformers import PreTrainedTokenizerFast

from llark_py.assistant.grounded_line_ups import GroundedLineUps, last_line_up
from llark_py.embedded import embedded_folder
from llark_py.messages import Message, ToolResult, user

PLAYS = "drums 0:06-end (0.93), mallet 0:07-0:18 (0.81), strings 0:00-0:18 (0.55)"
LISTED = {
    "drums": ("0:06", "end", "0.93"),
    "mallet": ("0:07", "0:18", "0.81"),
    "strings": ("0:00", "0:18", "0.55"),
}


@pytest.fixture(scope="module")
def tokenizer():
    return PreTrainedTokenizerFast.from_pretrained(embedded_folder())


@pytest.fixture
def refused(tokenizer):
    def refused(said, besides=frozenset()):
        constraint = GroundedLineUps(tokenizer, LISTED, besides, 0)
        tokens = first_refused(tokenizer, said, constraint)
        return None if tokens is None else tokenizer.decode(tokens)

    return refused


def asked(question, **content):
    return [user(question), Message("tool", (ToolResult("1", "detect_instruments", content),))]


def test_a_line_up_is_read_with_who_else_may_be_named():
    assert last_line_up(asked("who plays when?", plays=PLAYS)) == (LISTED, frozenset())
    _, besides = last_line_up(asked("when do the horns come in?", plays=PLAYS, family="brass"))
    assert besides == {"brass"}
    _, besides = last_line_up(asked("who plays, is there a flute?", plays=PLAYS, lead="violin"))
    assert besides == {"woodwind", "strings"}


def test_other_results_are_no_line_up():
    assert last_line_up(asked("when do the drums come in?", family="drums", enters="0:06")) is None
    assert last_line_up([*asked("who plays when?", plays=PLAYS), user("thanks")]) is None
    assert last_line_up([user("who plays when?")]) is None


@pytest.mark.parametrize(
    "said",
    [
        "Drums from 0:06 to the end, perhaps mallet percussion from 0:07 to 0:18.",
        "drums from 0:06 to the end, mallets from 0:07 to 0:18, strings from 0:00 to 0:18.",
        "strings from 0:00 to 0:18, drums from 0:06 to the end",
        "strings from the start to 0:18. The times are measured.",
        "I hear drums and mallet percussion, and strings from 0:00 until 0:18.",
        "Here they are: drums 0.93, mallet percussion 0.81, strings 0.55.",
        "The drums come in at 0:06. The drums are the surest, at 0.93.",
        "There is no brass, and no organ either.",
        "The mallets stop at 0:18.",
    ],
)
def test_a_list_may_be_told(refused, said):
    assert refused(said) is None


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("mallet percussion from 0:07 to the end", " the"),
        ("mallet percussion from 0:06", "6"),
        ("drums from 0:06 to 0:18", "to "),
        ("drums from the start", " the"),
        ("drums 0.81", "8"),
        ("drums from 0:06 to the end, drums from 0:06", " drums"),
        ("Mallet percussion from 0:07 to 0:18, perhaps mallet percussion", " mallet"),
        ("drums from 0:06 to the end, strings from 0:00", " strings"),
        ("I hear brass from 0:07", " brass"),
        ("strings from 0:00 to 0:18 and the piano", " piano"),
    ],
)
def test_names_and_times_belong_together(refused, said, wrong):
    assert refused(said).endswith(wrong)
    assert said.startswith(refused(said))


def test_who_was_asked_for_may_be_named(refused):
    assert refused("The brass is not there.") is not None
    assert refused("The brass is not there.", frozenset({"brass"})) is None
