"""The tool loop: whoever speaks, tools measure in between, and all of it is told as events.

`ToolLoop` keeps no conversation: it is given all messages and returns the new ones in `Done`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event as Flag

from llark_py.audio import Audio
from llark_py.messages import AudioPart, Message, TextPart, ToolCall, ToolResult
from llark_py.tools import Artefact, names, schemas

from .conversation import (
    as_messages,
    check_order,
    next_artefact_number,
    read_as,
    recordings,
    sounds,
    with_system,
)
from .events import ArtefactReady, Done, Event, TextDelta, ToolFinished
from .reply import Reply
from .toolbox import Toolbox

MAX_ROUNDS = 4
"""How often in one turn the model may ask for tools."""
_MAX_UNREADABLE = 1
_PARAGRAPH = "\n\n"


@dataclass(frozen=True)
class Answer:
    """A whole turn.

    Attributes:
        text: What the assistant said.
        messages: What the turn adds to the conversation.
        tool_calls, tool_results: The tools it used, pair by pair.
        artefacts: Files that tools made.
        ungrounded: See `events.Done`.
    """

    text: str
    messages: tuple[Message, ...]
    tool_calls: tuple[ToolCall, ...] = ()
    tool_results: tuple[ToolResult, ...] = ()
    artefacts: tuple[Artefact, ...] = ()
    ungrounded: tuple[str, ...] = ()


class ToolLoop:
    """Answers questions in rounds; `_speak` is left to those who know a model.

    Args:
        tools: Names of the tools that may be called; None for all.
        name: What the model is called in reports.
        max_rounds: How often in one turn it may ask for tools.
        reads: By tool, the fields of its results that the model is shown; all where none are said.
        mend: What the model reads in place of what the user wrote; None for the same.
    """

    _system_prompt = "system"

    def __init__(
        self,
        *,
        tools: Sequence[str] | None = None,
        name: str = "",
        max_rounds: int = MAX_ROUNDS,
        reads: Mapping[str, Sequence[str]] | None = None,
        mend: Callable[[str], str] | None = None,
    ):
        self.name = name
        self._reads = reads or {}
        self._mend = mend
        self.tools = tuple(names() if tools is None else tools)
        self.max_rounds = max_rounds
        self._schemas = schemas(self.tools)
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
        return Answer(
            done.text,
            done.messages,
            tuple(calls),
            tuple(results),
            tuple(artefacts),
            done.ungrounded,
        )

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
        asked = with_system(
            read_as(messages, self._mend) if self._mend else messages, self._system_prompt
        )
        new: list[Message] = []

        def admit(made: Sequence[AudioPart]) -> None:
            there = {part.id for part in recordings(new)}
            missing = tuple(part for part in made if part.id not in there)
            self._check_room([*asked, *new, Message("user", missing)])

        toolbox = Toolbox(
            {part.id: part.audio for part in recordings(asked)},
            Path(tempfile.mkdtemp(dir=self._folder.name)),
            first_artefact=next_artefact_number(asked),
            admit=admit,
            stop=stop,
            sounds=sounds(asked),
        )
        text, unreadable, repeated = "", 0, False
        for round_number in range(self.max_rounds + 1):
            may_call = bool(
                self.tools
                and round_number < self.max_rounds
                and unreadable <= _MAX_UNREADABLE
                and not repeated
            )
            # 1. The model speaks.
            reply = Reply()
            spoken = self._speak(asked + new, reply, stop, may_call=may_call, measured=bool(new))
            for piece in spoken:
                piece = _PARAGRAPH + piece if text and piece and not reply.text else piece
                reply.text += piece
                yield TextDelta(piece)
            text += reply.text
            if stop.is_set() or not (may_call and reply.calls):
                break
            # Asked once more, tools would say the same: what they have said is to be told.
            repeated = not reply.unreadable and _repeats(reply.calls, new)
            if repeated and reply.text:
                break
            if repeated:
                continue
            # 2. The tools answer; a call that cannot be read is sent back.
            unreadable += bool(reply.unreadable)
            results: list[ToolResult] = []
            for call in reply.calls:
                if call.id in reply.unreadable:
                    results += yield from toolbox.reject(call, reply.unreadable[call.id])
                else:
                    results += yield from toolbox.run([call])
            if stop.is_set():
                reply.text = ""  # said, but its calls have no results: nothing to remember
                break
            words = (TextPart(reply.text.strip()),) if reply.text else ()
            new.append(Message("assistant", (*words, *reply.calls)))
            new.extend(Message("tool", (self._shown(result),)) for result in results)
            if made := toolbox.recordings(results):
                # Every chat template takes recordings from users, hardly any from tools.
                new.append(Message("user", made))
            reply = Reply()
        if reply.text:
            new.append(Message("assistant", (TextPart(reply.text.strip()),)))
        yield Done(
            tuple(new),
            text,
            cancelled=stop.is_set(),
            ungrounded=self._ungrounded(asked + new, text),
        )

    def _shown(self, result: ToolResult) -> ToolResult:
        """Leave out of a result what the model was not taught to read."""
        fields = self._reads.get(result.name)
        if fields is None or result.error is not None:
            return result
        return replace(result, content={name: result.content[name] for name in fields})

    def _speak(
        self,
        messages: list[Message],
        reply: Reply,
        stop: Flag,
        *,
        may_call: bool,
        measured: bool,
    ) -> Iterator[str]:
        """Make one reply.

        Args:
            messages: The conversation so far, the system message first.
            reply: Takes the calls; its text is filled in with what is yielded.
            stop: Set when nobody waits for the reply any more.
            may_call: Whether it may ask for tools.
            measured: Whether a tool has answered in this turn.

        Yields:
            Its visible text, piece by piece.
        """
        raise NotImplementedError

    def _check_room(self, messages: list[Message]) -> None:
        """Refuse recordings of tools that the model cannot take in; called before it gets them.

        Args:
            messages: The conversation with them in its last message.

        Raises:
            LlarkError: Says why; the model is told.
        """
        raise NotImplementedError

    def _ungrounded(self, messages: list[Message], text: str) -> tuple[str, ...]:
        """List what the answer says without a source; see `Done.ungrounded`."""
        return ()


def _repeats(calls: Sequence[ToolCall], messages: Sequence[Message]) -> bool:
    """Tell whether all of some calls have been made in some messages."""
    made = [(p.name, p.arguments) for m in messages for p in m.parts if isinstance(p, ToolCall)]
    return all((call.name, call.arguments) in made for call in calls)
