"""The tools listen with the encoder of the model that calls them, where it can."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from llark_py.audio import Audio
from llark_py.encoders.base import Encoded


def lend_ears(model: Any) -> None:
    """Let the tools listen with the encoder of a model that has a `MiniEncoder` of its own."""
    from llark_py.analysis.listening import listen_with

    if (ears := _ears_of(model)) is not None:
        listen_with(ears)


def ears_of(model: Any) -> AbstractContextManager[None]:
    """Let the tools listen as after `lend_ears`, but only for a while."""
    from llark_py.analysis.listening import hearing_with

    ears = _ears_of(model)
    return nullcontext() if ears is None else hearing_with(ears)


def share_hearing(model: Any, audio: Audio, encoded: Encoded) -> None:
    """Let the tools reuse what the model's encoder heard of a recording, if it can tell them."""
    if encoded.hearing is not None and (ears := _ears_of(model)) is not None:
        from llark_py.analysis.listening import remember

        remember(audio, ears, encoded.hearing)


def _ears_of(model: Any) -> Any:
    from llark_py.encoders.mini import MiniEncoder

    inner = model.get_base_model() if hasattr(model, "peft_config") else model
    tower = inner.model.audio_tower
    return tower if isinstance(tower, MiniEncoder) else None
