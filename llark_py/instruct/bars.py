"""Turns about beats and bars that the beat tracker answers."""

from __future__ import annotations

from .scene import Asker, Scene, Turn, case_of, words_of
from .telling import Result, ask_told, told

_STEADY = 1.05
"""A tempo is steady when the fastest beats are at most so much faster than the slowest."""


def _ask_steadiness(scene: Scene) -> Turn:
    def answer(result: Result) -> str:
        case = case_of(result)
        if case == "measured":
            steady = result["fastest_bpm"] <= _STEADY * result["slowest_bpm"]
            case = "steady" if steady else "drifting"
        return scene.answer("steadiness", case, **words_of(result))

    return told(scene, "bars", scene.ask("steadiness"), answer)


FAMILIES: dict[str, tuple[float, Asker]] = {
    "bar_count": (2.5, ask_told("bar_count", "bars")),
    "metre_measured": (1.5, ask_told("metre_measured", "bars")),
    "steadiness": (2.0, _ask_steadiness),
    "click_track": (2.0, ask_told("click_track", "bars", click_track=True)),
}
