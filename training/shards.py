"""First stage of `mini`: composed clips on disk, as packed features and Track records.

A shard is `NAME.npy` `(n, frames, 488)` float16 and `NAME.jsonl`, one Track a line. A shard that
is there is whole (both files are renamed into place, features last), so a stopped run goes on
with the next one, and clip i is the same whichever process makes it.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from llark_py.compose.clip import make_clip
from llark_py.compose.soundfonts import check_soundfont
from llark_py.compose.sounds import NOT_MUSIC
from llark_py.encoders.mini_features import extract_features, normalise_level
from llark_py.track import Track

from .recipe import ClipSettings

DEV_SEED = 500_000_000
"""Clips of the watched set are composed from seeds far from any training seed."""
_P_SUNG_ALONE = 0.35
"""Singers without a band are what is most easily mistaken: for talk, for woodwind."""


@dataclass(frozen=True)
class ShardJob:
    """One shard to make: clips `first .. first + n - 1` of a set."""

    path: Path
    first: int
    n: int
    seconds: float
    soundfonts: tuple[str, ...]
    not_music: float
    recoloured: float = 0.0
    alone: float = 0.0


def clip_kind(seed: int, soundfonts: tuple[str, ...], not_music: float) -> tuple[str, str]:
    """Draw the soundfont and the sound (`music` or one of NOT_MUSIC) of a clip from its seed."""
    rng = random.Random(f"clip {seed}")
    soundfont = rng.choice(soundfonts)
    sound = rng.choice(NOT_MUSIC) if rng.random() < not_music else "music"
    return soundfont, sound


def draw_alone(seed: int, share: float) -> tuple[bool, bool | None]:
    """Draw from its seed whether a clip has one player only, and then whether it must be sung."""
    rng = random.Random(f"alone clip {seed}")
    alone, sung = rng.random() < share, rng.random() < _P_SUNG_ALONE
    return alone, True if alone and sung else None


def make_shard(job: ShardJob) -> Path:
    """Compose, render and analyse the clips of one shard, and write them."""
    torch.set_num_threads(1)
    features, tracks = [], []
    for seed in range(job.first, job.first + job.n):
        soundfont, sound = clip_kind(seed, job.soundfonts, job.not_music)
        recoloured = random.Random(f"recoloured {seed}").random() < job.recoloured
        alone, sung = draw_alone(seed, job.alone)
        track, audio = make_clip(
            seed,
            job.seconds,
            soundfont=soundfont,
            sound=sound,
            recoloured=recoloured,
            alone=alone,
            sung=sung,
        )
        samples = normalise_level(torch.from_numpy(audio.samples)[None])
        features.append(extract_features(samples)[0].half().numpy())
        tracks.append(track.model_dump_json())
    job.path.parent.mkdir(parents=True, exist_ok=True)
    records, packed = job.path.with_suffix(".jsonl"), job.path.with_suffix(".npy")
    partial = job.path.with_suffix(f".part{os.getpid()}")
    partial.write_text("\n".join(tracks) + "\n", encoding="utf-8")
    partial.replace(records)
    with partial.open("wb") as file:
        np.save(file, np.stack(features))
    partial.replace(packed)
    return packed


def plan_shards(settings: ClipSettings, folder: Path) -> list[ShardJob]:
    """List every shard of the training and the watched set."""
    changed = (settings.recoloured, settings.alone)
    sets = (
        ("train", settings.seed, settings.n, tuple(settings.soundfonts), changed),
        ("dev", DEV_SEED, settings.n_dev, (settings.dev_soundfont,), (0.0, 0.0)),
    )
    size = settings.shard_size
    return [
        ShardJob(
            folder / f"{name}_{i // size:05d}",
            seed + i,
            min(size, n - i),
            settings.seconds,
            fonts,
            settings.not_music,
            *shares,
        )
        for name, seed, n, fonts, shares in sets
        for i in range(0, n, size)
    ]


def make_shards(settings: ClipSettings, folder: Path) -> None:
    """Make the shards that are not there yet, on all cores.

    Raises:
        MissingExtraError: A soundfont is not installed (nothing is rendered).
    """
    for name in (*settings.soundfonts, settings.dev_soundfont):
        check_soundfont(name)
    jobs = plan_shards(settings, folder)
    waiting = [job for job in jobs if not job.path.with_suffix(".npy").exists()]
    run_jobs(make_shard, waiting, settings.workers, "clips")


def run_jobs(work: Callable[[Any], Path], jobs: Sequence[Any], workers: int, label: str) -> None:
    """Make shards in processes of their own, telling on stderr what is done.

    Args:
        work: Makes one shard; a function of a module, so that it can be sent to a process.
        jobs: What is given to it.
        workers: Processes; 0 = one a core. With one, or one job, it is done in this process.
        label: What is made.
    """
    workers = workers or os.cpu_count() or 1
    if workers == 1 or len(jobs) < 2:
        for job in jobs:
            work(job)
        return
    # spawn: a forked torch with threads hangs
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        done = as_completed([pool.submit(work, job) for job in jobs])
        for number, finished in enumerate(done, 1):
            name = finished.result().name
            print(f"{label}: {name}, {number} of {len(jobs)}", file=sys.stderr, flush=True)


class Shards:
    """The clips of a set, features memory-mapped.

    Args:
        folder: Where `make_shards` wrote.
        name: `train` or `dev`.
    """

    def __init__(self, folder: Path, name: str):
        self.tracks: list[Track] = []
        self._arrays: list[np.ndarray] = []
        self._ends: list[int] = []
        for path in sorted(folder.glob(f"{name}_*.npy")):
            lines = path.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()
            self.tracks += [Track.model_validate_json(line) for line in lines]
            self._arrays.append(np.load(path, mmap_mode="r"))
            self._ends.append(len(self.tracks))

    def __len__(self) -> int:
        return len(self.tracks)

    def features(self, index: int) -> np.ndarray:
        """Packed features `(frames, 488)` float32 of one clip."""
        shard = int(np.searchsorted(self._ends, index, side="right"))
        first = self._ends[shard - 1] if shard else 0
        return np.asarray(self._arrays[shard][index - first], np.float32)
