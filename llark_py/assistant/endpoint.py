"""An assistant whose language model lives behind an address and does not hear.

    assistant = load_endpoint_assistant("http://127.0.0.1:8000/v1", "qwen3-32b")
    print(assistant.ask(load_audio("song.mp3"), "Which key is it in?").text)

The model reads what the embedded encoder hears (the note that `mini` is given too) and calls the
same tools, which run here. Notes, words and tool results are sent to the endpoint; sound, file
names and artefacts are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Event as Flag
from typing import Any

from llark_py.errors import EndpointError
from llark_py.messages import Message

from .chat_api import TIMEOUT_S, ChatApi
from .chat_words import IncomingReply, write_messages
from .conversation import quotable_text, recordings
from .listener import Listener, load_listener
from .reply import Reply
from .turns import MAX_ROUNDS, ToolLoop
from .ungrounded import ungrounded


class EndpointAssistant(ToolLoop):
    """A model behind an address, with our ears and our tools.

    Args:
        api: Where the model is.
        listener: Writes the notes.
        tools: Names of the tools it may call; None for all.
        max_rounds: How often in one turn it may ask for tools.
    """

    _system_prompt = "reader_system"

    def __init__(
        self,
        api: ChatApi,
        listener: Listener,
        *,
        tools: Sequence[str] | None = None,
        max_rounds: int = MAX_ROUNDS,
    ):
        super().__init__(tools=tools, name=api.model, max_rounds=max_rounds)
        self._api, self._listener = api, listener

    def _speak(
        self,
        messages: list[Message],
        reply: Reply,
        stop: Flag,
        *,
        may_call: bool,
        measured: bool,
    ) -> Iterator[str]:
        """Have one reply made; see `ToolLoop`.

        Raises:
            EndpointError: The endpoint does not answer, or without a word.
        """
        request: dict[str, Any] = {"messages": write_messages(messages, self._listener.note)}
        if self._schemas:
            request["tools"] = self._schemas
            if not may_call:
                # Still shown, since calls of them stand in the conversation.
                request["tool_choice"] = "none"
        incoming = IncomingReply()
        for choice in self._api.stream(request, stop):
            if shown := incoming.add(choice):
                yield shown
        if stop.is_set():
            return
        calls, unreadable = incoming.calls({c.id for m in messages for c in m.tool_calls})
        if not incoming.text and not (calls and may_call):
            why = "it asks for more tools" if calls else f"finish_reason '{incoming.finish_reason}'"
            raise EndpointError(f"the model '{self.name}' does not answer in words ({why})")
        if may_call:
            reply.calls, reply.unreadable = calls, unreadable

    def _check_room(self, messages: list[Message]) -> None:
        # How much it reads is not known here; but what cannot be heard can have no note.
        self._listener.tell(recordings(messages))

    def _ungrounded(self, messages: list[Message], text: str) -> tuple[str, ...]:
        told = self._listener.tell(recordings(messages))
        return ungrounded(text, f"{quotable_text(messages)}\n{told}")


def load_endpoint_assistant(
    url: str,
    model: str,
    tools: Sequence[str] | None = None,
    *,
    timeout_s: float = TIMEOUT_S,
    **options: Any,
) -> EndpointAssistant:
    """Give our ears and tools to a language model behind an address.

    The key, if it needs one, is read from the environment variable LLARK_API_KEY.

    Args:
        url: Of an OpenAI-compatible API, such as `http://127.0.0.1:8000/v1`.
        model: What the model is called there.
        tools: Names of the tools it may call; None for all.
        timeout_s: How long the endpoint may send nothing, in seconds.
        **options: Further arguments of `EndpointAssistant`.

    Raises:
        CheckpointError: The embedded encoder is not installed.
        ConfigError: The address, name or key cannot be used.
        UnknownNameError: There is no such tool.
    """
    api = ChatApi(url, model, timeout_s=timeout_s)
    return EndpointAssistant(api, load_listener(), tools=tools, **options)
