"""How alike two recordings sound, from the cosine of what the encoder heard of them."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

# Of `python tests/likeness.py`: see `comparison.measure_similarity`.
_EVEN_COSINE, _COSINE_SCALE = 0.66, 0.12


Cosine = TypeVar("Cosine", float, np.ndarray)


def likeness(cosine: Cosine) -> Cosine:
    """Turn the cosine of two mean frame tokens, or many, into a similarity in [0, 1].

    A logistic curve, 0.9 where nine in ten pairs of excerpts of one song are above and 0.1 where
    nine in ten pairs of different songs are below.
    """
    return 1.0 / (1.0 + np.exp(-(cosine - _EVEN_COSINE) / _COSINE_SCALE))
