"""Questions that are answered with yes or no, or by one of two, by ear."""

from __future__ import annotations

from collections.abc import Sequence

from .balance import ask_balanced
from .facts import FAMILY_WORDS
from .phrases import article_of, pick
from .scene import Scene, Turn, denied, heard, unheard

# Where there are many things to ask for most draws are dropped, and trying again hardly tilts.
_MANY_THINGS, _MANY_TRIES = 8, 3


def is_plural(word: str) -> bool:
    """Tell whether a noun takes a plural verb: `drums`, but not `brass`."""
    return word.endswith("s") and not word.endswith("ss")


def named(thing: str) -> dict[str, str]:
    """Return the slots of sentences about a thing: the piano enters, the drums enter."""
    plural = is_plural(thing)
    return {
        "asked": thing,
        "article": "" if plural else article_of(thing),
        "the_asked": f"the {thing}",
        "do": "do" if plural else "does",
        "be": "are" if plural else "is",
        "ends": "" if plural else "s",
    }


def yes_no(
    scene: Scene,
    family: str,
    present: Sequence[str],
    rates: dict[str, float],
    about: str,
    *,
    known: bool = True,
    no: str = "no",
) -> Turn | None:
    """Ask whether a thing is there, as often where it is as where it is not.

    Args:
        scene: State of the dialogue.
        family: Which phrasings.
        present: The things that are there.
        rates: Thing -> share of tracks that have it; these are asked for.
        about: Slot that the answer tells of.
        known: Whether the facts can tell.
        no: Which answers are given where the thing is not there.
    """
    if scene.is_music and not known:
        return None
    tries = _MANY_TRIES if len(rates) >= _MANY_THINGS else 1
    if scene.is_music:
        drawn = ask_balanced(present, rates, scene.rng, tries=tries)
    else:
        drawn = (pick(list(rates), scene.rng), False) if rates else None
    if drawn is None or drawn[0] in scene.asked:
        return None
    thing, is_there = drawn
    scene.asked.add(thing)
    # What may be there is said to be there, but as a guess.
    hedged = (thing,) if thing in scene.unsure else (about,)
    asked = FAMILY_WORDS.get(thing, thing)
    case = "yes" if is_there else no
    values = named(asked)
    if not scene.is_music:
        return denied(scene, family, **values)
    scene.thing = thing if is_there and family == "instrument_check" else ""
    return heard(scene, family, hedged, case, **values)


def word_check(
    scene: Scene, family: str, word: str, rates: dict[str, float], about: str | None = None
) -> Turn | None:
    """Ask whether the one fact of a kind (its style, its mood, ...) is a certain one."""
    fact = scene.words.get(word)
    present = [fact] if fact else []
    return yes_no(scene, family, present, rates, about or word, known=fact is not None)


def compare(
    scene: Scene, family: str, fact: str | None, others: Sequence[str], about: str
) -> Turn | None:
    """Ask which of two things it is; the right one is named first half of the time.

    Args:
        scene: State of the dialogue.
        family: Which phrasings.
        fact: The right thing; None when unknown.
        others: Things of which one is named as well.
        about: Slot that the answer tells of.
    """
    wrong = [other for other in others if other != fact]
    if not wrong or (scene.is_music and fact is None):
        return None
    pair = [fact if scene.is_music and fact else pick(wrong, scene.rng), pick(wrong, scene.rng)]
    if pair[0] == pair[1]:
        return None
    right = pair[0]
    scene.rng.shuffle(pair)
    values = {"first": pair[0], "second": pair[1]}
    values |= {f"a_{place}": f"{named(word)['article']} {word}" for place, word in values.items()}
    if not scene.is_music:
        return unheard(scene, family, **values)
    return heard(scene, family, (about,), right=right, **values)
