"""Third stage of `mini`: tokenizer, projector and a small Llama over the frozen encoder.

What the encoder hears stays as it is; only the layers that turn its posteriors into concept
tokens are trained with the language model.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig, LlamaConfig, PreTrainedTokenizerFast

from llark_py.encoders.mini import MiniEncoder
from llark_py.instruct.tokenizer import train_tokenizer
from llark_py.model import LlarkConfig, LlarkForConditionalGeneration, LlarkProcessor
from llark_py.model.checkpoint import load_model, save_model
from llark_py.model.feature_extraction import LlarkFeatureExtractor
from llark_py.prompting import render_prompt

from .dialogues import MEASURED, TOOLS, draw_tools, encode_chats, tool_specs, write_chats
from .fitting import Indices, fit
from .recipe import MiniRecipe
from .shards import Shards
from .windows import draw_batch

_CONTEXT = 2_048


def make_tokenizer(recipe: MiniRecipe, shards: Shards, folder: Path) -> PreTrainedTokenizerFast:
    """Train the tokenizer on dialogues about the training clips, or load the one made before."""
    if (folder / "tokenizer_config.json").exists():
        return PreTrainedTokenizerFast.from_pretrained(folder)
    settings, rng = recipe.language, random.Random(f"tokenizer {recipe.seed}")
    template = train_tokenizer(["a"], 400)  # only lends its chat template to write the corpus
    system = render_prompt("system")
    texts: list[str] = []
    while len(texts) < settings.corpus_dialogues:
        tools = draw_tools(rng)
        track = shards.tracks[rng.randrange(len(shards))]
        (chat,), _ = write_chats([track], system, tools, settings.turns, rng)
        texts.append(
            template.apply_chat_template(chat, tools=tool_specs(tools) or None, tokenize=False)
        )
    tokenizer = train_tokenizer(texts, settings.vocab_size)
    tokenizer.save_pretrained(folder)
    return tokenizer


def new_model(
    recipe: MiniRecipe, encoder: MiniEncoder, tokenizer: PreTrainedTokenizerFast
) -> tuple[LlarkForConditionalGeneration, LlarkProcessor]:
    """Put the fitted encoder under a new projector and language model."""
    processor = LlarkProcessor(LlarkFeatureExtractor(encoder.config), tokenizer)
    settings = recipe.language
    text_config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=settings.width,
        intermediate_size=settings.width * 11 // 4,
        num_hidden_layers=settings.n_layers,
        num_attention_heads=settings.width // 64,
        num_key_value_heads=settings.width // 64,
        max_position_embeddings=_CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    config = LlarkConfig(
        audio_config=encoder.config,
        text_config=text_config,
        projector="mlp",
        audio_token_id=processor.audio_token_id,
        audio_bos_token_id=processor.audio_bos_token_id,
        audio_eos_token_id=processor.audio_eos_token_id,
    )
    torch.manual_seed(recipe.seed + 1)
    model = LlarkForConditionalGeneration(config)
    model.model.audio_tower.load_state_dict(encoder.state_dict())
    model.model.audio_tower.network.requires_grad_(False)
    model.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        do_sample=False,
        max_new_tokens=160,
    )
    return model, processor


def _words_only(
    recipe: MiniRecipe,
    shards: Shards,
    processor: LlarkProcessor,
    stage: str,
    families: Sequence[str] | None,
) -> Callable[[list[int]], dict[str, Tensor]]:
    """Make the collator of a stage without listening; tool questions are asked with all tools."""
    settings, system = recipe.language, render_prompt("system")
    rng = random.Random(f"{stage} {recipe.seed}")
    width = processor.feature_extractor.audio_config.width

    def collate(indices: list[int]) -> dict[str, Tensor]:
        tools = list(TOOLS) if families else draw_tools(rng)
        tracks = [shards.tracks[i] for i in indices]
        chats, heard = write_chats(tracks, system, tools, settings.turns, rng, families)
        limit, questions_too = settings.max_text_tokens, families is None
        batch = encode_chats(processor, chats, tools, len(heard), 1, limit, questions_too)
        return {"input_features": torch.zeros(len(heard), 1, width), **batch}

    return collate


def fit_language(
    recipe: MiniRecipe, encoder: MiniEncoder, shard_folder: Path, folder: Path
) -> tuple[Any, LlarkProcessor]:
    """Fit projector and language model, or load them when this stage is done."""
    if (folder / "config.json").exists():
        return load_model(folder)
    shards = Shards(shard_folder, "train")
    tokenizer = make_tokenizer(recipe, shards, folder / "tokenizer")
    model, processor = new_model(recipe, encoder, tokenizer)
    settings, system = recipe.language, render_prompt("system")
    for stage, steps, families in (
        ("tools", settings.tool_steps, MEASURED),
        ("text", settings.text_steps, None),
    ):
        if steps:
            collate_words = _words_only(recipe, shards, processor, stage, families)
            stage_settings = settings.model_copy(update={"steps": steps})
            checkpoints = folder / f"{stage}-checkpoints"
            seed = recipe.seed
            fit(model, Indices(len(shards)), collate_words, stage_settings, checkpoints, seed)

    rng_heard = random.Random(f"language {recipe.seed}")

    def collate(indices: list[int]) -> dict[str, Tensor]:
        features, tracks = draw_batch(shards, indices, rng_heard)
        tools = draw_tools(rng_heard)
        chats, heard = write_chats(tracks, system, tools, settings.turns, rng_heard)
        n_tokens = encoder.config.num_output_frames(features.shape[1])
        limit = settings.max_text_tokens
        batch = encode_chats(processor, chats, tools, len(heard), n_tokens, limit)
        return {"input_values": features[heard], **batch}

    fit(
        model,
        Indices(len(shards)),
        collate,
        settings,
        folder / "checkpoints",
        recipe.seed,
    )
    save_model(model, processor, folder)
    return model.eval(), processor
