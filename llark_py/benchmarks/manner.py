"""How questions of the listening benchmark are put: in which words, and what tools answer instead.

Our own models are asked as people ask. Others do not know our styles and families, so they are
told what to choose from, and in what form to answer: what is scored is what they hear, not whether
they guess our words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from llark_py.compose.instruments import FAMILIES
from llark_py.compose.styles import STYLES, TIME_SIGNATURES
from llark_py.instruct.facts import FAMILY_WORDS
from llark_py.prompting import read_prompt_data

from .clips import VOICE

SPOKEN = {
    "style": ("style",),
    "instruments": ("instruments",),
    "time_signature": ("time_signature",),
    "vocals": ("vocals",),
    "not_music": ("is_music", "what"),
}
"""Facts that are asked in words, and the questions (`prompts/benchmark.yaml`) they are asked by."""
MEASURED = {
    "tempo": ("estimate_tempo", "tempo_bpm"),
    "key": ("estimate_key", "key"),
    "tonic": ("estimate_key", "key"),
}
"""Facts that a tool measures: which, and the field of its result."""
_ALL_SPOKEN = {**SPOKEN, **{fact: (fact,) for fact in MEASURED}}


@dataclass(frozen=True)
class Manner:
    """How an ear is asked.

    Attributes:
        questions: The words of each question by its name; `{thing}` is an instrument or a family,
            `{styles}` what there is to choose from.
        spoken: Facts that are asked in words -> names of their questions.
        measured: Facts that a tool measures -> which, and the field of its result.
        has_tools: Whether songs are asked about as in a chat too, with tools.
    """

    questions: Mapping[str, str]
    spoken: Mapping[str, Sequence[str]] = field(default_factory=lambda: SPOKEN)
    measured: Mapping[str, tuple[str, str]] = field(default_factory=lambda: MEASURED)
    has_tools: bool = True

    def word(self, name: str, *, thing: str = "", styles: Iterable[str] = STYLES) -> str:
        """Put a question into words.

        Args:
            name: Of the question.
            thing: An instrument or a family that is asked for.
            styles: What there is to choose from, besides the composer's.
        """
        known = dict.fromkeys((*STYLES, *styles))
        return self.questions[name].format(
            thing=thing,
            styles=", ".join(known),
            families=", ".join(FAMILY_WORDS.get(f, f) for f in dict.fromkeys((*FAMILIES, VOICE))),
            time_signatures=", ".join(TIME_SIGNATURES),
        )


@cache
def ours() -> Manner:
    """By ear in words, by tool where one measures, and as in a chat: how our models are asked."""
    return Manner(wording())


@cache
def in_words(*, with_choices: bool) -> Manner:
    """Everything in words, also tempo and key; nothing but the answer is looked at.

    Args:
        with_choices: Whether it is said what to choose from and in what form to answer.
    """
    questions = {**wording(), **(_data()["with_choices"] if with_choices else {})}
    return Manner(questions, _ALL_SPOKEN, {}, has_tools=False)


@cache
def wording() -> dict[str, str]:
    """The fixed questions by name, as people ask."""
    questions: dict[str, str] = _data()["questions"]
    return questions


@cache
def _data() -> dict[str, dict[str, str]]:
    data: dict[str, dict[str, str]] = read_prompt_data("benchmark")
    return data
