"""Turns about chords: which, how many, when they change."""

from __future__ import annotations

from statistics import median

from llark_py.theory import SHARP_NAMES

from .facts import chord_symbol, join_words, number_word
from .phrases import pick
from .scene import Asker, Scene, Turn, denied, heard, past_end, unheard
from .timeline import clock

_MAX_SPACED = 6
_TWICE_A_BAR, _ONCE_A_BAR = 0.7, 1.4
_CHORD_MARGIN_S = 0.6


def _names(scene: Scene) -> list[str]:
    return scene.facts.chord_names if scene.facts else []


def _ask_chords(scene: Scene) -> Turn | None:
    if not scene.is_music:
        return unheard(scene, "chords")
    if scene.facts is None or not scene.facts.chords:
        return None
    case = "none" if len(scene.facts.chords) == 1 else "answers"
    return heard(scene, "chords", ("chords",), case)


def _ask_end_chord(family: str, place: int) -> Asker:
    """Ask for the first (place 0) or last (-1) chord."""

    def ask(scene: Scene) -> Turn | None:
        if not scene.is_music:
            return unheard(scene, family)
        symbols = scene.facts.symbols if scene.facts else []
        if not symbols or symbols[place] is None:
            return None
        return heard(scene, family, ("chords",), chord=str(symbols[place]))

    return ask


def _ask_chord_count(scene: Scene) -> Turn | None:
    if not scene.is_music:
        return unheard(scene, "chord_count")
    names = _names(scene)
    if not names:
        return None
    values = {"number": number_word(len(names)), "names": ", ".join(names[:_MAX_SPACED])}
    case = "one" if len(names) == 1 else "many" if len(names) > _MAX_SPACED else "answers"
    return heard(scene, "chord_count", ("chords",), case, **values)


def _quality(symbol: str) -> str:
    return "dim" if symbol.endswith("dim") else "m" if symbol.endswith("m") else ""


def _ask_chord_check(scene: Scene) -> Turn | None:
    """Ask for a chord that is there, or as often for one of the same kind that is not."""
    if not scene.is_music:
        return denied(scene, "chord_check", chord=pick(("Am", "C", "G"), scene.rng))
    names, track = _names(scene), scene.facts.track if scene.facts else None
    if not names or track is None:
        return None
    there = pick(names, scene.rng)
    if scene.rng.random() < 0.5:
        return heard(scene, "chord_check", ("chords",), "yes", chord=there)
    quality = {"m": ":min", "dim": ":dim"}.get(_quality(there), "")
    symbols = [chord_symbol(root + quality, track.key) for root in SHARP_NAMES]
    absent = [s for s in symbols if s and s not in names]
    return heard(scene, "chord_check", ("chords",), "no", chord=pick(absent, scene.rng))


def _ask_chord_at(scene: Scene) -> Turn | None:
    duration_s = scene.timeline.track.duration_s if scene.timeline else 60.0
    time_s = float(int(scene.rng.random() * duration_s))
    if scene.timeline is None or not scene.is_music:
        return unheard(scene, "chord_at", at=clock(time_s, duration_s))
    late = past_end(scene, "chord_at") if scene.facts and scene.facts.chords else None
    if late is not None:
        return late
    chord = scene.timeline.chord_at(time_s, _CHORD_MARGIN_S)
    if chord is None:
        return None
    at = scene.timeline.clock(time_s)
    return heard(scene, "chord_at", ("chords",), at=at, chord=chord)


def _ask_chord_pace(scene: Scene) -> Turn | None:
    """Ask how often the harmony changes, in bars."""
    if not scene.is_music:
        return unheard(scene, "chord_pace")
    track = scene.facts.track if scene.facts else None
    if track is None or len(track.downbeats_s) < 2 or len(track.chords) < 3:
        return None
    if len(_names(scene)) == 1:
        return heard(scene, "chord_pace", ("chords",), "none", chord=_names(scene)[0])
    bar_s = median(b - a for a, b in zip(track.downbeats_s, track.downbeats_s[1:], strict=False))
    # The first and the last chord may be cut off.
    bars = median(c.end_s - c.start_s for c in track.chords[1:-1]) / bar_s
    case = "twice" if bars < _TWICE_A_BAR else "once" if bars < _ONCE_A_BAR else "seldom"
    return heard(scene, "chord_pace", ("chords",), case)


def _ask_key_change(scene: Scene) -> Turn | None:
    """Ask whether the key changes; as often where it does, by the rate of changes."""
    if scene.timeline is None or not scene.is_music:
        return denied(scene, "key_change")
    if not scene.timeline.track.keys:
        return None
    changes = [scene.timeline.clock(t) for t in scene.timeline.key_changes]
    rate = scene.rates.changes.get("key", 0.5)
    share = rate if changes else 1.0 - rate
    if not share or scene.rng.random() * share >= min(rate, 1.0 - rate):
        return None
    if not changes:
        return heard(scene, "key_change", ("key",), "no")
    return heard(scene, "key_change", ("key",), "yes", times=join_words(changes))


FAMILIES: dict[str, tuple[float, Asker]] = {
    "chords": (4.0, _ask_chords),
    "first_chord": (1.0, _ask_end_chord("first_chord", 0)),
    "last_chord": (0.8, _ask_end_chord("last_chord", -1)),
    "chord_count": (1.0, _ask_chord_count),
    "chord_check": (2.0, _ask_chord_check),
    "chord_at": (1.2, _ask_chord_at),
    "key_change": (2.0, _ask_key_change),
    "chord_pace": (0.8, _ask_chord_pace),
}
YES_NO = ("key_change",)
