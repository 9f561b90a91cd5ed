"""Waveforms to padded tensors, and how many frames each will become. Needs no encoder weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from transformers import BatchFeature, SequenceFeatureExtractor

from llark_py.encoders import config_from_dict
from llark_py.encoders.base import AudioEncoderConfig
from llark_py.errors import AudioError


class LlarkFeatureExtractor(SequenceFeatureExtractor):
    """Pads mono waveforms on the right and asks the encoder's configuration for frame counts.

    Args:
        audio_config: The encoder's configuration or its dict (as saved).
    """

    model_input_names = ["input_values", "input_values_mask"]

    def __init__(
        self,
        audio_config: AudioEncoderConfig | Mapping[str, Any],
        padding_value: float = 0.0,
        **kwargs: Any,
    ) -> None:
        if not isinstance(audio_config, AudioEncoderConfig):
            audio_config = config_from_dict(audio_config)
        self.audio_config = audio_config
        for derived in ("feature_size", "sampling_rate"):
            kwargs.pop(derived, None)
        super().__init__(
            feature_size=1,
            sampling_rate=audio_config.sample_rate,
            padding_value=padding_value,
            **kwargs,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what `processor_config.json` keeps."""
        saved = super().to_dict()
        saved["audio_config"] = self.audio_config.to_diff_dict()
        return saved

    def __call__(
        self, audio: Sequence[Any], sampling_rate: int | None = None, **_: Any
    ) -> BatchFeature:
        """Pad waveforms into one batch.

        Args:
            audio: Mono waveforms (n_samples,), float in [-1, 1], at the encoder's rate.
            sampling_rate: Of the waveforms, in Hz; checked when given.

        Returns:
            `input_values` (n_audios, max_samples) float32, `input_values_mask` bool,
            `num_audio_tokens` list of frame counts.

        Raises:
            AudioError: A waveform is not mono, empty, too short for one frame, not finite, or at
                another rate.
        """
        rate = self.audio_config.sample_rate
        if sampling_rate is not None and sampling_rate != rate:
            raise AudioError(f"the encoder takes audio at {rate} Hz, not {sampling_rate} Hz")
        waveforms = [self._check_waveform(i, item) for i, item in enumerate(audio)]
        n_samples = [len(w) for w in waveforms]
        values = np.full((len(waveforms), max(n_samples)), self.padding_value, dtype=np.float32)
        for row, waveform in zip(values, waveforms, strict=True):
            row[: len(waveform)] = waveform
        mask = np.arange(values.shape[1])[None, :] < np.array(n_samples)[:, None]
        frames = [self.audio_config.num_frames(n) for n in n_samples]
        for number, count in enumerate(frames):
            if count < 1:
                raise AudioError(
                    f"audio {number + 1} is too short to make one frame: "
                    f"{n_samples[number]} samples at {rate} Hz"
                )
        return BatchFeature(
            {"input_values": values, "input_values_mask": mask, "num_audio_tokens": frames}
        )

    @staticmethod
    def _check_waveform(number: int, item: Any) -> np.ndarray:
        waveform = np.asarray(item, dtype=np.float32)
        if waveform.ndim != 1 or waveform.size == 0:
            raise AudioError(
                f"audio {number + 1} must be a mono waveform (n_samples,), "
                f"not an array of shape {waveform.shape}"
            )
        if not np.isfinite(waveform).all():
            raise AudioError(f"audio {number + 1} holds NaN or infinite samples")
        return waveform
