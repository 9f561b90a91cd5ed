"""Turns that need no listening: courtesies, questions about the assistant, looking back."""

from __future__ import annotations

from .checks import is_plural
from .measuring import ask_look_back
from .phrases import article_of, pick
from .scene import TOOL_OF, Asker, Scene, Turn, heard

# What the user may say it is instead: topic -> the slot of the fact, and the rates of the others.
_CORRECTED = {
    "lead": ("lead", "instruments"),
    "style": ("style", "styles"),
    "mood": ("mood", "moods"),
    "time_signature": ("meter", "meters"),
}
_REASONS = {
    "style": ("style", "instruments", "speed"),
    "style_check": ("style", "instruments", "speed"),
    "mood": ("mood", "mode", "speed"),
    "mood_check": ("mood", "mode", "speed"),
    "lead": ("lead",),
    "time_signature": ("meter",),
    "meter_check": ("meter",),
}


def _say(family: str) -> Asker:
    """Talk of something that has the same answers whatever is played."""

    def ask(scene: Scene) -> Turn | None:
        scene.last = ""
        return Turn(scene.ask(family), lambda: scene.answer(family))

    return ask


def _ask_correction(scene: Scene) -> Turn | None:
    """Be told that it is something else: stay polite, and say what is heard."""
    if scene.topic not in _CORRECTED or not scene.is_music or not scene.said:
        return None
    slot, kind = _CORRECTED[scene.topic]
    fact = scene.words.get(slot)
    others = [other for other in getattr(scene.rates, kind) if other != fact]
    if fact is None or not others:
        return None
    case = "guess" if slot in scene.unsure else "answers"
    claim, thing = pick(others, scene.rng), f"the {fact}" if slot == "lead" else fact
    article = article_of(claim) if slot == "lead" and not is_plural(claim) else ""
    values = {"claim": claim, "article": article, "fact": thing}
    return heard(scene, "correction", (), case, **values)


def _ask_wrong(scene: Scene) -> Turn | None:
    """Be told that the answer before was wrong."""
    if not scene.last or not scene.is_music:
        return None
    measured = scene.last in TOOL_OF
    if measured and "error" in scene.results.get(TOOL_OF[scene.last], {"error": ""}):
        return None
    case = "measured" if measured else "guess" if scene.hedged else "heard"
    return Turn(scene.ask("wrong"), lambda: scene.answer("wrong", case))


def _ask_agree(scene: Scene) -> Turn | None:
    """Be told that the answer before was right."""
    if not scene.last:
        return None
    return Turn(scene.ask("agree"), lambda: scene.answer("agree"))


def _ask_why(scene: Scene) -> Turn | None:
    """Be asked for the reason of what was heard before."""
    needs = _REASONS.get(scene.topic)
    if scene.last != "ear" or needs is None or not set(needs) <= set(scene.words):
        return None
    return heard(scene, "why", (), needs[0])


def _ask_repeat(scene: Scene) -> Turn | None:
    """Be asked to say it again; the answer is the same, word by word."""
    said = scene.said
    return Turn(scene.ask("repeat"), lambda: said) if said and scene.last else None


_WEIGHTS = {
    "greeting": 1.0,
    "thanks": 1.0,
    "who": 1.0,
    "abilities": 1.0,
    "off_topic": 2.5,
    "unknowable": 2.0,
    "effects": 1.2,
    "advice": 1.2,
    "language": 2.0,
    "title": 1.0,
    "artist": 1.0,
    "era": 1.0,
}
_PLAIN_WEIGHT = 0.6
_PLAIN = (
    *_WEIGHTS,
    "goodbye",
    "compliment",
    "insult",
    "mood_of_assistant",
    "limits",
    "formats",
    "privacy",
    "working",
    "tools_known",
    "files",
    "edit",
    "recommend",
    "second",
    "quality",
    "worth",
    "nothing",
    "unclear",
)
FAMILIES: dict[str, tuple[float, Asker]] = {
    **{name: (_WEIGHTS.get(name, _PLAIN_WEIGHT), _say(name)) for name in _PLAIN},
    "sure": (4.0, ask_look_back("sure")),
    "how_known": (1.5, ask_look_back("how_known")),
    "correction": (6.0, _ask_correction),
    "wrong": (2.0, _ask_wrong),
    "agree": (0.8, _ask_agree),
    "why": (4.0, _ask_why),
    "repeat": (0.6, _ask_repeat),
}
LOOKING_BACK = ("sure", "how_known", "correction", "wrong", "agree", "why", "repeat")
"""Families that need a turn before them."""
