"""Reads what the notes of the encoder, and the words of a user, name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from llark_py.compose.instruments import FAMILIES, INSTRUMENTS, family_of
from llark_py.instruct.family_names import family_words
from llark_py.prompting import read_prompt_data


def read_notes(notes: str) -> dict[str, list[str]]:
    """List what notes name of each kind, without their marks of doubt."""
    words = _words()
    kinds = ("style", "time_signature", "families", "instruments", "perhaps", "enters", "leaves")
    found: dict[str, list[str]] = {kind: [] for kind in kinds}
    for part in notes.split(words["between"]):
        for kind in kinds:
            opening = words[kind].format("")
            if part.startswith(opening):
                names = part.removeprefix(opening).split(words["among"])
                found[kind] = [name.removesuffix(words["doubt"].format(name="")) for name in names]
    return found


def take_names(text: str, names: Mapping[str, str]) -> tuple[str, set[str]]:
    """Take names out of a text, the longest first, and tell what they stand for."""
    things = set()
    for name in sorted(names, key=len, reverse=True):
        words = [re.escape(word) for word in re.split("[ -]", name)]
        pattern = rf"\b{'[ -]?'.join(words)}\b"
        if re.search(pattern, text):
            things.add(names[name])
            text = re.sub(pattern, " ", text)
    return text, things


def family_meant(thing: str) -> str:
    """Tell the family of an instrument; a family is its own."""
    return thing if thing in FAMILIES else family_of(thing)


@cache
def player_words() -> dict[str, str]:
    """Map the words for families and instruments, one or many of them, to their names."""
    # Whoever asks for drums or a voice asks for the family.
    names = {name: name for name in INSTRUMENTS} | family_words()
    return {f"{word}s": thing for word, thing in names.items() if word[-1] != "s"} | names


@cache
def _words() -> dict[str, str]:
    return read_prompt_data("notes")
