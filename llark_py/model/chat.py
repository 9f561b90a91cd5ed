"""Conversations as plain dicts: control tokens kept out, audio written in, tool calls read back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llark_py.errors import AudioError, ConfigError

Chat = list[dict[str, Any]]

_TOOL_CALL = re.compile(r"<tool_call>(.*?)(</tool_call>|\Z)", re.DOTALL)


def control_token_pattern(tokens: Sequence[str]) -> re.Pattern[str]:
    """Make a pattern that finds any of some tokens; the longest first."""
    longest_first = sorted({t for t in tokens if len(t) > 1}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")


def neutralise(value: Any, pattern: re.Pattern[str]) -> Any:
    """Break every control token inside strings, lists and dicts by a space after its first letter.

    `<|audio|>` becomes `< |audio|>`: still readable, but no longer one token. Repeated until none
    is left, since breaking one may complete another. Anything that is not text stays as it is.
    """
    if isinstance(value, str):
        while pattern.search(value):
            value = pattern.sub(lambda found: f"{found[0][0]} {found[0][1:]}", value)
        return value
    if isinstance(value, Mapping):
        return {key: neutralise(item, pattern) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [neutralise(item, pattern) for item in value]
    return value


def protect_chat(chat: Chat, control: re.Pattern[str], audio: re.Pattern[str]) -> Chat:
    """Keep people and tools from writing control tokens.

    Users' words and tool results lose all control tokens. What the assistant and the system said
    may hold the model's own marks (`<tool_call>`), but never an audio placeholder.
    """
    untrusted = ("user", "tool")
    return [
        neutralise(message, control if message.get("role") in untrusted else audio)
        for message in chat
    ]


def take_audio(chat: Chat) -> list[Any]:
    """Collect the waveforms that audio items carry under `audio`, in order.

    Raises:
        AudioError: An item names a path or an address: a conversation must not open files.
    """
    waveforms = []
    for item in _items(chat):
        if item.get("type") == "audio":
            if "path" in item or "url" in item:
                raise AudioError("an audio item holds a waveform or nothing; load it first")
            if item.get("audio") is not None:
                waveforms.append(item["audio"])
    return waveforms


def without_waveforms(chat: Chat) -> Chat:
    """Copy a conversation, leaving the waveforms out of its audio items."""
    return [
        {**message, "content": [_strip(item) for item in message["content"]]}
        if isinstance(message.get("content"), list)
        else message
        for message in chat
    ]


def with_notes(chat: Chat, notes: Sequence[str | None]) -> Chat:
    """Copy a conversation with what the encoder hears written right behind each audio item.

    Args:
        chat: The conversation.
        notes: Of its recordings, in order; None where the encoder wrote none.

    Raises:
        AudioError: There are more or fewer notes than audio items.
    """
    wanted = sum(item.get("type") == "audio" for item in _items(chat))
    if wanted != len(notes):
        raise AudioError(f"{len(notes)} notes were given for {wanted} recordings in the chat")
    if not any(notes):
        return list(chat)
    left = iter(notes)

    def annotate(item: dict[str, Any]) -> list[dict[str, Any]]:
        note = next(left) if item.get("type") == "audio" else None
        return [item] if not note else [item, {"type": "text", "text": f"{note}\n"}]

    return [
        {**message, "content": [new for item in message["content"] for new in annotate(item)]}
        if isinstance(message.get("content"), list)
        else message
        for message in chat
    ]


def flatten_content(chat: Chat, audio_token: str) -> Chat:
    """Write content lists as plain strings, for chat templates that know text only.

    An audio item becomes the placeholder on a line of its own.
    """
    return [
        {**message, "content": "".join(_write(item, audio_token) for item in message["content"])}
        if isinstance(message.get("content"), list)
        else message
        for message in chat
    ]


def assistant_spans(chat: Chat, render: Callable[[Chat, bool], str]) -> list[tuple[int, int]]:
    """Find what the assistant says in a rendered conversation, by rendering its beginnings.

    For templates without `{% generation %}` marks.

    Args:
        chat: The conversation.
        render: Renders a conversation; its second argument asks for the generation prompt.

    Returns:
        Character spans (start, end) in `render(chat, False)`, the end-of-turn token included.

    Raises:
        ConfigError: The template writes earlier turns differently once later ones follow.
    """
    whole, spans = render(chat, False), []
    for number, message in enumerate(chat):
        if message.get("role") != "assistant":
            continue
        before, after = render(chat[:number], True), render(chat[: number + 1], False).rstrip()
        if not (whole.startswith(after) and after.startswith(before)):
            raise ConfigError(
                "this chat template rewrites earlier turns, so the assistant's words cannot be "
                "told apart; put {% generation %} ... {% endgeneration %} around them"
            )
        spans.append((len(before), len(after)))
    return spans


def parse_tool_calls(text: str) -> tuple[str, list[dict[str, Any]]]:
    """Split what the model wrote into words and tool calls.

    Args:
        text: Decoded with special tokens kept; `<tool_call>{json}</tool_call>` blocks.

    Returns:
        The words outside the blocks (stripped), and `{"name": str, "arguments": dict}` for each.

    Raises:
        ValueError: A block is not closed or its JSON is not such an object; the text can go back
            to the model.
    """
    calls = []
    for found in _TOOL_CALL.finditer(text):
        body = found[1].strip()
        if not found[2]:
            raise ValueError(f"the tool call is not closed by </tool_call>: {body[:200]}")
        try:
            call = json.loads(body)
        except json.JSONDecodeError as error:
            raise ValueError(f"the tool call is not valid JSON ({error}): {body[:200]}") from error
        if not isinstance(call, dict) or not isinstance(call.get("name"), str):
            raise ValueError(f'the tool call has no "name": {body[:200]}')
        arguments = call.get("arguments", {})
        if not isinstance(arguments, dict):
            raise ValueError(f'the "arguments" of the tool call are not an object: {body[:200]}')
        calls.append({"name": call["name"], "arguments": arguments})
    return _TOOL_CALL.sub("", text).strip(), calls


def _items(chat: Chat) -> list[dict[str, Any]]:
    contents = (message.get("content") for message in chat)
    return [item for content in contents if isinstance(content, list) for item in content]


def _strip(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != "audio"}


def _write(item: dict[str, Any], audio_token: str) -> str:
    return f"{audio_token}\n" if item.get("type") == "audio" else item.get("text", "")
