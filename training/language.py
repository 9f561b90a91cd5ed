"""Third stage of `mini`: tokenizer, projector and a small Llama over the frozen encoder.

What the encoder hears stays as it is; only the layers that turn its posteriors into concept
tokens are trained with the language model.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import GenerationConfig, LlamaConfig, PreTrainedTokenizerFast

from llark_py.encoders.mini import MiniEncoder
from llark_py.instruct.tokenizer import train_tokenizer
from llark_py.model import LlarkConfig, LlarkForConditionalGeneration, LlarkProcessor
from llark_py.model.checkpoint import load_model, save_model
from llark_py.model.feature_extraction import LlarkFeatureExtractor
from llark_py.prompting import render_prompt

from .dialogues import HEARD, MEASURED, TOOLS, draw_tools, encode_chats, tool_specs, write_chats
from .fitting import Indices, fit
from .labels import IGNORE
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


def spoken_loss(model: LlarkForConditionalGeneration, batch: dict[str, Tensor]) -> Tensor:
    """Cross entropy of what is to be said, with logits at those positions only.

    They are one in six, and the head costs as much as all layers of so small a model.
    """
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    hidden = model.model(**inputs).last_hidden_state[:, :-1]
    target = batch["labels"][:, 1:]
    said = target != IGNORE
    return cross_entropy(model.lm_head(hidden[said]).float(), target[said])


class _Conversations:
    """Batches of conversations about clips, heard or (`hear=False`) only read.

    Args:
        recipe: Sizes.
        shards: The clips.
        processor: Of the model.
        turns: Questions in a conversation.
        families: What is asked; None for everything.
        hear: Give the windows themselves; else one empty frame stands for the recording.
    """

    def __init__(
        self,
        recipe: MiniRecipe,
        shards: Shards,
        processor: LlarkProcessor,
        turns: int,
        families: Sequence[str] | None = None,
        hear: bool = True,
    ):
        self.settings, self.shards, self.processor = recipe.language, shards, processor
        self.turns, self.families, self.hear = turns, families, hear
        self.rng = random.Random(f"{families} {recipe.seed}")
        self.system = render_prompt("system")

    def __call__(self, indices: list[int]) -> dict[str, Tensor]:
        audio = self.processor.feature_extractor.audio_config
        if self.hear:
            features, tracks = draw_batch(self.shards, indices, self.rng)
            n_tokens = audio.num_output_frames(features.shape[1])
        else:
            tracks, n_tokens = [self.shards.tracks[i] for i in indices], 1
        # Where only some things are asked, all tools are there to answer them.
        tools = list(TOOLS) if self.families else draw_tools(self.rng)
        chats, heard = write_chats(tracks, self.system, tools, self.turns, self.rng, self.families)
        limit = self.settings.max_text_tokens
        batch = encode_chats(self.processor, chats, tools, len(heard), n_tokens, limit)
        if self.hear:
            return {"input_values": features[heard], **batch}
        return {"input_features": torch.zeros(len(heard), 1, audio.width), **batch}


class _Alternate:
    """Takes batches from several makers in turn."""

    def __init__(self, *makers: _Conversations):
        self.turn = cycle(makers)

    def __call__(self, indices: list[int]) -> dict[str, Tensor]:
        return next(self.turn)(indices)


def fit_language(
    recipe: MiniRecipe, encoder: MiniEncoder, shard_folder: Path, folder: Path
) -> tuple[Any, LlarkProcessor]:
    """Fit projector and language model, or load them when this stage is done."""
    if (folder / "config.json").exists():
        return load_model(folder)
    shards = Shards(shard_folder, "train")
    tokenizer = make_tokenizer(recipe, shards, folder / "tokenizer")
    model, processor = new_model(recipe, encoder, tokenizer)
    settings = recipe.language
    # To quote a result and to look up what was heard are each learned in one sudden step, which
    # comes only when little else is asked: so both are practised first, and all along.
    short = settings.basic_turns
    ear = _Conversations(recipe, shards, processor, short, HEARD)
    tools = _Conversations(recipe, shards, processor, short, MEASURED, hear=False)
    everything = _Conversations(recipe, shards, processor, settings.turns)
    for stage, steps, collate in (
        ("basics", settings.basic_steps, _Alternate(ear, tools)),
        ("all", settings.steps, _Alternate(everything, ear, everything, tools)),
    ):
        if steps:
            fit(
                model,
                Indices(len(shards)),
                collate,
                settings.model_copy(update={"steps": steps}),
                folder / f"{stage}-checkpoints",
                recipe.seed,
                loss=spoken_loss,
            )
    save_model(model, processor, folder)
    return model.eval(), processor
