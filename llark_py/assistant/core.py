"""The assistant: messages in, events out, with the tool loop in between.

    assistant = load_assistant()
    for event in assistant.stream([user("How fast is it?", AudioPart("audio_1", audio))]):
        ...

The assistant keeps no conversation: it is given all messages and returns the new ones in `Done`.
What it keeps are caches, so that a second turn costs only what is new. A conversation that
outgrows the model's context loses its oldest questions, never its recordings.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag
from typing import Any

import torch
from transformers import NoBadWordsLogitsProcessor
from transformers.utils.logging import disable_progress_bar

from llark_py.audio import Audio
from llark_py.embedded import embedded_folder
from llark_py.messages import AudioPart, Message, TextPart, ToolCall, ToolResult
from llark_py.startup import lean_imports
from llark_py.tools import Artefact, names, schemas

from .constraints import constrain
from .context import check_room, fit_context
from .conversation import (
    as_messages,
    check_order,
    next_artefact_number,
    quotable_text,
    recordings,
    with_system,
)
from .ears import lend_ears
from .events import ArtefactReady, Done, Event, TextDelta, ToolFinished
from .generation import Decoder
from .grounding import told_times
from .reply import TOOL_CALL, ReplyFilter, control_tokens, unreadable_call
from .toolbox import Toolbox

MAX_ROUNDS = 4
"""How often in one turn the model may ask for tools."""
MAX_NEW_TOKENS = 512
_MAX_UNREADABLE = 1
_PARAGRAPH = "\n\n"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """A whole turn.

    Attributes:
        text: What the assistant said.
        messages: What the turn adds to the conversation.
        tool_calls, tool_results: The tools it used, pair by pair.
        artefacts: Files that tools made.
    """

    text: str
    messages: tuple[Message, ...]
    tool_calls: tuple[ToolCall, ...] = ()
    tool_results: tuple[ToolResult, ...] = ()
    artefacts: tuple[Artefact, ...] = ()


@dataclass
class _Reply:
    """What one generation gave: shown text, and calls or the error that made them unreadable."""

    text: str
    calls: list[ToolCall]
    error: str | None = None


class Assistant:
    """A model that listens, with tools that measure.

    Args:
        model: A `LlarkForConditionalGeneration`.
        processor: Its `LlarkProcessor`.
        tools: Names of the tools it may call; None for those that it was taught to call, or for
            all where its configuration names none.
        name: What the model is called in reports.
        max_rounds: How often in one turn it may ask for tools.
        max_new_tokens: Longest reply in tokens.
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
    ):
        self.name = name
        taught = model.config.tools
        self.tools = tuple(tools if tools is not None else taught or names())
        self.max_rounds, self.max_new_tokens = max_rounds, max_new_tokens
        self._schemas = schemas(self.tools)
        self._decoder = Decoder(model, processor)
        self._folder = tempfile.TemporaryDirectory(prefix="llark-")

    def ask(
        self,
        conversation: Sequence[Message] | Audio | Sequence[Audio],
        question: str | None = None,
    ) -> Answer:
        """Answer in one piece.

        Args:
            conversation: Messages that end with the user's; or one recording or several.
            question: What to ask about the recordings.

        Raises:
            ConfigError: The conversation does not end with a question, or does not fit the model.
        """
        calls: list[ToolCall] = []
        results: list[ToolResult] = []
        artefacts: list[Artefact] = []
        done = Done((), "")
        for event in self.stream(as_messages(conversation, question)):
            if isinstance(event, ToolFinished):
                calls.append(event.call)
                results.append(event.result)
            elif isinstance(event, ArtefactReady):
                artefacts.append(event.artefact)
            elif isinstance(event, Done):
                done = event
        return Answer(done.text, done.messages, tuple(calls), tuple(results), tuple(artefacts))

    def stream(self, messages: Sequence[Message], *, cancel: Flag | None = None) -> Iterator[Event]:
        """Answer the last message, telling everything that happens on the way.

        Args:
            messages: The conversation so far, recordings included; the last is the user's.
            cancel: Set it to stop; the turn then ends with what there is.

        Yields:
            Events; the last one is `Done`.

        Raises:
            ConfigError: The conversation does not end with a question, or does not fit the model.
        """
        check_order(messages)
        stop = cancel or Flag()
        asked = with_system(messages)
        new: list[Message] = []

        def admit(made: Sequence[AudioPart]) -> None:
            there = {part.id for part in recordings(new)}
            missing = tuple(part for part in made if part.id not in there)
            check_room(
                self._decoder,
                [*asked, *new, Message("user", missing)],
                self._schemas,
                self.max_new_tokens,
            )

        toolbox = Toolbox(
            {part.id: part.audio for part in recordings(asked)},
            Path(tempfile.mkdtemp(dir=self._folder.name)),
            first_artefact=next_artefact_number(asked),
            admit=admit,
            stop=stop,
        )
        text, unreadable = "", 0
        for round_number in range(self.max_rounds + 1):
            may_call = bool(
                self.tools and round_number < self.max_rounds and unreadable <= _MAX_UNREADABLE
            )
            # 1. The model speaks.
            reply = _Reply("", [])
            for piece in self._speak(asked + new, reply, stop, may_call, measured=bool(new)):
                piece = _PARAGRAPH + piece if text and not reply.text else piece
                reply.text += piece
                yield TextDelta(piece)
            text += reply.text
            if stop.is_set() or not (may_call and (reply.calls or reply.error)):
                break
            # 2. The tools answer, or the call is sent back.
            results: list[ToolResult] = []
            if reply.error:
                unreadable += 1
                results = yield from toolbox.reject(reply.calls[0], reply.error)
            else:
                results = yield from toolbox.run(reply.calls)
            if stop.is_set():
                reply.text = ""  # said, but its calls have no results: nothing to remember
                break
            words = (TextPart(reply.text.strip()),) if reply.text else ()
            new.append(Message("assistant", (*words, *reply.calls)))
            new.extend(Message("tool", (result,)) for result in results)
            if made := toolbox.recordings(results):
                # Every chat template takes recordings from users, hardly any from tools.
                new.append(Message("user", made))
            reply = _Reply("", [])
        if reply.text:
            new.append(Message("assistant", (TextPart(reply.text.strip()),)))
        yield Done(tuple(new), text, cancelled=stop.is_set())

    def _speak(
        self,
        messages: list[Message],
        reply: _Reply,
        stop: Flag,
        may_call: bool,
        measured: bool,
    ) -> Iterator[str]:
        """Generate one reply: yields its visible text, puts its calls into `reply`."""
        first_call = 1 + sum(len(message.tool_calls) for message in messages)
        messages, prompt, room = fit_context(
            self._decoder, messages, self._schemas, self.max_new_tokens
        )
        audios = [part.audio for part in recordings(messages)]
        tokenizer = self._decoder.tokenizer
        constraints, trim = constrain(
            tokenizer,
            quotable_text(messages),
            [t for a in audios for t in told_times(a.duration_s, self._decoder.frames(a).notes)],
            len(prompt),
            measured=measured,
        )
        if not may_call:
            ids = tokenizer(TOOL_CALL, add_special_tokens=False)["input_ids"]
            constraints.append(NoBadWordsLogitsProcessor([ids]))
        visible = ReplyFilter(control_tokens(tokenizer).values())
        pieces = self._decoder.stream(
            prompt, audios, max_new_tokens=room, constraints=constraints, stop=stop
        )
        for piece in pieces:
            if shown := visible.feed(piece):
                yield shown
        if shown := visible.finish(trim):
            yield shown
        if TOOL_CALL in visible.raw:
            self._read_calls(visible, reply, first_call)

    def _read_calls(self, visible: ReplyFilter, reply: _Reply, first: int) -> None:
        raw = visible.without_controls()
        try:
            _, calls = self._decoder.processor.parse_tool_calls(raw)
        except ValueError as error:
            _log.info("unreadable tool call: %s", raw)
            reply.calls, reply.error = [unreadable_call(f"call_{first}", raw)], str(error)
            return
        reply.calls = [
            ToolCall(f"call_{first + i}", call["name"], call["arguments"])
            for i, call in enumerate(calls)
        ]


def load_assistant(
    model: str | Path | None = None,
    tools: Sequence[str] | None = None,
    *,
    device: str | None = None,
    **options: Any,
) -> Assistant:
    """Load a model and give it tools.

    Args:
        model: A folder or a Hub name; None for the embedded model `mini`.
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

        disable_progress_bar()  # of weights being loaded: a matter of milliseconds
        device = device or ("cuda" if torch.cuda.is_available() else None)
        if model is not None and is_adapter(model):
            start.close()  # peft needs what a lean start leaves out
        loaded = load_model(embedded_folder() if model is None else model, device)
        lend_ears(loaded[0])
    return Assistant(*loaded, tools=tools, name="mini" if model is None else str(model), **options)
