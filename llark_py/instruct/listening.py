"""Turns that are answered by ear."""

from __future__ import annotations

from collections.abc import Sequence

from .balance import ask_balanced
from .facts import FAMILY_WORDS, Facts
from .measuring import heard_topics
from .phrases import grammar, pick, sentence
from .scene import Scene, Turn

# Where there are many things to ask for most draws are dropped, and trying again hardly tilts.
_MANY_THINGS = 8
_MANY_TRIES = 3
_SINGULAR_S = "ss"


def _words(scene: Scene) -> dict[str, str]:
    return scene.facts.words if scene.facts else {}


def _extra_words(facts: Facts, scene: Scene) -> dict[str, str]:
    """Fill the slots that need a phrase of their own: how a bar is counted, what drums do."""
    values = {}
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


def _heard_turn(scene: Scene, family: str, *needs: str, case: str = "answers") -> Turn | None:
    """Ask for something to be heard; None when the facts do not hold what the answer needs."""
    if scene.facts is None or not scene.facts.is_music:
        scene.last = ""
        return Turn(scene.ask(family), scene.not_music)
    values = _extra_words(scene.facts, scene)
    if not set(needs) <= set(_words(scene)) | set(values):
        return None
    scene.last = "ear"
    return Turn(scene.ask(family), lambda: scene.answer(family, case, **values))


def ask_time_signature(scene: Scene) -> Turn | None:
    """Ask for the metre."""
    return _heard_turn(scene, "time_signature", "meter", "meter_count")


def ask_beat(scene: Scene) -> Turn | None:
    """Ask what the beat is like."""
    return _heard_turn(scene, "beat", "meter", "speed", "drums_phrase")


def ask_style(scene: Scene) -> Turn | None:
    """Ask for the genre."""
    return _heard_turn(scene, "style", "style")


def ask_mood(scene: Scene) -> Turn | None:
    """Ask for the mood."""
    return _heard_turn(scene, "mood", "mood")


def ask_use(scene: Scene) -> Turn | None:
    """Ask what the music would suit."""
    return _heard_turn(scene, "use", "mood", "scene")


def ask_instruments(scene: Scene) -> Turn | None:
    """Ask what plays."""
    return _heard_turn(scene, "instruments", "instruments")


def ask_lead(scene: Scene) -> Turn | None:
    """Ask what carries the melody."""
    no_lead = scene.is_music and "lead" not in _words(scene)
    return _heard_turn(scene, "lead", "instruments", case="none" if no_lead else "answers")


def ask_chords(scene: Scene) -> Turn | None:
    """Ask for the chords."""
    single = scene.facts is not None and len(scene.facts.chords) == 1
    return _heard_turn(scene, "chords", "chords", case="none" if single else "answers")


def ask_density(scene: Scene) -> Turn | None:
    """Ask how much goes on."""
    return _heard_turn(scene, "density", "density")


def ask_speed(scene: Scene) -> Turn | None:
    """Ask for fast or slow, in a word."""
    return _heard_turn(scene, "speed", "speed")


def _yes_no(
    scene: Scene,
    family: str,
    present: Sequence[str],
    rates: dict[str, float],
    *,
    known: bool = True,
    tries: int = 1,
) -> Turn | None:
    if scene.facts is not None and scene.facts.is_music and not known:
        return None
    if scene.is_music:
        drawn = ask_balanced(present, rates, scene.rng, tries=tries)
    else:
        drawn = (pick(list(rates), scene.rng), False) if rates else None
    if drawn is None or drawn[0] in scene.asked:
        return None
    thing, is_there = drawn
    scene.asked.add(thing)
    asked = FAMILY_WORDS.get(thing, thing)
    plural = asked.endswith("s") and not asked.endswith(_SINGULAR_S)
    values = {"asked": asked, "an_asked": asked if plural else f"a {asked}"}
    question = sentence(scene.ask(family, **values))
    if not scene.is_music:
        scene.last = ""
        return Turn(question, lambda: scene.not_music(as_no=scene.facts is not None))
    scene.last = "ear"
    return Turn(question, lambda: scene.answer(family, "yes" if is_there else "no", **values))


def ask_family_check(scene: Scene) -> Turn | None:
    """Ask whether a family of instruments plays."""
    present = scene.facts.families if scene.facts else ()
    rates = {f: r for f, r in scene.rates.families.items() if f != "drums"}
    return _yes_no(scene, "family_check", present, rates, known=bool(present))


