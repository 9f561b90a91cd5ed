"""Yes and no are said as the encoder heard it."""

from __future__ import annotations

from random import Random

import pytest
import torch
from instruct_parts import make_track
from transformers import PreTrainedTokenizerFast

from llark_py.assistant.constraints import constrain
from llark_py.assistant.grounded_verdicts import verdict
from llark_py.embedded import embedded_folder
from llark_py.instruct.grammar import FAMILIES, dialogue

NOTES = (
    "heard: 0:15; style hip-hop?; feel straight; metre 6/8; density sparse; count 3; "
    "families voice, bass, guitar; players singer, electric bass, distorted guitar?; "
    "perhaps strings; lead singer; chords Ab Db (x2); enters drums 0:08; music"
)


@pytest.fixture(scope="module")
def tokenizer():
    return PreTrainedTokenizerFast.from_pretrained(embedded_folder())


@pytest.mark.parametrize(
    ("question", "so"),
    [
        ("is this reggae?", False),
        ("Is it hip hop?", True),
        ("hey, would you call it HIP-HOP or not?", True),
        ("could this be called bossa nova", False),
        ("is it hip-hop or reggae?", None),
        ("is there a piano in this jazz song?", None),
        ("is it in 3/4?", False),
        ("6/8, right?", True),
        ("is it a waltz?", False),
        ("is it 3/4 or 6/8?", None),
        ("does it get to 3/4 at 1:20?", None),
        ("is there any woodwind in this recording?", False),
        ("any pianos?", False),
        ("are there strings?", True),
        ("is there a violin?", None),  # strings may play, nobody knows which
        ("can you hear the electric bass", True),
        ("did they use an acoustic guitar?", None),
        ("is anyone singing?", True),
        ("are there drums?", None),  # they enter, though they are not listed
        ("is it without vocals?", None),
        ("no vocals, right?", None),
        ("is it just a guitar?", None),
        ("is the guitar in tune?", None),
        ("is that a guitar or a synth?", None),
        ("when does the guitar come in?", None),
        ("transcribe the bass", None),
        ("are you a drummer?", None),
        ("do you like reggae?", None),
        ("what do you hear?", None),
        ("", None),
    ],
)
def test_verdicts_are_read_off_the_notes(question, so):
    assert verdict(question, NOTES) is so


def test_what_was_not_described_is_not_judged():
    assert verdict("is this reggae?", "heard: 0:15; rain") is None
    assert verdict("is there a piano?", "heard: 0:00; too short to tell more; music") is None
    full = NOTES.replace("voice, bass, guitar", "voice, bass, guitar, piano, brass")
    assert verdict("is there an organ?", full) is None  # of a clip no more than five are listed


def notes_of(track):
    families = list(dict.fromkeys(i.family for i in track.instruments))
    names = ", ".join(i.name for i in track.instruments)
    return (
        f"heard: 0:10; style {track.genre}; metre {track.time_signature}; "
        f"families {', '.join(families)}; players {names}; music"
    )


def test_no_answer_of_the_grammar_is_contradicted():
    """Whatever is asked: where the grammar says yes or no, the verdict is the same or none."""
    checks = ("style_check", "meter_check", "family_check", "drums", "waltz", "instrument_check")
    n_judged = dict.fromkeys(checks, 0)
    for family in FAMILIES:
        for seed in range(60 if family in checks else 12):
            track = make_track(seed)
            said = dialogue(track, Random(seed), n_turns=1, tools=(), families=[family])
            is_so = verdict(said[0].text, notes_of(track)) if said else None
            first = said[-1].text.split(",")[0].split(" ")[0].strip(".") if said else ""
            if is_so is not None and first in ("Yes", "No"):
                assert is_so == (first == "Yes"), (family, said[0].text, notes_of(track))
                n_judged[family] = n_judged.get(family, 0) + 1
    assert min(n_judged[family] for family in checks) > 8, n_judged


@pytest.mark.parametrize(
    ("question", "begins"),
    [("is this reggae?", "No"), ("is this hip-hop?", "Yes"), ("is anyone singing?", "Yes")],
)
def test_a_reply_begins_with_the_verdict(tokenizer, question, begins):
    constraint, _ = constrain(
        tokenizer, question, ["0:08"], NOTES, 0, measured=False, about=question
    )
    wrong = "Yes" if begins == "No" else "No"
    likes = tokenizer(f"{wrong}, it is", add_special_tokens=False)["input_ids"]
    scores = torch.zeros(1, len(tokenizer))
    scores[0, likes[0]] = 5.0
    chosen = constraint(torch.empty(1, 0, dtype=torch.long), scores).argmax()
    assert tokenizer.decode(chosen).strip().lower() == begins.lower()
    # Behind the verdict, and where no verdict was going to be given, nothing changes.
    scores = torch.zeros(1, len(tokenizer))
    after = constraint(torch.tensor([likes]), scores.clone())
    assert after[0, likes[0]] == 0
    other = tokenizer("It", add_special_tokens=False)["input_ids"][0]
    scores[0, other] = 5.0
    assert constraint(torch.empty(1, 0, dtype=torch.long), scores).argmax() == other


def test_of_two_recordings_nothing_is_judged(tokenizer):
    constraint, _ = constrain(
        tokenizer, "is this reggae?", ["0:08"], f"{NOTES}\n{NOTES}", 0, measured=False
    )
    scores = constraint(torch.empty(1, 0, dtype=torch.long), torch.zeros(1, len(tokenizer)))
    yes = tokenizer("Yes", add_special_tokens=False)["input_ids"][0]
    assert scores[0, yes] == 0
