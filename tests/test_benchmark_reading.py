"""Strict reading of answers: everything the grammar can say is read, nothing is guessed."""

from __future__ import annotations

from random import Random

import pytest

from llark_py.benchmarks.parsing import (
    parse_families,
    parse_not_music,
    parse_style,
    parse_time_signature,
    parse_vocals,
    parse_yes_no,
)
from llark_py.benchmarks.spoken_times import parse_boundaries, parse_times
from llark_py.benchmarks.typed_checks import check_answer, is_kind
from llark_py.compose.instruments import INSTRUMENTS, family_of
from llark_py.compose.styles import STYLES
from llark_py.instruct.phrases import fill, grammar, sentence

SLOTS = {"style": "jazz", "mood": "peaceful", "meter": "3/4", "asked": "piano", "name": "tempo"}


def said(family: str, case: str, **values: str) -> list[str]:
    """Everything the grammar says in a case, each phrasing a few times."""
    rng = Random(0)
    texts = {
        sentence(fill(template, {**SLOTS, **values}, rng))
        for template in grammar()[family][case]
        for _ in range(6)
    }
    return sorted(texts)


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_every_instrument_is_read_as_its_own_family_alone(name):
    assert parse_families(f"I hear {name}.") == {family_of(name)}


@pytest.mark.parametrize("style", STYLES)
def test_every_style_is_read(style):
    assert parse_style(f"It sounds like {style}.") == style
    assert parse_style(f"{style.capitalize()}, I think.") == style


def test_styles_that_only_a_model_knows_are_read_longest_first():
    known = ("bossa nova", "bossa", "hip-hop")
    assert parse_style("A bossa nova.", known) == "bossa nova"
    assert parse_style("Some hip hop.", known) == "hip-hop"
    assert parse_style("A bossa.", ("bossa nova", "bossa")) == "bossa"


def test_a_style_with_an_instrument_in_its_name_names_no_instrument():
    names = [style for style in STYLES if " " in style]
    assert names and not any(parse_families(f"This is {style}.") for style in names)
    assert parse_families("Drum and bass, with synth pad.") == {"synth"}


def test_what_is_not_there_is_not_read_as_an_instrument():
    assert parse_families("A piano and cello, without drums.") == {"piano", "strings"}


def test_an_answer_that_names_two_is_not_read():
    assert parse_style("Jazz or rock.") is None
    assert parse_time_signature("3/4 or 4/4") is None
    assert parse_time_signature("In 6/8.") == "6/8"
    read = [parse_yes_no(text) for text in ("Yes, drums.", "no", "Maybe", "")]
    assert read == [True, False, None, None]
    doubtful = [
        parse_yes_no(t) for t in ("I am not sure. Yes.", "My best guess: no.", "Drums, no.")
    ]
    assert doubtful == [True, False, None]


@pytest.mark.parametrize("kind", ["silence", "noise", "tone", "other"])
def test_every_answer_that_there_is_no_music_is_read(kind):
    for answer in said("not_music", kind):
        assert parse_not_music(answer) is True, answer


def test_answers_about_music_are_not_taken_for_its_absence():
    texts = [
        *said("style", "answers"),
        *said("time_signature", "answers", meter_count="three beats to the bar"),
        *said("caption", "players", instruments="piano and electric bass"),
        "Yes, it is music.",
        "A calm folk song with acoustic guitar and no drums.",
    ]
    assert [text for text in texts if parse_not_music(text) is not False] == []
    assert parse_not_music("Hmm.") is None and parse_not_music("No.") is True


