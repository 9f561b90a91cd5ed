"""Decodes with a language model that only reads: notes stand in the place of recordings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Event as Flag
from typing import Any

from transformers import BatchEncoding, LogitsProcessor

from llark_py.audio import Audio
from llark_py.encoders.base import Encoded
from llark_py.errors import CheckpointError
from llark_py.model import chat as chats

from .generation import Decoder
from .listener import Listener, tell_recording
from .reply import TOOL_CALL

_PROBE = "probe_of_the_template"


class ReadingProcessor:
    """What a decoder needs of a processor, made of a tokenizer alone.

    Args:
        tokenizer: Of a language model whose chat template writes tools, and calls of them as
            `<tool_call>{json}</tool_call>`, as Qwen's and Hermes' do.
        name: Of the model, for errors.

    Raises:
        CheckpointError: There is no such template.
    """

    def __init__(self, tokenizer: Any, name: str):
        self.tokenizer = tokenizer
        template = tokenizer.chat_template
        if not isinstance(template, str):
            raise CheckpointError(f"'{name}' has no chat template")
        probe = {"type": "function", "function": {"name": _PROBE, "parameters": {}}}
        asked = [{"role": "user", "content": ""}]
        shown = tokenizer.apply_chat_template(asked, tools=[probe], tokenize=False)
        if TOOL_CALL not in template or _PROBE not in shown:
            raise CheckpointError(
                f"the chat template of '{name}' offers no tools, or has them called otherwise than "
                f"by {TOOL_CALL}; serve the model with an OpenAI-compatible API and use --endpoint"
            )
        added = tokenizer.added_tokens_decoder.values()
        control = [t.content for t in added if t.special or t.content.startswith("<")]
        self._control = chats.control_token_pattern(control)
        self._none = chats.control_token_pattern([])

    def apply_chat_template(self, chat: chats.Chat, **options: Any) -> str:
        """Write a conversation as a prompt; users and tools cannot write control tokens."""
        protected = chats.protect_chat(chat, self._control, self._none)
        # A chain of thought would be shown; templates that know of none leave the switch aside.
        return self.tokenizer.apply_chat_template(
            chats.flatten_content(protected, ""), enable_thinking=False, **options
        )

    def __call__(self, text: list[str], **options: Any) -> BatchEncoding:
        """Tokenise prompts; recordings are text by now."""
        options.pop("audio_frames", None)
        return self.tokenizer(text, **options)

    def parse_tool_calls(self, text: str) -> tuple[str, list[dict[str, Any]]]:
        """Split what the model wrote into words and tool calls; see `chat.parse_tool_calls`."""
        return chats.parse_tool_calls(text)


class ReadingDecoder(Decoder):
    """A language model without ears, and a listener that tells it what there is to hear.

    Args:
        model: Any causal language model of transformers.
        processor: Its tokenizer.
        listener: Writes the notes.
    """

    def __init__(self, model: Any, processor: ReadingProcessor, listener: Listener):
        super().__init__(model, processor)
        self._listener = listener

    def prompt_ids(
        self, chat: list[dict[str, Any]], tools: list[dict[str, Any]], audios: Sequence[Audio]
    ) -> list[int]:
        """Tokenise a conversation with notes in the place of its recordings."""
        heard = iter(audios)

        def tell(item: dict[str, Any]) -> dict[str, Any]:
            if item.get("type") != "audio":
                return item
            note = self.frames(next(heard)).notes or ""
            return {"type": "text", "text": f"{tell_recording(item['id'], note)}\n"}

        told = [
            {**message, "content": [tell(item) for item in message["content"]]}
            if isinstance(message.get("content"), list)
            else message
            for message in chat
        ]
        return super().prompt_ids(told, tools, [])

    def stream(
        self,
        prompt: list[int],
        audios: Sequence[Audio],
        *,
        max_new_tokens: int,
        constraints: Sequence[LogitsProcessor] = (),
        stop: Flag,
    ) -> Iterator[str]:
        """Generate a reply; the prompt tells all there is to know of the recordings."""
        return super().stream(
            prompt, [], max_new_tokens=max_new_tokens, constraints=constraints, stop=stop
        )

    def _encode(self, audio: Audio) -> Encoded:
        return self._listener.hear(audio)
