"""Third stage of `mini`: tokenizer, projector and a small Llama over the frozen encoder.

What the encoder hears stays as it is; only the layers that turn its posteriors into concept
tokens (and, with `song_frames`, its clock) are trained with the language model.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import GenerationConfig, LlamaConfig, PreTrainedTokenizerFast

from llark_py.encoders.mini import MiniEncoder
from llark_py.errors import ConfigError
from llark_py.instruct.grammar import COMPARED, HEARD, MADE, MEASURED, TALK, TOLD, TOOL_FIRST, WHEN
from llark_py.instruct.tokenizer import train_tokenizer
from llark_py.model import LlarkConfig, LlarkForConditionalGeneration, LlarkProcessor
from llark_py.model.checkpoint import load_model, save_model
from llark_py.model.feature_extraction import LlarkFeatureExtractor

from .conversations import AboutClips, AboutSongs, BatchMaker, Schedule
from .dialogues import TOOLS, tool_specs
from .expansion import count_blocks, expand_blocks
from .fitting import Steps, fit
from .hearing import pad_frames
from .labels import IGNORE
from .recipe import Kind, MiniRecipe
from .shards import Shards
from .songs import Songs
from .vocabulary import carry_over

_CONTEXT = 2_048
# What of the encoder writes for the language model, and is trained with it.
_SPOKEN_LAYERS = ("concepts", "frame_concepts", "clock")
# Each is drawn as often as another: a third of them for tools.
_WORDS = (*MEASURED * 5, *TOLD * 2, *TOOL_FIRST * 2, *MADE * 3, *COMPARED, *TALK)


# "What do you hear?" is what people ask first.
_EAR = (*HEARD, *("caption_medium",) * 2)


def make_makers(
    recipe: MiniRecipe, encoder: MiniEncoder, clips: Path, songs: Path, stage: str
) -> dict[Kind, BatchMaker]:
    """Put together who makes the batches of each kind that the recipe asks for.

    Args:
        recipe: Sizes and kinds.
        encoder: Fitted; hears the clips.
        clips: Folder of the shards of clips.
        songs: Folder of the shards of songs.
        stage: Another stage gets other batches.
    """
    settings, shards = recipe.language, Shards(clips, "train")

    def options(kind: Kind, turns: int, families: Any, batch_size: int) -> dict[str, Any]:
        return {
            "settings": settings,
            "turns": turns,
            "families": families,
            "seed": f"{stage} {kind} {recipe.seed}",
            "batch_size": batch_size,
        }

    size = settings.batch_size
    makers: dict[Kind, BatchMaker] = {
        "ear": AboutClips(shards, encoder, **options("ear", settings.ear_turns, _EAR, size)),
        "words": AboutClips(shards, None, **options("words", settings.basic_turns, _WORDS, size)),
        "all": AboutClips(shards, encoder, **options("all", settings.turns, None, size)),
    }
    if recipe.songs.n:
        heard, size = Songs(songs), settings.song_batch_size
        asked: dict[Kind, Sequence[str] | None] = {"songs": None, "course": WHEN}
        for kind, families in asked.items():
            about = options(kind, settings.song_turns, families, size)
            makers[kind] = AboutSongs(heard, encoder.config, **about)
    return makers


def make_tokenizer(
    recipe: MiniRecipe, makers: dict[Kind, BatchMaker], folder: Path
) -> PreTrainedTokenizerFast:
    """Train the tokenizer on conversations as they will be read, or load the one made before."""
    if folder.exists():
        return PreTrainedTokenizerFast.from_pretrained(folder)
    settings = recipe.language
    template = train_tokenizer(["a"], 400)  # only lends its chat template to write the corpus
    texts: list[str] = []
    kinds, macro = settings.kinds, 0
    while len(texts) < settings.corpus_dialogues:
        chats, _, tools = makers[kinds[macro % len(kinds)]].write(macro)
        specs = tool_specs(tools) or None
        texts += [template.apply_chat_template(c, tools=specs, tokenize=False) for c in chats]
        macro += 1
    tokenizer = train_tokenizer(texts, settings.vocab_size)
    _save_whole(tokenizer.save_pretrained, folder)
    return tokenizer


def new_model(
    recipe: MiniRecipe, encoder: MiniEncoder, tokenizer: PreTrainedTokenizerFast
) -> tuple[LlarkForConditionalGeneration, LlarkProcessor]:
    """Put the fitted encoder under a new projector and language model."""
    settings = recipe.language
    audio_config = copy.deepcopy(encoder.config)
    audio_config.writes_notes = settings.notes
    audio_config.song_frames = settings.song_frames
    processor = LlarkProcessor(LlarkFeatureExtractor(audio_config), tokenizer)
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
        audio_config=audio_config,
        text_config=text_config,
        projector="mlp",
        audio_token_id=processor.audio_token_id,
        audio_bos_token_id=processor.audio_bos_token_id,
        audio_eos_token_id=processor.audio_eos_token_id,
        tools=list(TOOLS),
    )
    torch.manual_seed(recipe.seed + 1)
    model = LlarkForConditionalGeneration(config)
    tower = model.model.audio_tower
    missing, _ = tower.load_state_dict(encoder.state_dict(), strict=False)
    assert all(name.startswith("clock.") for name in missing), missing
    tower.requires_grad_(False)
    for name in _SPOKEN_LAYERS:
        if (layer := getattr(tower, name, None)) is not None:
            layer.requires_grad_(True)
    model.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        do_sample=False,
        max_new_tokens=160,
    )
    return model, processor


def take_weights(model: LlarkForConditionalGeneration, earlier: Any) -> list[str]:
    """Go on from an earlier `mini`: take over all but what the fitted encoder hears with.

    Args:
        model: New, with its fitted encoder.
        earlier: A `LlarkForConditionalGeneration` that talks already.

    Returns:
        Names of the layers around the encoder that have changed, and stay new.

    Raises:
        ConfigError: The language models have different sizes, but for a depth that may grow.
    """
    old, new = earlier.state_dict(), model.state_dict()
    depth, n_blocks = count_blocks(old), count_blocks(new)
    if not depth <= n_blocks <= 2 * depth:
        raise ConfigError(
            f"init_from has {depth} blocks, the recipe wants {n_blocks}; "
            f"set language.n_layers to {depth}, or up to {2 * depth}"
        )
    old = expand_blocks(old, n_blocks)
    kept, fresh = {}, []
    for name, weight in new.items():
        tower = name.startswith("model.audio_tower.")
        spoken = any(f"audio_tower.{layer}." in name for layer in _SPOKEN_LAYERS)
        if tower and not spoken:
            continue
        if name in old and old[name].shape == weight.shape:
            kept[name] = old[name]
        elif "language_model." in name or name.startswith("lm_head."):
            size = tuple(old[name].shape) if name in old else "nothing"
            raise ConfigError(
                f"init_from holds {size} for {name}, the recipe wants {tuple(weight.shape)}; "
                "set language.width to that of that model"
            )
        else:
            fresh.append(name)
    model.load_state_dict(kept, strict=False)
    return fresh


def change_vocabulary(
    model: LlarkForConditionalGeneration,
    old: PreTrainedTokenizerFast,
    new: PreTrainedTokenizerFast,
) -> None:
    """Let a model that is to be gone on from speak with the tokens of another tokenizer."""
    embeddings = carry_over(_embeddings(model), old, new)
    model.resize_token_embeddings(len(new), mean_resizing=False)
    _embeddings(model).copy_(embeddings)


def _embeddings(model: LlarkForConditionalGeneration) -> Tensor:
    weight = model.get_input_embeddings().weight
    assert isinstance(weight, Tensor)
    return weight.data


def spoken_loss(model: LlarkForConditionalGeneration, batch: dict[str, Any]) -> Tensor:
    """Cross entropy of what is to be said, with logits at those positions only.

    They are one in six, and the head costs as much as all layers of so small a model. What the
    encoder heard (`heard`) becomes frames here, so that the layers which write them learn too.
    """
    inputs = {name: value for name, value in batch.items() if name not in ("labels", "heard")}
    if "heard" in batch:
        tower = model.model.audio_tower
        frames = [f for heard, forms in batch["heard"] for f in tower.assemble(heard, forms)]
        inputs |= pad_frames(frames)
    hidden = model.model(**inputs).last_hidden_state[:, :-1]
    target = batch["labels"][:, 1:]
    said = target != IGNORE
    return cross_entropy(model.lm_head(hidden[said]).float(), target[said])


def fit_language(
    recipe: MiniRecipe, encoder: MiniEncoder, clips: Path, songs: Path, folder: Path
) -> tuple[Any, LlarkProcessor]:
    """Fit projector and language model, or load them when this stage is done.

    Args:
        recipe: What to do.
        encoder: Fitted.
        clips: Folder of the shards of clips.
        songs: Folder of the shards of songs.
        folder: Of this stage; the model comes to lie in `model`.

    Raises:
        ConfigError: The model to go on from has other sizes than the recipe, or more blocks.
    """
    finished = folder / "model"
    if finished.exists():
        return load_model(finished)
    settings = recipe.language
    encoder = encoder.eval().requires_grad_(False)
    if torch.cuda.is_available():
        encoder = encoder.to("cuda")
    stages = {
        "basics": (settings.basic_steps, settings.basic_kinds),
        "all": (settings.steps, settings.kinds),
    }
    makers = {stage: make_makers(recipe, encoder, clips, songs, stage) for stage in stages}
    earlier = load_model(settings.init_from, dtype="float32") if settings.init_from else None
    if earlier and not settings.new_tokenizer:
        tokenizer = earlier[1].tokenizer
    else:
        tokenizer = make_tokenizer(recipe, makers["all"], folder / "tokenizer")
    model, processor = new_model(recipe, encoder, tokenizer)
    if earlier:
        if settings.new_tokenizer:
            change_vocabulary(earlier[0], earlier[1].tokenizer, tokenizer)
        take_weights(model, earlier[0])
    for stage, (steps, kinds) in stages.items():
        if steps:
            fit(
                model,
                Steps(steps * settings.gradient_accumulation_steps),
                Schedule(kinds, makers[stage], processor),
                settings.model_copy(update={"steps": steps}),
                folder / f"{stage}-checkpoints",
                recipe.seed,
                loss=spoken_loss,
            )
    _save_whole(lambda path: save_model(model, processor, path), finished)
    return model.eval(), processor


def _save_whole(save: Callable[[Path], Any], folder: Path) -> None:
    """Save into a folder that is there only once it is whole."""
    partial = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    save(partial)
    partial.replace(folder)
