"""Loads language models that have no ears of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from llark_py.encoders.base_weights import load_complete, load_config
from llark_py.errors import CheckpointError

from .precision import bf16_is_fast


def is_text_model(name_or_path: str | Path) -> bool:
    """Say whether a folder or Hub name holds a language model that only reads.

    Raises:
        CheckpointError: Its configuration cannot be read.
    """
    kind = load_config(AutoConfig, str(name_or_path)).model_type
    return kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES


def load_text_model(name_or_path: str | Path, device: str | None = None) -> tuple[Any, Any]:
    """Load a language model and its tokenizer.

    Args:
        name_or_path: Folder or Hub name.
        device: Where to put it; default: where torch puts it (the CPU).

    Returns:
        The model in evaluation mode, and the tokenizer.

    Raises:
        CheckpointError: Something is missing or unreadable.
    """
    name = str(name_or_path)
    options = {} if bf16_is_fast(torch.device(device or "cpu").type) else {"dtype": torch.float32}
    model = load_complete(AutoModelForCausalLM, name, **options)
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot load the tokenizer of '{name}': {error}") from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return (model.to(device) if device is not None else model).eval(), tokenizer
