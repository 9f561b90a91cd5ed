"""A stage of `mini`: songs and excerpts, composed, heard by the fitted encoder, kept as heard.

To hear a song of two minutes costs more than a step of the language model on it, so it is done
once. A shard is `NAME.safetensors` (what the encoder heard, float16) and `NAME.jsonl` (facts, form
and notes, one song a line); both are renamed into place, the tensors last.
"""

from __future__ import annotations

import json
import math
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from llark_py.compose.clip import make_clip, make_song
from llark_py.compose.score import WHOLE_S
from llark_py.compose.soundfonts import check_soundfont
from llark_py.encoders.mini import Heard, MiniEncoder
from llark_py.encoders.mini_form import Form, Section, Span
from llark_py.encoders.mini_notes import write_notes
from llark_py.track import Track

from .recipe import SongSettings
from .shards import run_jobs


@dataclass(frozen=True)
class SongJob:
    """One shard to make: songs `first .. first + n - 1`."""

    path: Path
    first: int
    n: int
    seconds: tuple[float, float]
    soundfonts: tuple[str, ...]
    encoder: Path


@dataclass(frozen=True)
class Song:
    """A song and what the encoder made of it."""

    track: Track
    heard: Heard
    form: Form
    notes: str


def _draw_length(limits: tuple[float, float], rng: random.Random) -> float:
    """Draw a length in seconds, evenly on a logarithmic scale: people also ask about excerpts."""
    shortest, longest = limits
    return math.exp(rng.uniform(math.log(shortest), math.log(longest)))


@lru_cache(maxsize=1)
def _listener(folder: Path) -> MiniEncoder:
    return MiniEncoder.from_pretrained(folder).eval()


def make_song_shard(job: SongJob) -> Path:
    """Compose, render and hear the songs of one shard, and write them."""
    torch.set_num_threads(1)
    encoder = _listener(job.encoder)
    tensors: dict[str, torch.Tensor] = {}
    lines = []
    for number, seed in enumerate(range(job.first, job.first + job.n)):
        rng = random.Random(f"song {seed}")
        soundfont, seconds = rng.choice(job.soundfonts), _draw_length(job.seconds, rng)
        make = make_song if seconds >= WHOLE_S else make_clip
        track, audio = make(seed, seconds, soundfont)
        samples = audio.mono().resample(encoder.config.sample_rate).samples
        hearing = encoder.listen(samples)
        tensors |= {f"{number}/{name}": t.half() for name, t in _flatten(hearing.heard).items()}
        lines.append(
            json.dumps(
                {
                    "track": track.model_dump(mode="json"),
                    "frame_heads": list(hearing.heard.frame_posteriors),
                    "form": _form_to_json(hearing.form),
                    "notes": write_notes(hearing, encoder.config),
                }
            )
        )
    job.path.parent.mkdir(parents=True, exist_ok=True)
    packed = job.path.with_suffix(".safetensors")
    partial = job.path.with_suffix(f".part{os.getpid()}")
    partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
    partial.replace(job.path.with_suffix(".jsonl"))
    save_file({name: t.contiguous() for name, t in tensors.items()}, partial)
    partial.replace(packed)
    return packed


def plan_songs(
    settings: SongSettings, soundfonts: Sequence[str], encoder: Path, folder: Path
) -> list[SongJob]:
    """List every shard of songs."""
    fonts, size = tuple(settings.soundfonts or soundfonts), settings.shard_size
    seconds = (settings.shortest_s, settings.longest_s)
    return [
        SongJob(
            folder / f"songs_{i // size:05d}",
            settings.seed + i,
            min(size, settings.n - i),
            seconds,
            fonts,
            encoder,
        )
        for i in range(0, settings.n, size)
    ]


def make_songs(
    settings: SongSettings, soundfonts: Sequence[str], encoder: Path, folder: Path
) -> None:
    """Make the shards of songs that are not there yet, on all cores.

    Args:
        settings: How many, how long.
        soundfonts: Of the clips, used where `settings` names none.
        encoder: Folder of the fitted encoder.
        folder: Where the shards go.

    Raises:
        MissingExtraError: A soundfont is not installed (nothing is rendered).
    """
    jobs = plan_songs(settings, soundfonts, encoder, folder)
    for name in {font for job in jobs for font in job.soundfonts}:
        check_soundfont(name)
    waiting = [job for job in jobs if not job.path.with_suffix(".safetensors").exists()]
    run_jobs(make_song_shard, waiting, settings.workers, "songs")


class Songs:
    """The songs of a folder; what was heard is read when it is asked for."""

    def __init__(self, folder: Path):
        self._places: list[tuple[Path, int]] = []
        self._records: list[dict[str, Any]] = []
        for path in sorted(folder.glob("songs_*.safetensors")):
            lines = path.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()
            self._records += [json.loads(line) for line in lines]
            self._places += [(path, number) for number in range(len(lines))]

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> Song:
        path, number = self._places[index]
        record, prefix = self._records[index], f"{number}/"
        with safe_open(path, framework="pt") as file:
            names = [n for n in file.keys() if n.startswith(prefix)]  # noqa: SIM118 - no dict
            found = {n.removeprefix(prefix): file.get_tensor(n).float() for n in names}
        return Song(
            Track.model_validate(record["track"]),
            _unflatten(found, record["frame_heads"]),
            _form_from_json(record["form"]),
            record["notes"],
        )


def _flatten(heard: Heard) -> dict[str, torch.Tensor]:
    named = {f"posteriors/{head}": p for head, p in heard.posteriors.items()}
    named |= {f"frame_posteriors/{head}": p for head, p in heard.frame_posteriors.items()}
    return {"tokens": heard.tokens, **named}


def _unflatten(tensors: dict[str, torch.Tensor], frame_heads: Sequence[str]) -> Heard:
    """Undo `_flatten`; frames are read in the order of their heads."""
    heads = [n.removeprefix("posteriors/") for n in tensors if n.startswith("posteriors/")]
    return Heard(
        tensors["tokens"],
        {head: tensors[f"posteriors/{head}"] for head in heads},
        {head: tensors[f"frame_posteriors/{head}"] for head in frame_heads},
    )


def _form_to_json(form: Form) -> dict[str, Any]:
    return {"duration_s": form.duration_s, "spans": form.spans, "sections": form.sections}


def _form_from_json(record: dict[str, Any]) -> Form:
    return Form(
        record["duration_s"],
        {name: tuple(Span(*s) for s in spans) for name, spans in record["spans"].items()},
        tuple(Section(*s) for s in record["sections"]),
    )
