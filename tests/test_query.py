"""What a search understands of the words people type."""

from __future__ import annotations

import pytest

from llark_py.catalogue.query import parse_query
from llark_py.catalogue.vocabulary import Vocabulary
from llark_py.compose.instruments import FAMILIES, INSTRUMENTS
from llark_py.compose.mood import MOODS
from llark_py.compose.styles import STYLES
from llark_py.theory import KEYS


def understood(text: str, said: tuple[str, ...] = (), held: dict[str, list[str]] | None = None):
    """Say what was understood, in the words in which the command line says it."""
    return parse_query(text, Vocabulary(held), said.__contains__).told()


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("under 90 bpm", "tempo < 90 BPM"),
        ("slower than 90", "tempo < 90 BPM"),
        ("at most 90 bpm", "tempo <= 90 BPM"),
        ("no faster than 90", "tempo <= 90 BPM"),
        ("not under 90 bpm", "tempo >= 90 BPM"),
        ("120 bpm or faster", "tempo >= 120 BPM"),
        ("120+ bpm", "tempo >= 120 BPM"),
        ("between 100 and 120", "tempo 100 to 120 BPM"),
        ("from 100 to 120 bpm", "tempo 100 to 120 BPM"),
        ("100–120bpm", "tempo 100 to 120 BPM"),
        ("bpm: 90-100", "tempo 90 to 100 BPM"),
        ("around 120", "tempo 114 to 126 BPM"),
        ("120 bpm", "tempo 117.6 to 122.4 BPM"),
        ("not 120 bpm", "not (tempo 117.6 to 122.4 BPM)"),
        ("over 100 bpm and under 120 bpm", "tempo > 100 BPM; tempo < 120 BPM"),
        ("longer than 4 minutes", "length > 240 s"),
        ("shorter than a minute", "length < 60 s"),
        ("over 3:30", "length > 210 s"),
        ("2 to 3 minutes", "length 120 to 180 s"),
        ("at least 3 min 30 s", "length >= 210 s"),
        ("about two minutes", "length 108 to 132 s"),
        ("louder than -14 LUFS", "loudness > -14 LUFS"),
        ("between -20 and -14 lufs", "loudness -20 to -14 LUFS"),
        ("loudness below −20", "loudness < -20 LUFS"),
        ("80s top 40", "words: 80s top 40"),
    ],
)
def test_numbers_are_read_with_their_unit_and_sense(text, conditions):
    assert "; ".join(understood(text)) == conditions


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("in a minor key", "key: minor"),
        ("songs in a minor", "key: A minor"),
        ("piano in A minor key", "key: A minor; with piano"),
        ("a minor piece", "key: minor"),
        ("c sharp minor", "key: C# minor"),
        ("Db minor", "key: C# minor"),
        ("in B flat", "key: Bb major or Bb minor"),
        ("Am or F major", "key: F major or A minor"),
        ("not in major", "key: not major"),
        ("in 3/4", "metre: 3/4"),
        ("waltz time", "metre: 3/4"),
        ("not 4/4", "metre: not 4/4"),
    ],
)
def test_keys_and_metres_are_read_as_musicians_write_them(text, conditions):
    assert "; ".join(understood(text)) == conditions


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_understood(key):
    assert understood(f"something in {key}") == [f"key: {key}"]


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("no drums and no vocals", "without drums; no vocals"),
        ("no drums, bass or singing", "without drums; without bass; no vocals"),
        ("without drums and piano", "without drums; without piano"),
        ("no drums, piano", "without drums; with piano"),
        ("no drums and piano", "without drums; with piano"),
        ("instrumental", "no vocals"),
        ("not instrumental", "vocals"),
        ("not too fast", "tempo: not fast"),
        ("not jazz", "style: not jazz"),
        ("no whistling", "words: not whistling"),
        ("piano or guitar", "with piano or guitar"),
        ("piano and guitar", "with piano; with guitar"),
        ("jazz or blues", "style: jazz or blues"),
        ("sad dark violins", "mood: melancholic; with violin"),
        ("hiphop", "style: hip-hop"),
        ("drum & bass", "style: drum and bass"),
        ("classical piano", "style: classical piano"),
        ("loud but slow", "loudness: loud; tempo: slow"),
    ],
)
def test_names_negations_and_alternatives(text, conditions):
    assert "; ".join(understood(text)) == conditions


@pytest.mark.parametrize("name", [*STYLES, *MOODS, *FAMILIES, *INSTRUMENTS])
def test_every_name_of_the_library_is_a_condition(name):
    [condition] = understood(f"find me some {name} please")
    assert not condition.startswith("words")


def test_the_sentence_of_the_readme():
    query = parse_query("calm piano in a minor key under 90 bpm", Vocabulary(), lambda word: True)
    assert query.told() == [
        "tempo < 90 BPM",
        "key: minor",
        "mood: peaceful or laid-back or dreamy",
        "with piano",
    ]
    assert query.words == () and query.ranking == ("calm", "piano")


def test_what_the_catalogue_names_is_understood():
    assert understood("techno") == ["words: techno"]
    held = {"style": ["Techno", "techno"]}
    assert understood("techno", held=held) == ["style: Techno or techno"]


def test_misspelt_words_are_read_right_and_told():
    query = parse_query("paino without gitar", Vocabulary(), lambda word: False)
    assert query.told() == ["with piano", "without guitar"]
    assert query.corrected == {"paino": "piano", "gitar": "guitar"}


def test_words_that_captions_say_are_not_corrected():
    assert understood("paino", said=("paino",)) == ["words: paino"]


def test_what_says_nothing_is_left_out():
    assert understood("please find me the songs") == []
    assert understood("something for a workout") == ["words: workout"]
