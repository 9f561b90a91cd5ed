"""Frames made elsewhere and read from disk: Jukebox, MERT, or any encoder we do not run.

The defaults are those of LLark: Jukebox-5B, 4800 numbers a frame, 344.5 Hz averaged in groups of
34 to 10.13 Hz. The model takes such frames as `input_features`.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, NoReturn

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file

from llark_py.errors import AudioError

from .base import AudioEncoder, AudioEncoderConfig, average_frames

_FRAMES_KEY = "frames"


class PrecomputedEncoderConfig(AudioEncoderConfig):
    """Says what the frames on disk are; set `width` and `frame_rate` (Hz) to fit them."""

    model_type: ClassVar[str] = "llark_precomputed_encoder"

    encoder: str = "precomputed"
    sample_rate: int = 44_100
    width: int = 4800
    frame_rate: float = 44_100 / 128 / 34
    licence: str = "that of the encoder that made the frames"

    def num_frames(self, n_samples: int) -> int:
        """Refuse: only the file knows how many frames it has."""
        _refuse_sound()


class PrecomputedEncoder(AudioEncoder):
    """Holds no weights and hears nothing; it stands where a model expects an encoder."""

    config_class = PrecomputedEncoderConfig
    config: PrecomputedEncoderConfig

    def __init__(self, config: PrecomputedEncoderConfig) -> None:
        super().__init__(config)
        self.post_init()

    def forward(
        self, input_values: torch.Tensor, input_values_mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Refuse waveforms.

        Raises:
            AudioError: Always.
        """
        _refuse_sound()


def _refuse_sound() -> NoReturn:
    raise AudioError(
        "the encoder 'precomputed' cannot hear sound: read its frames with load_frames() and hand "
        "them over as audio_frames= (processor) or input_features= (model)"
    )


def load_frames(
    path: str | Path, *, width: int | None = None, max_frames: int | None = None
) -> np.ndarray:
    """Read the frames of one recording.

    Args:
        path: A `.npy` array, or a `.safetensors` file with one tensor (or one called `frames`).
        width: Numbers per frame to insist on (`config.width`).
        max_frames: Average longer recordings in groups, to so many at most (`config.max_frames`).

    Returns:
        (frames, width) float32.

    Raises:
        AudioError: The file is missing, unreadable or empty, of another kind or shape, or holds
            NaN or infinite numbers.
    """
    path = Path(path)
    if not path.is_file():
        raise AudioError(f"no file of frames at '{path}'")
    if path.suffix == ".npy":
        frames = _read_npy(path)
    elif path.suffix == ".safetensors":
        frames = _read_safetensors(path)
    else:
        raise AudioError(f"frames are read from .npy or .safetensors, not '{path.name}'")
    if frames.ndim != 2 or 0 in frames.shape:
        raise AudioError(f"'{path}' holds an array of shape {frames.shape}, not (frames, width)")
    if not (np.issubdtype(frames.dtype, np.floating) or np.issubdtype(frames.dtype, np.integer)):
        raise AudioError(f"'{path}' holds {frames.dtype}, not numbers")
    if width is not None and frames.shape[1] != width:
        raise AudioError(f"'{path}' has {frames.shape[1]} numbers a frame; {width} are expected")
    frames = frames.astype(np.float32)
    if not np.isfinite(frames).all():
        raise AudioError(f"'{path}' holds NaN or infinite numbers")
    if max_frames is None or len(frames) <= max_frames:
        return frames
    group = -(-len(frames) // max_frames)
    return average_frames(torch.from_numpy(frames)[None], group)[0].numpy()


def _read_npy(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise AudioError(f"'{path}' is not a readable .npy file: {error}") from error


def _read_safetensors(path: Path) -> np.ndarray:
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError, TypeError) as error:
        raise AudioError(f"'{path}' is not a readable .safetensors file: {error}") from error
    if _FRAMES_KEY in tensors:
        return tensors[_FRAMES_KEY]
    if len(tensors) == 1:
        return next(iter(tensors.values()))
    raise AudioError(
        f"'{path}' holds {sorted(tensors)}: name the frames '{_FRAMES_KEY}' or keep one tensor"
    )


Config, Encoder = PrecomputedEncoderConfig, PrecomputedEncoder
