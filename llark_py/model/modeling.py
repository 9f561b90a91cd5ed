"""The network: frames are projected and take the places of the audio placeholders in the text."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, cast

import torch
from torch import nn
from transformers import AutoModel, GenerationMixin, PreTrainedModel
from transformers.cache_utils import Cache
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.utils import can_return_tuple

from llark_py.encoders import build_encoder
from llark_py.encoders.base import AudioEncoderConfig, Encoded
from llark_py.errors import AudioError, ConfigError

from .configuration import LlarkConfig
from .outputs import LlarkCausalLMOutputWithPast, LlarkModelOutputWithPast
from .projector import LlarkProjector


class LlarkPreTrainedModel(PreTrainedModel):
    """Loading and saving."""

    config: LlarkConfig
    config_class = LlarkConfig
    base_model_prefix = "model"
    input_modalities = ("audio", "text")
    supports_gradient_checkpointing = True
    _skip_keys_device_placement = "past_key_values"
    _supports_flash_attn = True
    _supports_sdpa = True
    _supports_flex_attn = True
    _supports_attention_backend = True
    _can_compile_fullgraph = False


class LlarkModel(LlarkPreTrainedModel):
    """Encoder, projector and language model, without a head."""

    def __init__(self, config: LlarkConfig) -> None:
        super().__init__(config)
        config.check_tokens()
        self.audio_tower = build_encoder(cast(AudioEncoderConfig, config.audio_config))
        self.multi_modal_projector = LlarkProjector(config)
        self.language_model = AutoModel.from_config(config.text_config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Return the token embeddings of the language model."""
        return self.language_model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the token embeddings of the language model."""
        self.language_model.set_input_embeddings(value)

    def audio_tower_is_frozen(self) -> bool:
        """Tell whether no weight of the encoder is being trained."""
        return not any(p.requires_grad for p in self.audio_tower.parameters())

    def train(self, mode: bool = True) -> LlarkModel:
        """Set the training mode; a frozen encoder stays in evaluation mode (no dropout)."""
        super().train(mode)
        if self.audio_tower_is_frozen():
            self.audio_tower.eval()
        return self

    def get_audio_features(
        self,
        input_values: torch.Tensor | None = None,
        input_values_mask: torch.Tensor | None = None,
        input_features: torch.Tensor | None = None,
        input_features_mask: torch.Tensor | None = None,
    ) -> BaseModelOutputWithPooling:
        """Encode recordings, or take frames encoded earlier, and project them.

        Args:
            input_values: What the encoder takes, (n_audios, n_samples) or, for encoders that
                accept features, three dimensions.
            input_values_mask: (n_audios, n_samples), true where there is sound.
            input_features: (n_audios, frames, width): frames that skip the encoder.
            input_features_mask: (n_audios, frames), true where there is a frame.

        Returns:
            `last_hidden_state` (n_audios, max_frames, width), `pooler_output` (frames of all
            recordings one after the other, hidden_size).

        Raises:
            AudioError: Both or neither are given, or the frames have another width.
        """
        if (input_values is None) == (input_features is None):
            raise AudioError("give either input_values (sound) or input_features (frames)")
        if input_values is not None:
            with torch.no_grad() if self.audio_tower_is_frozen() else nullcontext():
                frames = self.audio_tower(input_values, input_values_mask)
            lengths = self.audio_tower.frame_lengths(input_values, input_values_mask)
            steps = torch.arange(frames.shape[1], device=frames.device)
            valid = steps[None, :] < lengths.to(frames.device)[:, None]
        else:
            frames = input_features
            if frames.ndim != 3 or frames.shape[-1] != self.config.audio_config.width:
                raise AudioError(
                    f"input_features must be (n_audios, frames, {self.config.audio_config.width}), "
                    f"not {tuple(frames.shape)}"
                )
            valid = torch.ones(frames.shape[:2], dtype=torch.bool, device=frames.device)
            if input_features_mask is not None:
                valid = input_features_mask.to(frames.device, torch.bool)
        weight = next(self.multi_modal_projector.parameters())
        projected = self.multi_modal_projector(frames[valid].to(weight.device, weight.dtype))
        return BaseModelOutputWithPooling(last_hidden_state=frames, pooler_output=projected)

    @torch.no_grad()
    def encode_audio(
        self, input_values: torch.Tensor, input_values_mask: torch.Tensor | None = None
    ) -> list[torch.Tensor]:
        """Encode recordings without projecting, to keep the frames for later turns.

        Args:
            input_values, input_values_mask: As for `get_audio_features`.

        Returns:
            One (frames, width) tensor per recording.
        """
        frames = self.audio_tower(input_values, input_values_mask)
        lengths = self.audio_tower.frame_lengths(input_values, input_values_mask)
        return [item[:n] for item, n in zip(frames, lengths.tolist(), strict=True)]

    def encode_recording(self, waveform: torch.Tensor) -> Encoded:
        """Encode one waveform (n_samples,); see `AudioEncoder.encode_recording`."""
        return self.audio_tower.encode_recording(waveform)

    def get_placeholder_mask(self, input_ids: torch.Tensor, n_frames: int) -> torch.Tensor:
        """Find the audio placeholders, (batch, length, 1) bool.

        Args:
            input_ids: (batch, length).
            n_frames: Frames that are to take their places.

        Raises:
            AudioError: There are more or fewer placeholders than frames.
        """
        mask = input_ids.eq(cast(int, self.config.audio_token_id))
        n_placeholders = int(mask.sum())
        if n_placeholders != n_frames:
            counts = f"{n_frames} frames, {n_placeholders} placeholders in the text"
            raise AudioError(f"audio frames and placeholders do not match: {counts}")
        return mask.unsqueeze(-1)

    @can_return_tuple
    def forward(
        self,
        input_ids: torch.LongTensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.LongTensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: torch.Tensor | None = None,
        input_values: torch.Tensor | None = None,
        input_values_mask: torch.Tensor | None = None,
        input_features: torch.Tensor | None = None,
        input_features_mask: torch.Tensor | None = None,
        use_cache: bool | None = None,
        **kwargs: Any,
    ) -> LlarkModelOutputWithPast:
        """Run the language model over the text with the frames in place.

        Recordings count over the whole batch, in the order of their placeholders, and come as for
        `get_audio_features`; a turn that continues `past_key_values` comes without.

        Raises:
            AudioError: Frames and placeholders do not match.
        """
        audio_embeds = None
        if input_ids is not None and inputs_embeds is None:
            inputs_embeds = self.get_input_embeddings()(input_ids)
            if input_values is not None or input_features is not None:
                audio_embeds = self.get_audio_features(
                    input_values, input_values_mask, input_features, input_features_mask
                ).pooler_output
                mask = self.get_placeholder_mask(input_ids, audio_embeds.shape[0])
                inputs_embeds = inputs_embeds.masked_scatter(
                    mask.to(inputs_embeds.device),
                    audio_embeds.to(inputs_embeds.device, inputs_embeds.dtype),
                )
            elif input_ids.shape[1] > 1:  # single steps of generation are not worth the look
                self.get_placeholder_mask(input_ids, 0)
        elif input_ids is not None or inputs_embeds is None:
            raise ConfigError("give either input_ids or inputs_embeds")
        outputs = self.language_model(
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            use_cache=use_cache,
            **kwargs,
        )
        return LlarkModelOutputWithPast(**outputs, audio_hidden_states=audio_embeds)


class LlarkForConditionalGeneration(LlarkPreTrainedModel, GenerationMixin):
    """The model with its language head: what is trained, asked and shipped."""

    def __init__(self, config: LlarkConfig) -> None:
        super().__init__(config)
        self.model = LlarkModel(config)
        text = config.text_config
        self.lm_head = nn.Linear(text.hidden_size, text.vocab_size, bias=False)
        self._tied_weights_keys = {"lm_head.weight": self.embedding_key()}
        self.post_init()

    def embedding_key(self) -> str:
        """Name the embedding matrix, which every family of language models calls differently."""
        embeddings = self.get_input_embeddings()
        for name, module in self.named_modules():
            if module is embeddings:
                return f"{name}.weight"
        raise ConfigError(f"{type(self.model.language_model).__name__} has no token embeddings")

    def get_input_embeddings(self) -> nn.Module:
        """Return the token embeddings of the language model."""
        return self.model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the token embeddings of the language model."""
        self.model.set_input_embeddings(value)

    def get_audio_features(self, *args: Any, **kwargs: Any) -> BaseModelOutputWithPooling:
        """See `LlarkModel.get_audio_features`."""
        return self.model.get_audio_features(*args, **kwargs)

    def encode_audio(self, *args: Any, **kwargs: Any) -> list[torch.Tensor]:
        """See `LlarkModel.encode_audio`."""
        return self.model.encode_audio(*args, **kwargs)

    def encode_recording(self, waveform: torch.Tensor) -> Encoded:
        """See `LlarkModel.encode_recording`."""
        return self.model.encode_recording(waveform)

    def freeze_audio_tower(self) -> None:
        """Stop training the encoder; it then runs without gradients and without dropout."""
        self.model.audio_tower.requires_grad_(False).eval()

    @can_return_tuple
    def forward(
        self,
        input_ids: torch.LongTensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.LongTensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: torch.Tensor | None = None,
        input_values: torch.Tensor | None = None,
        input_values_mask: torch.Tensor | None = None,
        input_features: torch.Tensor | None = None,
        input_features_mask: torch.Tensor | None = None,
        labels: torch.LongTensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | torch.Tensor = 0,
        **kwargs: Any,
    ) -> LlarkCausalLMOutputWithPast:
        """Predict the next tokens; see `LlarkModel.forward` for the inputs.

        Args:
            labels: (batch, length); -100 where nothing is to be learnt. Shifted inside.
            logits_to_keep: How many positions from the end to make logits for (0: all).
        """
        outputs = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            input_values=input_values,
            input_values_mask=input_values_mask,
            input_features=input_features,
            input_features_mask=input_features_mask,
            use_cache=use_cache,
            **kwargs,
        )
        keep = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = self.lm_head(outputs.last_hidden_state[:, keep, :])
        loss = None
        if labels is not None:
            loss = self.loss_function(
                logits=logits,
                labels=labels,
                vocab_size=self.config.text_config.vocab_size,
                **kwargs,
            )
        return LlarkCausalLMOutputWithPast(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            audio_hidden_states=outputs.audio_hidden_states,
        )
