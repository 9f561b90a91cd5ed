"""Made-up results of the tool that compares two recordings."""

from __future__ import annotations

import math
from typing import Any

from llark_py.theory import KEYS, camelot_code, key_index, key_relation, which_is_more

from ..aspects import ASPECTS
from ..balance import default_rates
from ..phrases import pick
from .asking import Asked

_MOST_PERCENT = 6.0
_P_MATCH, _P_SAME_KEY, _P_SAME_TEMPO = 0.45, 0.25, 0.1


def compare_songs(asked: Asked) -> dict[str, Any]:
    """Make up two recordings side by side; the first has the tempo and key of the facts."""
    rng, truth = asked.rng, asked.truth
    first_bpm = (
        truth.tempo_bpm if truth and truth.tempo_bpm else 50.0 * math.exp(1.3 * rng.random())
    )
    spread = _MOST_PERCENT if asked.chance(_P_MATCH) else 28.0
    percent = rng.uniform(-spread, spread)
    second_bpm = first_bpm * pick((1.0, 1.0, 1.0, 0.5, 2.0), rng) / (1.0 + percent / 100.0)
    if asked.chance(_P_SAME_TEMPO):
        percent, second_bpm = 0.0, first_bpm
    difference_lu = rng.gauss(0.0, 4.0)
    keys = [truth.key if truth and truth.key else pick(KEYS, rng), pick(KEYS, rng)]
    if asked.chance(_P_SAME_KEY):
        keys[1] = keys[0]
    keys = [KEYS[key_index(key)] for key in keys]
    families = list(default_rates().families)
    there = [[f for f in families if asked.chance(0.2)] for _ in range(2)]
    relation = key_relation(*keys)
    told = {
        "first_tempo_bpm": round(first_bpm, 1),
        "second_tempo_bpm": round(second_bpm, 1),
        "faster": which_is_more(first_bpm, second_bpm),
        "tempo_ratio": round(second_bpm / first_bpm, 2),
        "beat_match_percent": round(percent, 1),
        "beats_match": abs(percent) <= _MOST_PERCENT,
        "tempo_confidence": asked.confidence(sure=asked.chance(0.85)),
        "first_key": keys[0],
        "second_key": keys[1],
        "first_camelot": camelot_code(keys[0]),
        "second_camelot": camelot_code(keys[1]),
        "key_relation": relation,
        "keys_mix": relation != "distant",
        "key_confidence": asked.confidence(sure=asked.chance(0.85)),
        "instruments_in_both": [f for f in there[0] if f in there[1]],
        "instruments_in_first_only": [f for f in there[0] if f not in there[1]],
        "instruments_in_second_only": [f for f in there[1] if f not in there[0]],
        "loudness_difference_lu": round(difference_lu, 1),
        "louder": which_is_more(0.0, difference_lu),
        "similarity": round(rng.random(), 2),
    }
    return {name: told[name] for name in ASPECTS.get(asked.arguments.get("aspect", "all"), told)}
