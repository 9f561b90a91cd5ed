"""Which family of instruments people mean: `the saxophone`, `synths`, `singing`."""

from __future__ import annotations

from functools import cache

from llark_py.compose.instruments import FAMILIES, INSTRUMENTS, family_of

from .facts import FAMILY_WORDS

_ALSO = {
    "voice": ("singer", "vocals", "vocal", "vocalist", "singing", "sung"),
    "drums": ("drum", "drummer", "drumming", "percussion", "drum kit"),
    "synth": ("synthesizer", "synthesiser", "synthesisers"),
    "woodwind": ("reeds",),
    "strings": ("string section",),
    "guitar": ("guitarist",),
    "bass": ("bassist",),
    "piano": ("pianist",),
    "brass": ("horns",),
}
# Where it is sure that somebody is named; in a sentence they may be anything.
_BRIEFLY = {"keys": "piano", "string": "strings", "wind": "woodwind"}


def family_named(words: str) -> str | None:
    """Tell which family an instrument or a family belongs to; None where the name is not known.

    Args:
        words: As people write it, such as `French Horn`, `the synths` or `electric guitars`.
    """
    if not words.isprintable():
        return None
    name = words.strip().lower().removeprefix("the ")
    known = _families()
    for candidate in (name, name.removesuffix("s"), name.split()[-1] if name else ""):
        if candidate in known:
            return known[candidate]
        if (one := candidate.removesuffix("s")) in known:
            return known[one]
    return None


@cache
def family_words() -> dict[str, str]:
    """Map what families are called in a sentence, themselves included, to their names."""
    names = {word: family for family, words in _ALSO.items() for word in words}
    names |= {word: family for family, word in FAMILY_WORDS.items()}
    return names | {family: family for family in FAMILIES}


@cache
def _families() -> dict[str, str]:
    return {name.lower(): family_of(name) for name in INSTRUMENTS} | _BRIEFLY | family_words()
