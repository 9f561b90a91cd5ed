"""Keys over time: where a recording modulates, from its chords and the key of the whole.

The windows of the encoder are longer than many passages between two keys, so the chords decide: a
key is heard where chords sound that belong to it.
"""

from __future__ import annotations

import numpy as np

from llark_py.encoders.mini_path import equal_runs, likeliest_path
from llark_py.theory import KEYS
from llark_py.track import KeySpan

from .listening import ENCODER_RATE, Posteriors

_STEP_FRAMES = 10
_CHANGE = 8.0
"""By how much, in log probability, a key has to be likelier in order to take over."""
_WHOLE_WEIGHT = 0.1
"""How much the key of the whole recording counts in every second."""
_ALIEN = 0.004
"""Probability of each chord that is not listed."""
_MAJOR = {(0, 0): 30, (5, 0): 18, (7, 0): 20, (9, 1): 13, (2, 1): 8, (4, 1): 5, (10, 0): 3}
_MINOR = {(0, 1): 30, (5, 1): 14, (7, 0): 11, (7, 1): 5, (8, 0): 14, (3, 0): 8, (10, 0): 11}
"""About how often, in percent, chords sound in a key, set by hand: (semitones above the tonic, 0
major or 1 minor)."""


def key_spans(posteriors: Posteriors) -> tuple[KeySpan, ...]:
    """Find the keys of a recording and when they hold, without gaps.

    A recording that does not modulate has one span, of the key that the encoder gives the whole.
    """
    chords = posteriors.heads["chord_frames"]
    duration_s = len(chords) / ENCODER_RATE
    whole = KEYS[int(np.argmax(posteriors.key))]
    edges = np.arange(0, len(chords), _STEP_FRAMES)
    lengths = np.diff([*edges, len(chords)])[:, None]
    means = np.add.reduceat(chords, edges, axis=0) / lengths
    # The last class is no chord, or one of no key in particular.
    heard = means[:, :-1] @ np.log(_chord_table()).T
    scores = heard + _WHOLE_WEIGHT * np.log(posteriors.key + 1e-2)
    path = likeliest_path(scores, _CHANGE)
    runs = equal_runs(path)
    if len(runs) == 1:
        return (KeySpan(0.0, duration_s, whole),)
    times_s = [*(edges / ENCODER_RATE), duration_s]
    return tuple(
        KeySpan(float(times_s[first]), float(times_s[stop]), KEYS[path[first]])
        for first, stop in runs
    )


def _chord_table() -> np.ndarray:
    """Probabilities `(24, 24)` of the chords (columns) in the keys (rows), both as in `KEYS`."""
    table = np.full((24, 24), _ALIEN)
    for mode, usual in enumerate((_MAJOR, _MINOR)):
        for tonic in range(12):
            for (step, quality), percent in usual.items():
                table[tonic + 12 * mode, (tonic + step) % 12 + 12 * quality] = percent / 100
    return table / table.sum(1, keepdims=True)
