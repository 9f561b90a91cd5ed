"""Instruction records: a dialogue about one recording, as a line of JSON and as chat dicts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from llark_py.errors import ConfigError
from llark_py.files import whole_file
from llark_py.messages import Message, Part, TextPart, ToolCall, ToolResult

Chat = list[dict[str, Any]]
"""Messages as transformers' chat templates take them."""


def to_chat(
    messages: Sequence[Message],
    first_user_has_audio: bool = True,
    audio_id: str = "audio_1",
) -> Chat:
    """Write messages as the plain dicts that chat templates read.

    Args:
        messages: A conversation; recordings in it become audio items of their own.
        first_user_has_audio: Whether a recording stands before the first question although its
            message holds none (as in the dialogues of the grammar).
        audio_id: Name of that recording.
    """
    chat: Chat = []
    pending = first_user_has_audio
    for message in messages:
        if message.role == "user":
            content = [{"type": "audio", "id": part.id} for part in message.audios]
            if pending and not content:
                content.append({"type": "audio", "id": audio_id})
            pending = False
            chat.append(
                {"role": "user", "content": [*content, {"type": "text", "text": message.text}]}
            )
        elif message.role == "tool":
            for part in message.parts:
                if isinstance(part, ToolResult):
                    content_json = json.dumps(part.content, ensure_ascii=False)
                    chat.append({"role": "tool", "name": part.name, "content": content_json})
        else:
            turn: dict[str, Any] = {"role": message.role, "content": message.text}
            if message.tool_calls:
                turn["tool_calls"] = [
                    {"type": "function", "function": {"name": c.name, "arguments": c.arguments}}
                    for c in message.tool_calls
                ]
            chat.append(turn)
    return chat


def from_chat(chat: Iterable[dict[str, Any]]) -> list[Message]:
    """Read chat dicts as messages; audio items are left out, as they hold no sound.

    Calls are numbered in order, and results belong to the calls in the order they stand.

    Raises:
        ConfigError: A message has no known role, or a tool's answer is not a JSON object.
    """
    messages: list[Message] = []
    open_calls: list[str] = []
    n_calls = 0
    for turn in chat:
        role, content = turn.get("role"), turn.get("content") or ""
        if not isinstance(content, str):
            content = "".join(item.get("text", "") for item in content)
        if role == "tool":
            call_id = open_calls.pop(0) if open_calls else f"call_{n_calls}"
            result = ToolResult(call_id, str(turn.get("name", "")), _json_object(content))
            messages.append(Message("tool", (result,)))
        elif role in ("system", "user", "assistant"):
            parts: list[Part] = [TextPart(content)] if content else []
            for call in turn.get("tool_calls") or []:
                function = call.get("function", call)
                n_calls += 1
                open_calls.append(f"call_{n_calls}")
                arguments = function["arguments"]
                if isinstance(arguments, str):
                    arguments = _json_object(arguments)
                parts.append(ToolCall(open_calls[-1], function["name"], arguments))
            messages.append(Message(role, tuple(parts)))
        else:
            raise ConfigError(f"message role '{role}' is not system, user, assistant or tool")
    return messages


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"not JSON: {error.msg} in '{text[:60]}'") from error
    if not isinstance(value, dict):
        raise ConfigError(f"expected a JSON object, got '{text[:60]}'")
    return value


class _Turn(BaseModel):
    """One message of a record: words, tool calls, or a tool's answer."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "user", "assistant", "tool"]
    content: str | list[dict[str, Any]] = ""
    name: str | None = None
    tool_calls: list[dict[str, Any]] | None = None

    @model_validator(mode="after")
    def _has_something_to_say(self) -> _Turn:
        if not self.content and not self.tool_calls:
            raise ValueError("a message needs 'content' or 'tool_calls'")
        return self


class InstructionRecord(BaseModel):
    """A dialogue about one recording.

    A person's own file needs `audio` and `messages` only, the messages with `role` and `content`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = ""
    audio: str | None = None
    """Path of the recording, from the folder of the JSONL file or absolute."""
    track_id: str | None = None
    """Id of a Track, for recordings that are composed when needed."""
    messages: list[_Turn] = Field(min_length=2)
    source: str = "user"
    """Who wrote the dialogue: `grammar`, `user`, `llm:<name>`."""

    @model_validator(mode="after")
    def _can_be_learned_from(self) -> InstructionRecord:
        if not self.audio and not self.track_id:
            raise ValueError("needs 'audio' (a path) or 'track_id'")
        spoken = [m.role for m in self.messages if m.role != "system"]
        if not spoken or spoken[0] != "user":
            raise ValueError("the first message must be the user's")
        if spoken[-1] != "assistant":
            raise ValueError("the last message must be the assistant's")
        return self

    @property
    def chat(self) -> Chat:
        """The messages as chat dicts, with the recording before the first question."""
        turns = [m.model_dump(exclude_none=True) for m in self.messages]
        return to_chat(from_chat(turns))


def record_of(
    messages: Sequence[Message],
    *,
    id: str,
    source: str,
    audio: str | None = None,
    track_id: str | None = None,
) -> InstructionRecord:
    """Make a record of messages, without the audio items that its `audio` stands for."""
    turns = to_chat(messages, first_user_has_audio=False)
    for turn in turns:
        if not isinstance(turn["content"], str):
            turn["content"] = "".join(i["text"] for i in turn["content"] if i["type"] == "text")
    return InstructionRecord(
        id=id, audio=audio, track_id=track_id, source=source, messages=[_Turn(**t) for t in turns]
    )


def write_records(records: Iterable[InstructionRecord], path: str | Path) -> int:
    """Write records one a line and return how many; an interrupted write leaves no file."""
    path = Path(path)
    count = 0
    with whole_file(path) as unfinished, unfinished.open("w", encoding="utf-8") as file:
        for record in records:
            file.write(record.model_dump_json(exclude_defaults=True) + "\n")
            count += 1
    return count


def read_records(path: str | Path) -> Iterator[InstructionRecord]:
    """Read records from a JSONL file; empty lines are skipped.

    Raises:
        ConfigError: The file is missing, or a line is not a record; says which line and why.
    """
    path = Path(path)
    if not path.is_file():
        raise ConfigError(f"no file '{path}'; expected JSON lines of audio and messages")
    with path.open(encoding="utf-8") as file:
        try:
            lines = list(enumerate(file, start=1))
        except UnicodeDecodeError as error:
            raise ConfigError(f"'{path}' is not UTF-8 text") from error
    found = False
    for number, line in lines:
        if line.strip():
            found = True
            yield _parse_record(line, f"{path.name}, line {number}")
    if not found:
        raise ConfigError(f"'{path}' holds no records")


def _parse_record(line: str, where: str) -> InstructionRecord:
    try:
        return InstructionRecord.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{where}: {place + ': ' if place else ''}{reason}") from error
