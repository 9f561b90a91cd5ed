"""The assistant: messages in, events out, with a model that listens in between.

    assistant = load_assistant()
    for event in assistant.stream([user("How fast is it?", AudioPart("audio_1", audio))]):
        ...

The assistant keeps no conversation: it is given all messages and returns the new ones in `Done`.
What it keeps are caches, so that a second turn costs only what is new. A conversation that
outgrows the model's context loses its oldest questions, never its recordings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Event as Flag
from typing import Any

import torch
from transformers.utils.logging import disable_progress_bar

from llark_py.embedded import embedded_folder
from llark_py.messages import Message
from llark_py.startup import lean_imports

from .constraints import constrain_reply
from .context import check_room, fit_context
from .conversation import quotable_text, recordings
from .ears import lend_ears
from .generation import Decoder
from .listener import Listener, load_listener
from .reading import ReadingDecoder, ReadingProcessor
from .reply import TOOL_CALL, Reply, ReplyFilter, control_tokens, read_calls
from .spelling import mender
from .turns import MAX_ROUNDS, Answer, ToolLoop
from .ungrounded import ungrounded

__all__ = ["Answer", "Assistant", "load_assistant"]

MAX_NEW_TOKENS = 512


class Assistant(ToolLoop):
    """A model that listens, with tools that measure.

    Args:
        model: A `LlarkForConditionalGeneration`.
        processor: Its `LlarkProcessor`.
        tools: Names of the tools it may call; None for those that it was taught to call, or for
            all where its configuration names none.
        name: What the model is called in reports.
        max_rounds: How often in one turn it may ask for tools.
        max_new_tokens: Longest reply in tokens.
        listener: Given for a model that only reads (with a `ReadingProcessor`): tells it what
            there is to hear.
    """

    def __init__(
        self,
        model: Any,
        processor: Any,
        *,
        tools: Sequence[str] | None = None,
        name: str = "",
        max_rounds: int = MAX_ROUNDS,
        max_new_tokens: int = MAX_NEW_TOKENS,
        listener: Listener | None = None,
    ):
        if tools is None and listener is None:
            tools = model.config.tools or None
        reads = model.config.tool_results if listener is None else None
        mend = mender(model) if listener is None else None
        super().__init__(tools=tools, name=name, max_rounds=max_rounds, reads=reads, mend=mend)
        self.max_new_tokens = max_new_tokens
        self._listener = listener
        if listener is None:
            self._decoder = Decoder(model, processor)
        else:
            self._system_prompt = "reader_system"
            self._decoder = ReadingDecoder(model, processor, listener)

    def _speak(
        self,
        messages: list[Message],
        reply: Reply,
        stop: Flag,
        *,
        may_call: bool,
        measured: bool,
    ) -> Iterator[str]:
        """Generate one reply; see `ToolLoop`."""
        first_call = 1 + sum(len(message.tool_calls) for message in messages)
        messages, prompt, room = fit_context(
            self._decoder, messages, self._schemas, self.max_new_tokens
        )
        audios = [part.audio for part in recordings(messages)]
        constraints, trim = constrain_reply(
            self._decoder,
            messages,
            self._schemas,
            self._quotable(messages),
            len(prompt),
            measured=measured,
            may_call=may_call,
        )
        visible = ReplyFilter(control_tokens(self._decoder.tokenizer).values())
        pieces = self._decoder.stream(
            prompt, audios, max_new_tokens=room, constraints=constraints, stop=stop
        )
        for piece in pieces:
            if shown := visible.feed(piece):
                yield shown
        if shown := visible.finish(trim):
            yield shown
        if TOOL_CALL in visible.raw:
            read_calls(self._decoder.processor, visible, reply, first_call)

    def _check_room(self, messages: list[Message]) -> None:
        check_room(self._decoder, messages, self._schemas, self.max_new_tokens)

    def _quotable(self, messages: list[Message]) -> str:
        """Join what numbers may be taken from; one who reads a note may quote it."""
        told = self._listener.tell(recordings(messages)) if self._listener else ""
        return f"{quotable_text(messages)}\n{told}"

    def _ungrounded(self, messages: list[Message], text: str) -> tuple[str, ...]:
        # What mini says without a tool is by ear; its decoding is constrained as it was trained.
        return ungrounded(text, self._quotable(messages)) if self._listener else ()


def load_assistant(
    model: str | Path | None = None,
    tools: Sequence[str] | None = None,
    *,
    device: str | None = None,
    **options: Any,
) -> Assistant:
    """Load a model and give it tools.

    Args:
        model: A folder or a Hub name; None for the embedded model `mini`. A language model that
            only reads is told what the embedded encoder hears; it must call tools as Qwen does.
        tools: As for `Assistant`.
        device: Where it runs; None takes a CUDA card if there is one.
        **options: Further arguments of `Assistant`.

    Raises:
        CheckpointError: The weights are missing or do not fit.
        UnknownNameError: There is no such tool.
    """
    with ExitStack() as start:
        start.enter_context(lean_imports())
        from llark_py.model.checkpoint import is_adapter, load_model
        from llark_py.model.text import is_text_model, load_text_model

        disable_progress_bar()  # of weights being loaded: a matter of milliseconds
        device = device or ("cuda" if torch.cuda.is_available() else None)
        if model is not None and is_adapter(model):
            start.close()  # peft needs what a lean start leaves out
        elif model is not None and is_text_model(model):
            language_model, tokenizer = load_text_model(model, device)
            processor = ReadingProcessor(tokenizer, str(model))
            options["listener"] = load_listener()
            return Assistant(language_model, processor, tools=tools, name=str(model), **options)
        loaded = load_model(embedded_folder() if model is None else model, device)
        lend_ears(loaded[0])
    return Assistant(*loaded, tools=tools, name="mini" if model is None else str(model), **options)
