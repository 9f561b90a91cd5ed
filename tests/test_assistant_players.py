"""Instruments that are named by ear are those that the encoder heard."""

from __future__ import annotations

import json

import pytest
from assistant_parts import first_refused
from transformers import PreTrainedTokenizerFast

from llark_py.assistant.constraints import constrain
from llark_py.assistant.grounded_players import heard_names
from llark_py.embedded import embedded_folder

NOTES = (
    "heard: 0:25; style pop; families guitar, drums, voice?; players muted guitar, singer?, "
    "celesta; lead singer; enters drums 0:04; music"
)


@pytest.fixture(scope="module")
def tokenizer():
    return PreTrainedTokenizerFast.from_pretrained(embedded_folder())


def refused_token(tokenizer, said, asked="what do you hear?", heard=NOTES, *, measured=False):
    """Write a reply token by token; give the token that may not come."""
    quotable = asked if not measured else f"{asked} {json.dumps({'key': 'C major'})}"
    constraint, _ = constrain(tokenizer, quotable, ["0:04"], heard, 0, measured=measured)
    refused = first_refused(tokenizer, said, constraint)
    return None if refused is None else tokenizer.decode(refused[-1:]).strip()


def test_names_and_families_are_read_from_the_notes():
    names = heard_names(NOTES)
    assert {"muted guitar", "nylon guitar", "celesta"} <= names
    assert names.isdisjoint({"piano", "trumpet", "glockenspiel", "synth bass"})


def test_nobody_knows_who_plays_of_a_family_that_is_perhaps_there(tokenizer):
    notes = NOTES.replace("; lead", "; perhaps brass, organ; lead")
    assert heard_names(notes) == heard_names(NOTES)
    assert heard_names(f"{notes}\nis there a trumpet?") == heard_names(NOTES) | {"trumpet"}
    assert refused_token(tokenizer, "I hear drums and a trumpet.", heard=notes) == "trumpet"
    assert refused_token(tokenizer, "Yes, brass.", "is there brass?", notes) is None


@pytest.mark.parametrize(
    "said",
    [
        "I hear drums, a singer, muted guitar and celesta.",
        "A clean electric guitar leads, with drums.",
        "No, I hear no piano and no trumpet.",
        "It is more a guitar than a piano.",
        "A rock song. The jazz guitar leads. The jazz guitar comes in at 0:04.",
        "Half acoustic, half electric. Music for a church.",
    ],
)
def test_what_was_heard_and_what_is_denied_may_be_named(tokenizer, said):
    assert refused_token(tokenizer, said) is None


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ("I hear drums, trumpet and celesta.", "trumpet"),
        ("Piano and drums.", "Piano"),
        ("I hear a synth bass.", "synth"),
        ("The electric piano leads.", "piano"),
        ("Music: celesta, celesta and a singer.", "celesta"),
        ("In 4/4, with celesta, drums and celesta.", "celesta"),
        ("There is an acoustic pad.", "pad"),
        ("I hear acoustic strings.", "strings"),
    ],
)
def test_what_was_not_heard_is_not_named(tokenizer, said, refused):
    assert refused_token(tokenizer, said) == refused


def test_what_the_user_names_may_be_answered_and_measured_answers_are_left_alone(tokenizer):
    assert refused_token(tokenizer, "Yes, I hear a trumpet.", "is that a trumpet?") is None
    assert refused_token(tokenizer, "The piano stem is below.", measured=True) is None
    assert refused_token(tokenizer, "I hear a trumpet.", heard="") is None
