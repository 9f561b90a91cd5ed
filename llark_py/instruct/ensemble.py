"""Turns about who plays together: how many, what the bass is, acoustic or electric."""

from __future__ import annotations

from collections import Counter

from .checks import compare
from .facts import FAMILY_WORDS, join_words, number_word, spoken_name
from .listening import ask_heard
from .phrases import pick
from .scene import Asker, Scene, Turn, denied, heard, unheard

_KIT_PIECES = 4
_CLEARLY_MORE = 2


def names_of(instruments: list[str]) -> str:
    """Write a list of instruments as in speech."""
    return join_words([spoken_name(name) for name in instruments])


def _ask_players(scene: Scene) -> Turn | None:
    if not scene.is_music:
        return unheard(scene, "players")
    if scene.facts is None or not scene.facts.instruments:
        return None
    n = len(scene.facts.instruments)
    case = "one" if n == 1 else "answers"
    return heard(scene, "players", ("instruments",), case, number=number_word(n))


def _ask_roles(family: str, *roles: str) -> Asker:
    """Ask what plays a role of the arrangement (the bass, the chords)."""

    def ask(scene: Scene) -> Turn | None:
        if not scene.is_music:
            return unheard(scene, family)
        if scene.facts is None or not any(i.role for i in scene.facts.track.instruments):
            return None
        playing = scene.facts.playing(*roles)
        if not playing:
            return heard(scene, family, ("instruments",), "none")
        return heard(scene, family, ("instruments",), players=f"the {join_words(playing)}")

    return ask


def _ask_kit(scene: Scene) -> Turn | None:
    if not scene.is_music:
        return unheard(scene, "kit")
    if scene.facts is None or scene.facts.has_drums is None:
        return None
    if not scene.facts.has_drums:
        return heard(scene, "kit", ("instruments",), "none")
    if not scene.facts.kit:
        return None
    return heard(scene, "kit", ("instruments",), kit=join_words(scene.facts.kit[:_KIT_PIECES]))


def _ask_dominant(scene: Scene) -> Turn | None:
    if not scene.is_music:
        return unheard(scene, "dominant")
    if scene.facts is None or not scene.facts.instruments:
        return None
    counts = Counter(i.family for i in scene.facts.track.instruments).most_common()
    spoken = [FAMILY_WORDS.get(family, family) for family, _ in counts]
    if len(counts) == 1:
        return heard(scene, "dominant", ("instruments",), "only", families=spoken[0])
    clear = counts[0][1] - counts[1][1] >= _CLEARLY_MORE
    families = spoken[0] if clear else join_words(spoken)
    case = "answers" if clear else "none"
    return heard(scene, "dominant", ("instruments",), case, families=families)


def _ask_instrument_compare(scene: Scene) -> Turn | None:
    """Name one instrument that plays and one that does not."""
    playing = scene.facts.instruments if scene.facts else []
    right = pick(playing, scene.rng) if playing else None
    others = [name for name in scene.rates.instruments if name not in playing]
    return compare(scene, "instrument_compare", right, others, "instruments")


def _ask_leads_it(scene: Scene) -> Turn | None:
    """Ask whether the instrument just agreed on has the melody."""
    lead = scene.words.get("lead")
    if not scene.thing or scene.topic != "instrument_check" or lead is None or not scene.facts:
        return None
    # One instrument of several leads: the others are asked about less often.
    others = len(scene.facts.instruments) - 1
    if scene.thing != lead and scene.rng.random() * others >= 1.0:
        return None
    case = "yes" if scene.thing == lead else "no"
    return heard(scene, "leads_it", ("lead",), case, thing=scene.thing)


def _ask_music(scene: Scene) -> Turn | None:
    """Ask whether it is music; as often where it is not, by the rate of music."""
    if scene.facts is None:
        return unheard(scene, "music")
    music = scene.rates.sounds.get("music", 0.5)
    share = music if scene.is_music else 1.0 - music
    if scene.rng.random() * share >= min(music, 1.0 - music):
        return None
    if not scene.is_music:
        return denied(scene, "music")
    return heard(scene, "music", (), "yes")


def _ask_add(scene: Scene) -> Turn | None:
    """Ask what one could add: a family that is missing."""
    if not scene.is_music:
        return unheard(scene, "add")
    if scene.facts is None or not scene.facts.families:
        return None
    missing = [f for f in ("bass", "drums", "strings", "piano") if f not in scene.facts.families]
    if not missing:
        return heard(scene, "add", ("instruments",), "full")
    return heard(scene, "add", ("instruments",), missing=missing[0])


FAMILIES: dict[str, tuple[float, Asker]] = {
    "players": (1.5, _ask_players),
    "ensemble": (1.2, ask_heard("ensemble", "ensemble", "instruments")),
    "bass": (1.5, _ask_roles("bass", "bass")),
    "backing": (1.2, _ask_roles("backing", "chords", "pad")),
    "kit": (1.2, _ask_kit),
    "dominant": (1.0, _ask_dominant),
    "amplified": (1.2, ask_heard("amplified", "amplified", about=("instruments",))),
    "instrument_compare": (2.5, _ask_instrument_compare),
    "leads_it": (6.0, _ask_leads_it),
    "music": (10.0, _ask_music),
    "sound": (0.7, ask_heard("sound", "instruments")),
    "dance": (0.8, ask_heard("dance", "speed", "meter", "drums_phrase")),
    "hard": (0.6, ask_heard("hard", "speed", "density", "meter")),
    "practice": (0.7, ask_heard("practice", "speed", "meter", "meter_count")),
    "add": (0.7, _ask_add),
    "taste": (0.6, ask_heard("taste", "mood", "speed")),
}
