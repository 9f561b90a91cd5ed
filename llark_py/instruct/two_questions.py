"""Two whole questions in one message: `which instruments play? and what key is it in?`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from .phrases import grammar, pick, slots_of
from .scene import Scene

_ASKED_BY: Mapping[str, str] = MappingProxyType(
    {
        "tempo": "tempo",
        "key": "key",
        "progression": "chords",
        "loudness": "loudness",
        "style": "style",
        "mood": "mood",
        "time_signature": "time_signature",
        "chords": "chords",
        "lead": "lead",
        "density": "density",
        "instruments": "instruments",
        "feel": "feel",
    }
)
"""Subject of a tool or topic of the ear -> the family whose questions ask for it alone."""
_P_WHOLE = 0.4
_TRIES = 8
_MOST_LETTERS = 50
_END = " .?!"
_OPEN = re.compile(
    r"(what|which|who|how|in (what|which)|(can|could) you|tell|give|describe|name|list|measure"
    r"|find)"
    r"\b[^.?!:]*$",
    re.I,
)
"""Questions that a clause answers: no yes or no, and nothing of several sentences."""


def two_questions(scene: Scene, first: str, second: str) -> str | None:
    """Write two questions as one message; None now and then, and where one cannot be asked so.

    Args:
        scene: State of the dialogue.
        first: What is asked first: a key of `TOOL_OF` or a topic of `ear_pair`.
        second: What is asked then.
    """
    if not {first, second} <= _ASKED_BY.keys() or scene.rng.random() >= _P_WHOLE:
        return None
    asked = [_one_question(scene, _ASKED_BY[subject]) for subject in (first, second)]
    if None in asked:
        return None
    return scene.say("two_questions", "questions", first=str(asked[0]), second=str(asked[1]))


def _one_question(scene: Scene, family: str) -> str | None:
    """Draw an open question of a family, without the mark at its end."""
    for _ in range(_TRIES):
        template = pick(grammar()[family]["questions"], scene.rng)
        if "guess" in slots_of(template):
            continue
        question = scene.fill(template).rstrip(_END)
        if len(question) <= _MOST_LETTERS and _OPEN.match(question):
            return question
    return None
