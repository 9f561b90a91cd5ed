"""Turns about loudness, peaks and balance, which only a tool can answer."""

from __future__ import annotations

from collections.abc import Callable

from .scene import Asker, Scene, Turn, words_of
from .telling import Result, ask_told, told

_STREAMING_LUFS, _NEAR_LU = -14.0, 1.5
"""Streaming services play at about this loudness."""
_FULL_SCALE_DBTP, _SAFE_DBTP = 0.0, -1.0


def _of_streaming(result: Result) -> str:
    above = result["loudness_lufs"] - _STREAMING_LUFS
    return "fine" if abs(above) <= _NEAR_LU else "loud" if above > 0 else "quiet"


def _of_peaks(result: Result) -> str:
    peak = result["true_peak_dbtp"]
    return "over" if peak > _FULL_SCALE_DBTP else "close" if peak > _SAFE_DBTP else "safe"


def _of_range(result: Result) -> str:
    return "short" if result["loudness_range_lu"] is None else "measured"


def _of_stereo(result: Result) -> str:
    return "stereo" if result["stereo_width_percent"] else "mono"


def _ask_level(family: str, case_of: Callable[[Result], str]) -> Asker:
    def ask(scene: Scene) -> Turn:
        def answer(result: Result) -> str:
            return scene.answer(family, case_of(result), **words_of(result))

        return told(scene, "loudness", scene.ask(family), answer)

    return ask


FAMILIES: dict[str, tuple[float, Asker]] = {
    "loudness": (2.0, ask_told("loudness", "loudness")),
    "streaming": (1.5, _ask_level("streaming", _of_streaming)),
    "peaks": (1.2, _ask_level("peaks", _of_peaks)),
    "dynamic_range": (1.2, _ask_level("dynamic_range", _of_range)),
    "spectrum": (1.2, ask_told("spectrum", "loudness")),
    "stereo": (1.2, _ask_level("stereo", _of_stereo)),
}
