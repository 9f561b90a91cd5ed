"""What the model returns."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast


@dataclass
class LlarkModelOutputWithPast(BaseModelOutputWithPast):
    """Adds `audio_hidden_states`: the projected frames (n_frames_in_all, hidden_size), or None."""

    audio_hidden_states: torch.Tensor | None = None


@dataclass
class LlarkCausalLMOutputWithPast(CausalLMOutputWithPast):
    """Adds `audio_hidden_states`: the projected frames (n_frames_in_all, hidden_size), or None."""

    audio_hidden_states: torch.Tensor | None = None
