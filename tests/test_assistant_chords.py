"""Progressions in answers are those that a tool or the encoder found."""

from __future__ import annotations

import json

import pytest
import torch
from assistant_parts import first_refused
from model_parts import tiny_tokenizer

from llark_py.assistant.constraints import constrain
from llark_py.assistant.grounded_chords import GroundedChords, progressions_in
from llark_py.instruct.phrases import sentence

RESULT = json.dumps({"progression": "Cm - Bb - Ab - Cm", "degrees": "i VII VI i", "key": "C minor"})
NOTES = "heard: 2:41; style pop; chords F#m D A E (x3); sections verse 0:00, A 0:12, B 0:30; music"


def written_until(said, quotable=RESULT, heard=NOTES, *, measured=True, about=""):
    """Write a reply token by token; give what was written before a token that may not come."""
    tokenizer = tiny_tokenizer()
    constraint, _ = constrain(tokenizer, quotable, (), heard, 0, measured=measured, about=about)
    refused = first_refused(tokenizer, said, constraint)
    return None if refused is None else tokenizer.decode(refused[:-1])


def test_progressions_are_found_in_results_and_notes():
    assert progressions_in(RESULT) == [("Cm", "Bb", "Ab", "Cm")]
    assert progressions_in(NOTES) == [("F#m", "D", "A", "E")]
    assert progressions_in("It is in C minor. A slow piece, A B in the end of Bbm.") == [("A", "B")]
    assert progressions_in("C major and F") == []


@pytest.mark.parametrize(
    "said",
    [
        "The chords are Cm - Bb - Ab - Cm, in C minor.",
        "Cm - Bb.",
        "It goes Bb - Ab - Cm. The MIDI is below.",
        "A slow song - a sad one - in C minor.",
        "The A section, then B. It ends on E, not Cm.",
        "Cm, then G, then Bb - Ab.",
        "I get Cm - Bb, that is i VII VI i in C minor.",
        "The degrees are VII VI.",
        "I hear i VII. In it, Violins.",
    ],
)
def test_what_was_found_may_be_quoted(said):
    assert written_until(said) is None


@pytest.mark.parametrize(
    ("said", "until"),
    [
        ("I get Cm - Ab - Bb.", "I get Cm - Ab"),
        ("It is Cm - Bbm - Ab.", "It is Cm - Bb"),
        ("Cm - Bb - Ab - Cm - Bb.", "Cm - Bb - Ab - Cm"),
        ("It goes Gm - Cm.", "It goes Gm"),
        ("F#m - D - A.", "F#m"),
        ("That is i VI VII in C minor.", "That is i VI"),
        ("I get Cm - Bb, that is VII VI.", "I get Cm - Bb, that is"),
        ("It is i VII VI i VII.", "It is i VII VI i"),
        ("Then Ivi is heard.", "Then I"),
    ],
)
def test_other_progressions_end_where_they_part(said, until):
    refused = written_until(said)
    assert refused is not None and until.startswith(refused.rstrip(" -"))
    assert len(until) - len(refused) <= 4


def test_an_answer_does_not_begin_with_a_capital_where_its_row_is_in_minor():
    asked = "the chords in Roman numerals?"
    assert written_until("I VII VI i in C minor.", about=asked) == ""
    assert written_until("i VII VI i in C minor.", about=asked) is None
    assert written_until("I get Cm - Bb.", about="which chords?") is None
    major = json.dumps({"progression": "C - Bb - C", "degrees": "I bVII I", "key": "C major"})
    assert written_until("I bVII I in C major.", major, about=asked) is None
    for begun in ("i VII VI in C minor.", "i, taking C minor as home.", "bVI i.", "#ivo V i in C"):
        assert sentence(begun) == begun
    assert sentence("vi is no row") == "Vi is no row" and sentence("it is in C") == "It is in C"


def test_what_the_encoder_heard_may_be_told_where_no_tool_has_answered():
    assert written_until("It moves F#m - D - A - E.", "what chords?", measured=False) is None
    assert written_until("It moves F#m - A.", "what chords?", measured=False) is not None
    assert written_until("Maybe G - C - G.", "what chords?", "", measured=False) is None


def test_a_chord_that_has_begun_is_finished():
    tokenizer = tiny_tokenizer()
    ids = tokenizer("It goes Cm - ", add_special_tokens=False)["input_ids"]
    scores = torch.zeros(1, len(tokenizer))
    scores = GroundedChords(tokenizer, RESULT, 0)(torch.tensor([ids]), scores)
    open_to = {tokenizer.decode([i]) for i in torch.isfinite(scores[0]).nonzero()[:, 0].tolist()}
    assert open_to and all("Bb".startswith(text.strip()[:2]) for text in open_to)
