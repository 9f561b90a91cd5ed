"""What every audio encoder keeps to: its configuration, its frame arithmetic, batching, pooling.

An encoder is one file of this room with two module attributes, `Config` (an `AudioEncoderConfig`)
and `Encoder` (an `AudioEncoder`). The least a new one needs:

    class HumConfig(AudioEncoderConfig):
        model_type = "llark_hum_encoder"
        encoder: str = "hum"            # the file's name; saved, so that the part is found again
        sample_rate: int = 16_000
        width: int = 64
        native_frame_rate: float | None = 50.0

        def num_native_frames(self, n_samples: int) -> int: ...

    class HumEncoder(AudioEncoder):
        config_class = HumConfig
        def encode(self, waveforms): ...  # (batch, n_samples), no padding -> (batch, frames, width)

    Config, Encoder = HumConfig, HumEncoder

`AudioEncoder.forward` then does the batching of unequal lengths and the pooling. An encoder that
has better ideas (`mini` windows its audio and takes cached features) overrides `forward`,
`frame_lengths` and `AudioEncoderConfig.num_frames` together.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, NamedTuple, Self

import torch
from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel

from llark_py.errors import AudioError, ConfigError


class AudioEncoderConfig(PreTrainedConfig):
    """What an encoder takes and gives; the only home of its frame arithmetic.

    Attributes:
        encoder: The encoder's name in the catalogue (its file name). Saved with the configuration.
        sample_rate: Of the waveform it takes, in Hz.
        width: Numbers per frame.
        native_frame_rate: Frames per second before pooling, in Hz; None when the encoder sets
            `frame_rate` itself.
        target_frame_rate: Wanted frames per second, in Hz. The frames are averaged in whole groups,
            so the true `frame_rate` is the nearest one that a whole number of frames gives (LLark
            brings Jukebox's 344.5 Hz to 10.13 Hz by groups of 34). None keeps every frame.
        max_frames: Most frames of a recording, however long: those of longer ones are averaged in
            larger groups, so that a song does not fill the context of the language model. None
            keeps `frame_rate` at any length.
        writes_notes: The encoder writes a note of what it hears (see `AudioEncoder.notes`).
        frame_rate: Frames per second that come out, in Hz; derived when `native_frame_rate` is set.
        licence: Of the weights, as the model card should say it.
        pretrained: Hub name or local folder that the weights are taken from when a new model is
            built (`build_encoder(config, load_pretrained=True)`). A saved model holds its own
            weights and never looks there again.
    """

    model_type: ClassVar[str] = "llark_audio_encoder"

    encoder: str = ""
    sample_rate: int = 16_000
    width: int = 1
    native_frame_rate: float | None = None
    target_frame_rate: float | None = None
    max_frames: int | None = None
    writes_notes: bool = False
    frame_rate: float = 0.0
    licence: str = "unknown"
    pretrained: str | None = None

    def __post_init__(self, **kwargs: Any) -> None:
        super().__post_init__(**kwargs)
        for field in ("sample_rate", "width"):
            if int(getattr(self, field)) < 1:
                raise ConfigError(f"{field} must be at least 1, not {getattr(self, field)}")
        if self.target_frame_rate is not None and self.target_frame_rate <= 0:
            raise ConfigError(f"target_frame_rate must be above 0 Hz, not {self.target_frame_rate}")
        if self.max_frames is not None and self.max_frames < 1:
            raise ConfigError(f"max_frames must be at least 1, not {self.max_frames}")
        if self.native_frame_rate is not None:
            self.frame_rate = self.native_frame_rate / self.pooling

    @classmethod
    def from_parts(cls, pretrained: str, **settings: Any) -> Self:
        """Make the configuration that fits the pretrained parts under a Hub name or folder.

        An encoder that wraps someone else's network overrides this to read that network's sizes.
        """
        return cls(pretrained=pretrained, **settings)

    @property
    def pooling(self) -> int:
        """How many native frames are averaged into one in a short recording."""
        if self.native_frame_rate is None or self.target_frame_rate is None:
            return 1
        return max(1, round(self.native_frame_rate / self.target_frame_rate))

    def group_size(self, n_native: int) -> int:
        """How many of `n_native` native frames are averaged into one, to stay in `max_frames`."""
        pooled = math.ceil(n_native / self.pooling)
        if self.max_frames is None or pooled <= self.max_frames:
            return self.pooling
        return self.pooling * math.ceil(pooled / self.max_frames)

    def num_native_frames(self, n_samples: int) -> int:
        """Count the frames before pooling of `n_samples` samples at `sample_rate`."""
        raise NotImplementedError(f"{type(self).__name__} must say how many frames it makes")

    def num_frames(self, n_samples: int) -> int:
        """Count the frames that `n_samples` samples become (0 for 0).

        The processor writes this many placeholders and the model expects this many frames: nobody
        repeats the formula.
        """
        n_native = self.num_native_frames(int(n_samples))
        return math.ceil(n_native / self.group_size(n_native))


class Encoded(NamedTuple):
    """A recording as the language model is given it.

    Attributes:
        frames: `(frames, width)`.
        notes: What the encoder hears, in words; None from encoders that write none.
        hearing: What the encoder can tell tools of the same pass; None from most encoders.
    """

    frames: torch.Tensor
    notes: str | None = None
    hearing: Any = None


class AudioEncoder(PreTrainedModel):
    """Waveform to frames."""

    config: AudioEncoderConfig
    config_class = AudioEncoderConfig
    base_model_prefix = "encoder"
    main_input_name = "input_values"
    input_modalities = "audio"

    def encode(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Encode waveforms that have no padding.

        Args:
            waveforms: (batch, n_samples), mono at `config.sample_rate`, in the encoder's dtype.

        Returns:
            (batch, `config.num_native_frames(n_samples)`, width), before pooling.
        """
        raise NotImplementedError(f"{type(self).__name__} defines neither encode nor forward")

    def load_parts(self) -> None:
        """Fill the wrapped network with the weights under `config.pretrained`.

        Raises:
            CheckpointError: The weights cannot be found or do not fit; the cause is told.
            ConfigError: This encoder wraps nobody's network.
        """
        raise ConfigError(f"encoder '{self.config.encoder}' has no pretrained parts to load")

    def frame_lengths(
        self, input_values: torch.Tensor, input_values_mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Count the valid frames of each item.

        Args:
            input_values: (n_audios, n_samples).
            input_values_mask: (n_audios, n_samples), true where there is sound; None: everywhere.

        Returns:
            (n_audios,) int64 on the device of `input_values`.
        """
        counts = [
            self.config.num_frames(n) for n in self._sample_counts(input_values, input_values_mask)
        ]
        return torch.tensor(counts, dtype=torch.long, device=input_values.device)

    def forward(
        self, input_values: torch.Tensor, input_values_mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Encode a padded batch; each item comes out as if it had been alone.

        Items of one length are encoded together and items of different lengths apart, because
        padding leaks into codecs (their edges are reflected, their norms run over time).

        Args:
            input_values: (batch, n_samples) float, in [-1, 1], padded on the right.
            input_values_mask: (batch, n_samples) bool, true where there is sound; None: everywhere.

        Returns:
            (batch, max_frames, width). The first `frame_lengths()[i]` frames of item i are valid,
            the rest is zero.

        Raises:
            AudioError: The input is not a batch of mono waveforms.
        """
        counts = self._sample_counts(input_values, input_values_mask)
        waveforms = input_values.to(self.dtype)
        max_frames = max((self.config.num_frames(n) for n in counts), default=0)
        frames = waveforms.new_zeros(len(counts), max_frames, self.config.width)
        for n_samples in sorted(set(counts)):
            if self.config.num_frames(n_samples) == 0:
                continue
            items = [i for i, n in enumerate(counts) if n == n_samples]
            native = self.encode(waveforms[items, :n_samples])
            pooled = average_frames(native, self.config.group_size(native.shape[1]))
            frames[items, : pooled.shape[1]] = pooled.to(frames.dtype)
        return frames

    @torch.no_grad()
    def encode_recording(self, waveform: torch.Tensor) -> Encoded:
        """Encode one recording in one pass for all who listen: frames, and notes if it writes any.

        Args:
            waveform: (n_samples,), mono at `config.sample_rate`.
        """
        return Encoded(self(waveform[None])[0])

    def notes(self, waveform: torch.Tensor) -> str | None:
        """Say in one short text what is heard in a waveform (n_samples,); None if not written."""
        return self.encode_recording(waveform).notes if self.config.writes_notes else None

    def _sample_counts(
        self, input_values: torch.Tensor, input_values_mask: torch.Tensor | None
    ) -> list[int]:
        if input_values.ndim != 2:
            raise AudioError(
                f"encoder '{self.config.encoder}' takes waveforms (batch, n_samples), "
                f"not a tensor of shape {tuple(input_values.shape)}"
            )
        if input_values_mask is None:
            return [input_values.shape[1]] * input_values.shape[0]
        if input_values_mask.shape != input_values.shape:
            raise AudioError(
                f"input_values_mask {tuple(input_values_mask.shape)} must have the shape of "
                f"input_values {tuple(input_values.shape)}"
            )
        return [int(n) for n in input_values_mask.sum(-1).tolist()]


def average_frames(frames: torch.Tensor, group: int) -> torch.Tensor:
    """Average every `group` neighbouring frames into one; the last group may be smaller.

    Args:
        frames: (batch, n, width).
        group: Frames per group, at least 1.

    Returns:
        (batch, ceil(n / group), width).
    """
    if group == 1:
        return frames
    # With ceil_mode the divisor of the last window is the number of frames really in it.
    pooled = nn.functional.avg_pool1d(frames.transpose(1, 2), group, group, ceil_mode=True)
    return pooled.transpose(1, 2)
