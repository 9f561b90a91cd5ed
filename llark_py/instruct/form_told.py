"""Turns about the form that the tool answers which finds sections."""

from __future__ import annotations

from collections.abc import Callable

from .facts import join_words
from .phrases import pick
from .scene import Asker, Scene, Turn
from .telling import Result, result_of, told
from .timeline import clock

_P_LABEL_OF_TOOL = 0.7
_TOO_SHORT_S, _P_TOO_SHORT = 20.0, 0.25
"""The tool refuses what is shorter; that is asked for now and then only."""
_FAMILY = "form_told"

Parts = list[tuple[str, str]]


def read_parts(result: Result) -> Parts:
    """Read label and time of each section that a result lists."""
    return [
        (label, at) for label, _, at in (p.rpartition(" ") for p in result["parts"].split(", "))
    ]


def _tell(scene: Scene, result: Result) -> dict[str, str]:
    parts = read_parts(result)
    return {
        "told": ", ".join(f"{label} at {at}" for label, at in parts),
        "labels": ", ".join(label for label, _ in parts),
        "count": str(result["section_count"]),
    }


def _told(
    scene: Scene, question: str, answer: Callable[[Result], str], **arguments: bool
) -> Turn | None:
    if scene.duration_s < _TOO_SHORT_S and scene.rng.random() >= _P_TOO_SHORT:
        return None
    return told(scene, "form", question, answer, **arguments)


def _is_whole(result: Result) -> bool:
    return len(read_parts(result)) == result["section_count"]


def _ask_structure(scene: Scene) -> Turn | None:
    def answer(result: Result) -> str:
        case = "parts_one" if result["section_count"] == 1 else "parts"
        return scene.answer(_FAMILY, case if _is_whole(result) else "more", **_tell(scene, result))

    return _told(scene, scene.ask("structure"), answer)


def _ask_count(scene: Scene) -> Turn | None:
    def answer(result: Result) -> str:
        case = "parts_one" if result["section_count"] == 1 else "count"
        return scene.answer(_FAMILY, case if _is_whole(result) else "more", **_tell(scene, result))

    return _told(scene, scene.ask("section_count"), answer)


def _draw_section(scene: Scene) -> str:
    """Draw a section to ask for: mostly one that the tool names."""
    result = result_of(scene, "form")
    if result and scene.rng.random() < _P_LABEL_OF_TOOL:
        return _spoken(pick(read_parts(result), scene.rng)[0])
    return pick(list(scene.rates.sections) or ["chorus"], scene.rng)


def _spoken(label: str) -> str:
    """Name a section in a sentence, where letters have no article of their own."""
    return f"{label} section" if len(label) == 1 else label


def _of_section(family: str) -> Asker:
    """Ask for a section by name; `_SECTION_ANSWERS` has how it is answered."""

    def ask(scene: Scene) -> Turn | None:
        section = _draw_section(scene)

        def answer(result: Result) -> str:
            parts = read_parts(result)
            places = [i for i, (label, _) in enumerate(parts) if _spoken(label) == section]
            values = {"section": section, **_tell(scene, result)}
            if not places:
                return scene.answer(_FAMILY, "when_none", **values)
            case, more = _SECTION_ANSWERS[family](parts, places)
            return scene.answer(_FAMILY, case, **{**values, **more})

        return _told(scene, scene.ask(family, section=section), answer)

    return ask


def _when(parts: Parts, places: list[int]) -> tuple[str, dict[str, str]]:
    return "when", {"times": join_words([parts[i][1] for i in places])}


def _length(parts: Parts, places: list[int]) -> tuple[str, dict[str, str]]:
    start = {"start": parts[places[0]][1]}
    if places[0] + 1 == len(parts):
        return "length_last", start
    return "length", {**start, "end": parts[places[0] + 1][1]}


def _after(parts: Parts, places: list[int]) -> tuple[str, dict[str, str]]:
    if places[0] + 1 == len(parts):
        return "after_last", {}
    label, at = parts[places[0] + 1]
    return "after", {"next": _spoken(label), "at": at}


_SECTION_ANSWERS = {"section_when": _when, "section_length": _length, "section_after": _after}


def _ask_at(scene: Scene) -> Turn | None:
    time_s = scene.rng.random() * scene.duration_s
    at = clock(time_s, scene.duration_s)

    def answer(result: Result) -> str:
        begun = [part for part in read_parts(result) if _seconds(part[1]) <= _seconds(at)]
        if len(begun) == len(read_parts(result)) < result["section_count"]:
            return scene.answer(_FAMILY, "more", **_tell(scene, result))
        label, start = begun[-1]
        return scene.answer(_FAMILY, "at", at=at, section=_spoken(label), start=start)

    return _told(scene, scene.ask("section_at", at=at), answer)


def _seconds(time: str) -> int:
    minutes, _, seconds = time.partition(":")
    return 60 * int(minutes) + int(seconds)


def _ask_picture(scene: Scene) -> Turn | None:
    def answer(result: Result) -> str:
        return scene.answer("form_picture", "measured", **_tell(scene, result))

    return _told(scene, scene.ask("form_picture"), answer, picture=True)


INSTEAD: dict[str, Asker] = {
    "structure": _ask_structure,
    "section_count": _ask_count,
    "section_at": _ask_at,
    **{family: _of_section(family) for family in _SECTION_ANSWERS},
}
"""Families that are answered by ear where there is no tool."""
FAMILIES: dict[str, tuple[float, Asker]] = {"form_picture": (1.5, _ask_picture)}
