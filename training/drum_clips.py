"""The clips the drum network learns from: drums and what plays beside them, as mel powers.

A shard is `NAME.npy` `(n, 3, frames, 84)` float16 - logarithms of the mel powers of the drums, of
everything else, and of both as recorded in some room - and `NAME.jsonl`, the strokes of a clip a
line. Both are renamed into place, the powers last, so a stopped run goes on with the next shard.

Some of the clips are composed music as it is. In the others the drums leave the grooves of the
composer, which real drummers do not know: pieces are exchanged, strokes left out, or the whole
part is drawn. In most clips pieces come from several kits, each as loud as chance has it, and many
of those are tuned higher or lower or change their timbre: there are few kits, and what they have in
common is less than what all kits have.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from llark_py.analysis.drum_network import SAMPLE_RATE, mel_powers
from llark_py.analysis.drum_pieces import piece_of
from llark_py.audio import Audio
from llark_py.compose.clip import score_track
from llark_py.compose.drums import PIECES
from llark_py.compose.render import render, render_stems
from llark_py.compose.room import augment, rms, set_peak
from llark_py.compose.score import Part, Score, ScoreNote, compose
from llark_py.compose.soundfonts import check_soundfont
from llark_py.track import DrumHit

from .drum_kits import DRUM_PROGRAMS, play_kits
from .drum_recipe import DrumRecipe
from .shards import run_jobs

DEV_SEED = 640_000_000
# Far from the seeds of every other set, those of the benchmarks above all.
_SEED, _LOOSE_SEED = 600_000_000, 620_000_000
NOTHING = -23.0
"""Logarithm of the power where there is no sound."""
_P_GROOVE, _P_EXCHANGED, _P_DROPPED, _P_VARIED = 0.35, 0.35, 0.1, 0.08
_P_KITS = 0.6
_JITTER_S = 0.006
_CLOSEST_S = 0.06
# How often a piece is among those that are drawn.
_WEIGHTS = {"kick": 4.0, "snare": 4.0, "closed hi-hat": 4.0, "open hi-hat": 2.0}
_WEIGHTS |= {"crash cymbal": 2.0, "ride cymbal": 2.0, "clap": 1.5}
_WEIGHTS |= {"low tom": 1.3, "mid tom": 1.3, "high tom": 1.3}


@dataclass(frozen=True)
class DrumJob:
    """One shard to make: clips `first .. first + n - 1`, of music or of loose drums."""

    path: Path
    first: int
    n: int
    seconds: float
    soundfonts: tuple[str, ...]
    loose: bool


def plan_jobs(recipe: DrumRecipe, folder: Path) -> list[DrumJob]:
    """List the shards of both kinds, those to learn from and those to fit thresholds on."""
    sets = (
        ("train_music", _SEED, recipe.n, False),
        ("train_loose", _LOOSE_SEED, recipe.n_loose, True),
        ("dev_music", DEV_SEED, recipe.n_dev, False),
        ("dev_loose", DEV_SEED + 10_000_000, recipe.n_dev, True),
    )
    size, fonts = recipe.shard_size, tuple(recipe.soundfonts)
    return [
        DrumJob(
            folder / f"{name}_{i // size:05d}",
            seed + recipe.seed + i,
            min(size, n - i),
            recipe.seconds,
            fonts,
            loose,
        )
        for name, seed, n, loose in sets
        for i in range(0, n, size)
    ]


def make_drum_clips(recipe: DrumRecipe, folder: Path) -> None:
    """Make the shards that are not there yet.

    Raises:
        MissingExtraError: A soundfont is not installed (nothing is rendered).
    """
    for name in recipe.soundfonts:
        check_soundfont(name)
    jobs = [j for j in plan_jobs(recipe, folder) if not j.path.with_suffix(".npy").exists()]
    run_jobs(make_drum_shard, jobs, recipe.workers, "drum clips")


def make_drum_shard(job: DrumJob) -> Path:
    """Compose, play and analyse the clips of one shard, and write them."""
    torch.set_num_threads(1)
    powers, strokes = [], []
    for seed in range(job.first, job.first + job.n):
        soundfont = random.Random(f"drum clip {seed}").choice(job.soundfonts)
        draw = draw_loose if job.loose else draw_music
        hits, drums, others = draw(seed, job.seconds, soundfont, job.soundfonts)
        room = augment(drums + others, np.random.default_rng(seed), SAMPLE_RATE)
        powers.append(np.stack([_log_powers(x) for x in (drums, others, room)]))
        strokes.append(json.dumps([[h.time_s, piece_of(h.piece), h.velocity] for h in hits]))
    job.path.parent.mkdir(parents=True, exist_ok=True)
    lines, packed = job.path.with_suffix(".jsonl"), job.path.with_suffix(".npy")
    partial = job.path.with_suffix(f".part{os.getpid()}")
    partial.write_text("\n".join(strokes) + "\n", encoding="utf-8")
    partial.replace(lines)
    with partial.open("wb") as file:
        np.save(file, np.stack(powers))
    partial.replace(packed)
    return packed


def _log_powers(samples: np.ndarray) -> np.ndarray:
    powers = mel_powers(Audio(samples, SAMPLE_RATE)).numpy()
    return np.maximum(np.log(powers + 1e-10), NOTHING).astype(np.float16)


Drawn = tuple[Sequence[DrumHit], np.ndarray, np.ndarray]


def draw_music(seed: int, seconds: float, soundfont: str, kits: Sequence[str]) -> Drawn:
    """Make a clip of composed music: its strokes, the sound of the drums and of everything else.

    Args:
        seed: Draws everything.
        seconds: Length.
        soundfont: What it is played with ...
        kits: ... except for drums of several kits, which come from these.
    """
    score = compose(seed, seconds)
    stems = render_stems(score, soundfont, sample_rate=SAMPLE_RATE)
    silence = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    others = sum((s.samples for name, s in stems.items() if name != "drums"), silence)
    drums = stems["drums"].samples if "drums" in stems else silence
    rng = random.Random(f"kits {seed}")
    if drums.any() and rng.random() < _P_KITS:
        strokes = [note for p in score.parts if p.instrument == "drums" for note in p.notes]
        put_together = play_kits(score, strokes, kits, rng)
        drums = put_together * np.float32(rms(drums) / max(rms(put_together), 1e-6))
    gain = np.float32(0.8 / max(float(np.abs(drums + others).max()), 1e-6))
    return score_track(score, 0.0, seconds).drums, drums * gain, others * gain


def draw_loose(seed: int, seconds: float, soundfont: str, kits: Sequence[str]) -> Drawn:
    """Make a clip of drums that play something of their own; nothing else sounds.

    Args:
        As for `draw_music`.
    """
    rng = random.Random(f"loose {seed}")
    score = compose(seed, seconds)
    notes = _loosened(score, rng)
    part = Part("drums", "drums", rng.choice(DRUM_PROGRAMS), rng.randint(80, 112), 64, notes)
    score = replace(score, parts=(part,))
    if rng.random() < _P_KITS:
        sound = play_kits(score, notes, kits, rng)
    else:
        sound = render(score, soundfont, sample_rate=SAMPLE_RATE).samples
    hits = score_track(score, 0.0, seconds).drums
    return hits, set_peak(sound, 0.8), np.zeros_like(sound)


def _loosened(score: Score, rng: random.Random) -> tuple[ScoreNote, ...]:
    """Exchange pieces of the groove that is there and leave strokes out, or draw a part."""
    grooves = [p.notes for p in score.parts if p.instrument == "drums" and p.notes]
    if not grooves or rng.random() > _P_GROOVE:
        return _scattered(score, rng)
    exchanged = {key: _draw_pieces(1, rng)[0] for key in PIECES if rng.random() < _P_EXCHANGED}
    return tuple(
        note._replace(
            pitch=exchanged.get(note.pitch, note.pitch),
            velocity=min(127, max(25, note.velocity + rng.randint(-20, 20))),
        )
        for note in grooves[0]
        if rng.random() > _P_DROPPED
    )


def _scattered(score: Score, rng: random.Random) -> tuple[ScoreNote, ...]:
    """Draw a part: each piece has a pattern of its own that returns, more or less."""
    step = rng.choice((2, 3, 4, 4, 4))
    beats = (*score.beats_s, score.duration_s)
    grid = [a + (b - a) * i / step for a, b in pairwise(beats) for i in range(step)]
    notes = []
    for key in _draw_pieces(rng.randint(2, 6), rng):
        length = step * rng.choice((1, 2, 4, 4, 8))
        share = rng.choice((0.08, 0.15, 0.25, 0.4, 0.7, 1.0))
        struck = [rng.random() < share for _ in range(length)]
        level = rng.randint(50, 115)
        accents = [level + rng.randint(-25, 12) for _ in range(length)]
        last_s = -1.0
        for number, at_s in enumerate(grid):
            at_s += rng.gauss(0.0, _JITTER_S)
            here = struck[number % length] != (rng.random() < _P_VARIED * share)
            if not here or at_s < 0 or at_s - last_s < _CLOSEST_S:
                continue
            last_s = at_s
            velocity = min(127, max(25, accents[number % length] + rng.randint(-8, 8)))
            notes.append(ScoreNote(at_s, at_s + 0.2, key, velocity))
    return tuple(sorted(notes))


def _draw_pieces(n: int, rng: random.Random) -> list[int]:
    """Draw keys of pieces, common ones more often."""
    keys, drawn = list(PIECES), []
    for _ in range(n):
        key = rng.choices(keys, [_WEIGHTS.get(PIECES[k], 0.5) for k in keys])[0]
        keys.remove(key)
        drawn.append(key)
    return drawn


Strokes = list[tuple[float, str, int]]
"""Of a clip: seconds, piece, velocity."""


class DrumClips:
    """The clips of a set: their powers and their strokes.

    Args:
        folder: Where `make_drum_clips` wrote.
        name: `train_music`, `train_loose`, `dev_music` or `dev_loose`.

    Attributes:
        powers: `(n, 3, frames, 84)` float16, as the file has them.
        strokes: Of each clip, (seconds, piece, velocity).
    """

    def __init__(self, folder: Path, name: str):
        paths = sorted(folder.glob(f"{name}_*.npy"))
        self.powers = np.concatenate([np.load(path) for path in paths])
        self.strokes: list[Strokes] = [
            [(at_s, piece, velocity) for at_s, piece, velocity in json.loads(line)]
            for path in paths
            for line in path.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()
        ]
