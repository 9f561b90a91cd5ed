"""How often instruments are told of, so that yes and no are right answers equally often.

The grammar evens out its yes/no questions by how often the composer writes for a family. What a
model is taught to say is what the encoder hears, and of music that it does not know well it hears
some families more often, others less: two of three questions for a synthesizer were answered with
yes, and the model learned to say so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from llark_py.compose.instruments import family_of
from llark_py.instruct.balance import Rates, default_rates
from llark_py.instruct.facts import Facts, may_play

from .dialogues import Topic

_AS_MANY_COMPOSED = 20
"""The rates of composed music count as much as so many recordings."""
_MOST = 0.95


def heard_rates(topics: Sequence[Topic]) -> Rates:
    """Measure how often families and instruments are told of in some recordings.

    Args:
        topics: What conversations are about, with what the listener is not sure of.

    Returns:
        The rates of composed music, but those of families as counted here (what is perhaps there
        included), and those of instruments moved with their family's.
    """
    composed = default_rates()
    told: Counter[str] = Counter()
    perhaps: Counter[str] = Counter()
    n_music = 0
    for topic in topics:
        families = set(Facts(topic.track).families)
        if topic.track.sound == "music" and families:
            n_music += 1
            told.update(families)
            perhaps.update(may_play(topic.unsure) - families)

    def rate(count: int, family: str) -> float:
        least = _AS_MANY_COMPOSED * composed.families[family]
        return min(_MOST, (count + least) / (n_music + _AS_MANY_COMPOSED))

    moved = {f: rate(told[f], f) / r for f, r in composed.families.items() if r > 0}
    return replace(
        composed,
        families={f: rate(told[f] + perhaps[f], f) for f in composed.families},
        instruments={
            name: min(_MOST, r * moved.get(family_of(name), 1.0))
            for name, r in composed.instruments.items()
        },
    )
