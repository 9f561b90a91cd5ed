"""Turns that take two tools in a row, and turns about what a tool made in the turn before."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .making import STEMS, cut_words, like_call, make, stem_words
from .phrases import grammar, pick
from .scene import Asker, Call, Scene, Turn, case_of, words_of
from .spans import draw_example, draw_span, section_noun

_MAKERS = ("cut", "cut_section", "stem", "then_stem", "like", "part_stem", "stem_level")
"""Families whose answer leaves one new sound to talk about."""
_LEAVING = ("stem", "then_stem", "like", "part_stem", "minus", "karaoke", "stem_level")
"""Families whose answer leaves the rest of the sound beside what was taken out."""
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


def _stem_then(
    family: str, tool: str, *, of_part: bool = False, of_rest: bool = False, **more: Any
) -> Asker:
    """Ask for something of one stem, which is separated first unless it is there.

    Args:
        family: Which phrasings; its names are the stems that are asked about.
        tool: Takes the stem.
        of_part: Whether only a part of the recording is meant.
        of_rest: Whether what is left without the stem is meant.
        **more: Arguments of the tool.
    """

    def ask(scene: Scene) -> Turn | None:
        if tool not in scene.tools:
            return None
        stem = pick(list(grammar()[family]["names"]), scene.rng)
        words, wanted = stem_words(family, stem, scene), dict(more)
        if of_part:
            span = draw_span(scene.rng, scene.duration_s)
            words, wanted = words | span.phrases, wanted | span.arguments
        question = scene.say(family, "questions", **words)
        words["stem"] = words["plain"]
        answers = "stem_notes" if of_part else family
        if stem in scene.stems and not of_rest:
            call = Call(tool, {"audio": scene.stems[stem], **wanted})
            return _second(scene, answers, question, call, **words)
        first = Call("separate_stems", {"stem": stem})

        def last(made: dict[str, Any]) -> Call:
            return Call(tool, {"audio": made["rest" if of_rest else stem], **wanted})

        return _chain(scene, answers, question, first, last, **words)

    return ask


def _ask_stem_drums(scene: Scene) -> Turn | None:
    """Ask for the hits of a drum stem that is there already."""
    if "transcribe_drums" not in scene.tools or "drums" not in scene.stems:
        return None
    question = scene.say("stem_drums", "questions")
    call = Call("transcribe_drums", {"audio": scene.stems["drums"]})
    return _second(scene, "drum_notes", question, call)


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
    # Called whether or not its result is known: that may never have been shown.
    finding = Call("find_sections")
    calls = (finding,)
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


def _then(family: str, tool: str, errors: str, answers: str = "", **more: Any) -> Asker:
    """Ask for something of what the turn before has made."""

    def ask(scene: Scene) -> Turn | None:
        if scene.topic not in _MAKERS or not scene.that or tool not in scene.tools:
            return None
        question = scene.say(family, "questions")
        call = Call(tool, {"audio": scene.that, **more})
        failed = "error" in scene.run(call)
        return _second(scene, errors if failed else answers or family, question, call)

    return ask


def _ask_then_rest(scene: Scene) -> Turn | None:
    """Ask how loud it is without what the turn before has taken out."""
    if scene.topic not in _LEAVING or not scene.rest or "measure_loudness" not in scene.tools:
        return None
    question = scene.say("then_rest", "questions")
    call = Call("measure_loudness", {"audio": scene.rest})
    return _second(scene, "then_loudness", question, call)


FAMILIES: dict[str, tuple[float, Asker]] = {
    "stem_notes": (5.0, _stem_then("stem_notes", "transcribe_notes")),
    "stem_key": (1.5, _stem_then("stem_key", "estimate_key")),
    "stem_tempo": (1.5, _stem_then("stem_tempo", "estimate_tempo")),
    "stem_notes_part": (4.0, _stem_then("stem_notes_part", "transcribe_notes", of_part=True)),
    "stem_loudness": (4.0, _stem_then("stem_loudness", "measure_loudness")),
    "stem_beats": (3.0, _stem_then("stem_beats", "track_beats", click_track=True)),
    "stem_drums": (4.0, _ask_stem_drums),
    "rest_chords": (3.0, _stem_then("rest_chords", "recognize_chords", of_rest=True)),
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
    "then_chords": (4.0, _then("then_chords", "recognize_chords", "then_chords")),
    "then_loudness": (3.0, _then("then_loudness", "measure_loudness", "then_loudness")),
    "then_rest": (4.0, _ask_then_rest),
}
CUTTING = ("cut", "cut_section", *(name for name in FAMILIES if name.startswith("part_")))
"""Families whose tools cut out new recordings."""
LOOKING_BACK = ("stem_drums", "then_stem", *(name for name in FAMILIES if name.startswith("then_")))
"""Families that need a sound that was made before."""
MAKERS = (*_MAKERS, *_LEAVING, "stems")
"""Families after which those may be asked."""
