"""Text and sound to model inputs: writes one placeholder for every frame of every recording."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import BatchFeature, ProcessorMixin
from transformers.utils.chat_template_utils import render_jinja_template

from llark_py.errors import AudioError, ConfigError

from . import chat as chats
from .feature_extraction import LlarkFeatureExtractor

AUDIO_TOKENS = ("<|audio|>", "<|audio_bos|>", "<|audio_eos|>")


class LlarkProcessor(ProcessorMixin):
    """Feature extractor, tokenizer and chat template; saved and loaded without any weights.

    Args:
        feature_extractor: Holds the encoder's configuration.
        tokenizer: Of the language model, knowing the audio tokens.
        chat_template: Jinja; default: the tokenizer's own.
        audio_token: The placeholder, written once per recording in a prompt.
        audio_bos_token: Put before the placeholders of a recording; None: nothing is.
        audio_eos_token: Put after them; None: nothing is.

    Raises:
        ConfigError: The tokenizer lacks one of the audio tokens.
    """

    text_kwargs = {"padding": True, "padding_side": "left", "return_tensors": "pt"}

    def __init__(
        self,
        feature_extractor: LlarkFeatureExtractor,
        tokenizer: Any,
        chat_template: str | None = None,
        audio_token: str = AUDIO_TOKENS[0],
        audio_bos_token: str | None = AUDIO_TOKENS[1],
        audio_eos_token: str | None = AUDIO_TOKENS[2],
    ) -> None:
        self.audio_token = audio_token
        self.audio_bos_token = audio_bos_token
        self.audio_eos_token = audio_eos_token
        self.audio_token_id = _token_id(tokenizer, audio_token)
        self.audio_bos_token_id = audio_bos_token and _token_id(tokenizer, audio_bos_token)
        self.audio_eos_token_id = audio_eos_token and _token_id(tokenizer, audio_eos_token)
        if chat_template is None:
            chat_template = tokenizer.chat_template
        super().__init__(feature_extractor, tokenizer, chat_template=chat_template)

    def __call__(
        self,
        text: str | Sequence[str] | None = None,
        audio: Sequence[Any] | np.ndarray | None = None,
        audio_frames: Sequence[Any] | None = None,
        waveforms: Sequence[Any] | None = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Turn prompts and recordings into model inputs.

        Args:
            text: Rendered prompts with one `<|audio|>` per recording. They are trusted: control
                tokens in them count (see `apply_chat_template` for words of strangers).
            audio: Mono waveforms (n_samples,) at the encoder's rate, in the order of their
                placeholders over all prompts.
            audio_frames: Instead of `audio`, recordings that are encoded already: frame counts
                (placeholders only), or the frames (n, width), which become `input_features`.
            waveforms: The same as `audio`, for `apply_chat_template`.
            **kwargs: As for any processor (`padding`, `return_tensors`, ...). Default: a batch
                padded on the left, as torch tensors.

        Returns:
            `input_ids`, `attention_mask`, and `input_values`/`input_values_mask` or
            `input_features`/`input_features_mask`.

        Raises:
            AudioError: The number of recordings is not that of the placeholders, or a recording
                cannot be used.
        """
        if kwargs.pop("images", None) is not None or kwargs.pop("videos", None) is not None:
            raise AudioError("this model takes text and sound, neither images nor videos")
        given = [source for source in (audio, audio_frames, waveforms) if source is not None]
        if len(given) > 1:
            raise AudioError("give either audio (sound) or audio_frames (encoded already)")
        sources: Any = given[0] if given else None
        if sources is not None:
            if isinstance(sources, (np.ndarray, torch.Tensor)) and sources.ndim == 1:
                sources = [sources]
            sources = [_Frames(s) for s in sources] if audio_frames is not None else list(sources)
        return super().__call__(text=text, audio=sources or None, **kwargs)

    def prepare_inputs_layout(
        self, images: Any = None, text: Any = None, videos: Any = None, audio: Any = None, **_: Any
    ) -> tuple[Any, Any, Any, Any]:
        """Make a list of the text; the recordings are arrays or frames already."""
        if isinstance(text, str):
            text = [text]
        return None, None if text is None else list(text), None, audio

    def validate_inputs(
        self, images: Any = None, text: Any = None, videos: Any = None, audio: Any = None, **_: Any
    ) -> None:
        """Refuse prompts whose placeholders are not as many as the recordings.

        Raises:
            AudioError: The numbers differ; both are told.
        """
        if text is None:
            return
        found, given = sum(prompt.count(self.audio_token) for prompt in text), len(audio or ())
        if found != given:
            raise AudioError(
                f"the text has {found} {self.audio_token} placeholders, "
                f"but {given} recordings were given"
            )

    def _process_audio(self, audio: Any, **kwargs: Any) -> tuple[dict[str, Any], list[str]]:
        if isinstance(audio[0], _Frames):
            inputs = _pad_frames(audio, self.feature_extractor.audio_config.width)
        else:
            inputs = self.feature_extractor(audio, **kwargs)
        return inputs, [self.replace_audio_token(inputs, i) for i in range(len(audio))]

    def replace_audio_token(self, audio_inputs: Any, audio_idx: int, **_: Any) -> str:
        """Write the placeholders of one recording: begin, one per frame, end."""
        count = int(audio_inputs["num_audio_tokens"][audio_idx])
        begin, end = self.audio_bos_token or "", self.audio_eos_token or ""
        return f"{begin}{self.audio_token * count}{end}"

    @property
    def unused_input_names(self) -> list[str]:
        """Names that only the processor needs."""
        return ["num_audio_tokens"]

    def apply_chat_template(
        self,
        conversation: Any,
        chat_template: str | None = None,
        *,
        audio: Sequence[Any] | None = None,
        audio_frames: Sequence[Any] | None = None,
        tokenize: bool = False,
        return_dict: bool = False,
        return_assistant_tokens_mask: bool = False,
        processor_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Write a conversation as a prompt, and with `tokenize=True` as model inputs.

        Words of users and results of tools cannot write control tokens: a space breaks each one
        (`< |audio|>`), so neither placeholders, turns nor tool calls can be smuggled in. Templates
        without an audio item of their own (any text-only language model's) are given the
        placeholder as text.

        Args:
            conversation: One chat or a list of chats; audio items are
                `{"type": "audio", "id": ...}` and may hold the waveform under `audio`.
            chat_template: Another template than the processor's.
            audio: Waveforms, when the items hold none; see `__call__`.
            audio_frames: See `__call__`.
            tokenize: Return model inputs instead of the string.
            return_dict: With `tokenize`, return all inputs, not `input_ids` alone.
            return_assistant_tokens_mask: Add `assistant_masks` (batch, length), 1 on what the
                assistant says, by the template's `{% generation %}` marks or, where it has none,
                by comparing the beginnings of the conversation.
            processor_kwargs: For `__call__`.
            **kwargs: `tools`, `add_generation_prompt`, variables of the template, ...

        Raises:
            AudioError: Recordings and audio items do not match.
            ConfigError: The assistant's words cannot be told apart in this template.
        """
        template = self._resolve_chat_template(chat_template)
        batched = bool(conversation) and not isinstance(conversation[0], dict)
        given = [list(chat) for chat in (conversation if batched else [conversation])]
        waveforms = [wave for chat in given for wave in chats.take_audio(chat)]
        prepared = [self._prepare_chat(chat, template) for chat in given]
        options = dict(processor_kwargs or {})
        if audio is not None and waveforms:
            raise AudioError("give the waveforms in the audio items or as audio=, not both")
        if audio is not None or waveforms:
            options["waveforms"] = list(audio) if audio is not None else waveforms
        if audio_frames is not None:
            options["audio_frames"] = audio_frames
        marked = re.search(r"\{%-?\s*generation\b", template) is not None
        by_beginnings = return_assistant_tokens_mask and not marked
        if by_beginnings:
            options |= {"return_offsets_mapping": True, "return_text_replacement_offsets": True}
        inputs = super().apply_chat_template(
            prepared if batched else prepared[0],
            chat_template=template,
            tokenize=tokenize,
            return_dict=return_dict,
            return_assistant_tokens_mask=return_assistant_tokens_mask and marked,
            processor_kwargs=options if tokenize else None,
            **kwargs,
        )
        if not (tokenize and return_dict and return_assistant_tokens_mask):
            return inputs
        if by_beginnings:
            spans = [self._assistant_spans(chat, template, kwargs) for chat in prepared]
            inputs = self._adjust_assistant_masks_indices(inputs, spans)
        if isinstance(inputs["input_ids"], torch.Tensor):
            inputs["assistant_masks"] = torch.tensor(inputs["assistant_masks"])
        return inputs

    def parse_tool_calls(self, text: str) -> tuple[str, list[dict[str, Any]]]:
        """Split what the model wrote into words and tool calls; see `chat.parse_tool_calls`."""
        return chats.parse_tool_calls(text)

    def _prepare_chat(self, chat: chats.Chat, template: str) -> chats.Chat:
        added = self.tokenizer.added_tokens_decoder.values()
        control = [t.content for t in added if t.special or t.content.startswith("<")]
        audio = [self.audio_token, self.audio_bos_token, self.audio_eos_token]
        chat = chats.protect_chat(
            chats.without_waveforms(chat),
            chats.control_token_pattern(control),
            chats.control_token_pattern([token for token in audio if token]),
        )
        knows_audio = re.search(r"""["']audio["']""", template) is not None
        return chat if knows_audio else chats.flatten_content(chat, self.audio_token)

    def _assistant_spans(
        self, chat: chats.Chat, template: str, options: dict[str, Any]
    ) -> list[tuple[int, int]]:
        variables = {**self.tokenizer.special_tokens_map, **options}
        variables.pop("add_generation_prompt", None)
        variables.pop("return_tensors", None)

        def render(part: chats.Chat, add_generation_prompt: bool) -> str:
            rendered, _ = render_jinja_template(
                conversations=[part],
                chat_template=template,
                add_generation_prompt=add_generation_prompt,
                **variables,
            )
            return rendered[0]

        return chats.assistant_spans(chat, render)


class _Frames:
    """A recording that is encoded already: its frames, or only how many they are."""

    def __init__(self, source: Any) -> None:
        if isinstance(source, (int, np.integer)):
            self.count, self.frames = int(source), None
        else:
            self.frames = torch.as_tensor(source)
            self.count = self.frames.shape[0] if self.frames.ndim == 2 else 0
        if self.count < 1:
            raise AudioError("audio_frames are counts of at least 1 or arrays (frames, width)")


def _pad_frames(audio: Sequence[_Frames], width: int) -> dict[str, Any]:
    counts: dict[str, Any] = {"num_audio_tokens": [item.count for item in audio]}
    known = [item.frames for item in audio if item.frames is not None]
    if not known:
        return counts
    if len(known) != len(audio) or any(frames.shape[1] != width for frames in known):
        raise AudioError(f"audio_frames must all be counts or all be arrays (frames, {width})")
    mask = torch.arange(max(map(len, known)))[None, :] < torch.tensor([[len(f)] for f in known])
    features = torch.nn.utils.rnn.pad_sequence(known, batch_first=True)
    return counts | {"input_features": features, "input_features_mask": mask}


def _token_id(tokenizer: Any, token: str) -> int:
    ids = tokenizer.encode(token, add_special_tokens=False)
    if len(ids) != 1 or tokenizer.convert_ids_to_tokens(ids[0]) != token:
        raise ConfigError(f"the tokenizer has no token '{token}'; add it as a special token")
    return ids[0]
