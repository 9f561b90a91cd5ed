"""What the separation tools are tried on: mixes of which every part is known.

They are played with a soundfont that training never used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from llark_py.audio import Audio
from llark_py.benchmarks.clips import FIRST_SEED
from llark_py.compose.clip import make_stems
from llark_py.compose.instruments import family_of
from llark_py.compose.score import compose

STEM_OF_FAMILY = {"drums": "drums", "bass": "bass", "voice": "vocals", "choir": "vocals"}
"""Every other family is in the stem `other`."""
UNSEEN = ("trumpet", "vibraphone", "clarinet", "harp", "accordion", "banjo")
"""Instruments that the embedded separator never met in training (`training/stem_clips.py`)."""
MIX_S = 20.0
SAMPLE_RATE = 44_100
_MIX_SEED, _LIKE_SEED = FIRST_SEED + 70_000_000, FIRST_SEED + 80_000_000
_SEEDS_EACH = 200
_FEWEST_PARTS = 3
_SOUNDING = 1e-3  # of full scale, root mean square


@dataclass(frozen=True, eq=False)
class Mix:
    """A mix and what it was made of: name -> `(n_samples,)` float32; nothing in it is silent."""

    id: str
    parts: Mapping[str, np.ndarray]

    @property
    def audio(self) -> Audio:
        """The sum of the parts."""
        return Audio(np.sum(list(self.parts.values()), axis=0), SAMPLE_RATE)


def compose_mixes(n: int, soundfont: str, skip: int = 0) -> list[Mix]:
    """Compose `n` sung pieces with drums and bass, as the stems vocals, drums, bass and other."""
    mixes = []
    for i in range(skip, skip + n):
        seed = _find(_MIX_SEED, i, {"voice", "drums", "bass"}, sung=True)
        stems: dict[str, np.ndarray] = {}
        played = make_stems(seed, MIX_S, soundfont, sung=True, sample_rate=SAMPLE_RATE)
        for name, audio in played.items():
            stem = STEM_OF_FAMILY.get(family_of(name), "other")
            stems[stem] = stems.get(stem, 0.0) + audio.samples
        mixes.append(Mix(f"mix-{seed}", _sounding(stems)))
    return mixes


def compose_unseen(n: int, soundfont: str, skip: int = 0) -> list[tuple[Mix, str]]:
    """Compose `n` pieces in which an instrument of `UNSEEN` plays among others; name it too."""
    found = []
    for i in range(skip, skip + n):
        wanted = UNSEEN[i % len(UNSEEN)]
        for seed in _seeds(_LIKE_SEED, i):
            names = {part.instrument for part in compose(seed, MIX_S).parts}
            if wanted in names and len(names) >= _FEWEST_PARTS:
                break
        played = make_stems(seed, MIX_S, soundfont, sample_rate=SAMPLE_RATE)
        parts = _sounding({name: audio.samples for name, audio in played.items()})
        if wanted in parts:
            found.append((Mix(f"unseen-{seed}", parts), wanted))
    return found


def best_example(part: np.ndarray, seconds: float) -> tuple[float, float]:
    """Find the span in which a part is loudest, from and to in seconds."""
    n = round(seconds * SAMPLE_RATE)
    energy = np.concatenate([[0.0], np.cumsum(part.astype(np.float64) ** 2)])
    hop = SAMPLE_RATE // 10
    starts = np.arange(0, len(part) - n + 1, hop)
    first = int(starts[(energy[starts + n] - energy[starts]).argmax()])
    return first / SAMPLE_RATE, first / SAMPLE_RATE + seconds


def _find(base: int, index: int, families: set[str], sung: bool) -> int:
    for seed in _seeds(base, index):
        parts = compose(seed, MIX_S, sung=sung).parts
        if {family_of(part.instrument) for part in parts} >= families:
            break
    return seed


def _seeds(base: int, index: int) -> range:
    return range(base + index * _SEEDS_EACH, base + (index + 1) * _SEEDS_EACH)


def _sounding(parts: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {k: v for k, v in parts.items() if float(np.sqrt(np.mean(v**2))) > _SOUNDING}
