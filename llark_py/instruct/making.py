"""Turns that ask a tool to make something: a part, stems, what resembles an example, drum hits."""

from __future__ import annotations

from typing import Any

from .phrases import grammar, pick
from .scene import Asker, Call, Scene, Turn, case_of, words_of
from .spans import Span, draw_example, draw_span, section_noun

STEMS = ("vocals", "drums", "bass", "other")
_HEARD_STEMS = {"drums", "bass", "singer", "choir"}
_BASSES = "bass"
_P_SECTION = 0.15


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


def _ask_cut(scene: Scene) -> Turn | None:
    """Ask for a part as a recording of its own."""
    if scene.rng.random() < _P_SECTION and scene.timeline is not None and scene.is_music:
        return _cut_section(scene)
    span = draw_span(scene.rng, scene.duration_s)
    return _cut(scene, span)


def _cut(scene: Scene, span: Span) -> Turn:
    call = Call("cut_clip", span.arguments)
    question = scene.ask("cut", **span.phrases)
    able = scene.facts is not None and call.name in scene.tools
    return made(scene, "cut", call, question, **cut_words(scene.run(call) if able else {}))


def _cut_section(scene: Scene) -> Turn | None:
    """Ask for a section; where it is stands in the notes of what is heard."""
    timeline = scene.timeline
    heard_all = timeline is not None and timeline.track.duration_s == scene.duration_s
    if timeline is None or not heard_all or not timeline.has_form:
        return None
    labels = [s.label for s in timeline.sections]
    absent = [label for label in scene.rates.sections if label not in labels]
    label = pick(absent if absent and scene.rng.random() < 0.2 else labels, scene.rng)
    noun = section_noun(label, scene.rng)
    if label not in labels:
        scene.last = ""
        question = scene.say("cut", "questions", part=noun, at=f"in {noun}")
        return Turn(question, lambda: scene.answer("cut", "no_section", section=label))
    place = labels.index(label)
    start_s = float(round(timeline.sections[place].start_s))
    last = place + 1 == len(labels)
    end_s = None if last else float(round(timeline.sections[place + 1].start_s))
    start, end = (int(t) if t is not None else None for t in (start_s, end_s))
    return _cut(scene, Span(noun, f"in {noun}", start, end))


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
    leans = scene.topic in ("stem", "minus") and scene.rng.random() < 0.7
    question = scene.say("stem", "then" if leans else "questions", **words)
    words["stem"] = words["plain"]
    return made(scene, "stem", Call("separate_stems", {"stem": stem}), question, **words)


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
    "minus": (2.5, _ask_minus),
    "karaoke": (1.5, _ask_karaoke),
    "stem_other": (2.0, _ask_stem_other),
    "like": (4.0, _ask_like),
    "like_where": (0.8, _where("like_where", "separate_like")),
    "drum_notes": (4.0, _ask_drum_notes),
}
