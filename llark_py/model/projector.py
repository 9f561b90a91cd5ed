"""From frames of the encoder to embeddings of the language model."""

from __future__ import annotations

import torch
from torch import nn
from transformers.activations import ACT2FN

from .configuration import LlarkConfig


class LlarkProjector(nn.Module):
    """One linear map (LLark) or two with an activation between (LLaVA-1.5, Audio Flamingo 3)."""

    def __init__(self, config: LlarkConfig) -> None:
        super().__init__()
        inputs, outputs = config.audio_config.width, config.text_config.hidden_size
        hidden = config.projector_hidden_size or outputs
        self.layers: nn.Sequential
        if config.projector == "linear":
            self.layers = nn.Sequential(nn.Linear(inputs, outputs))
        else:
            self.layers = nn.Sequential(
                nn.Linear(inputs, hidden),
                ACT2FN[config.projector_activation],
                nn.Linear(hidden, outputs),
            )

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Map (..., encoder width) to (..., hidden size of the language model)."""
        return self.layers(frames)
