"""Puts one question about many recordings to a model, in batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from llark_py.encoders.base import Encoded
from llark_py.model.chat import with_notes
from llark_py.prompting import render_prompt

_BATCH = 25
_MAX_NEW_TOKENS = 80


@torch.inference_mode()
def encode_recordings(model: Any, waveforms: Sequence[Any]) -> list[Encoded]:
    """Encode mono waveforms at the encoder's rate: frames, and notes where it writes any."""
    weight = next(model.parameters())
    return [
        model.encode_recording(torch.as_tensor(w).to(weight.device, weight.dtype))._replace(
            hearing=None
        )
        for w in waveforms
    ]


@torch.inference_mode()
def answer_by_ear(
    model: Any, processor: Any, recordings: Sequence[Encoded], questions: Sequence[str]
) -> list[str]:
    """Answer one question a recording, greedily and without tools.

    Args:
        model: A `LlarkForConditionalGeneration`.
        processor: Its processor.
        recordings: As `encode_recordings` gives them.
        questions: One for each recording.
    """
    opening = {"role": "system", "content": render_prompt("system")}
    answers: list[str] = []
    device = next(model.parameters()).device
    for first in range(0, len(recordings), _BATCH):
        batch = slice(first, first + _BATCH)
        chats = [
            [opening, *with_notes([_ask(question)], [recording.notes])]
            for recording, question in zip(recordings[batch], questions[batch], strict=True)
        ]
        inputs = processor.apply_chat_template(
            chats,
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            audio_frames=[recording.frames.cpu() for recording in recordings[batch]],
        ).to(device)
        output = model.generate(**inputs, max_new_tokens=_MAX_NEW_TOKENS, do_sample=False)
        new = output[:, inputs["input_ids"].shape[1] :]
        answers += processor.tokenizer.batch_decode(new, skip_special_tokens=True)
    return [answer.strip() for answer in answers]


def _ask(question: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "audio"}, {"type": "text", "text": question}]}
