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

from llark_py.audio import Audio
from llark_py.encoders.base import Encoded
from llark_py.errors import AudioError, EndpointError
from llark_py.messages import Message
from llark_py.startup import lean_imports

from .chat_api import TIMEOUT_S, ChatApi
from .chat_words import IncomingReply, tell_recording, write_messages
from .conversation import quotable_text, recordings
from .frames import FrameCache
from .turns import MAX_ROUNDS, Reply, ToolLoop
from .ungrounded import ungrounded


class EndpointAssistant(ToolLoop):
    """A model behind an address, with our ears and our tools.

    Args:
        api: Where the model is.
        encoder: A `MiniEncoder`; it writes the notes.
        tools: Names of the tools it may call; None for all.
        max_rounds: How often in one turn it may ask for tools.
    """

    _system_prompt = "endpoint_system"

    def __init__(
        self,
        api: ChatApi,
        encoder: Any,
        *,
        tools: Sequence[str] | None = None,
        max_rounds: int = MAX_ROUNDS,
    ):
        super().__init__(tools=tools, name=api.model, max_rounds=max_rounds)
        self._api, self._encoder = api, encoder
        self._heard = FrameCache(self._hear)

    def note(self, audio: Audio) -> str:
        """Tell in one line what the encoder hears in a recording.

        Raises:
            AudioError: It is too short to hear anything.
        """
        return self._heard(audio).notes or ""

    def _hear(self, audio: Audio) -> Encoded:
        import torch

        from llark_py.analysis.listening import remember

        samples = audio.mono().resample(self._encoder.config.sample_rate).samples
        if len(samples) == 0:
            raise AudioError(f"the recording is too short to hear: {audio.duration_s:.3f} s")
        encoded = self._encoder.encode_recording(torch.from_numpy(samples))
        remember(audio, self._encoder, encoded.hearing)
        return encoded._replace(hearing=None)

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
        request: dict[str, Any] = {"messages": write_messages(messages, self.note)}
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

    def _ungrounded(self, messages: list[Message], text: str) -> tuple[str, ...]:
        told = [tell_recording(part.id, self.note(part.audio)) for part in recordings(messages)]
        return ungrounded(text, "\n".join([quotable_text(messages), *told]))


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
    with lean_imports():
        from llark_py.analysis.listening import listen_with
        from llark_py.encoders.mini import load_embedded

        encoder = load_embedded()
        listen_with(encoder)
    return EndpointAssistant(api, encoder, tools=tools, **options)
