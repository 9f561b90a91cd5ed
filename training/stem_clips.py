"""Stems of composed clips on disk, to learn separation from: what each instrument plays.

A clip is `NAME.npy` `(stems, n_samples)` int16, each stem brought to full scale, and `NAME.json`
(instruments, and the gain of each stem in the mix). Both are renamed into place, the sound last,
so a stopped run goes on with the next clip.
"""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from llark_py.analysis.separator_network import SAMPLE_RATE
from llark_py.compose.clip import make_stems
from llark_py.compose.instruments import family_of
from llark_py.compose.soundfonts import check_soundfont

from .recipe import SeparatorClips
from .shards import DEV_SEED, run_jobs

UNSEEN = ("trumpet", "vibraphone", "clarinet", "harp", "accordion", "banjo")
"""Instruments that never sound in training, so that `separate_like` can be judged on them."""
_FULL_SCALE = 32767
_SILENT = 1e-4
_STEM_OF_FAMILY = {"drums": "drums", "bass": "bass", "voice": "vocals", "choir": "vocals"}


@dataclass(frozen=True)
class StemJob:
    """One clip to make."""

    path: Path
    seed: int
    seconds: float
    soundfonts: tuple[str, ...]
    sung: float


def stem_of(instrument: str) -> str:
    """Tell which of the four stems an instrument belongs to; choirs are vocals."""
    return _STEM_OF_FAMILY.get(family_of(instrument), "other")


def draw_stems(seed: int, seconds: float, soundfonts: tuple[str, ...], sung: float) -> dict:
    """Compose a clip and play it: instrument -> `(n_samples,)` float32; silent ones are left out.

    Args:
        seed: Draws the piece, the soundfont and whether somebody must sing.
        seconds: Length.
        soundfonts: One is drawn.
        sung: Share of the clips in which somebody must sing; in the others the style decides.
    """
    rng = random.Random(f"stems {seed}")
    font, must_sing = rng.choice(soundfonts), rng.random() < sung
    stems = make_stems(
        seed, seconds, font, sung=True if must_sing else None, sample_rate=SAMPLE_RATE
    )
    return {
        name: audio.samples
        for name, audio in stems.items()
        if float(np.abs(audio.samples).max()) > _SILENT
    }


def make_stem_clip(job: StemJob) -> Path:
    """Compose, play and write one clip."""
    stems = draw_stems(job.seed, job.seconds, job.soundfonts, job.sung)
    peaks = {name: float(np.abs(samples).max()) for name, samples in stems.items()}
    packed = [np.round(samples / peaks[name] * _FULL_SCALE) for name, samples in stems.items()]
    job.path.parent.mkdir(parents=True, exist_ok=True)
    partial = job.path.with_suffix(f".part{os.getpid()}")
    partial.write_text(json.dumps({"seed": job.seed, "peaks": peaks}), encoding="utf-8")
    partial.replace(job.path.with_suffix(".json"))
    with partial.open("wb") as file:
        np.save(file, np.stack(packed).astype(np.int16))
    partial.replace(job.path)
    return job.path


def make_stem_clips(settings: SeparatorClips, folder: Path) -> None:
    """Make the clips that are not there yet, on all cores.

    Raises:
        MissingExtraError: A soundfont is not installed (nothing is rendered).
    """
    sets = (
        ("dev", DEV_SEED, settings.n_dev, (settings.dev_soundfont,)),
        ("train", settings.seed, settings.n, tuple(settings.soundfonts)),
    )
    for font in (*settings.soundfonts, settings.dev_soundfont):
        check_soundfont(font)
    jobs = [
        StemJob(folder / f"{name}_{i:05d}.npy", first + i, settings.seconds, fonts, settings.sung)
        for name, first, n, fonts in sets
        for i in range(n)
    ]
    waiting = [job for job in jobs if not job.path.exists()]
    run_jobs(make_stem_clip, waiting, settings.workers, "stems")


class StemClips:
    """The clips of a set, memory-mapped.

    Args:
        folder: Where `make_stem_clips` wrote.
        name: `train` or `dev`.
        without: Instruments that are left out.
    """

    def __init__(self, folder: Path, name: str, without: tuple[str, ...] = ()):
        self.paths = sorted(folder.glob(f"{name}_*.npy"))
        self.peaks: list[dict[str, float]] = []
        """Of each clip: instrument -> peak in the mix, without the instruments left out."""
        self.rows: list[dict[str, int]] = []
        for path in self.paths:
            facts: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())
            names = [n for n in facts["peaks"] if n not in without]
            order = list(facts["peaks"])
            self.peaks.append({n: facts["peaks"][n] for n in names})
            self.rows.append({n: order.index(n) for n in names})
        self.by_stem: dict[str, list[tuple[int, str]]] = {}
        """Stem -> (clip, instrument) of everything that plays it."""
        for clip, peaks in enumerate(self.peaks):
            for name in peaks:
                self.by_stem.setdefault(stem_of(name), []).append((clip, name))

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, clip: int, instrument: str, start: int, n: int) -> np.ndarray:
        """Read `n` samples of a stem `(n,)` float32, at its level in the mix."""
        array = np.load(self.paths[clip], mmap_mode="r")
        gain = self.peaks[clip][instrument] / _FULL_SCALE
        return array[self.rows[clip][instrument], start : start + n].astype(np.float32) * gain

    def n_samples(self, clip: int) -> int:
        """Length of a clip in samples."""
        return int(np.load(self.paths[clip], mmap_mode="r").shape[1])
