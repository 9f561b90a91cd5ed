"""Turns that ask a tool to make something: a part, stems, what resembles an example, drum hits."""

from __future__ import annotations

from typing import Any

from .phrases import grammar, pick
from .scene import Asker, Call, Scene, Turn, case_of, words_of
from .spans import Span, draw_example, draw_span

STEMS = ("vocals", "drums", "bass", "other")
_HEARD_STEMS = {"drums", "bass", "singer", "choir"}
_BASSES = "bass"
_BEFORE_ANOTHER_STEM = ("stem", "minus", "karaoke", "stem_level", "then_stem")


def made(
    scene: Scene, family: str, call: Call, question: str, case: str = "", **values: str
) -> Turn:
    """Ask for what one tool makes; without it, or without a recording, the answer says so.

    Args:
        scene: State of the dialogue.
        family: Which answers.
        call: What is needed.
        question: What is asked.
        case: Which answers, in place of those that the result calls for.
        **values: Slots of the answer beside the result's.
    """
    scene.last = ""
    if scene.facts is None:
        return Turn(question, scene.not_music)
    if call.name not in scene.tools:
        return Turn(question, lambda: scene.answer(family, "by_ear"))
    result = make(scene, call)
    told = {**words_of(result), **values}
    return Turn(question, lambda: scene.answer(family, case or case_of(result), **told), (call,))


def make(scene: Scene, call: Call) -> dict[str, Any]:
    """Run a tool that makes sounds, and remember them as what may be talked about next."""
    result = scene.run(call)
    if "error" in result:
        return result
    scene.rest = result.get("rest", scene.rest)
    if call.name == "cut_clip":
        scene.that = result["audio"]
        scene.lengths_s[scene.that] = result["end_s"] - result["start_s"]
    elif call.name == "separate_like":
        scene.that = result["found"]
    elif call.name == "separate_stems":
        found = {stem: result[stem] for stem in STEMS if stem in result}
        if "audio" not in call.arguments:
            scene.stems |= found
        scene.that = next(iter(found.values()))
    return result


def cut_words(result: dict[str, Any]) -> dict[str, str]:
    """Write where a part was cut, without empty fractions."""
    return {name: f"{result[f'{name}_s']:g}" for name in ("start", "end") if f"{name}_s" in result}


def stem_words(family: str, stem: str, scene: Scene) -> dict[str, str]:
    """Call a stem as people do in questions of a family, and as answers do."""
    return {
        "stem": pick(grammar()[family]["names"][stem], scene.rng),
        "called": grammar()["stem"]["called"][stem][0],
        "plain": grammar()["stem"]["plain"][stem][0],
    }


def _ask_cut(scene: Scene) -> Turn:
    """Ask for a part as a recording of its own."""
    span = draw_span(scene.rng, scene.duration_s)
    call = Call("cut_clip", span.arguments)
    question = scene.ask("cut", **span.phrases)
    able = scene.facts is not None and call.name in scene.tools
    return made(scene, "cut", call, question, **cut_words(scene.run(call) if able else {}))


def _ask_notes_part(scene: Scene) -> Turn:
    """Ask for the notes of a part."""
    span = draw_span(scene.rng, scene.duration_s)
    question = scene.ask("notes_part", **span.phrases)
    return made(scene, "notes_part", Call("transcribe_notes", span.arguments), question)


def _ask_stems(scene: Scene) -> Turn:
    """Ask for all stems."""
    call = Call("separate_stems", {"stem": "all"})
    question = scene.ask("stems")
    able = scene.facts is not None and call.name in scene.tools
    result = scene.run(call) if able else {}
    silent = case_of(result) == "measured" and bool(result.get("silent"))
    return made(scene, "stems", call, question, "measured_silent" if silent else "")


def _ask_stem(scene: Scene) -> Turn | None:
    """Ask for one stem; right after another one in few words."""
    stem = pick(STEMS, scene.rng)
    if stem in scene.stems:
        return None
    words = stem_words("stem", stem, scene)
    return made_stem(scene, stem, scene.say("stem", "questions", **words), words)


