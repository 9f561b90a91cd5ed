"""Turns about what is heard at once: metre, style, mood, instruments, texture."""

from __future__ import annotations

from llark_py.compose.instruments import family_of

from .checks import compare, word_check, yes_no
from .facts import may_play
from .measuring import ear_topics, heard_topics
from .phrases import grammar, pick, sentence
from .scene import Asker, Scene, Turn, heard, unheard
from .two_questions import two_questions


def extra_words(scene: Scene) -> dict[str, str]:
    """Fill the slots that need a phrase of their own: how a bar is counted, what drums do."""
    facts, values = scene.facts, {}
    assert facts is not None
    counts = grammar()["time_signature"]["counts"].get(facts.track.time_signature or "")
    if counts:
        values["meter_count"] = counts[0]
    scenes = grammar()["use"]["scenes"].get(facts.track.mood or "")
    if scenes:
        values["scene"] = pick(scenes, scene.rng)
    if facts.has_drums is not None:
        values["drums_phrase"] = scene.say(
            "beat", "with_drums" if facts.has_drums else "without_drums"
        )
    return values


def ask_heard(family: str, *needs: str, about: tuple[str, ...] = ()) -> Asker:
    """Make the asker of a family whose answers need some of the facts.

    Args:
        family: Name of the family.
        *needs: Slots without which it is not asked.
        about: Slots that are hedged; those needed by default.
    """

    def ask(scene: Scene) -> Turn | None:
        if not scene.is_music:
            return unheard(scene, family)
        values = extra_words(scene)
        if not set(needs) <= set(scene.words) | set(values):
            return None
        return heard(scene, family, about or needs, **values)

    return ask


def _ask_lead(scene: Scene) -> Turn | None:
    if not scene.is_music:
        return unheard(scene, "lead")
    if "instruments" not in scene.words:
        return None
    return heard(scene, "lead", ("lead",), "answers" if "lead" in scene.words else "none")


def _ask_family_check(scene: Scene) -> Turn | None:
    present = scene.facts.families if scene.facts else ()
    rates = {f: r for f, r in scene.rates.families.items() if f != "drums"}
    told = (*present, *may_play(scene.unsure))
    return yes_no(scene, "family_check", told, rates, "instruments", known=bool(present))


def _ask_instrument_check(scene: Scene) -> Turn | None:
    present = scene.facts.instruments if scene.facts else ()
    # Of a family that is perhaps there nobody knows which instrument it is.
    perhaps = may_play(scene.unsure)
    rates = {
        name: rate
        for name, rate in scene.rates.instruments.items()
        if name not in ("drums", "singer") and family_of(name) not in perhaps
    }
    return yes_no(scene, "instrument_check", present, rates, "instruments", known=bool(present))


def _ask_drums(scene: Scene) -> Turn | None:
    present = scene.facts.families if scene.facts else ()
    rates = {"drums": scene.rates.families.get("drums", 0.5)}
    return yes_no(scene, "drums", present, rates, "instruments", known=bool(present))


def _ask_style_check(scene: Scene) -> Turn | None:
    return word_check(scene, "style_check", "style", scene.rates.styles)


def _ask_mood_check(scene: Scene) -> Turn | None:
    return word_check(scene, "mood_check", "mood", scene.rates.moods)


def _ask_meter_check(scene: Scene) -> Turn | None:
    return word_check(scene, "meter_check", "meter", scene.rates.meters)


def _ask_waltz(scene: Scene) -> Turn | None:
    rates = {_IN_THREE: scene.rates.meters.get(_IN_THREE, 0.0)}
    return word_check(scene, "waltz", "meter", rates)


def _ask_speed_check(scene: Scene) -> Turn | None:
    return word_check(scene, "speed_check", "speed", scene.rates.speeds)


def _ask_feel_check(scene: Scene) -> Turn | None:
    return word_check(scene, "feel_check", "feel", scene.rates.feels)


def _ask_style_compare(scene: Scene) -> Turn | None:
    style = scene.words.get("style")
    return compare(scene, "style_compare", style, list(scene.rates.styles), "style")


