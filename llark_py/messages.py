"""The conversation as pure values: messages made of text, audio, tool calls and tool results.

Nothing here loads torch, so that any part of the house (serving, scoring, tests) can speak it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from .audio import Audio

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True)
class TextPart:
    """Words."""

    text: str


@dataclass(frozen=True)
class AudioPart:
    """A recording under the id that tools know it by (`audio_1`, `audio_2`, ...).

    Recordings that tools make take the next free number.
    """

    id: str
    audio: Audio
    name: str = ""


@dataclass(frozen=True)
class ToolCall:
    """A call that the model asked for. `id` pairs it with its result."""

    id: str
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ToolResult:
    """What a tool measured, or why it could not.

    Attributes:
        call_id: The id of the call that this answers.
        name: The tool's name.
        content: What the model is shown: a small JSON object; `{"error": ...}` on failure.
        details: The whole result for people and programs (long lists such as beats included).
        artefacts: Ids of the files it made (MIDI, sound, pictures).
        recordings: Ids of the recordings it made, which later calls may name.
        sounds: Where those of its artefacts lie that are sounds; later calls may name them too,
            by the id, though the model does not hear them.
    """

    call_id: str
    name: str
    content: dict[str, Any]
    details: dict[str, Any] = field(default_factory=dict)
    artefacts: tuple[str, ...] = ()
    recordings: tuple[str, ...] = ()
    sounds: dict[str, Path] = field(default_factory=dict)

    @property
    def error(self) -> str | None:
        """The reason of a failure; None when the tool answered."""
        return self.content.get("error")


Part = TextPart | AudioPart | ToolCall | ToolResult


@dataclass(frozen=True)
class Message:
    """One turn of one speaker."""

    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """All words of the message, in order."""
        return "".join(p.text for p in self.parts if isinstance(p, TextPart))

    @property
    def audios(self) -> tuple[AudioPart, ...]:
        """The recordings of the message, in order."""
        return tuple(p for p in self.parts if isinstance(p, AudioPart))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls of the message, in order."""
        return tuple(p for p in self.parts if isinstance(p, ToolCall))


def user(text: str, *audios: AudioPart) -> Message:
    """Make a user's message: recordings first, then the words."""
    return Message("user", (*audios, TextPart(text)))


def system(text: str) -> Message:
    """Make the system message."""
    return Message("system", (TextPart(text),))


def assistant(text: str) -> Message:
    """Make an assistant's message of words only."""
    return Message("assistant", (TextPart(text),))
