"""The tools listen with the encoder of the model that calls them, where it can."""

from __future__ import annotations

from typing import Any


def lend_ears(model: Any) -> None:
    """Let the tools listen with the encoder of a model that has a `MiniEncoder` of its own."""
    from llark_py.analysis.listening import listen_with
    from llark_py.encoders.mini import MiniEncoder

    inner = model.get_base_model() if hasattr(model, "peft_config") else model
    if isinstance(inner.model.audio_tower, MiniEncoder):
        listen_with(inner.model.audio_tower)