def _ask_mood_compare(scene: Scene) -> Turn | None:
    mood = scene.words.get("mood")
    return compare(scene, "mood_compare", mood, list(scene.rates.moods), "mood")


def _topics(scene: Scene, n: int) -> list[str] | None:
    """Draw what a question about several things asks for."""
    topics = heard_topics(scene) if scene.is_music else ear_topics(scene)
    return scene.rng.sample(topics, n) if len(topics) >= n else None


def _slots(topics: list[str]) -> list[str]:
    return ["meter" if topic == "time_signature" else topic for topic in topics]


def _ask_ear_pair(scene: Scene) -> Turn | None:
    topics = _topics(scene, 2)
    if topics is None:
        return None
    names = [pick(grammar()["ear_pair"]["names"][topic], scene.rng) for topic in topics]
    asked = {"first": names[0], "second": names[1]}
    question = two_questions(scene, *topics) or scene.say("ear_pair", "questions", **asked)
    if not scene.is_music:
        scene.last = ""
        return Turn(question, scene.not_music)
    scene.last = "ear"

    def answer() -> str:
        first, end = (scene.say("ear_pair", topic) for topic in topics)
        said = scene.answer("ear_pair", first=first, second=end, second_start=sentence(end))
        return scene.hedge(said, _slots(topics))

    return Turn(question, answer)


def _ask_ear_three(scene: Scene) -> Turn | None:
    topics = _topics(scene, 3)
    if topics is None:
        return None
    names = [pick(grammar()["ear_pair"]["names"][topic], scene.rng) for topic in topics]
    asked = {"first": names[0], "second": names[1], "third": names[2]}
    question = scene.say("ear_three", "questions", **asked)
    if not scene.is_music:
        scene.last = ""
        return Turn(question, scene.not_music)
    scene.last = "ear"

    def answer() -> str:
        said = [scene.say("ear_pair", topic) for topic in topics]
        parts = dict(zip(("first", "second", "third"), said, strict=True))
        return scene.hedge(scene.answer("ear_three", **parts), _slots(topics))

    return Turn(question, answer)


_IN_THREE = "3/4"
_BEAT = ("meter", "speed", "instruments")
FAMILIES: dict[str, tuple[float, Asker]] = {
    "time_signature": (4.0, ask_heard("time_signature", "meter", "meter_count", about=("meter",))),
    "meter_check": (1.5, _ask_meter_check),
    "waltz": (1.5, _ask_waltz),
    "beat": (1.5, ask_heard("beat", "meter", "speed", "drums_phrase", about=_BEAT)),
    "feel": (2.0, ask_heard("feel", "feel")),
    "feel_check": (2.0, _ask_feel_check),
    "style": (6.0, ask_heard("style", "style")),
    "style_check": (4.0, _ask_style_check),
    "style_compare": (2.0, _ask_style_compare),
    "mood": (4.0, ask_heard("mood", "mood")),
    "mood_check": (3.0, _ask_mood_check),
    "mood_compare": (1.0, _ask_mood_compare),
    "use": (1.2, ask_heard("use", "mood", "scene", about=("mood",))),
    "instruments": (8.0, ask_heard("instruments", "instruments")),
    "lead": (3.0, _ask_lead),
    "family_check": (20.0, _ask_family_check),
    "instrument_check": (14.0, _ask_instrument_check),
    "drums": (4.0, _ask_drums),
    "density": (2.0, ask_heard("density", "density")),
    "speed": (2.0, ask_heard("speed", "speed")),
    "speed_check": (2.0, _ask_speed_check),
    "ear_pair": (2.0, _ask_ear_pair),
    "ear_three": (1.0, _ask_ear_three),
}
YES_NO = (
    "family_check",
    "instrument_check",
    "drums",
    "style_check",
    "mood_check",
    "meter_check",
    "waltz",
    "speed_check",
    "feel_check",
)
"""Families that drop most of their draws to stay balanced."""
