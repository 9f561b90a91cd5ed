"""Puts questions about many recordings to a model, in batches; its tools and heads beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from transformers import LogitsProcessor, LogitsProcessorList

from llark_py.assistant.constraints import constrain
from llark_py.assistant.core import Assistant
from llark_py.assistant.ears import ears_of
from llark_py.assistant.grounding import told_times
from llark_py.assistant.repetition import without_loop
from llark_py.assistant.spelling import mender
from llark_py.audio import Audio
from llark_py.encoders.base import Encoded
from llark_py.model.chat import with_notes
from llark_py.prompting import render_prompt
from llark_py.tools import Workspace, run_tool

from .heads import HeadAnswer, HeardForm, head_answers, heard_form
from .manner import ours

_BATCH = 25
_MAX_NEW_TOKENS = 100


class Listener:
    """A model as the benchmark asks it: by ear, by tool, and (of `mini`) by head.

    Args:
        model: A `LlarkForConditionalGeneration` in evaluation mode.
        processor: Its processor.
    """

    def __init__(self, model: Any, processor: Any):
        self.model, self.processor = model, processor
        self.sample_rate: int = model.config.audio_config.sample_rate
        self.manner = ours()

    @contextmanager
    def lending_ears(self) -> Iterator[None]:
        """Let the tools listen with the encoder of this model."""
        with ears_of(self.model):
            yield

    @torch.inference_mode()
    def hear(self, sounds: Sequence[Audio | None]) -> list[Encoded | None]:
        """Encode recordings: frames, and notes where the encoder writes any; of none, None."""
        weight = next(self.model.parameters())
        heard: list[Encoded | None] = []
        for sound in sounds:
            if sound is None:
                heard.append(None)
                continue
            waveform = torch.as_tensor(sound.mono().resample(self.sample_rate).samples)
            encoded = self.model.encode_recording(waveform.to(weight.device, weight.dtype))
            heard.append(encoded._replace(frames=encoded.frames.cpu(), hearing=None))
        return heard

    @torch.inference_mode()
    def answer(self, heard: Sequence[Encoded | None], questions: Sequence[str]) -> list[str]:
        """Answer one question a recording, or without any, greedily and without tools.

        As in the assistant, nothing is told that contradicts the notes, and no words go in circles.

        Args:
            heard: Of each recording, as `hear` gives them.
            questions: One for each recording.
        """
        mend = mender(self.model)
        questions = [mend(question) for question in questions] if mend else questions
        opening = {"role": "system", "content": render_prompt("system")}
        answers: list[str] = []
        device = next(self.model.parameters()).device
        for first in range(0, len(heard), _BATCH):
            batch = slice(first, first + _BATCH)
            chats = [
                [opening, *_chat(question, recording)]
                for recording, question in zip(heard[batch], questions[batch], strict=True)
            ]
            frames = [recording.frames for recording in heard[batch] if recording is not None]
            inputs = self.processor.apply_chat_template(
                chats,
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                audio_frames=frames or None,
            ).to(device)
            n_prompt = inputs["input_ids"].shape[1]
            output = self.model.generate(
                **inputs,
                max_new_tokens=_MAX_NEW_TOKENS,
                do_sample=False,
                logits_processor=self._constraints(heard[batch], questions[batch], n_prompt),
            )
            new = output[:, n_prompt:]
            answers += self.processor.tokenizer.batch_decode(new, skip_special_tokens=True)
        return [without_loop(answer.strip()) for answer in answers]

    def _constraints(
        self, heard: Sequence[Encoded | None], questions: Sequence[str], n_prompt: int
    ) -> LogitsProcessorList:
        rows: list[LogitsProcessor | None] = []
        for recording, question in zip(heard, questions, strict=True):
            notes = None if recording is None else recording.notes
            rows.append(None if notes is None else self._constrain(question, notes, n_prompt))
        return LogitsProcessorList([_RowByRow(rows)])

    def _constrain(self, question: str, notes: str, n_prompt: int) -> LogitsProcessor:
        tokenizer, times = self.processor.tokenizer, told_times(0.0, notes)
        constraint, _ = constrain(
            tokenizer, question, times, notes, n_prompt, measured=False, about=question
        )
        return constraint

    def consult(self, sound: Audio, question: str) -> str:
        """Answer a question about a recording as in a chat, with every tool at hand."""
        with self.lending_ears():
            return Assistant(self.model, self.processor).ask(sound, question).text

    def measure(self, tool: str, sound: Audio) -> dict[str, Any]:
        """Run a tool on a recording; what it says, or `{"error": ...}`."""
        return run_tool(tool, {}, {"audio_1": sound}, Workspace()).content

    def heads(self, sound: Audio) -> dict[str, HeadAnswer]:
        """Ask the heads of the encoder; nothing where the model's encoder has none."""
        encoder = _mini_of(self.model)
        return {} if encoder is None else head_answers(sound, encoder.config)

    def form(self, sound: Audio) -> HeardForm | None:
        """Ask the encoder how a song is built; None where the model's encoder cannot tell."""
        return None if _mini_of(self.model) is None else heard_form(sound)


class _RowByRow(LogitsProcessor):
    """Constrains each row of a batch in its own way, or not at all."""

    def __init__(self, rows: Sequence[LogitsProcessor | None]):
        self._rows = rows

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        for i, constraint in enumerate(self._rows):
            if constraint is not None:
                scores[i : i + 1] = constraint(input_ids[i : i + 1], scores[i : i + 1])
        return scores


def _chat(question: str, recording: Encoded | None) -> list[dict[str, Any]]:
    words = {"type": "text", "text": question}
    if recording is None:
        return [{"role": "user", "content": [words]}]
    return with_notes([{"role": "user", "content": [{"type": "audio"}, words]}], [recording.notes])


def _mini_of(model: Any) -> Any:
    from llark_py.encoders.mini import MiniEncoder

    inner = model.get_base_model() if hasattr(model, "peft_config") else model
    tower = inner.model.audio_tower
    return tower if isinstance(tower, MiniEncoder) else None
