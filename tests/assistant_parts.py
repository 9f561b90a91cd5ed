"""A model that says what the test tells it to, with real decoding around it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import torch
from model_parts import tiny_model
from transformers import LogitsProcessorList

from llark_py.assistant.call_schema import CallSchema
from llark_py.assistant.core import Assistant
from llark_py.assistant.reply_constraint import AllConstraints
from llark_py.audio import Audio

_SURE = 10.0


def noise(seconds=0.25, seed=0, rate=1600):
    """Make a recording of noise."""
    samples = np.random.default_rng(seed).normal(0, 0.1, int(seconds * rate))
    return Audio(samples.astype(np.float32), rate)


def clicks(bpm, seconds=12.0, rate=22_050):
    """Make a recording of clicks at a tempo."""
    samples = np.zeros(int(seconds * rate), np.float32)
    burst = np.hanning(400) * np.sin(np.arange(400) * 0.9)
    for start in np.arange(0, seconds - 0.1, 60.0 / bpm):
        at = int(start * rate)
        samples[at : at + 400] += 0.8 * burst.astype(np.float32)
    return Audio(samples, rate)


def call(name="estimate_tempo", **arguments):
    """Write a tool call as the model does."""
    body = json.dumps({"name": name, "arguments": arguments})
    return f"<tool_call>\n{body}\n</tool_call>"


def first_refused(tokenizer, said, constraint):
    """Write a reply token by token; give its tokens up to the first that may not come."""
    wanted = tokenizer(said, add_special_tokens=False)["input_ids"]
    for i, token in enumerate(wanted):
        scores = torch.zeros(1, len(tokenizer))
        scores = constraint(torch.tensor([wanted[:i]], dtype=torch.long), scores)
        if scores[0, token] == -torch.inf:
            return wanted[: i + 1]
    return None


class ScriptedModel:
    """Wants to say one given reply per generation; constraints may lead it off its script.

    Except for `CallSchema` where calls are `free`: scripts also call what no schema has, as models
    do that are decoded elsewhere.
    """

    def __init__(self, model, tokenizer, replies, free=True):
        self.free = free
        self.model, self.tokenizer = model, tokenizer
        self.replies = list(replies)
        self.prompts: list[str] = []
        self.config, self.device = model.config, model.device
        self.generation_config = model.generation_config
        self.encode_recording = model.encode_recording

    def generate(self, input_ids, streamer, logits_processor, stopping_criteria, **inputs):
        """Do what `GenerationMixin.generate` does, with made-up scores."""
        if self.free:
            for together in (p for p in logits_processor if isinstance(p, AllConstraints)):
                parts = together.parts
                together.parts = tuple(p for p in parts if not isinstance(p, CallSchema))
        self.prompts.append(self.tokenizer.decode(input_ids[0]))
        reply = self.replies.pop(0) if self.replies else ""
        script = self.tokenizer(reply, add_special_tokens=False)["input_ids"]
        script.append(self.tokenizer.eos_token_id)
        ids = input_ids
        streamer.put(ids)
        for step in range(inputs["generation_config"].max_new_tokens):
            # Off its script the model prefers high token ids, and never the end.
            scores = torch.arange(len(self.tokenizer), dtype=torch.float32)[None] * 1e-3
            scores[0, self.tokenizer.eos_token_id] = -_SURE
            wanted = script[step] if step < len(script) else self.tokenizer.eos_token_id
            scores[0, wanted] = _SURE
            token = LogitsProcessorList(logits_processor)(ids, scores).argmax(-1, keepdim=True)
            ids = torch.cat([ids, token], 1)
            streamer.put(token[0])
            if token.item() == self.tokenizer.eos_token_id or stopping_criteria(ids, None).any():
                break
        streamer.end()
        return SimpleNamespace(sequences=ids)


def scripted_assistant(*replies, context=4096, free=True, **options):
    """Build an assistant around a `ScriptedModel` and give both."""
    model, processor = tiny_model()
    model.config.text_config.max_position_embeddings = context
    scripted = ScriptedModel(model, processor.tokenizer, replies, free)
    return Assistant(scripted, processor, **options), scripted
