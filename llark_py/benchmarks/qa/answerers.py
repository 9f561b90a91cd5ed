"""Who answers: our assistant with or without tools, an endpoint, other models that hear."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from threading import Event as Flag
from typing import TYPE_CHECKING, Any

import soundfile

from llark_py.audio import Audio
from llark_py.errors import EndpointError
from llark_py.messages import AudioPart, user

from .asking import Answerer, InTurn, Said

if TYPE_CHECKING:
    from llark_py.assistant.chat_api import ChatApi
    from llark_py.assistant.turns import ToolLoop

ENDPOINT_SAMPLE_RATE = 24_000
"""Hz; what is sent to an endpoint is mono and no finer."""
_HASHED = 1 << 20


class AssistantAnswerer(InTurn):
    """An assistant with tools, or without any.

    Args:
        assistant: Who is asked; every question is a conversation of its own.
        settings: What its answers depend on.
    """

    def __init__(self, assistant: ToolLoop, settings: Mapping[str, Any]):
        self._assistant = assistant
        self.settings: dict[str, Any] = {**settings, "tools": list(assistant.tools)}

    def answer(self, prompt: str, audio: Audio | None) -> Said:
        """Ask the assistant."""
        heard = () if audio is None else (AudioPart("audio_1", audio),)
        answer = self._assistant.ask([user(prompt, *heard)])
        return Said(answer.text, tuple((call.name, call.arguments) for call in answer.tool_calls))


class HearingEndpoint:
    """A model behind an OpenAI-compatible address that takes sound (`input_audio`).

    Args:
        api: Where it is. The sound is sent as wav, mono, at 24 kHz at most.
        at_once: How many requests may be open at a time.
    """

    def __init__(self, api: ChatApi, at_once: int = 1):
        self._api, self.at_once = api, at_once
        self._stop = Flag()
        self.settings: dict[str, Any] = {"model": api.model, "endpoint": api.url, "tools": []}

    def answer(self, prompt: str, audio: Audio | None) -> Said:
        """Ask the endpoint.

        Raises:
            EndpointError: It cannot be reached, refuses, or says nothing.
        """
        from llark_py.assistant.chat_words import IncomingReply

        content: list[dict[str, Any]] = [{"type": "text", "text": prompt}]
        if audio is not None:
            sound = {"data": base64.b64encode(write_wav(audio)).decode(), "format": "wav"}
            content.insert(0, {"type": "input_audio", "input_audio": sound})
        request = {"messages": [{"role": "user", "content": content}], "temperature": 0}
        reply = IncomingReply()
        for choice in self._api.stream(request, self._stop):
            reply.add(choice)
        if not reply.text:
            raise EndpointError(f"'{self._api.model}' says nothing ({reply.finish_reason})")
        return Said(reply.text)

    def stop(self) -> None:
        """Hang up, for good."""
        self._stop.set()


def write_wav(audio: Audio) -> bytes:
    """Write a recording as an endpoint gets it: wav, 16 bit, mono, at 24 kHz at most."""
    sound = audio.mono().resample(min(audio.sample_rate, ENDPOINT_SAMPLE_RATE))
    file = io.BytesIO()
    soundfile.write(file, sound.samples, sound.sample_rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def open_answerer(
    model: str | None,
    endpoint: str | None,
    endpoint_model: str | None,
    tools: bool | None,
    at_once: int = 1,
) -> Answerer:
    """Load whoever is to answer.

    Args:
        model: A folder or Hub name: ours, one that only reads, or another audio model of
            transformers (`audio_models.py`); None for the embedded one.
        endpoint, endpoint_model: An address instead. Without tools it is sent the sound; with
            tools it reads what our encoder hears, and calls our tools.
        tools: Whether tools may be called; None: as in the assistant by our own models, not by an
            endpoint.
        at_once: How many questions an endpoint without tools is sent at a time.

    Raises:
        CheckpointError: Weights are missing or do not fit.
        ConfigError: The address cannot be used, or the model calls no tools.
    """
    from .audio_models import AudioModel, is_audio_model

    if endpoint is not None and endpoint_model is not None:
        from llark_py.assistant.chat_api import ChatApi

        if not tools:
            return HearingEndpoint(ChatApi(endpoint, endpoint_model), at_once)
        from llark_py.assistant.endpoint import load_endpoint_assistant

        reader = load_endpoint_assistant(endpoint, endpoint_model)
        return AssistantAnswerer(reader, {"model": endpoint_model, "endpoint": endpoint})
    if model is not None and is_audio_model(model):
        return AudioModel.load(model, tools=bool(tools))
    from llark_py.assistant.core import load_assistant
    from llark_py.embedded import embedded_folder

    assistant = load_assistant(model, tools=() if tools is False else None)
    weights = weights_hash(Path(model or embedded_folder()))
    return AssistantAnswerer(assistant, {"model": model or "mini", "weights": weights})


def weights_hash(folder: Path) -> str | None:
    """Tell models of one name apart: a hash of the ends of all weight files; None of a Hub name."""
    files = sorted(folder.glob("*.safetensors"))
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            digest.update(f"{path.name} {size}".encode())
            for start in (0, max(0, size - _HASHED)):
                file.seek(start)
                digest.update(file.read(_HASHED))
    return digest.hexdigest()[:12] if files else None