def ask_instrument_check(scene: Scene) -> Turn | None:
    """Ask whether one instrument plays."""
    present = scene.facts.instruments if scene.facts else ()
    rates = {i: r for i, r in scene.rates.instruments.items() if i != "drums"}
    return _yes_no(
        scene, "instrument_check", present, rates, known=bool(present), tries=_MANY_TRIES
    )


def ask_drums(scene: Scene) -> Turn | None:
    """Ask whether there are drums."""
    present = scene.facts.families if scene.facts else ()
    rates = {"drums": scene.rates.families.get("drums", 0.5)}
    return _yes_no(scene, "drums", present, rates, known=bool(present))


def _word_check(scene: Scene, family: str, word: str, rates: dict[str, float]) -> Turn | None:
    fact = _words(scene).get(word)
    present = [fact] if fact else []
    tries = _MANY_TRIES if len(rates) >= _MANY_THINGS else 1
    return _yes_no(scene, family, present, rates, known=fact is not None, tries=tries)


def ask_style_check(scene: Scene) -> Turn | None:
    """Ask whether it is of a genre."""
    return _word_check(scene, "style_check", "style", scene.rates.styles)


def ask_mood_check(scene: Scene) -> Turn | None:
    """Ask whether it has a mood."""
    return _word_check(scene, "mood_check", "mood", scene.rates.moods)


def ask_meter_check(scene: Scene) -> Turn | None:
    """Ask whether it is in a metre."""
    return _word_check(scene, "meter_check", "meter", scene.rates.meters)


def ask_speed_check(scene: Scene) -> Turn | None:
    """Ask whether it is slow, moderate or fast."""
    return _word_check(scene, "speed_check", "speed", scene.rates.speeds)


def ask_ear_pair(scene: Scene) -> Turn | None:
    """Ask for two heard things in one sentence."""
    topics = heard_topics(scene) if scene.is_music else list(grammar()["ear_pair"]["names"])
    if len(topics) < 2:
        return None
    first, second = scene.rng.sample(topics, 2)
    names = grammar()["ear_pair"]["names"]
    question = scene.say(
        "ear_pair",
        "questions",
        first=pick(names[first], scene.rng),
        second=pick(names[second], scene.rng),
    )
    if not scene.is_music:
        scene.last = ""
        return Turn(question, scene.not_music)
    scene.last = "ear"

    def answer() -> str:
        end = scene.say("ear_pair", second)
        return scene.answer(
            "ear_pair", first=scene.say("ear_pair", first), second=end, second_start=sentence(end)
        )

    return Turn(question, answer)


CAPTION_LENGTHS = ("short", "medium", "long")
_CAPTION_NEEDS = {"mood", "meter", "speed", "mode", "density", "instruments"}
_DETAIL_NEEDS = {"meter": "meter_count", "drums": "drums_phrase"}


def caption(scene: Scene, length: str) -> str | None:
    """Describe the music in one, two or about five sentences; None when too little is known."""
    assert scene.facts is not None
    values = _extra_words(scene.facts, scene)
    known = _words(scene) | values
    if not _CAPTION_NEEDS.issubset(known):
        return None
    plain = "" if "style" in known else "_plain"
    if length == "short":
        return scene.answer("caption", f"short{plain}", **values)
    opening = scene.answer("caption", f"opening{plain}", **values)
    sentences = [opening, scene.answer("caption", "players", **values)]
    details = [
        name
        for name in grammar()["caption"]["details"]
        if _DETAIL_NEEDS.get(name, name) in known and known.get(name, " ") not in opening
    ]
    scene.rng.shuffle(details)
    n_details = (
        int(scene.rng.random() * 2) if length == "medium" else 2 + pick((0, 1, 1, 2), scene.rng)
    )
    sentences += [sentence(scene.detail(name, **values)) for name in details[:n_details]]
    return " ".join(sentences)


def ask_caption(scene: Scene) -> Turn | None:
    """Ask for a description, in one of three lengths."""
    length = pick(CAPTION_LENGTHS, scene.rng)
    question = scene.ask("caption", f"{length}_questions")
    if not scene.is_music:
        scene.last = ""
        return Turn(question, scene.not_music)
    text = caption(scene, length)
    if text is None:
        return None
    scene.last = "ear"
    return Turn(question, lambda: text)
