"""Made-up results of the tools that measure key and chords."""

from __future__ import annotations

from typing import Any

from llark_py.theory import KEYS, key_index

from ..phrases import pick
from .asking import Asked


def estimate_key(asked: Asked) -> dict[str, Any]:
    """Make up a key and its runner-up."""
    rng, truth = asked.rng, asked.truth
    right = True
    if truth is None or truth.key is None:
        index = int(rng.random() * 24)
    else:
        index = key_index(truth.key)
        right = asked.chance(0.88)
        if not right:
            index = pick(_neighbours(index), rng)
    runner_up = pick(_neighbours(index), rng)
    sure = asked.is_music and asked.chance(0.88 if right else 0.35)
    return {
        "key": KEYS[index],
        "runner_up": KEYS[runner_up],
        "confidence": asked.confidence(sure=sure),
    }


def _neighbours(index: int) -> list[int]:
    """List the keys that are easily taken for a key: relative, parallel, fifths up and down."""
    tonic, minor = index % 12, index // 12
    relative = (tonic + (3 if minor else 9)) % 12 + (0 if minor else 12)
    parallel = tonic + (0 if minor else 12)
    fifths = [(tonic + 7) % 12 + 12 * minor, (tonic + 5) % 12 + 12 * minor]
    return [relative, relative, parallel, *fifths]
