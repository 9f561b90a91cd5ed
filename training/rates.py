"""Measures how often things occur in composed music, so that yes/no questions stay balanced.

`python -m llark_py.training.rates` writes `prompts/grammar/rates.yaml`; run it after a change of
the composer. Takes about a minute.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from random import Random

import yaml

import llark_py.prompts
from llark_py.compose.clip import score_track
from llark_py.compose.score import compose
from llark_py.instruct.balance import Rates, measure_rates

from .recipe import MiniRecipe

N_EXCERPTS, EXCERPT_S = 4000, 10.0
N_SONGS, SONG_S = 500, (40.0, 240.0)
_HEADER = f"""\
# How often each thing occurs in composed music, written by `python -m llark_py.training.rates`:
# {N_EXCERPTS} excerpts of {EXCERPT_S:g} s; sections and changes in {N_SONGS} songs of \
{SONG_S[0]:g} to {SONG_S[1]:g} s.
# Keeps yes/no questions balanced.
"""


def measure_composed(n_excerpts: int = N_EXCERPTS, n_songs: int = N_SONGS) -> Rates:
    """Measure excerpts, and whole songs for what takes time to happen."""
    rng = Random("rates")
    excerpts = measure_rates(score_track(compose(seed, EXCERPT_S)) for seed in range(n_excerpts))
    songs = measure_rates(
        score_track(compose(seed, rng.uniform(*SONG_S))) for seed in range(n_songs)
    )
    not_music = MiniRecipe().clips.not_music
    return replace(
        excerpts,
        sections=songs.sections,
        changes=songs.changes,
        sounds={"music": round(1.0 - not_music, 4), "other": not_music},
    )


if __name__ == "__main__":
    path = Path(llark_py.prompts.__file__).parent / "grammar" / "rates.yaml"
    path.write_text(_HEADER + yaml.safe_dump(asdict(measure_composed())), encoding="utf-8")
