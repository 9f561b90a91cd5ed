"""Yes/no questions whose answer cannot be guessed from the question.

A model that is asked "is there an organ?" mostly where there is none learns to say no without
listening. So every thing is asked for as often where it is there as where it is not: the more
frequent of the two cases is thinned by the known rates, question by question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random

from llark_py.prompting import read_prompt_data
from llark_py.track import Track

from .facts import Facts
from .phrases import pick
from .timeline import Timeline


@dataclass(frozen=True)
class Rates:
    """How often each thing occurs in the tracks that questions are asked about, in (0, 1).

    Attributes:
        families: Instrument family -> share of tracks that have it.
        instruments: Instrument name -> share of tracks.
        speeds: Speed word -> share of tracks.
        meters: Time signature -> share of tracks.
        styles: Genre -> share of tracks.
        moods: Mood -> share of tracks.
        feels: Rhythmic feel -> share of tracks.
        sections: Section label -> share of the tracks with two sections or more that have it.
        changes: `key` -> share of the tracks with timed keys in which it changes.
        sounds: `music`, `noise`, ... -> share of recordings.
    """

    families: dict[str, float] = field(default_factory=dict)
    instruments: dict[str, float] = field(default_factory=dict)
    speeds: dict[str, float] = field(default_factory=dict)
    meters: dict[str, float] = field(default_factory=dict)
    styles: dict[str, float] = field(default_factory=dict)
    moods: dict[str, float] = field(default_factory=dict)
    feels: dict[str, float] = field(default_factory=dict)
    sections: dict[str, float] = field(default_factory=dict)
    changes: dict[str, float] = field(default_factory=dict)
    sounds: dict[str, float] = field(default_factory=dict)


# The kinds of things of which a track has one -> the slot that names it.
_WORD_OF = {"speeds": "speed", "meters": "meter", "styles": "style", "moods": "mood"}
_WORD_OF |= {"feels": "feel"}


@cache
def default_rates() -> Rates:
    """Return the rates of composed music, as kept in the prompts room."""
    return Rates(**read_prompt_data("grammar/rates.yaml"))


def measure_rates(tracks: Iterable[Track]) -> Rates:
    """Count how often each thing occurs in tracks of music, to ask balanced questions on them.

    The share is of the tracks that know the fact at all, since only they are asked about it.
    """
    counts: dict[str, Counter[str]] = {name: Counter() for name in Rates.__dataclass_fields__}
    known: Counter[str] = Counter()
    for track in tracks:
        facts, timeline = Facts(track), Timeline(track)
        known["sounds"] += 1
        counts["sounds"][track.sound] += 1
        if not facts.is_music:
            continue
        things = {name: [facts.words[w]] for name, w in _WORD_OF.items() if w in facts.words}
        if facts.instruments:
            things |= {"families": list(facts.families), "instruments": facts.instruments}
        if timeline.has_form:
            things["sections"] = list({s.label for s in timeline.sections})
        if track.keys:
            things["changes"] = ["key"] if timeline.key_changes else []
        for name, present in things.items():
            known[name] += 1
            counts[name].update(present)
    return Rates(
        **{
            name: {thing: round(n / known[name], 4) for thing, n in sorted(counter.items())}
            for name, counter in counts.items()
        }
    )


def ask_balanced(
    present: Sequence[str], rates: dict[str, float], rng: Random, *, tries: int = 1
) -> tuple[str, bool] | None:
    """Choose a thing to ask for, so that over many tracks half of the answers are yes.

    A draw is dropped with the probability that evens out the two cases of its thing; after
    `tries` dropped draws there is no question. (Drawing until one is kept would tilt the
    balance again, because a track with many rare things keeps more of its draws.)

    Args:
        present: The things that are there.
        rates: Thing -> share of tracks that have it; only these are asked for.
        rng: Source of chance.
        tries: How many draws; more than a few only where most draws are dropped.

    Returns:
        The thing and whether it is there; None for no question this time.
    """
    things = list(rates)
    if not things:
        return None
    for _ in range(tries):
        thing = pick(things, rng)
        rate = rates[thing]
        is_there = thing in present
        share = rate if is_there else 1.0 - rate
        if share > 0 and rng.random() < min(rate, 1.0 - rate) / share:
            return thing, is_there
    return None
