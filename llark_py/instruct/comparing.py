"""Turns about two recordings: how they compare, and what is measured of one of them."""

from __future__ import annotations

from typing import Any

from .aspects import ASPECTS, Aspect
from .making import STEMS, like_call, made_stem, stem_words
from .phrases import grammar, parse_template, pick, sentence
from .scene import Asker, Call, Scene, Turn, case_of, words_of
from .simulate import LOW_CONFIDENCE
from .spans import draw_example, draw_span

_PLACES = ("first", "second")
_NUMBERS = (("first", "first", "1st", "earlier"), ("second", "second", "2nd", "other", "new"))
_DIGITS = (("1", "1", "one", "no. 1"), ("2", "2", "two", "no. 2"))
"""How people tell two recordings apart."""
_SAME = {
    "tempo": ("estimate_tempo", "tempo"),
    "key": ("estimate_key", "key"),
    "progression": ("recognize_chords", "chords_told"),
    "notes": ("transcribe_notes", "notes"),
    "loudness": ("measure_loudness", "then_loudness"),
}
"""What was measured of the first and may be asked of the second in few words: tool, answers."""


def _ask_compare(family: str, aspect: Aspect, *unsure_of: str, verdict: str = "") -> Asker:
    """Ask how two recordings compare in some respect.

    Args:
        family: Which phrasings.
        aspect: What the tool is to compare.
        *unsure_of: Confidences of the result that the answer depends on.
        verdict: The field of the result that says which one is more, if one is.
    """

    def ask(scene: Scene) -> Turn | None:
        if not scene.other_id:
            return None
        scene.last = ""
        question = scene.say(family, "questions")
        if "compare_songs" not in scene.tools:
            return Turn(question, lambda: scene.answer("comparing", "by_ear"))
        result, calls = _compared(scene, aspect)
        if "error" in result:
            return Turn(
                question, lambda: scene.answer("comparing", "error", **words_of(result)), calls
            )
        case = "sure"
        if any(result[name] < LOW_CONFIDENCE for name in unsure_of):
            case = "doubtful"
        elif result.get(verdict) == "neither":
            case = "even"
        told = _words(scene, result)
        return Turn(question, lambda: scene.answer(family, case, **told), calls)

    return ask


def _compared(scene: Scene, aspect: Aspect) -> tuple[dict[str, Any], tuple[Call, ...]]:
    """Compare the two recordings; without a call where the answer has been told before.

    Returns:
        All that there is to tell, whatever the aspect, and what is to be called.
    """
    both = {"first": scene.audio_id, "second": scene.other_id}
    everything = Call("compare_songs", both)
    result = scene.run(everything)
    call = everything
    if aspect != "all":
        call = Call("compare_songs", {**both, "aspect": aspect})
        scene.tell(call, {n: v for n, v in result.items() if n in (*ASPECTS[aspect], "error")})
    known = not scene.compared.isdisjoint((aspect, "all"))
    scene.compared.add(aspect)
    return result, () if known else (call,)


def _words(scene: Scene, result: dict[str, Any]) -> dict[str, str]:
    """Write a comparison by slot: which one is more, and how keys and beats go together."""
    told, words = words_of(result), grammar()["comparing"]
    values = {
        **told,
        "difference": str(abs(result["loudness_difference_lu"])),
        "change": str(result["beat_match_percent"]),
        "relation": words["relation"][result["key_relation"]][0],
        "shared": ", ".join(result["instruments_in_both"]) or words["none"][0],
    }
    for slot, verdict in (("keys", "keys_mix"), ("beats", "beats_match")):
        template = parse_template(pick(words[slot][str(result[verdict])], scene.rng))
        values[f"{slot}_low"] = scene.fill(template, **values)
        values[slot] = sentence(values[f"{slot}_low"])
    return values


def _called(place: int, scene: Scene) -> dict[str, str]:
    """Name one of two recordings as people do, for the slots of a question."""
    return {
        "number": pick(_NUMBERS[place], scene.rng),
        "digit": pick(_DIGITS[place], scene.rng),
    }


def _ask_one(family: str, tool: str, answers: str) -> Asker:
    """Ask for a measurement of one of two recordings."""

    def ask(scene: Scene) -> Turn | None:
        if not scene.other_id or tool not in scene.tools:
            return None
        scene.last = ""
        place = int(scene.rng.random() < 0.7)
        question = scene.say(family, "questions", **_called(place, scene))
        return _measured_of(scene, place, question, answers, tool)

    return ask


