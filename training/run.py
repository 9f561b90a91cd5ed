"""Runs a recipe, stage after stage; every stage that is done is taken from disk."""

from __future__ import annotations

import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

import torch

from llark_py.config import dump_config
from llark_py.instruct.grammar import dialogue
from llark_py.instruct.records import record_of, write_records
from llark_py.instruct.simulate import OF_ONE_RECORDING

from .adapt import fit_adapter
from .drum_recipe import DrumRecipe
from .drums import fit_drums
from .encoder import fit_encoder, keep_encoder, new_encoder
from .generative import fit_generative
from .language import fit_language
from .recipe import AdaptRecipe, DebugRecipe, MiniRecipe, Recipe, SeparatorRecipe
from .separator import fit_separator
from .shards import make_shards
from .songs import make_songs

_EXAMPLE_RECORDS = 4


class _Clock:
    """Wall-clock seconds of the stages, summed over resumed runs in `times.json`."""

    def __init__(self, path: Path):
        self.path = path
        self.times: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def run(self, stage: str, work: Any, *arguments: Any) -> Any:
        print(f"stage: {stage}", file=sys.stderr, flush=True)
        start = time.monotonic()
        try:
            return work(*arguments)
        finally:
            seconds = time.monotonic() - start
            self.times[stage] = round(self.times.get(stage, 0.0) + seconds, 1)
            self.times["machine"] = f"{platform.machine()}, {torch.get_num_threads()} threads"
            self.path.write_text(json.dumps(self.times, indent=1) + "\n", encoding="utf-8")


def train_mini(recipe: MiniRecipe) -> Path:
    """Make a `mini` from nothing; returns the folder of the model."""
    from llark_py.benchmarks.listening import evaluate_model
    from llark_py.benchmarks.trial import Trial

    work = recipe.work_dir
    work.mkdir(parents=True, exist_ok=True)
    clock = _Clock(work / "times.json")
    # 1. music and its features
    clips = work / "clips"
    clock.run("clips", make_shards, recipe.clips, clips)
    if recipe.encoder.steps:
        # 2. the encoder learns to foresee what comes next
        encoder = clock.run(
            "generate", fit_generative, recipe, new_encoder(recipe), clips, work / "generate"
        )
        # 3. and to name what it hears
        encoder = clock.run("encoder", fit_encoder, recipe, clips, work / "encoder", encoder)
    else:
        encoder = clock.run("encoder", keep_encoder, recipe, work / "encoder")
    # 4. whole songs, as this encoder hears them
    songs = work / "songs"
    if recipe.songs.n:
        fonts = recipe.clips.soundfonts
        clock.run("songs", make_songs, recipe.songs, fonts, work / "encoder", songs)
    # 5. the language model learns to talk about it and to call tools
    model, processor = clock.run(
        "language", fit_language, recipe, encoder, clips, songs, work / "language"
    )
    # 6. the numbers that go with it, then the model in its shipping form
    report = clock.run(
        "evaluation", evaluate_model, model, processor, Trial(recipe.evaluation_clips)
    )
    save_for_shipping(model, processor, recipe.output_dir)
    dump_config(recipe, recipe.output_dir / "recipe.yaml")
    text = json.dumps({"report": report, "stage_seconds": clock.times}, indent=1)
    (recipe.output_dir / "training.json").write_text(text + "\n", encoding="utf-8")
    return recipe.output_dir


def save_for_shipping(model: Any, processor: Any, folder: Path) -> None:
    """Save in bfloat16: half the size, and the answers stay the same."""
    from llark_py.model.checkpoint import save_model

    dtype = next(model.parameters()).dtype
    save_model(model.to(torch.bfloat16), processor, folder)
    model.to(dtype)


def write_example_data(folder: Path) -> Path:
    """Write a small JSONL of conversations with its recordings, as a user's own might be."""
    import random

    from llark_py.audio import save_audio
    from llark_py.compose.clip import make_clip

    folder.mkdir(parents=True, exist_ok=True)
    records = []
    for seed in range(_EXAMPLE_RECORDS):
        track, audio = make_clip(seed, 5.0)
        save_audio(audio, folder / f"{seed}.wav")
        spoken = dialogue(track, random.Random(seed), n_turns=2, tools=OF_ONE_RECORDING)
        records.append(record_of(spoken, id=track.id, source="grammar", audio=f"{seed}.wav"))
    path = folder / "conversations.jsonl"
    write_records(records, path)
    return path


def train_debug(recipe: DebugRecipe) -> Path:
    """Run every stage small, then LoRA on the result; returns the folder of the adapter."""
    fit_separator(recipe.separator)
    model = train_mini(recipe.mini)
    fit_drums(recipe.drums)
    data = write_example_data(recipe.mini.work_dir / "conversations")
    return fit_adapter(
        AdaptRecipe(
            model=str(model.resolve()),
            data=data,
            output_dir=recipe.adapter_dir,
            lora=recipe.lora,
            fit=recipe.fit,
            dtype="float32",
        )
    )


def train(recipe: Recipe) -> Path:
    """Run a recipe and return the folder of what it made."""
    if isinstance(recipe, MiniRecipe):
        return train_mini(recipe)
    if isinstance(recipe, DebugRecipe):
        return train_debug(recipe)
    if isinstance(recipe, SeparatorRecipe):
        return fit_separator(recipe)
    folder = fit_drums(recipe) if isinstance(recipe, DrumRecipe) else fit_adapter(recipe)
    dump_config(recipe, folder / "recipe.yaml")
    return folder
