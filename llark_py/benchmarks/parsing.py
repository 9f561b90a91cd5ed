"""Reads facts out of answers. What cannot be read is None, and counts as wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from llark_py.compose.instruments import FAMILIES, VOICES, family_of
from llark_py.compose.styles import STYLES, TIME_SIGNATURES
from llark_py.instruct.facts import FAMILY_WORDS

_BY_LENGTH = sorted(VOICES, key=len, reverse=True)
# What may stand before the answer itself.
_DOUBT = re.compile(r"^[^.:;,]*\b(?:sure|guess|certain|tell|say|think)\b[^.:;,]*[.:;,]\s*")
_METRE = re.compile(r"\b(?:" + "|".join(re.escape(t) for t in TIME_SIGNATURES) + r")\b")
_VOICE_WORDS = r"(?:sing(?:s|ing|ers?)?|sung|vocals?|vocalists?|voices?|rapp(?:er|ing))"
_UNSURE = re.compile(
    r"\b(?:cannot|can't|can not|not able to|unable to) (?:judge|say|tell|know)\b"
    r"|\bbeyond me\b|\bnot (?:taught|trained|reliable)\b|\bnot .{0,20}reliably\b"
)
_NO_VOICE = re.compile(
    rf"\b(?:no|without|nor|free of|lacks?|lacking)\b[\w ,]{{0,30}}?\b{_VOICE_WORDS}\b"
    rf"|(?:\b(?:not|cannot|never|hardly)|n't)\b[\w ]{{0,30}}?\b{_VOICE_WORDS}\b"
    r"|\b(?:nobody|no[- ]one|none)\b"
    r"|\b(?:purely|entirely|all|it is|it's|this is|sounds|an?|stays|only|just) "
    r"(?:an? )?(?:purely )?instrumental\b"
    r"|^\W*(?:purely |all )?instrumental\b|\binstruments (?:only|alone)\b|\bonly instruments\b"
)
_A_VOICE = re.compile(rf"\b{_VOICE_WORDS}\b")
# A choir among the instruments sings no words.
_NO_SINGER = re.compile(r"\binstrumental\b|\bchoir\b")
# Words of answers about sounds that are not music.
_NO_MUSIC = re.compile(
    r"(?:\b(?:not|no|hardly|without|never|cannot)|n't)\b[\w ]{0,30}\bmusic(?:al)?\b"
    r"|\brather than (?:as )?music\b|\bsilen(?:t|ce)\b|\bno(?:t a)? sound\b|\bnothing to hear\b"
    r"|\b(?:only|just|plain|pure|like|is|hear|some|white) (?:an? |the |some |plain |steady )?"
    r"(?:background |white |pink |broadband )?(?:noise|hiss|hum|rumble|rain|water|waves|wind|sea"
    r"|ocean|speech|talk(?:ing)?|tones?|beeps?|birds?|birdsong|animals?|clicks?|traffic|crowd"
    r"|applause|engine|machine)\b"
    r"|\b(?:noise|a tone|speech|silence) (?:to my ear|is all)\b|\bsingle tone\b|\btest tone\b"
    r"|\b(?:some(?:body|one)|a (?:man|woman|person|voice)|people)\b[\w ]{0,12}"
    r"\b(?:talk|speak)(?:s|ing)?\b"
)
_MUSIC = re.compile(
    r"\b(?:music|song|piece|track|tune|melody|harmony|chords?|groove|beat|rhythm|tempo|style|genre"
    r"|instruments?|played|major|minor)\b"
)


def _named(text: str, names: Iterable[str]) -> tuple[list[str], str]:
    """Take the names out of a text, longest first: what was found, and the rest."""
    rest, found = _plain(text), []
    for name in sorted(names, key=len, reverse=True):
        pattern = rf"\b{re.escape(_plain(name))}\b"
        if re.search(pattern, rest):
            found.append(name)
            rest = re.sub(pattern, " ", rest)
    return found, rest


def _plain(text: str) -> str:
    return text.lower().replace("-", " ").replace("’", "'")


def parse_style(text: str, styles: Sequence[str] = STYLES) -> str | None:
    """Read the one style that an answer names; None when it names none or several.

    Args:
        text: The answer.
        styles: Names to look for: the composer's, or also those that a model was taught. Longer
            names are read first, so that `bossa nova` is no other style with that word in it.
    """
    found, _ = _named(text, dict.fromkeys(styles))
    return found[0] if len(found) == 1 else None


def parse_families(text: str) -> set[str]:
    """Read the instrument families of the instruments that an answer names.

    Longer names are read first, so that `electric piano` is not also a `piano`; and styles with
    an instrument in their names (`drum and bass`) before all. What is said not to be there
    (`no drums`, `without bass`) is not read.
    """
    _, rest = _named(text, [s for s in STYLES if " " in s])
    rest = re.sub(r"\b(?:no|without|not|nor)(?: any)? [\w ]+", " ", rest)
    found = set()
    for name in _BY_LENGTH:
        pattern = rf"\b{re.escape(_plain(name))}s?\b"
        if re.search(pattern, rest):
            found.add(family_of(name))
            rest = re.sub(pattern, " ", rest)
    for family in (*FAMILIES, family_of("singer")):
        for word in (FAMILY_WORDS.get(family, family), family):
            if re.search(rf"\b{re.escape(_plain(word))}s?\b", rest):
                found.add(family)
    return found


def parse_time_signature(text: str) -> str | None:
    """Read the one time signature that an answer names."""
    found = set(_METRE.findall(text))
    return found.pop() if len(found) == 1 else None


def parse_yes_no(text: str) -> bool | None:
    """Read an answer that begins with yes or no, or does so behind words of doubt."""
    first = re.match(r"\W*(\w+)", _DOUBT.sub("", text.lower()))
    return {"yes": True, "yeah": True, "yep": True, "no": False, "nope": False}.get(
        first.group(1) if first else ""
    )


def parse_vocals(text: str) -> bool | None:
    """Read whether an answer says that somebody sings; None when it will not say."""
    lowered = text.lower().replace("’", "'")
    said = parse_yes_no(lowered)
    if said is not None:
        return said
    if _UNSURE.search(lowered):
        return None
    if _NO_VOICE.search(lowered):
        return False
    if _A_VOICE.search(lowered):
        return True
    return False if _NO_SINGER.search(lowered) else None


def parse_not_music(text: str) -> bool | None:
    """Read whether an answer says that there is no music.

    True for "That is noise", "No music here" or a plain no to "Is this music?"; False for an
    answer that takes it for music: a yes, a style, instruments, a description.
    """
    lowered = text.lower().replace("’", "'")
    said = parse_yes_no(lowered)
    if said is True:
        return False
    if _NO_MUSIC.search(lowered) or said is False:
        return True
    if _MUSIC.search(lowered) or _METRE.search(text) or parse_families(text) or parse_style(text):
        return False
    return None