def _measured_of(
    scene: Scene, place: int, question: str, answers: str, tool: str, **arguments: Any
) -> Turn:
    """Measure one of two recordings."""
    call = Call(tool, {"audio": (scene.audio_id, scene.other_id)[place], **arguments})
    told = words_of(result := scene.run(call))
    case = case_of(result)
    family = "then_chords" if (answers, case) == ("chords_told", "error") else answers
    return Turn(question, lambda: scene.answer(family, case, **told), (call,))


def _ask_part(family: str, tool: str, answers: str) -> Asker:
    """Ask for a measurement of a part of one of two recordings."""

    def ask(scene: Scene) -> Turn | None:
        if not scene.other_id or tool not in scene.tools:
            return None
        scene.last = ""
        place, span = int(scene.rng.random() < 0.7), draw_span(scene.rng, scene.duration_s)
        question = scene.say(family, "questions", **span.phrases, **_called(place, scene))
        return _measured_of(scene, place, question, answers, tool, **span.arguments)

    return ask


def _ask_same(scene: Scene) -> Turn | None:
    """Ask of the second what was just asked of the first."""
    if not scene.other_id or scene.last not in _SAME:
        return None
    tool, answers = _SAME[scene.last]
    if tool not in scene.tools:
        return None
    scene.last = ""
    question = scene.say("second_same", "questions", **_called(1, scene))
    return _measured_of(scene, 1, question, answers, tool)


def _ask_stem(scene: Scene) -> Turn | None:
    """Ask for one stem of one of two recordings."""
    if not scene.other_id or "separate_stems" not in scene.tools:
        return None
    place, stem = int(scene.rng.random() < 0.7), pick(STEMS, scene.rng)
    words = stem_words("stem", stem, scene)
    question = scene.say("second_stem", "questions", **words, **_called(place, scene))
    return made_stem(scene, stem, question, words, audio=(scene.audio_id, scene.other_id)[place])


def _ask_like_other(scene: Scene) -> Turn | None:
    """Ask for what in one recording sounds like some seconds of the other."""
    if not scene.other_id or "separate_like" not in scene.tools:
        return None
    scene.last = ""
    place = int(scene.rng.random() < 0.3)
    span = draw_example(scene.rng, scene.duration_s)
    question = scene.say(
        "like_other",
        "questions",
        **span.phrases,
        **{"in": _PLACES[place], "of": _PLACES[1 - place]},
    )
    ids = scene.audio_id, scene.other_id
    call = Call(
        "separate_like",
        {"audio": ids[place], "example_audio": ids[1 - place], **like_call(span).arguments},
    )
    result = scene.run(call)
    told = words_of(result)
    return Turn(question, lambda: scene.answer("like", case_of(result), **told), (call,))


LOOKING_BACK = ("second_same",)
"""Families that need a measurement of the first recording before them."""
FAMILIES: dict[str, tuple[float, Asker]] = {
    "compare": (2.0, _ask_compare("compare", "all", "tempo_confidence", "key_confidence")),
    "compare_speed": (
        3.0,
        _ask_compare("compare_speed", "tempo", "tempo_confidence", verdict="faster"),
    ),
    "compare_keys": (2.0, _ask_compare("compare_keys", "key", "key_confidence")),
    "compare_mix": (2.0, _ask_compare("compare_mix", "mix", "tempo_confidence", "key_confidence")),
    "compare_loud": (3.0, _ask_compare("compare_loud", "loudness", verdict="louder")),
    "compare_alike": (2.0, _ask_compare("compare_alike", "sound")),
    "second_tempo": (2.0, _ask_one("second_tempo", "estimate_tempo", "tempo")),
    "second_key": (2.0, _ask_one("second_key", "estimate_key", "key")),
    "second_loudness": (1.0, _ask_one("second_loudness", "measure_loudness", "then_loudness")),
    "second_chords": (2.0, _ask_one("second_chords", "recognize_chords", "chords_told")),
    "second_chords_part": (
        1.0,
        _ask_part("second_chords_part", "recognize_chords", "chords_told"),
    ),
    "second_notes": (1.0, _ask_one("second_notes", "transcribe_notes", "notes")),
    "second_notes_part": (2.0, _ask_part("second_notes_part", "transcribe_notes", "notes_part")),
    "second_stem": (2.0, _ask_stem),
    "second_same": (2.0, _ask_same),
    "like_other": (2.0, _ask_like_other),
}
"""Families that need two recordings."""
