"""Turns about two recordings: how they compare, and what is measured of one of them."""

from __future__ import annotations

from typing import Any

from .making import like_call
from .phrases import grammar, parse_template, pick, sentence
from .scene import Asker, Call, Scene, Turn, case_of, words_of
from .simulate import LOW_CONFIDENCE
from .spans import draw_example

_PLACES = (("first", "1"), ("second", "2"))


def _ask_compare(family: str, *unsure_of: str) -> Asker:
    """Ask how two recordings compare in some respect.

    Args:
        family: Which phrasings.
        *unsure_of: Confidences of the result that the answer depends on.
    """

    def ask(scene: Scene) -> Turn | None:
        if not scene.other_id:
            return None
        scene.last = ""
        question = scene.say(family, "questions")
        if "compare_songs" not in scene.tools:
            return Turn(question, lambda: scene.answer("comparing", "by_ear"))
        call = Call("compare_songs", {"first": scene.audio_id, "second": scene.other_id})
        known, result = scene.has_run(call), scene.run(call)
        calls = () if known else (call,)
        if "error" in result:
            return Turn(
                question, lambda: scene.answer("comparing", "error", **words_of(result)), calls
            )
        doubtful = any(result[name] < LOW_CONFIDENCE for name in unsure_of)
        told = _words(scene, result)
        return Turn(
            question,
            lambda: scene.answer(family, "doubtful" if doubtful else "sure", **told),
            calls,
        )

    return ask


def _words(scene: Scene, result: dict[str, Any]) -> dict[str, str]:
    """Write a comparison by slot: which one is more, and how keys and beats go together."""
    told, words = words_of(result), grammar()["comparing"]
    tempi = result["first_tempo_bpm"], result["second_tempo_bpm"]
    values = {
        **told,
        "faster": _PLACES[tempi[1] > tempi[0]][0],
        "high_bpm": str(max(tempi)),
        "low_bpm": str(min(tempi)),
        "louder": _PLACES[result["loudness_difference_lu"] > 0][0],
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


def _ask_one(family: str, tool: str, answers: str) -> Asker:
    """Ask for a measurement of one of two recordings."""

    def ask(scene: Scene) -> Turn | None:
        if not scene.other_id or tool not in scene.tools:
            return None
        scene.last = ""
        place = int(scene.rng.random() < 0.7)
        number, digit = _PLACES[place]
        question = scene.say(family, "questions", number=number, digit=digit)
        call = Call(tool, {"audio": (scene.audio_id, scene.other_id)[place]})
        result = scene.run(call)
        return Turn(
            question, lambda: scene.answer(answers, case_of(result), **words_of(result)), (call,)
        )

    return ask


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
        **{"in": _PLACES[place][0], "of": _PLACES[1 - place][0]},
    )
    ids = scene.audio_id, scene.other_id
    call = Call(
        "separate_like",
        {"audio": ids[place], "example_audio": ids[1 - place], **like_call(span).arguments},
    )
    result = scene.run(call)
    told = words_of(result)
    return Turn(question, lambda: scene.answer("like", case_of(result), **told), (call,))


FAMILIES: dict[str, tuple[float, Asker]] = {
    "compare": (3.0, _ask_compare("compare", "tempo_confidence", "key_confidence")),
    "compare_speed": (2.0, _ask_compare("compare_speed", "tempo_confidence")),
    "compare_keys": (2.0, _ask_compare("compare_keys", "key_confidence")),
    "compare_mix": (2.0, _ask_compare("compare_mix", "tempo_confidence", "key_confidence")),
    "compare_loud": (1.5, _ask_compare("compare_loud")),
    "compare_alike": (1.5, _ask_compare("compare_alike")),
    "second_tempo": (2.0, _ask_one("second_tempo", "estimate_tempo", "tempo")),
    "second_key": (2.0, _ask_one("second_key", "estimate_key", "key")),
    "second_loudness": (1.5, _ask_one("second_loudness", "measure_loudness", "then_loudness")),
    "like_other": (2.0, _ask_like_other),
    "second_notes": (1.0, _ask_one("second_notes", "transcribe_notes", "notes")),
}
"""Families that need two recordings."""
