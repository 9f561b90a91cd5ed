"""Low-rank adapters that reach the language model only, and keep what was trained beside them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn

from llark_py.errors import ConfigError

from .modeling import LlarkForConditionalGeneration

if torch.distributed.is_available():
    # peft looks into it without importing it, and a lean start (startup.py) leaves it out.
    import torch.distributed.tensor

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
ATTENTION_AND_MLP = (*ATTENTION, "gate_proj", "up_proj", "down_proj")

_LANGUAGE_MODEL = "model.language_model"
_PROJECTOR = "multi_modal_projector"


def add_lora(
    model: LlarkForConditionalGeneration,
    r: int = 16,
    alpha: int = 32,
    dropout: float = 0.05,
    targets: Sequence[str] = ATTENTION_AND_MLP,
) -> PeftModel:
    """Put adapters on the language model; everything else of it is frozen.

    The projector is trained as a whole, and of the embeddings the rows of the begin and end tokens
    of a recording; both are saved with the adapter. With tied embeddings those rows move in the
    output head too, as peft's trainable tokens do. The placeholder's own row is never read (frames
    take its place) and stays. The encoder is frozen and out of the adapters' reach, although its
    layers may bear the same names.

    Args:
        model: Any Llark model.
        r: Rank.
        alpha: Scale; the adapter counts `alpha / r` times.
        dropout: On the adapter's input, in [0, 1].
        targets: Last parts of the names of linear layers in the language model.

    Raises:
        ConfigError: A target is not in the language model; the linear layers there are listed.
    """
    _check_targets(model, targets)
    names = "|".join(re.escape(name) for name in targets)
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=r,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=rf"{re.escape(_LANGUAGE_MODEL)}\.(?:.*\.)?(?:{names})",
        modules_to_save=[_PROJECTOR],
        trainable_token_indices=_trainable_tokens(model),
    )
    return get_peft_model(model, config)


def _check_targets(model: LlarkForConditionalGeneration, targets: Sequence[str]) -> None:
    linear = {
        name.rsplit(".", 1)[-1]
        for name, module in model.model.language_model.named_modules()
        if isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"
    }
    if not targets or (unknown := sorted(set(targets) - linear)):
        wrong = ", ".join(unknown) if targets else "nothing"
        raise ConfigError(
            f"LoRA cannot target {wrong}: the linear layers of "
            f"{type(model.model.language_model).__name__} are {', '.join(sorted(linear))}"
        )


def _trainable_tokens(model: LlarkForConditionalGeneration) -> dict[str, list[int]] | None:
    ids = [model.config.audio_bos_token_id, model.config.audio_eos_token_id]
    rows = sorted({token for token in ids if token is not None})
    if not rows:
        return None
    return {model.embedding_key().removesuffix(".weight"): rows}
