"""Turns about chords and keys over time that tools answer."""

from __future__ import annotations

from .facts import join_words
from .scene import Asker, Scene, Turn, case_of, words_of
from .spans import draw_span
from .telling import Result, ask_told, told

_IN_TUNE_CENTS = 6.0


def _ask_chords(family: str, case: str) -> Asker:
    """Ask the question of a family; the answers are the cases of `chords_told` that begin so."""

    def ask(scene: Scene) -> Turn:
        def answer(result: Result) -> str:
            return scene.answer("chords_told", case + case_of(result), **words_of(result))

        return told(scene, "progression", scene.ask(family), answer)

    return ask


def _ask_chords_part(scene: Scene) -> Turn:
    """Ask for the chords of a part."""
    span = draw_span(scene.rng, scene.duration_s)

    def answer(result: Result) -> str:
        return scene.answer("chords_told", case_of(result), **words_of(result))

    question = scene.ask("chords_part", **span.phrases)
    return told(scene, "progression", question, answer, **span.arguments)


def _ask_key_course(scene: Scene) -> Turn:
    def answer(result: Result) -> str:
        if case_of(result) == "unsure":
            return scene.answer("key_course", "unsure", **words_of(result))
        if result["modulations"] is None:
            return scene.answer("key_course", "stays", **words_of(result))
        changes = [entry.rpartition(" ") for entry in result["modulations"].split(", ")]
        clauses = [scene.say("key_course", "to", other=key, at=at) for key, _, at in changes]
        return scene.answer("key_course", "moves", told=join_words(clauses), **words_of(result))

    return told(scene, "key", scene.ask("key_change"), answer)


def _ask_tuning(scene: Scene) -> Turn:
    def answer(result: Result) -> str:
        cents = result["tuning_cents"]
        case = "standard" if abs(cents) <= _IN_TUNE_CENTS else "high" if cents > 0 else "low"
        return scene.answer("tuning", case, **words_of(result))

    return told(scene, "key", scene.ask("tuning"), answer)


INSTEAD: dict[str, Asker] = {
    "chords": _ask_chords("chords", ""),
    "first_chord": _ask_chords("first_chord", "first_"),
    "last_chord": _ask_chords("last_chord", "last_"),
    "chord_count": _ask_chords("chord_count", "count_"),
}
"""Families of chords that are answered by ear where there is no tool."""
KEY_INSTEAD: dict[str, Asker] = {"key_change": _ask_key_course}
"""The same of keys."""
FAMILIES: dict[str, tuple[float, Asker]] = {
    "degrees": (1.5, ask_told("degrees", "progression")),
    "chord_file": (2.0, ask_told("chord_file", "progression")),
    "chords_part": (5.0, _ask_chords_part),
    "tuning": (1.2, _ask_tuning),
}
