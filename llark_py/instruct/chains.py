"""Turns that take two tools in a row, and turns about what a tool made in the turn before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .making import STEMS, like_call, make, stem_words
from .phrases import grammar, pick
from .scene import Asker, Call, Scene, Turn, case_of, words_of
from .spans import draw_example, draw_span

_MAKERS = ("cut", "stem", "like", "part_stem")
"""Families whose answer leaves one new sound to talk about."""
_BY_EAR = {"cut_clip": "cut", "separate_stems": "stem", "separate_like": "like"}


def _chain(
    scene: Scene,
    family: str,
    question: str,
    first: Call,
    second: Callable[[dict[str, Any]], Call],
    **values: str,
) -> Turn | None:
    """Ask for something that takes a second tool, on what the first one makes.

    Args:
        scene: State of the dialogue.
        family: Which answers.
        question: What is asked.
        first: Makes a sound.
        second: Writes the second call, given the result of the first.
        **values: Slots of the answer.
    """
    scene.last = ""
    if scene.facts is None:
        return Turn(question, scene.not_music)
    if first.name not in scene.tools:
        return Turn(question, lambda: scene.answer(_BY_EAR[first.name], "by_ear"))
    made = make(scene, first)
    if "error" in made:
        return Turn(question, lambda: scene.answer("broken", reason=made["error"]), (first,))
    last = second(made)
    result = make(scene, last)
    case = case_of(result)
    if case == "measured" and "confidence" not in result:
        case = case_of(made)
    told = {**words_of(result), **values}
    return Turn(question, lambda: scene.answer(family, case, **told), (first, last), at_once=False)


def _stem_then(family: str, tool: str) -> Asker:
    """Ask for something of one stem, which is separated first unless it is there."""

    def ask(scene: Scene) -> Turn | None:
        if tool not in scene.tools:
            return None
        stem = pick(list(grammar()[family]["names"]), scene.rng)
        words = stem_words(family, stem, scene)
        question = scene.say(family, "questions", **words)
        words["stem"] = words["plain"]
        if stem in scene.stems:
            call = Call(tool, {"audio": scene.stems[stem]})
            return _second(scene, family, question, call, **words)
        first = Call("separate_stems", {"stem": stem})
        return _chain(
            scene, family, question, first, lambda made: Call(tool, {"audio": made[stem]}), **words
        )

    return ask


def _part_then(family: str, tool: str, answers: str = "") -> Asker:
    """Ask for something of a part, which is cut out first."""

    def ask(scene: Scene) -> Turn | None:
        if tool not in scene.tools:
            return None
        span = draw_span(scene.rng, scene.duration_s)
        words: dict[str, str] = {}
        more: dict[str, str] = {}
        if family == "part_stem":
            more["stem"] = pick(STEMS[:3], scene.rng)
            words = stem_words("stem", more["stem"], scene)
        question = scene.say(family, "questions", **span.phrases, **words)
        words["stem"] = words.get("plain", "")
        return _chain(
            scene,
            answers or family,
            question,
            Call("cut_clip", span.arguments),
            lambda made: Call(tool, {"audio": made["audio"], **more}),
            **words,
        )

    return ask


def _ask_like_notes(scene: Scene) -> Turn | None:
    """Ask for the notes of everything that sounds like some seconds."""
    if "transcribe_notes" not in scene.tools:
        return None
    span = draw_example(scene.rng, scene.duration_s)
    question = scene.say("like_notes", "questions", **span.phrases)

    def notes_of(made: dict[str, Any]) -> Call:
        return Call("transcribe_notes", {"audio": made["found"]})

    return _chain(scene, "like_notes", question, like_call(span), notes_of)


def _second(scene: Scene, family: str, question: str, call: Call, **values: str) -> Turn:
    """Measure a sound that is there already."""
    scene.last = ""
    result = scene.run(call)
    told = {**words_of(result), **values}
    return Turn(question, lambda: scene.answer(family, case_of(result), **told), (call,))


def _then(family: str, tool: str, errors: str, answers: str = "") -> Asker:
    """Ask for something of what the turn before has made."""

    def ask(scene: Scene) -> Turn | None:
        if scene.topic not in _MAKERS or not scene.that or tool not in scene.tools:
            return None
        question = scene.say(family, "questions")
        call = Call(tool, {"audio": scene.that})
        failed = "error" in scene.run(call)
        return _second(scene, errors if failed else answers or family, question, call)

    return ask


FAMILIES: dict[str, tuple[float, Asker]] = {
    "stem_notes": (5.0, _stem_then("stem_notes", "transcribe_notes")),
    "stem_key": (1.5, _stem_then("stem_key", "estimate_key")),
    "stem_tempo": (1.5, _stem_then("stem_tempo", "estimate_tempo")),
    "part_key": (3.0, _part_then("part_key", "estimate_key")),
    "part_tempo": (2.5, _part_then("part_tempo", "estimate_tempo")),
    "part_drums": (2.0, _part_then("part_drums", "transcribe_drums", "drum_notes")),
    "part_stem": (2.0, _part_then("part_stem", "separate_stems", "stem")),
    "like_notes": (1.5, _ask_like_notes),
    "then_notes": (5.0, _then("then_notes", "transcribe_notes", "notes")),
    "then_key": (4.0, _then("then_key", "estimate_key", "key")),
    "then_tempo": (3.0, _then("then_tempo", "estimate_tempo", "tempo")),
    "then_drums": (3.0, _then("then_drums", "transcribe_drums", "drum_notes", "drum_notes")),
}
LOOKING_BACK = ("then_notes", "then_key", "then_tempo", "then_drums")
"""Families that need a sound made in the turn before."""
