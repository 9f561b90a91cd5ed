"""Puts drum kits together for the drum network: pieces of several kits, tuned and coloured anew.

There are few kits and many ways to put one together. What pieces of the same name have in common
in all of these (how they begin, which die away first) is nearer to what they have in common in
kits that nobody has heard yet.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import soxr

from llark_py.analysis.drum_network import SAMPLE_RATE
from llark_py.compose.drums import PIECES
from llark_py.compose.recolour import recolour
from llark_py.compose.render import render
from llark_py.compose.score import Part, Score, ScoreNote

DRUM_PROGRAMS = (0, 8, 16, 24, 25, 26, 32, 40, 48)
"""Kits of General MIDI's second level."""
_KIT_DB = 3.0
_P_TUNED, _TUNED_SEMITONES, _P_RECOLOURED = 0.6, 2.5, 0.4


def play_kits(
    score: Score, strokes: Sequence[ScoreNote], soundfonts: Sequence[str], rng: random.Random
) -> np.ndarray:
    """Play drums on a kit whose pieces come from two to four kits, hi-hats from one.

    Args:
        score: The piece that they are part of.
        strokes: What is struck.
        soundfonts: Each kit is of one of these.
        rng: Draws the kits, which pieces are theirs, and how loud, high and coloured they are.

    Returns:
        `(n_samples,)` float32 at `SAMPLE_RATE`, at no level in particular.
    """
    n_kits = rng.randint(2, 4)
    names = sorted({_played_as_one(PIECES[note.pitch]) for note in strokes})
    kit_of = {name: rng.randrange(n_kits) for name in names}
    total = np.zeros(round(score.duration_s * SAMPLE_RATE), np.float32)
    for kit in range(n_kits):
        theirs = tuple(n for n in strokes if kit_of[_played_as_one(PIECES[n.pitch])] == kit)
        part = Part("drums", "drums", rng.choice(DRUM_PROGRAMS), 100, 64, theirs)
        alone = replace(score, parts=(part,), seed=rng.getrandbits(30))
        soundfont, gain_db = rng.choice(soundfonts), rng.gauss(0.0, _KIT_DB)
        tuned = rng.gauss(0.0, _TUNED_SEMITONES) if rng.random() < _P_TUNED else 0.0
        recoloured, draw = rng.random() < _P_RECOLOURED, rng.getrandbits(30)
        if theirs:
            sound = play_tuned(alone, soundfont, 2 ** (tuned / 12))[: len(total)]
            if recoloured:
                sound = recolour(sound, np.random.default_rng(draw), SAMPLE_RATE)
            total[: len(sound)] += sound * np.float32(10 ** (gain_db / 20))
    return total


def play_tuned(score: Score, soundfont: str, ratio: float) -> np.ndarray:
    """Play drums as a tape would that runs at another speed, but struck at their own times.

    Args:
        score: Nothing but drums.
        soundfont: What plays.
        ratio: Of the pitches to the usual ones; they die away as much faster.

    Returns:
        `(n_samples,)` float32 at `SAMPLE_RATE`, within a sample as long as the score.
    """
    slowed = replace(
        score,
        duration_s=score.duration_s * ratio,
        parts=tuple(
            replace(
                part,
                notes=tuple(
                    n._replace(start_s=n.start_s * ratio, end_s=n.end_s * ratio) for n in part.notes
                ),
            )
            for part in score.parts
        ),
    )
    sound = render(slowed, soundfont, sample_rate=SAMPLE_RATE).samples
    return sound if ratio == 1 else soxr.resample(sound, SAMPLE_RATE * ratio, SAMPLE_RATE)


def _played_as_one(piece: str) -> str:
    """Name what comes from the same kit: an open hi-hat is stopped by a closed one."""
    return "hi-hat" if piece.endswith("hi-hat") else piece
