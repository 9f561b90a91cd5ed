"""One reply of the model as a stream of raw text, with what was computed before kept and reused.

Encoder frames are kept by content, and the keys and values of the last conversation: when a
prompt begins like the last one and holds the same recordings, only what is new is computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile
from threading import Event as Flag
from threading import Lock, Thread
from typing import Any

import torch
from transformers import (
    DynamicCache,
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
    TextIteratorStreamer,
)
from transformers.cache_utils import DynamicLayer

from llark_py.audio import Audio
from llark_py.encoders.base import Encoded
from llark_py.errors import AudioError
from llark_py.model.chat import with_notes

from .ears import share_hearing
from .frames import FrameCache
from .repetition import loop_start
from .reply import TOOL_CALL


class Decoder:
    """A model with its processor and what it remembers.

    Safe to use from several threads; replies are computed one after another.

    Args:
        model: A `LlarkForConditionalGeneration`.
        processor: Its `LlarkProcessor`.
    """

    def __init__(self, model: Any, processor: Any):
        self.model, self.processor = model, processor
        self.tokenizer = processor.tokenizer
        self.frames = FrameCache(self._encode)
        self._lock = Lock()
        self._past: DynamicCache | None = None
        self._past_ids: list[int] = []
        self._past_audios: list[str] = []

    @property
    def context_length(self) -> int | None:
        """How many tokens a prompt and its reply may have together; None when nothing says."""
        return getattr(self.model.config.get_text_config(), "max_position_embeddings", None)

    def prompt_ids(
        self, chat: list[dict[str, Any]], tools: list[dict[str, Any]], audios: Sequence[Audio]
    ) -> list[int]:
        """Tokenise a conversation with the placeholders of its recordings expanded.

        Args:
            chat: As transformers' chat templates take it.
            tools: JSON schemas of the tools; empty for none.
            audios: The recordings in the order of the chat.
        """
        heard = [self.frames(audio) for audio in audios]
        text = self.processor.apply_chat_template(
            with_notes(chat, [encoded.notes for encoded in heard]),
            tools=tools or None,
            add_generation_prompt=True,
            tokenize=False,
        )
        lengths = [len(encoded.frames) for encoded in heard]
        batch = self.processor(
            text=[text],
            audio_frames=lengths or None,
            # The template has written every control token itself.
            add_special_tokens=False,
            return_tensors="pt",
        )
        return batch["input_ids"][0].tolist()

    def stream(
        self,
        prompt: list[int],
        audios: Sequence[Audio],
        *,
        max_new_tokens: int,
        constraints: Sequence[LogitsProcessor] = (),
        stop: Flag,
    ) -> Iterator[str]:
        """Generate a reply, greedily, in a thread of its own.

        Args:
            prompt: From `prompt_ids`.
            audios: The recordings in the prompt, in order.
            max_new_tokens: Longest reply in tokens.
            constraints: Applied to the scores of every new token.
            stop: Set it to end the reply after the token being computed.

        Yields:
            Raw text, control tokens included.
        """
        streamer = TextIteratorStreamer(
            self.tokenizer, skip_prompt=True, clean_up_tokenization_spaces=False
        )
        failures: list[BaseException] = []

        def work() -> None:
            try:
                with self._lock:
                    self._generate(prompt, audios, max_new_tokens, constraints, stop, streamer)
            except BaseException as error:  # handed to the thread that reads the stream
                failures.append(error)
            finally:
                streamer.text_queue.put(streamer.stop_signal)

        thread = Thread(target=work, name="llark-generate", daemon=True)
        thread.start()
        try:
            yield from streamer
        except GeneratorExit:
            stop.set()
            raise
        finally:
            thread.join()
        if failures:
            raise failures[0]

    def _generate(
        self,
        prompt: list[int],
        audios: Sequence[Audio],
        max_new_tokens: int,
        constraints: Sequence[LogitsProcessor],
        stop: Flag,
        streamer: TextIteratorStreamer,
    ) -> None:
        hashes = [audio.content_hash for audio in audios]
        past = self._reusable_past(prompt, hashes)
        # A failure half-way leaves a cache that fits nothing.
        self._past, self._past_ids = None, []
        device = self.model.device
        inputs: dict[str, torch.Tensor] = {}
        if past is None:
            past = DynamicCache(config=self.model.config.get_text_config())
            if audios:
                inputs = self._stack_frames(audios)
        input_ids = torch.tensor([prompt], device=device)
        output = self.model.generate(
            input_ids=input_ids,
            attention_mask=torch.ones_like(input_ids),
            past_key_values=past,
            generation_config=GenerationConfig(
                do_sample=False,
                max_new_tokens=max_new_tokens,
                eos_token_id=self._end_ids(),
                pad_token_id=self.tokenizer.pad_token_id,
                return_dict_in_generate=True,
            ),
            logits_processor=LogitsProcessorList(constraints),
            stopping_criteria=StoppingCriteriaList(
                [_StopFlag(stop), _StopLoop(self.tokenizer, len(prompt))]
            ),
            streamer=streamer,
            **inputs,
        )
        self._past, self._past_audios = past, hashes
        self._past_ids = output.sequences[0].tolist()[: past.get_seq_length()]

    def _reusable_past(self, prompt: list[int], hashes: list[str]) -> DynamicCache | None:
        """Give the kept keys and values, cut to what the prompt shares with them."""
        past = self._past
        if past is None or not all(type(layer) is DynamicLayer for layer in past.layers):
            return None
        pairs = zip(self._past_ids, prompt, strict=False)
        # At least one token has to be computed to get the scores of the next.
        shared = min(sum(1 for _ in takewhile(lambda p: p[0] == p[1], pairs)), len(prompt) - 1)
        audio_token = getattr(self.model.config, "audio_token_id", None)  # None: it only reads
        if audio_token in prompt[shared:] or hashes != self._past_audios or shared == 0:
            return None
        past.crop(shared - past.get_seq_length())
        return past

    def _stack_frames(self, audios: Sequence[Audio]) -> dict[str, torch.Tensor]:
        frames = [self.frames(audio).frames for audio in audios]
        lengths = torch.tensor([len(f) for f in frames])
        features = torch.nn.utils.rnn.pad_sequence(frames, batch_first=True)
        mask = torch.arange(features.shape[1])[None] < lengths[:, None]
        device = self.model.device
        return {
            "input_features": features.to(device),
            "input_features_mask": mask.to(device),
        }

    def _encode(self, audio: Audio) -> Encoded:
        rate = self.model.config.audio_config.sample_rate
        samples = torch.from_numpy(audio.mono().resample(rate).samples)
        encoded = self.model.encode_recording(samples.to(self.model.device))
        if len(encoded.frames) == 0:
            raise AudioError(
                f"the recording is too short for the model to hear: {audio.duration_s:.3f} s"
            )
        share_hearing(self.model, audio, encoded)
        return encoded._replace(hearing=None)

    def _end_ids(self) -> list[int]:
        """Collect the tokens that end a reply: the model's and the tokenizer's."""
        ends = self.model.generation_config.eos_token_id
        listed = ends if isinstance(ends, list) else [ends]
        return sorted({i for i in (*listed, self.tokenizer.eos_token_id) if i is not None})


class _StopFlag(StoppingCriteria):
    """Ends the generation when a flag is set."""

    def __init__(self, flag: Flag):
        self._flag = flag

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        return torch.full((len(input_ids),), self._flag.is_set(), device=input_ids.device)


class _StopLoop(StoppingCriteria):
    """Ends the generation when what it says begins to go round in circles."""

    def __init__(self, tokenizer: Any, prompt_length: int):
        self._tokenizer, self._prompt_length = tokenizer, prompt_length

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        new = self._tokenizer.batch_decode(
            input_ids[:, self._prompt_length :], skip_special_tokens=False
        )
        looping = [loop_start(text.partition(TOOL_CALL)[0]) is not None for text in new]
        return torch.tensor(looping, device=input_ids.device)