def _ask_then_stem(scene: Scene) -> Turn | None:
    """Ask for one stem right after another one, in few words."""
    stem = pick(STEMS, scene.rng)
    if stem in scene.stems or scene.topic not in _BEFORE_ANOTHER_STEM:
        return None
    words = stem_words("stem", stem, scene)
    return made_stem(scene, stem, scene.say("then_stem", "questions", **words), words)


def made_stem(
    scene: Scene, stem: str, question: str, words: dict[str, str], **recording: str
) -> Turn:
    """Ask for one stem; `recording` names its `audio` where it is not the dialogue's."""
    call = Call("separate_stems", {**recording, "stem": stem})
    return made(scene, "stem", call, question, **{**words, "stem": words["plain"]})


def _ask_stem_level(scene: Scene) -> Turn | None:
    """Ask how strong one stem is in the mix."""
    stem = pick(STEMS, scene.rng)
    if stem in scene.stems:
        return None
    words = stem_words("stem", stem, scene)
    question = scene.say("stem_level", "questions", **words)
    words["stem"] = words["plain"]
    return made(scene, "stem_level", Call("separate_stems", {"stem": stem}), question, **words)


def _ask_minus(scene: Scene) -> Turn | None:
    """Ask for the mix without one stem."""
    stem = pick(STEMS[:3], scene.rng)
    if stem in scene.stems:
        return None
    words = stem_words("stem", stem, scene)
    question = scene.say("minus", "questions", **words)
    return _without(scene, stem, question, words)


def _ask_karaoke(scene: Scene) -> Turn | None:
    """Ask for the mix without its singer."""
    if "vocals" in scene.stems:
        return None
    words = stem_words("stem", "vocals", scene)
    return _without(scene, "vocals", scene.ask("karaoke"), words)


def _without(scene: Scene, stem: str, question: str, words: dict[str, str]) -> Turn:
    call = Call("separate_stems", {"stem": stem})
    able = scene.facts is not None and call.name in scene.tools
    values = {**words, "stem": words["plain"]}
    if not able or "error" in scene.run(call):
        family = "minus" if able else "stem"
        return made(scene, family, call, question, **values)
    return made(scene, "minus", call, question, **values)


def _ask_stem_other(scene: Scene) -> Turn | None:
    """Ask for an instrument that has no stem of its own; nothing is called."""
    if scene.facts is None or "separate_stems" not in scene.tools:
        return None
    names = [n for n in scene.rates.instruments if _BASSES not in n and n not in _HEARD_STEMS]
    if not names:
        return None
    thing = pick(names, scene.rng)
    scene.last = ""
    question = scene.say("stem_other", "questions", thing=thing)
    return Turn(question, lambda: scene.answer("stem_other", thing=thing))


def _ask_like(scene: Scene) -> Turn:
    """Ask for everything that sounds like some seconds."""
    span = draw_example(scene.rng, scene.duration_s)
    return made(scene, "like", like_call(span), scene.ask("like", **span.phrases))


def like_call(span: Span) -> Call:
    """Write the call for what resembles a part."""
    return Call("separate_like", {f"example_{n}": v for n, v in span.arguments.items()})


def _where(family: str, tool: str) -> Asker:
    """Ask without the times that a tool needs; the answer asks for them."""

    def ask(scene: Scene) -> Turn | None:
        if scene.facts is None or tool not in scene.tools:
            return None
        scene.last = ""
        return Turn(scene.ask(family), lambda: scene.answer(family))

    return ask


def _ask_drum_notes(scene: Scene) -> Turn:
    """Ask for the drum part."""
    return made(scene, "drum_notes", Call("transcribe_drums"), scene.ask("drum_notes"))


FAMILIES: dict[str, tuple[float, Asker]] = {
    "cut": (9.0, _ask_cut),
    "cut_where": (0.8, _where("cut_where", "cut_clip")),
    "notes_part": (5.0, _ask_notes_part),
    "stems": (3.0, _ask_stems),
    "stem": (4.5, _ask_stem),
    "then_stem": (8.0, _ask_then_stem),
    "stem_level": (2.0, _ask_stem_level),
    "minus": (2.5, _ask_minus),
    "karaoke": (1.5, _ask_karaoke),
    "stem_other": (2.0, _ask_stem_other),
    "like": (4.0, _ask_like),
    "like_where": (0.8, _where("like_where", "separate_like")),
    "drum_notes": (4.0, _ask_drum_notes),
}
