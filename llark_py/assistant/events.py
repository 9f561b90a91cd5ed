"""What happens while an answer is made, as values that any front end can show."""

from __future__ import annotations

from dataclasses import dataclass

from llark_py.messages import Message, ToolCall, ToolResult
from llark_py.tools import Artefact


@dataclass(frozen=True)
class TextDelta:
    """The next piece of the answer; all pieces together are `Done.text`."""

    text: str


@dataclass(frozen=True)
class ToolStarted:
    """A tool the model asked for begins to work."""

    call: ToolCall


@dataclass(frozen=True)
class ToolProgress:
    """How far a tool is: a fraction in [0, 1] and what it is doing."""

    call: ToolCall
    fraction: float
    note: str


@dataclass(frozen=True)
class ToolFinished:
    """A tool has answered, or failed (`result.error`)."""

    call: ToolCall
    result: ToolResult


@dataclass(frozen=True)
class ArtefactReady:
    """A tool has made a file. It lies in a temporary folder of the assistant."""

    artefact: Artefact


@dataclass(frozen=True)
class Done:
    """The end of the turn.

    Attributes:
        messages: What the turn adds to the conversation: append them to continue it.
        text: The whole answer.
        cancelled: Whether it was stopped before its end.
        ungrounded: What the answer says without a source, as it is written: numbers (`118`) and
            keys (`E minor`); see `assistant.ungrounded`. Empty for models that hear: their decoding
            is constrained instead.
    """

    messages: tuple[Message, ...]
    text: str
    cancelled: bool = False
    ungrounded: tuple[str, ...] = ()


Event = TextDelta | ToolStarted | ToolProgress | ToolFinished | ArtefactReady | Done
