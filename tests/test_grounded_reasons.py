"""Reasons of failures are told as the tool gave them."""

from __future__ import annotations

import pytest
from assistant_parts import first_refused
from model_parts import tiny_tokenizer

from llark_py.assistant.grounded_reasons import GroundedReasons, last_reason
from llark_py.messages import Message, ToolResult, user

REASON = "this takes 2 recordings, and there is only one"


@pytest.fixture(scope="module")
def tokenizer():
    return tiny_tokenizer()


def refused(tokenizer, said, alone=True):
    constraint = GroundedReasons(tokenizer, REASON, 0, alone=alone)
    tokens = first_refused(tokenizer, said, constraint)
    return None if tokens is None else tokenizer.decode(tokens)


@pytest.mark.parametrize(
    "said",
    [
        f"I could not compare them: {REASON}.",
        f"There is no comparison because {REASON}. Sorry.",
        "The second is the louder one, I think.",
        "The part from 0:30 to 1:05 gave nothing.",
    ],
)
def test_the_reason_and_what_gives_none_may_be_said(tokenizer, said):
    assert refused(tokenizer, said) is None


@pytest.mark.parametrize(
    ("said", "until"),
    [
        ("I could not compare them: the recording is too quiet.", "them: the"),
        ("It failed because it is silent.", "because it"),
        ("No comparison: this takes 2 songs.", "2 songs"),
    ],
)
def test_no_other_reason_may_be_said(tokenizer, said, until):
    found = refused(tokenizer, said)
    assert found is not None and said.startswith(found)
    assert len(found) <= said.index(until) + len(until)


def test_nothing_is_added_to_the_only_result(tokenizer):
    more = f"No tempo, because {REASON}; the key is E minor."
    assert refused(tokenizer, more) is not None
    assert refused(tokenizer, more, alone=False) is None


def result(content):
    return Message("tool", (ToolResult("call_1", "compare_songs", content),))


def test_only_a_last_result_that_failed_has_a_reason():
    error, found = result({"error": REASON}), result({"louder": "second"})
    question = user("which is louder?")
    assert last_reason([question, error]) == (REASON, True)
    assert last_reason([question, found, error]) == (REASON, False)
    assert last_reason([question, error, found]) is None
    assert last_reason([question, error, user("and the key?")]) is None
    assert last_reason([]) is None
