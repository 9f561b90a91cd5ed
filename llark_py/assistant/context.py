"""Makes a conversation and its reply fit into the context of the model."""

from __future__ import annotations

import logging
from typing import Any

from llark_py.errors import ConfigError
from llark_py.messages import Message

from .conversation import drop_oldest_exchange, recordings, write_chat
from .generation import Decoder

_SHORTEST_REPLY = 32
"""With less room than this, in tokens, no answer is worth beginning."""

_log = logging.getLogger(__name__)


def fit_context(
    decoder: Decoder, messages: list[Message], schemas: list[dict[str, Any]], max_new_tokens: int
) -> tuple[list[Message], list[int], int]:
    """Leave out the oldest questions until prompt and reply fit; recordings are never left out.

    A reply is promised `max_new_tokens`, or a quarter of the context if that is less. Where one
    question alone leaves no such room, a shorter reply has to do.

    Args:
        decoder: Tokenises and knows the length of the context.
        messages: The whole conversation.
        schemas: JSON schemas of the tools.
        max_new_tokens: Longest reply that is wanted.

    Returns:
        The messages that fit, their tokens, and how many tokens the reply may have.

    Raises:
        ConfigError: Not even the last question fits.
    """
    limit = decoder.context_length
    wanted = _reply_room(limit, max_new_tokens)
    while True:
        audios = [part.audio for part in recordings(messages)]
        prompt = decoder.prompt_ids(write_chat(messages), schemas, audios)
        if limit is None:
            return messages, prompt, max_new_tokens
        room = limit - len(prompt)
        shorter = drop_oldest_exchange(messages)
        if room >= wanted or (shorter is None and room >= _SHORTEST_REPLY):
            return messages, prompt, min(max_new_tokens, room)
        if shorter is None:
            raise ConfigError(
                f"the question and its recordings take {len(prompt)} tokens; "
                f"the model reads {limit} with its answer. Ask less at once"
            )
        _log.warning("the conversation is too long for the model: its oldest question is left out")
        messages = shorter


def check_room(
    decoder: Decoder, messages: list[Message], schemas: list[dict[str, Any]], max_new_tokens: int
) -> None:
    """Refuse recordings that would leave no room to speak of them.

    Args:
        decoder: As for `fit_context`.
        messages: The conversation with the new recordings in it.
        schemas: JSON schemas of the tools.
        max_new_tokens: Longest reply that is wanted.

    Raises:
        ConfigError: Even without the older questions there is no room for a reply.
        AudioError: The model cannot hear one of the recordings.
    """
    limit = decoder.context_length
    while (shorter := drop_oldest_exchange(messages)) is not None:
        messages = shorter
    audios = [part.audio for part in recordings(messages)]
    prompt = decoder.prompt_ids(write_chat(messages), schemas, audios)
    if limit is not None and limit - len(prompt) < _reply_room(limit, max_new_tokens):
        raise ConfigError(
            f"with this recording the conversation takes {len(prompt)} tokens of the {limit} "
            "that the model reads. Take a shorter one"
        )


def _reply_room(limit: int | None, max_new_tokens: int) -> int:
    """Give how many tokens a reply is promised in a context of so many."""
    return max_new_tokens if limit is None else min(max_new_tokens, limit // 4)
