"""What one gets without the model: librosa, the best constant answer, another recording's facts."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from llark_py.audio import Audio
from llark_py.librosa_import import load_librosa
from llark_py.theory import key_name

from .answers import Row

TEMPO_TOLERANCE = 0.04
"""Of Gouyon et al. (2006): a tempo within 4 % is right."""
CONSTANT, CHANCE = "constant", "chance"
# Krumhansl and Kessler (1982): how well each degree fits a key, major and minor.
_PROFILES = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
_SAMPLE_RATE = 22_050
_MIN_S = 1.0
_BPM = np.arange(50, 200, 1.0)


def librosa_answers(audio: Audio) -> dict[str, dict[str, Any]]:
    """Estimate tempo and key as librosa users do.

    Args:
        audio: The recording.

    Returns:
        `librosa`: tempo by `feature.tempo`, key by Krumhansl and Schmuckler's correlation of the
        mean of `feature.chroma_cqt` with the key profiles; `librosa beats`: tempo by
        `beat.beat_track`. Nothing of recordings under a second, or of silence.
    """
    librosa = load_librosa()

    if audio.duration_s < _MIN_S or not np.abs(audio.samples).max():
        return {}
    y = audio.mono().resample(_SAMPLE_RATE).samples
    onsets = librosa.onset.onset_strength(y=y, sr=_SAMPLE_RATE)
    tempo = librosa.feature.tempo(onset_envelope=onsets, sr=_SAMPLE_RATE)
    tracked, _ = librosa.beat.beat_track(onset_envelope=onsets, sr=_SAMPLE_RATE)
    key = key_by_profiles(librosa.feature.chroma_cqt(y=y, sr=_SAMPLE_RATE).mean(1))
    return {
        "librosa": {"tempo": float(tempo[0]), "key": key, "tonic": key},
        "librosa beats": {"tempo": float(np.atleast_1d(tracked)[0])},
    }


def key_by_profiles(chroma: np.ndarray) -> str:
    """Name the key whose profile correlates best with a pitch-class profile `(12,)` from C."""
    fits = {
        (tonic, mode): np.corrcoef(chroma, np.roll(profile, tonic))[0, 1]
        for mode, profile in _PROFILES.items()
        for tonic in range(12)
    }
    return key_name(*max(fits, key=lambda key: fits[key]))


def constant_rows(rows: Sequence[Row]) -> list[Row]:
    """Answer every question of a set with the best constant of its fact.

    Args:
        rows: Of one set under the condition `audio`.
    """
    said = {fact: _constant(fact, truths) for fact, truths in _truths(rows).items()}
    return [_as_value(row, CONSTANT, said[row["fact"]]) for row in rows]


def chance_rows(rows: Sequence[Row]) -> list[Row]:
    """Answer every question of a set with the truth of another recording, drawn by a fixed seed."""
    drawn = {}
    for fact, truths in _truths(rows).items():
        random.Random(f"chance {fact}").shuffle(truths)
        drawn[fact] = iter(truths)
    return [_as_value(row, CHANCE, next(drawn[row["fact"]])) for row in rows]


def _truths(rows: Sequence[Row]) -> dict[str, list[Any]]:
    truths: dict[str, list[Any]] = {}
    for row in rows:
        truths.setdefault(row["fact"], []).append(row["truth"])
    return truths


def _as_value(row: Row, condition: str, value: Any) -> Row:
    kept = {k: v for k, v in row.items() if k not in ("answer", "confidence", "probabilities")}
    return {**kept, "condition": condition, "value": value}


def _constant(fact: str, truths: list[Any]) -> Any:
    special: dict[str, Callable[[list[Any]], Any]] = {
        "tempo": best_tempo,
        "instruments": _usual_families,
        "yes_no": lambda _: True,
        "entrance": lambda times: float(np.median(times)),
    }
    if fact in special:
        return special[fact](truths)
    return max(dict.fromkeys(truths), key=truths.count)


def best_tempo(truths: Sequence[float]) -> float:
    """The whole tempo that is within 4 % of as many tempi as any."""
    hits = np.abs(_BPM[:, None] / np.array(truths) - 1) < TEMPO_TOLERANCE
    return float(_BPM[hits.sum(1).argmax()])


def _usual_families(truths: list[list[str]]) -> list[str]:
    """Families that play in more than half of the recordings; else the commonest."""
    named = [family for families in truths for family in families]
    usual = sorted(f for f in set(named) if named.count(f) * 2 > len(truths))
    return usual or ([max(dict.fromkeys(named), key=named.count)] if named else [])
