"""Words to sing: plain lines from a small lexicon, set to a melody a syllable a note."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

import yaml

from .phonemes import VOWELS

# A rest this long ends a line.
_LINE_REST_S = 0.3
_P_MELISMA = 0.12
_P_VOCALISE = 0.25


class Syllable(NamedTuple):
    """A syllable in ARPAbet: consonants, a vowel, consonants."""

    onset: tuple[str, ...]
    vowel: str
    coda: tuple[str, ...]


class Sung(NamedTuple):
    """What is sung on a note: a syllable and the word it begins (empty inside a word).

    Without a syllable the note goes on with the vowel of the one before.
    """

    syllable: Syllable | None
    word: str = ""


@lru_cache(maxsize=1)
def lexicon() -> dict[str, dict[str, tuple[Syllable, ...]]]:
    """Read the words of `lexicon.yaml`: word class -> word -> syllables."""
    text = resources.files(__package__).joinpath("lexicon.yaml").read_text(encoding="utf-8")
    # All strings: YAML would read the word "no" as False.
    classes: dict[str, dict[str, str]] = yaml.load(text, yaml.BaseLoader)
    return {
        kind: {word: tuple(map(_syllable, said.split("."))) for word, said in words.items()}
        for kind, words in classes.items()
    }


def _syllable(text: str) -> Syllable:
    sounds = text.split()
    (place,) = (i for i, sound in enumerate(sounds) if sound in VOWELS)
    return Syllable(tuple(sounds[:place]), sounds[place], tuple(sounds[place + 1 :]))


_LINES = (
    "pronoun verb determiner noun",
    "pronoun verb determiner adjective noun",
    "determiner noun preposition determiner noun",
    "pronoun verb preposition determiner noun",
    "adjective noun linker adjective noun",
    "pronoun modal verb pronoun preposition determiner noun",
    "cry pronoun verb determiner noun",
)


def draw_line(rng: random.Random) -> list[Sung]:
    """Draw a line of words, syllable by syllable."""
    words = lexicon()
    drawn = [rng.choice(sorted(words[kind].items())) for kind in rng.choice(_LINES).split()]
    return _spelled(drawn)


def _spelled(words: list[tuple[str, tuple[Syllable, ...]]]) -> list[Sung]:
    return [
        Sung(syllable, word if i == 0 else "")
        for word, syllables in words
        for i, syllable in enumerate(syllables)
    ]


def set_words(spans_s: Sequence[tuple[float, float]], rng: random.Random) -> tuple[Sung, ...]:
    """Set words to the notes of a melody.

    Args:
        spans_s: Start and end of every note in seconds, in order.
        rng: Source of the choices.

    Returns:
        For every note what is sung on it. A line of words ends at a rest; now and then a note
        prolongs a syllable, and some pieces are sung on one syllable only ("la la la").
    """
    vocalise = rng.choice(sorted(lexicon()["cry"].items())) if rng.random() < _P_VOCALISE else None
    sung: list[Sung] = []
    waiting: list[Sung] = []
    end_s = -1.0
    for start, end in spans_s:
        rested = start - end_s > _LINE_REST_S
        end_s = end
        if rested and not (waiting and waiting[0].word == ""):
            waiting = []  # a new breath, a new line; but no word is broken off
        if not rested and sung and rng.random() < _P_MELISMA:
            sung.append(Sung(None))
            continue
        if not waiting:
            waiting = _spelled([vocalise]) if vocalise else draw_line(rng)
        sung.append(waiting.pop(0))
    return tuple(sung)
