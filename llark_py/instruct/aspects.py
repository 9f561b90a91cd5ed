"""What a comparison of two recordings tells of each aspect, by tool and in made-up results."""

from __future__ import annotations

from typing import Literal

Aspect = Literal["all", "tempo", "key", "mix", "loudness", "sound"]
_TEMPI = ("first_tempo_bpm", "second_tempo_bpm")
_KEYS = ("first_key", "second_key", "first_camelot", "second_camelot")
_FIT = ("key_relation", "keys_mix", "key_confidence")
ASPECTS: dict[Aspect, tuple[str, ...]] = {
    "tempo": (*_TEMPI, "faster", "tempo_ratio", "tempo_confidence"),
    "key": (*_KEYS, *_FIT),
    "mix": (*_TEMPI, "beat_match_percent", "beats_match", "tempo_confidence", *_KEYS, *_FIT),
    "loudness": ("loudness_difference_lu", "louder"),
    "sound": (
        "instruments_in_both",
        "instruments_in_first_only",
        "instruments_in_second_only",
        "similarity",
    ),
}
"""Fields of the result by aspect; of all of them, everything is told."""
