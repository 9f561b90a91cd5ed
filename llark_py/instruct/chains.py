"""Turns that take two tools in a row, and turns about what a tool made in the turn before."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .making import STEMS, cut_words, like_call, make, stem_words
from .phrases import grammar, pick
from .scene import Asker, Call, Scene, Turn, case_of, words_of
from .spans import draw_example, draw_span, section_noun

_MAKERS = ("cut", "cut_section", "stem", "like", "part_stem")
"""Families whose answer leaves one new sound to talk about."""
_SECTIONS = (*("chorus",) * 6, *("intro",) * 3, *("outro",) * 2, "verse", "bridge", "solo")
_PART = re.compile(r"(\S+) (\d+):(\d\d)")
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


def _ask_cut_section(scene: Scene) -> Turn | None:
    """Ask for a section as a recording of its own; another tool tells where it is."""
    if not {"find_sections", "cut_clip"} <= scene.tools or scene.facts is None:
        return None
    scene.last = ""
    section = pick(_SECTIONS, scene.rng)
    noun = section_noun(section, scene.rng)
    question = scene.say("cut", "questions", part=noun, at=f"in {noun}")
    known = "find_sections" in scene.results
    finding = Call("find_sections")
    calls = () if known else (finding,)
    found = scene.run(finding)
    if "error" in found:
        return Turn(question, lambda: scene.answer("broken", reason=found["error"]), calls)
    parts = [(label, 60 * int(m) + int(s)) for label, m, s in _PART.findall(found["parts"])]
    labels = [label for label, _ in parts]
    if section not in labels:
        return Turn(question, lambda: scene.answer("cut", "no_section", section=section), calls)
    place = labels.index(section)
    times = {"start_s": parts[place][1]}
    if place + 1 < len(parts):
        times["end_s"] = parts[place + 1][1]
    cutting = Call("cut_clip", times)
    result = make(scene, cutting)
    told = {**words_of(result), **cut_words(result)}
    return Turn(
        question,
        lambda: scene.answer("cut", case_of(result), **told),
        (*calls, cutting),
        at_once=False,
    )


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
    "cut_section": (3.0, _ask_cut_section),
    "part_stem": (2.0, _part_then("part_stem", "separate_stems", "stem")),
    "like_notes": (1.5, _ask_like_notes),
    "then_notes": (5.0, _then("then_notes", "transcribe_notes", "notes")),
    "then_key": (4.0, _then("then_key", "estimate_key", "key")),
    "then_tempo": (3.0, _then("then_tempo", "estimate_tempo", "tempo")),
    "then_drums": (3.0, _then("then_drums", "transcribe_drums", "drum_notes", "drum_notes")),
}
LOOKING_BACK = ("then_notes", "then_key", "then_tempo", "then_drums")
"""Families that need a sound made in the turn before."""
