"""Fine-tuning on conversations about recordings: LoRA on any llark model, or full scale.

The encoder is frozen, so every recording is encoded once and its frames are kept on disk.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from llark_py.audio import load_audio
from llark_py.embedded import embedded_folder
from llark_py.encoders import encoder_config
from llark_py.errors import AudioError, ConfigError
from llark_py.instruct.records import InstructionRecord, read_records
from llark_py.model import LlarkProcessor
from llark_py.model.chat import with_notes
from llark_py.model.checkpoint import build_model, load_model, save_model
from llark_py.model.lora import add_lora
from llark_py.prompting import render_prompt

from .fitting import Indices, fit
from .labels import IGNORE
from .recipe import AdaptRecipe


def start_model(recipe: AdaptRecipe) -> tuple[Any, LlarkProcessor]:
    """Load the model to start from, or put a new one together from an encoder and an LLM.

    Raises:
        ConfigError: Both `model` and `language_model` are given, or the encoder has no name.
        CheckpointError: Weights cannot be loaded.
    """
    if recipe.language_model is None:
        return load_model(recipe.model or embedded_folder(), dtype=recipe.dtype)
    if recipe.model is not None:
        raise ConfigError("give either model or language_model, not both")
    settings = dict(recipe.encoder)
    name = settings.pop("name", None)
    if not isinstance(name, str):
        raise ConfigError("encoder.name is missing: the name of an encoder such as musicgen")
    audio_config = encoder_config(name, **settings)
    return build_model(
        audio_config, recipe.language_model, projector=recipe.projector, dtype=recipe.dtype
    )


def encode_recordings(
    model: Any, records: list[InstructionRecord], recipe: AdaptRecipe, folder: Path
) -> list[Path]:
    """Encode the recording of every record once; returns the file of frames of each.

    What the encoder writes of a recording lies beside its frames (`.txt`).

    Raises:
        AudioError: A recording cannot be read; says which record.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rate = model.config.audio_config.sample_rate
    tower = model.audio_tower if hasattr(model, "audio_tower") else model.model.audio_tower
    weight = next(tower.parameters())
    files = []
    for number, record in enumerate(records, 1):
        if not record.audio:
            raise ConfigError(f"record {number} has no audio; fine-tuning needs recordings")
        path = recipe.data.parent / record.audio
        try:
            audio = load_audio(path, sample_rate=rate, mono=True, max_duration_s=recipe.max_audio_s)
        except AudioError as error:
            raise AudioError(f"record {number}: {error}") from error
        file = folder / f"{audio.content_hash}.npy"
        if not file.exists():
            samples = torch.from_numpy(np.ascontiguousarray(audio.samples))
            encoded = model.encode_recording(samples.to(weight.device, weight.dtype))
            if encoded.notes:
                file.with_suffix(".txt").write_text(encoded.notes, encoding="utf-8")
            partial = file.with_suffix(".part")
            with partial.open("wb") as out:
                np.save(out, encoded.frames.float().cpu().numpy().astype(np.float16))
            partial.replace(file)
            print(f"encoded {number} of {len(records)}", file=sys.stderr, flush=True)
        files.append(file)
    return files


def read_notes(frames: Path) -> str | None:
    """Read what the encoder wrote of a recording, given the file of its frames."""
    file = frames.with_suffix(".txt")
    return file.read_text(encoding="utf-8") if file.exists() else None


def fit_adapter(recipe: AdaptRecipe) -> Path:
    """Run the recipe and return the folder of the adapter (or, without LoRA, of the model).

    Raises:
        ConfigError: The data holds no usable conversation.
    """
    records = list(read_records(recipe.data))
    model, processor = start_model(recipe)
    model.freeze_audio_tower()
    if torch.cuda.is_available():
        model.to("cuda")
    files = encode_recordings(model, records, recipe, recipe.output_dir / "frames")
    if recipe.lora is not None:
        settings = recipe.lora
        model = add_lora(model, settings.r, settings.alpha, settings.dropout)
    opening = {"role": "system", "content": render_prompt("system")}
    chats = [
        with_notes(chat if chat[0]["role"] == "system" else [opening, *chat], [read_notes(file)])
        for chat, file in zip((record.chat for record in records), files, strict=True)
    ]

    def collate(indices: list[int]) -> dict[str, Any]:
        inputs = processor.apply_chat_template(
            [chats[i] for i in indices],
            tokenize=True,
            return_dict=True,
            return_assistant_tokens_mask=True,
            audio_frames=[np.load(files[i]).astype(np.float32) for i in indices],
            processor_kwargs={"padding_side": "right"},
        )
        inputs = dict(inputs)
        spoken = inputs.pop("assistant_masks").bool() & inputs["attention_mask"].bool()
        inputs["labels"] = torch.where(spoken, inputs["input_ids"], IGNORE)
        for name in ("input_ids", "attention_mask", "labels"):
            inputs[name] = inputs[name][:, : recipe.max_tokens]
        return inputs

    model.train()
    fit(
        model,
        Indices(len(records)),
        collate,
        recipe.fit,
        recipe.output_dir / "checkpoints",
        recipe.seed,
    )
    save_model(model, processor, recipe.output_dir)
    return recipe.output_dir
