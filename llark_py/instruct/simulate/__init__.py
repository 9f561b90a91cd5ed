"""Made-up tool results: mostly near the truth, often enough wrong, uncertain or failed.

A model that only ever sees true results can learn to guess the number from the sound; one that
sees results which contradict the sound must copy them. One file for each group of tools.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from llark_py.track import Track

from . import comparing, form, harmony, loudness, making, notes, players, rhythm
from .asking import LOW_CONFIDENCE, P_ERROR, P_ERROR_NOT_MUSIC, Asked, Ids, reason

__all__ = ["LOW_CONFIDENCE", "OF_ONE_RECORDING", "TOOLS", "Ids", "simulate"]

SIMULATORS: dict[str, Callable[[Asked], dict[str, Any]]] = {
    "compare_songs": comparing.compare_songs,
    "cut_clip": making.cut_clip,
    "detect_instruments": players.detect_instruments,
    "detect_vocals": players.detect_vocals,
    "estimate_key": harmony.estimate_key,
    "estimate_tempo": rhythm.estimate_tempo,
    "find_sections": form.find_sections,
    "measure_loudness": loudness.measure_loudness,
    "recognize_chords": harmony.recognize_chords,
    "separate_like": making.separate_like,
    "separate_stems": making.separate_stems,
    "track_beats": rhythm.track_beats,
    "transcribe_drums": making.transcribe_drums,
    "transcribe_notes": notes.transcribe_notes,
}
_FOR_ANY_SOUND = ("cut_clip", "measure_loudness", "separate_like", "separate_stems")
TOOLS = tuple(sorted(SIMULATORS))
"""The tools whose results can be made up: those that `mini` is taught to call."""
OF_ONE_RECORDING = tuple(name for name in TOOLS if name != "cut_clip")
"""Those that make no second recording: a record of a conversation holds one."""


def simulate(
    name: str,
    track: Track | None,
    rng: Random,
    *,
    faithful: bool,
    duration_s: float,
    ids: Ids,
    arguments: Mapping[str, Any] | None = None,
    may_fail: bool = True,
) -> dict[str, Any]:
    """Make up what a tool says of a recording.

    Args:
        name: One of `TOOLS`.
        track: The recording's facts.
        rng: Source of chance.
        faithful: Whether the result follows the facts; otherwise it is drawn at random.
        duration_s: Length of the recording in seconds.
        ids: Names what the tool makes.
        arguments: Of the call; the recording is named where it is not the dialogue's own.
        may_fail: Whether it now and then fails, as tools do; else only where it cannot work.

    Returns:
        The result's content in exactly the shape of the real tool.
    """
    is_music = track is not None and track.sound == "music"
    sounds = track is not None and track.sound != "silence"
    takes_it = sounds if name in _FOR_ANY_SOUND else is_music
    if rng.random() < (P_ERROR if takes_it else P_ERROR_NOT_MUSIC) and may_fail:
        return {"error": reason(name, track, rng)}
    arguments = dict(arguments or {})
    if (last_s := arguments.pop("last_s", None)) is not None:
        if last_s > duration_s:
            return making.no_end(last_s, duration_s)
        arguments["start_s"] = duration_s - last_s
    # Of what a tool has made the facts tell nothing.
    truth = track if faithful and is_music and "audio" not in arguments else None
    return SIMULATORS[name](Asked(truth, is_music, duration_s, arguments, ids, rng))
