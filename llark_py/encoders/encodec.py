"""EnCodec as an encoder: the codec's continuous latents, before they are quantised.

Takes any EnCodec of transformers (`facebook/encodec_24khz`: 75 Hz, `facebook/encodec_32khz`: 50 Hz,
`facebook/encodec_48khz`: 150 Hz, stereo, worked in chunks of one second), 128 numbers a frame.
Source: Defossez et al., High Fidelity Neural Audio Compression, arXiv:2210.13438.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import torch
from torch import nn
from transformers import EncodecConfig, EncodecModel

from llark_py.errors import CheckpointError

from .base import AudioEncoder, AudioEncoderConfig
from .base_weights import load_complete, load_config


class EncodecEncoderConfig(AudioEncoderConfig):
    """Frames are the codec's; `sample_rate`, `width` and `native_frame_rate` follow from it.

    Attributes:
        codec_config: The `EncodecConfig`, or its dict. Default: that of the 24 kHz model.
    """

    model_type: ClassVar[str] = "llark_encodec_encoder"
    sub_configs_defaults: ClassVar[dict] = {"codec_config": EncodecConfig}

    encoder: str = "encodec"
    licence: str = "CC-BY-NC-4.0 (weights of facebook/encodec_*)"
    codec_config: dict | EncodecConfig | None = None

    def __post_init__(self, **kwargs: Any) -> None:
        codec = self.codec_config
        if not isinstance(codec, EncodecConfig):
            codec = EncodecConfig(**(codec or {}))
        self.codec_config = codec
        self.sample_rate = codec.sampling_rate
        self.width = codec.hidden_size
        self.native_frame_rate = codec.sampling_rate / codec.hop_length
        super().__post_init__(**kwargs)

    @classmethod
    def from_parts(cls, pretrained: str, **settings: Any) -> Self:
        """Read the codec's sizes from its Hub name or folder."""
        if settings.get("codec_config") is None:
            settings["codec_config"] = load_config(EncodecConfig, pretrained)
        return cls(pretrained=pretrained, **settings)

    def num_native_frames(self, n_samples: int) -> int:
        """Count latents: one for every started hop, chunk by chunk where the codec has chunks."""
        hop, chunk = self.codec_config.hop_length, self.codec_config.chunk_length
        if chunk is None:
            return -(-n_samples // hop)
        whole, rest = divmod(n_samples, chunk)
        return whole * -(-chunk // hop) + -(-rest // hop)


class EncodecEncoder(AudioEncoder):
    """The encoder half of EnCodec; decoder and codebooks are dropped."""

    config_class = EncodecEncoderConfig
    config: EncodecEncoderConfig

    def __init__(self, config: EncodecEncoderConfig) -> None:
        super().__init__(config)
        self.codec = EncodecModel(config.codec_config)
        self._drop_unused()
        self.post_init()

    def _drop_unused(self) -> None:
        self.codec.decoder = nn.Identity()
        self.codec.quantizer = nn.Identity()

    def load_parts(self) -> None:
        """Take the weights of the codec under `config.pretrained`."""
        codec = load_complete(EncodecModel, str(self.config.pretrained), dtype=torch.float32)
        check_same_codec(codec.config, self.config.codec_config, str(self.config.pretrained))
        self.codec = codec
        self._drop_unused()

    def encode(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Encode waveforms without padding; see `AudioEncoder.encode`."""
        return codec_latents(self.codec, waveforms)


def codec_latents(codec: EncodecModel, waveforms: torch.Tensor) -> torch.Tensor:
    """Compute the continuous latents of a batch.

    Chunks (48 kHz model) are taken side by side: the codec's own overlap of a hundredth serves
    cross-fading on decoding and would make frames that stand for the same time twice.

    Args:
        codec: Any EnCodec.
        waveforms: (batch, n_samples), mono, all of one length.

    Returns:
        (batch, frames, hidden_size).
    """
    channels = codec.config.audio_channels
    audio = waveforms[:, None].expand(-1, channels, -1)
    chunk = codec.config.chunk_length or audio.shape[-1]
    latents = []
    for part in audio.split(chunk, dim=-1):
        if codec.config.normalize:
            loudness = part.mean(1, keepdim=True).pow(2).mean(-1, keepdim=True).sqrt()
            part = part / (loudness + 1e-8)
        latents.append(codec.encoder(part))
    return torch.cat(latents, dim=-1).transpose(1, 2)


def check_same_codec(found: EncodecConfig, expected: EncodecConfig, name: str) -> None:
    """Refuse weights of a codec whose frames differ from what the configuration promises.

    Raises:
        CheckpointError: Rate, hop or width differ; both are told.
    """
    for field in ("sampling_rate", "hop_length", "hidden_size", "audio_channels", "chunk_length"):
        if getattr(found, field) != getattr(expected, field):
            raise CheckpointError(
                f"the codec '{name}' has {field} {getattr(found, field)}, "
                f"the configuration says {getattr(expected, field)}"
            )


Config, Encoder = EncodecEncoderConfig, EncodecEncoder