SUNG = [
    "Yes.",
    "Yes, somebody sings.",
    "Somebody sings.",
    "I hear a voice.",
    "There is a singer in front.",
    "It is sung.",
    "There are vocals.",
    "Vocals carry the melody.",
]
UNSUNG = [
    "No.",
    "No, it is instrumental.",
    "It is instrumental.",
    "Instrumental.",
    "Purely instrumental, I think.",
    "Nobody sings.",
    "I hear no voice.",
    "There is no singing here.",
    "I do not hear anybody singing.",
    "I cannot make out a singer.",
    "I don't hear any singing.",
    "It goes without vocals.",
    "There are no vocals in it.",
    "Only instruments.",
    "A choir, but no soloist.",
    "There is a choir.",
]


def test_answers_about_a_singer_are_read():
    assert [text for text in SUNG if parse_vocals(text) is not True] == []
    assert [text for text in UNSUNG if parse_vocals(text) is not False] == []


def test_every_answer_of_the_grammar_about_a_singer_is_read():
    cases = {"yes": True, "singer": True, "no": False, "none": False, "choir": False}
    for family in {"vocals", "sung_or_not"} & grammar().keys():
        for case in cases.keys() & grammar()[family].keys():
            texts = said(family, case)
            assert [text for text in texts if parse_vocals(text) is not cases[case]] == []


def test_an_answer_that_will_not_judge_is_not_read():
    for text in (
        "I cannot judge voices yet.",
        "That I cannot say.",
        "Vocals are beyond me so far.",
    ):
        assert parse_vocals(text) is None


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("At 1:20.", [80.0]),
        ("They come in at 0:05.5, then at 2:00", [5.5, 120.0]),
        ("After 80 seconds", [80.0]),
        ("at 12.5 s", [12.5]),
        ("1 min 20 s", [80.0]),
        ("After 2 minutes and 5 seconds", [125.0]),
        ("about 1 minute in", [60.0]),
        ("From the start.", [0.0]),
        ("intro 0:00-0:12, verse 0:12-0:40", [0.0, 12.0, 12.0, 40.0]),
        ("In 4/4 at 120 BPM", []),
        ("1:75", []),
    ],
)
def test_times_are_read(text, times):
    assert parse_times(text) == times


def test_boundaries_are_inside_the_song_and_told_once():
    text = "Intro 0:00-0:12, verse 0:12-0:40, chorus 0:40-1:00, and 2:00."
    assert parse_boundaries(text, 60.0) == [12.0, 40.0]


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        ("unknowable", "unknowable"),
        ("unknowable", "title"),
        ("unknowable", "artist"),
        ("unknowable", "era"),
        ("about", "who"),
        ("about", "abilities"),
        ("polite", "greeting"),
        ("polite", "thanks"),
        ("polite", "goodbye"),
        ("elsewhere", "off_topic"),
        ("english", "language"),
    ],
)
def test_every_kind_of_talk_in_the_grammar_is_read_as_its_kind(kind, family):
    texts = said(family, "answers") if family in grammar() else []
    assert [text for text in texts if not is_kind(text, kind)] == []


def test_heard_answers_are_not_read_as_refusals_and_refusals_not_as_heard():
    heard = [*said("style", "answers"), *said("mood", "answers")]
    assert all(check_answer(["hear"], [], text) for text in heard)
    refused = [*said("unknowable", "answers"), *said("language", "answers")]
    assert not any(check_answer(["hear"], [], text) for text in refused)
    assert check_answer(["hear"], [], "My best guess: jazz.")
    assert not check_answer(["hear"], ["estimate_key"], "It sounds like jazz.")
    assert check_answer(["estimate_key", "hear"], ["estimate_key"], "F major; it is jazz.")
    assert not check_answer(["estimate_key"], [], "F major.")
    assert not check_answer(["hear"], [], " ")
    chords = ["hear"], ["recognize_chords"], "C - F - G."
    assert check_answer(*chords, ["recognize_chords"]) and not check_answer(
        *chords, ["find_sections"]
    )
    assert not check_answer(
        ["hear"], ["recognize_chords", "estimate_key"], "C", ["recognize_chords"]
    )
    assert check_answer(["hear"], [], "I hear C - F - G.", ["recognize_chords"])
