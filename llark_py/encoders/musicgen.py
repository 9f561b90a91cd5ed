"""MusicGen as an encoder: hidden states of its decoder while it reads the codes of a recording.

As Jukebox in LLark, the representation of a model that learnt to write music: the recording is
turned into EnCodec codes, and the decoder reads them in its own delay pattern, without a text.
Source: Copet et al., Simple and Controllable Music Generation, arXiv:2306.05284.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import torch
from torch import nn
from transformers import (
    EncodecConfig,
    EncodecModel,
    MusicgenConfig,
    MusicgenDecoderConfig,
    MusicgenForConditionalGeneration,
)
from transformers.models.musicgen.modeling_musicgen import MusicgenDecoder

from llark_py.errors import ConfigError

from .base import AudioEncoder, AudioEncoderConfig
from .base_weights import load_complete, load_config
from .encodec import check_same_codec, codec_latents

# The codec that MusicGen was trained on (`facebook/encodec_32khz`), 50 frames a second.
_CODEC_32KHZ = {
    "sampling_rate": 32_000,
    "upsampling_ratios": [8, 5, 4, 4],
    "num_filters": 64,
    "codebook_size": 2048,
    "target_bandwidths": [2.2],
    "use_causal_conv": False,
}


class MusicgenEncoderConfig(AudioEncoderConfig):
    """Sizes follow from the two wrapped networks.

    Attributes:
        codec_config: The `EncodecConfig` (or its dict). Default: the 32 kHz codec of MusicGen.
        decoder_config: The `MusicgenDecoderConfig` (or its dict). Default: that of `-small`.
        layer: Whose output the frames are: 0 the embeddings, n the n-th layer, -1 the last one
            (with the final norm). None takes the middle, where music facts are read best
            (Castellon et al., arXiv:2107.05677, for Jukebox; layer 36 of 72 in LLark).
        window_s: Longest stretch the decoder reads at once, in seconds (it was trained on 30).
    """

    model_type: ClassVar[str] = "llark_musicgen_encoder"
    sub_configs_defaults: ClassVar[dict] = {
        "codec_config": EncodecConfig,
        "decoder_config": MusicgenDecoderConfig,
    }

    encoder: str = "musicgen"
    licence: str = "CC-BY-NC-4.0 (weights of facebook/musicgen-*)"
    codec_config: dict | EncodecConfig | None = None
    decoder_config: dict | MusicgenDecoderConfig | None = None
    layer: int | None = None
    window_s: float = 30.0

    def __post_init__(self, **kwargs: Any) -> None:
        codec, decoder = self.codec_config, self.decoder_config
        if not isinstance(codec, EncodecConfig):
            codec = EncodecConfig(**(_CODEC_32KHZ if codec is None else codec))
        if not isinstance(decoder, MusicgenDecoderConfig):
            decoder = MusicgenDecoderConfig(**(decoder or {}))
        self.codec_config, self.decoder_config = codec, decoder
        depth = decoder.num_hidden_layers
        if self.layer is None:
            self.layer = depth // 2
        if not -depth - 1 <= self.layer <= depth:
            raise ConfigError(
                f"layer {self.layer} is not one of 0 ... {depth} (or -1 for the last)"
            )
        self.layer %= depth + 1
        if self.window_s <= 0:
            raise ConfigError(f"window_s must be above 0, not {self.window_s}")
        if decoder.audio_channels != 1 or codec.audio_channels != 1 or codec.chunk_length:
            raise ConfigError("the musicgen encoder takes the mono MusicGen models only")
        if codec.num_quantizers < decoder.num_codebooks:
            raise ConfigError(
                f"the codec makes {codec.num_quantizers} codebooks, "
                f"the decoder reads {decoder.num_codebooks}"
            )
        self.sample_rate = codec.sampling_rate
        self.width = decoder.hidden_size
        self.native_frame_rate = codec.sampling_rate / codec.hop_length
        super().__post_init__(**kwargs)

    @classmethod
    def from_parts(cls, pretrained: str, **settings: Any) -> Self:
        """Read the sizes of codec and decoder from a MusicGen by Hub name or folder."""
        if settings.get("codec_config") is None or settings.get("decoder_config") is None:
            whole = load_config(MusicgenConfig, pretrained)
            settings["codec_config"] = whole.audio_encoder
            settings["decoder_config"] = whole.decoder
        return cls(pretrained=pretrained, **settings)

    @property
    def window_frames(self) -> int:
        """Frames the decoder reads at once, before pooling."""
        return max(1, round(self.window_s * float(self.native_frame_rate or 1)))

    def num_native_frames(self, n_samples: int) -> int:
        """Count codec frames: one for every started hop."""
        return -(-n_samples // self.codec_config.hop_length)


class MusicgenEncoder(AudioEncoder):
    """EnCodec with its codebooks, and the MusicGen decoder up to the wanted layer."""

    config_class = MusicgenEncoderConfig
    config: MusicgenEncoderConfig

    def __init__(self, config: MusicgenEncoderConfig) -> None:
        super().__init__(config)
        self.codec = EncodecModel(config.codec_config)
        self.decoder = MusicgenDecoder(config.decoder_config)
        self._drop_unused()
        self.post_init()

    def _drop_unused(self) -> None:
        """Keep what reading needs: no layers above the wanted one, no text, no synthesis."""
        self.codec.decoder = nn.Identity()
        if self.config.layer < self.config.decoder_config.num_hidden_layers:
            self.decoder.layers = self.decoder.layers[: self.config.layer]
            self.decoder.layer_norm = nn.Identity()
        for layer in self.decoder.layers:
            layer.encoder_attn = nn.Identity()
            layer.encoder_attn_layer_norm = nn.Identity()

    def load_parts(self) -> None:
        """Take the weights of the MusicGen under `config.pretrained`."""
        name = str(self.config.pretrained)
        whole = load_complete(MusicgenForConditionalGeneration, name, dtype=torch.float32)
        check_same_codec(whole.audio_encoder.config, self.config.codec_config, name)
        self.codec = whole.audio_encoder
        self.decoder = whole.decoder.model.decoder
        self._drop_unused()

    def encode(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Encode waveforms without padding; see `AudioEncoder.encode`."""
        codes = self.encode_codes(waveforms)
        windows = codes.split(self.config.window_frames, dim=-1)
        return torch.cat([self.read_codes(window) for window in windows], dim=1)

    def encode_codes(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Turn waveforms (batch, n_samples) into codes (batch, codebooks, frames), int64."""
        latents = codec_latents(self.codec, waveforms).transpose(1, 2)
        codes = self.codec.quantizer.encode(latents)
        return codes[: self.config.decoder_config.num_codebooks].transpose(0, 1)

    def read_codes(self, codes: torch.Tensor) -> torch.Tensor:
        """Let the decoder read codes.

        Codebook k of frame t stands at step t + k + 1, after one start step, as in training. The
        frame is taken at the step where the last of its codebooks has been read.

        Args:
            codes: (batch, codebooks, frames) int64.

        Returns:
            (batch, frames, width).
        """
        batch, n_books, n_frames = codes.shape
        padding = self.config.decoder_config.pad_token_id
        steps = codes.new_full((batch, n_books, n_frames + n_books), padding)
        for book in range(n_books):
            steps[:, book, book + 1 : book + 1 + n_frames] = codes[:, book]
        read = self.decoder(input_ids=steps.flatten(0, 1), use_cache=False)
        return read.last_hidden_state[:, n_books:]


Config, Encoder = MusicgenEncoderConfig, MusicgenEncoder
