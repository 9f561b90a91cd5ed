"""Turns about singing: whether, how high, and what cannot be known of it."""

from __future__ import annotations

from .checks import yes_no
from .scene import Asker, Scene, Turn, heard, unheard


def _ask_vocals(scene: Scene) -> Turn | None:
    """Ask whether somebody sings; a choir without a singer is more than a no."""
    voice = scene.facts.voice if scene.facts else None
    present = ["singing"] if voice == "singer" else []
    no = "choir" if voice == "choir" else "no"
    rates = {"singing": scene.rates.families.get("voice", 0.5)}
    return yes_no(scene, "vocals", present, rates, "voice", known=voice is not None, no=no)


def _ask_of_singer(family: str, *needs: str) -> Asker:
    """Ask something about the singer, whether or not there is one."""

    def ask(scene: Scene) -> Turn | None:
        if not scene.is_music:
            return unheard(scene, family)
        voice = scene.facts.voice if scene.facts else None
        if voice is None:
            return None
        if voice == "singer" and not set(needs) <= set(scene.words):
            return None
        return heard(scene, family, ("voice", *needs), voice)

    return ask


FAMILIES: dict[str, tuple[float, Asker]] = {
    "vocals": (5.0, _ask_vocals),
    "sung_or_not": (2.0, _ask_of_singer("sung_or_not")),
    "voice_kind": (1.5, _ask_of_singer("voice_kind", "register")),
    "singer_name": (0.8, _ask_of_singer("singer_name", "register")),
    "lyrics": (1.0, _ask_of_singer("lyrics")),
    "sung_language": (0.6, _ask_of_singer("sung_language")),
}
YES_NO = ("vocals",)
