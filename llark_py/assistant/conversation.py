"""Conversations as values: what the chat template is given, what is in them, what is left out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from llark_py.audio import Audio
from llark_py.errors import ConfigError
from llark_py.instruct.records import to_chat
from llark_py.messages import AudioPart, Message, Part, TextPart, ToolResult, system, user
from llark_py.prompting import render_prompt

_ARTEFACT_NUMBER = re.compile(r"^artefact_(\d+)$")


def as_messages(
    conversation: Sequence[Message] | Audio | Sequence[Audio], question: str | None
) -> list[Message]:
    """Read what `Assistant.ask` is given as messages.

    Args:
        conversation: Messages, or with a question one recording or several.
        question: What to ask about the recordings.

    Raises:
        ConfigError: A question comes with messages.
    """
    given = [conversation] if isinstance(conversation, Audio) else list(conversation)
    heard = [item for item in given if isinstance(item, Audio)]
    if question is None:
        return [item for item in given if isinstance(item, Message)]
    if len(heard) != len(given):
        raise ConfigError("a question goes with recordings; messages bring their own")
    return [user(question, *(AudioPart(f"audio_{n}", a) for n, a in enumerate(heard, 1)))]


def with_system(messages: Sequence[Message], prompt: str = "system") -> list[Message]:
    """Put our system message first unless the conversation brings its own.

    Args:
        messages: The conversation.
        prompt: Which file of the prompts room ours is.
    """
    if messages and messages[0].role == "system":
        return list(messages)
    return [system(render_prompt(prompt)), *messages]


def read_as(messages: Sequence[Message], mend: Callable[[str], str]) -> list[Message]:
    """Put what is read in place of what users wrote.

    Args:
        messages: The conversation.
        mend: Gives for a text what is read instead.
    """

    def mended(part: Part) -> Part:
        return TextPart(mend(part.text)) if isinstance(part, TextPart) else part

    return [
        replace(message, parts=tuple(map(mended, message.parts)))
        if message.role == "user"
        else message
        for message in messages
    ]


def write_chat(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Write messages as the dicts that transformers' chat templates read.

    The same function writes the chats that models are trained on.
    """
    return to_chat(messages, first_user_has_audio=False)


def recordings(messages: Sequence[Message]) -> list[AudioPart]:
    """List the recordings of a conversation in order.

    Raises:
        ConfigError: Two of them have the same id.
    """
    parts = [part for message in messages for part in message.audios]
    ids = [part.id for part in parts]
    if repeated := {i for i in ids if ids.count(i) > 1}:
        raise ConfigError(f"two recordings are called '{min(repeated)}'; ids must differ")
    return parts


def sounds(messages: Sequence[Message]) -> dict[str, Path]:
    """Find the sounds that tools made in a conversation, by id."""
    return {
        sound_id: path
        for message in messages
        for part in message.parts
        if isinstance(part, ToolResult)
        for sound_id, path in part.sounds.items()
    }


def check_order(messages: Sequence[Message]) -> None:
    """Refuse conversations that nobody waits for an answer in.

    Raises:
        ConfigError: There is no message, or the last one is not the user's.
    """
    if not messages or messages[-1].role != "user":
        raise ConfigError("a conversation must end with a message of the user to be answered")


def next_recording_number(messages: Sequence[Message]) -> int:
    """Give the number of the next recording; tools may have made some of those before it."""
    return 1 + len(recordings(messages))


def next_artefact_number(messages: Sequence[Message]) -> int:
    """Give the first number that no artefact of the conversation has."""
    ids = (
        artefact_id
        for message in messages
        for part in message.parts
        if isinstance(part, ToolResult)
        for artefact_id in part.artefacts
    )
    numbers = [int(m.group(1)) for i in ids if (m := _ARTEFACT_NUMBER.match(i))]
    return max(numbers, default=0) + 1


def drop_oldest_exchange(messages: Sequence[Message]) -> list[Message] | None:
    """Leave out the oldest question with all that answered it, but keep its recordings.

    The recordings move to the front of the next question, so that the model goes on hearing what
    the conversation is about. Messages without words only hand over what tools cut out.

    Returns:
        The shorter conversation; None when there is only one question.
    """
    questions = [i for i, m in enumerate(messages) if m.role == "user" and m.text]
    if len(questions) < 2:
        return None
    first, second = questions[:2]
    heard = tuple(part for m in messages[first:second] for part in m.audios)
    kept = replace(messages[second], parts=heard + messages[second].parts)
    return [*messages[:first], kept, *messages[second + 1 :]]


def quotable_text(messages: Sequence[Message]) -> str:
    """Join what an answer may take numbers from: tool results and the user's own words."""
    texts = []
    for message in messages:
        if message.role == "user":
            texts.append(message.text)
        texts.extend(json.dumps(p.content) for p in message.parts if isinstance(p, ToolResult))
    return "\n".join(texts)


def asked_text(messages: Sequence[Message]) -> str:
    """Join the last question, and what tools have said since, as `quotable_text` does."""
    return quotable_text(since_question(messages) or messages)


def since_question(messages: Sequence[Message]) -> Sequence[Message]:
    """Take the messages from the last question on, that one first; none where nobody has asked."""
    asked = [i for i, m in enumerate(messages) if m.role == "user" and m.text.strip()]
    return messages[asked[-1] :] if asked else ()


def results_since_question(messages: Sequence[Message]) -> list[ToolResult]:
    """List what tools have answered since the last question; none where nobody has asked."""
    since = since_question(messages)
    return [part for m in since for part in m.parts if isinstance(part, ToolResult)]
