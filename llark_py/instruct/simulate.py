"""Made-up tool results: mostly near the truth, often enough wrong, uncertain or failed.

A model that only ever sees true results can learn to guess the number from the sound; one that
sees results which contradict the sound must copy them.
"""

from __future__ import annotations

import math
from random import Random
from typing import Any

from llark_py.theory import KEYS, key_index, note_name
from llark_py.track import Track

from .phrases import fill, grammar, pick

TOOLS = ("estimate_tempo", "estimate_key", "transcribe_notes")
P_ERROR = 0.07
P_ERROR_NOT_MUSIC = 0.6
LOW_CONFIDENCE = 0.5
_TEMPO_RANGE = (40.0, 220.0)
_TEMPO_FACTORS = (1.0,) * 17 + (0.5, 2.0, 1.5)
_RUNNER_UP_FACTORS = (0.5, 0.5, 2.0, 2.0, 1.5, 2 / 3)


def simulate(
    name: str, track: Track | None, rng: Random, *, faithful: bool, duration_s: float
) -> dict[str, Any]:
    """Make up what a tool says of a recording.

    Args:
        name: One of `TOOLS`.
        track: The recording's facts.
        rng: Source of chance.
        faithful: Whether the result follows the facts; otherwise it is drawn at random.
        duration_s: Length of the recording in seconds.

    Returns:
        The result's content in exactly the shape of the real tool.
    """
    is_music = track is not None and track.sound == "music"
    if rng.random() < (P_ERROR if is_music else P_ERROR_NOT_MUSIC):
        return {"error": _reason(name, track, rng)}
    truth = track if faithful and is_music else None
    if name == "estimate_tempo":
        return _tempo(truth, rng, is_music, duration_s)
    if name == "estimate_key":
        return _key(truth, rng, is_music)
    return _notes(truth, rng)


def _reason(name: str, track: Track | None, rng: Random) -> str:
    if track is not None and track.sound == "silence" and rng.random() < 0.7:
        return "the recording is silent"
    few = str(2 + int(rng.random() * 14))
    return fill(pick(grammar()["reasons"][name], rng), {"few": few}, rng)


def _confidence(rng: Random, *, sure: bool) -> float:
    # Beta draws: sure ones gather near 0.85, unsure ones near 0.3.
    value = rng.betavariate(8, 1.7) if sure else rng.betavariate(3, 6)
    return round(min(0.99, max(0.02, value)), 2)


def _tempo(truth: Track | None, rng: Random, is_music: bool, duration_s: float) -> dict[str, Any]:
    low, high = _TEMPO_RANGE
    factor = 1.0
    if truth is None or truth.tempo_bpm is None:
        bpm = low * math.exp(rng.random() * math.log(high / low))
    else:
        factor = pick(_TEMPO_FACTORS, rng)
        bpm = min(high, max(low, truth.tempo_bpm * factor * rng.gauss(1.0, 0.003)))
    runner_up = bpm * pick(_RUNNER_UP_FACTORS, rng)
    sure = is_music and rng.random() < (0.88 if factor == 1.0 else 0.5)
    count = max(2, round(bpm * duration_s / 60.0) + pick((-1, 0, 0, 0, 1), rng))
    return {
        "tempo_bpm": round(bpm, 1),
        "runner_up_bpm": round(runner_up, 1),
        "beat_count": count,
        "confidence": _confidence(rng, sure=sure),
    }


def _key(truth: Track | None, rng: Random, is_music: bool) -> dict[str, Any]:
    right = True
    if truth is None or truth.key is None:
        index = int(rng.random() * 24)
    else:
        index = key_index(truth.key)
        right = rng.random() < 0.88
        if not right:
            index = pick(_neighbours(index), rng)
    runner_up = pick(_neighbours(index), rng)
    sure = is_music and rng.random() < (0.88 if right else 0.35)
    return {
        "key": KEYS[index],
        "runner_up": KEYS[runner_up],
        "confidence": _confidence(rng, sure=sure),
    }


def _neighbours(index: int) -> list[int]:
    """List the keys that are easily taken for a key: relative, parallel, fifths up and down."""
    tonic, minor = index % 12, index // 12
    relative = (tonic + (3 if minor else 9)) % 12 + (0 if minor else 12)
    parallel = tonic + (0 if minor else 12)
    fifths = [(tonic + 7) % 12 + 12 * minor, (tonic + 5) % 12 + 12 * minor]
    return [relative, relative, parallel, *fifths]


def _notes(truth: Track | None, rng: Random) -> dict[str, Any]:
    artefact = f"artefact_{1 + int(rng.random() * rng.random() * 30)}"
    if truth is None or not truth.notes:
        count = round(math.exp(rng.uniform(math.log(3), math.log(3000))))
        low = 24 + int(rng.random() * 40)
        high = low + 3 + int(rng.random() * 44)
    else:
        count = max(1, round(len(truth.notes) * rng.gauss(0.95, 0.1)))
        pitches = [n.pitch for n in truth.notes]
        low = min(pitches) + pick((0, 0, 0, 0, 12, -12, 1), rng)
        high = max(max(pitches) + pick((0, 0, 0, 0, 12, -12, -1), rng), low)
    return {
        "note_count": count,
        "lowest_note": note_name(low),
        "highest_note": note_name(high),
        "midi": artefact,
    }
