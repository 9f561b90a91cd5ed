"""Lets the `mini` encoder write on: codes drawn frame after frame, and turned into sound.

It shows what the generative stage has taught it.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from llark_py.errors import AudioError, CheckpointError, ConfigError
from llark_py.librosa_import import load_librosa

from .mini import MiniEncoder
from .mini_features import (
    HOP,
    MEL_STEPS,
    SAMPLE_RATE,
    extract_features,
    linear_magnitudes,
    normalise_level,
    restore_level,
    standardise,
)

LONGEST_S = 60.0
_N_FFT, _WINDOW = 2_048, 1_024
_PHASE_ROUNDS = 48
_OVERLAP_FRAMES = 2


def write_on(
    encoder: MiniEncoder, frames: Tensor, n_new: int, temperature: float, seed: int
) -> Tensor:
    """Draw the frames that follow others.

    Args:
        encoder: With a codec.
        frames: `(T, 488)` standardised; of more than a window the end is read.
        n_new: How many frames to draw.
        temperature: Above 1 bolder, below 1 safer.
        seed: Of the drawing.

    Returns:
        `(n_new, 488)` standardised.

    Raises:
        CheckpointError: The encoder has no codec.
    """
    check_codec(encoder)
    generator = torch.Generator().manual_seed(seed)
    window = encoder.config.window_frames
    for _ in range(n_new):
        read = encoder.network.foresee(frames[None, -window:])[0, -1]
        codes = encoder.writer.draw(read, temperature, generator)
        frames = torch.cat([frames, encoder.codec.decode(codes)[None]])
    return frames[len(frames) - n_new :]


def check_codec(encoder: MiniEncoder) -> None:
    """Refuse an encoder that has not learnt to write on.

    Raises:
        CheckpointError: It has no codec.
    """
    if not encoder.config.codec_books:
        raise CheckpointError(
            "this encoder has no codec, so it cannot continue a recording; train one that has with "
            "`llark train mini` and name its folder with --model"
        )


def to_sound(features: Tensor, seed: int = 0) -> np.ndarray:
    """Turn features into a waveform; phases are found by Griffin and Lim's algorithm.

    Args:
        features: `(T, 488)` as of `extract_features`.
        seed: Of the first phases.

    Returns:
        `(1600 T,)` float32 at 16 kHz, at the level the features have.
    """
    magnitudes = linear_magnitudes(features, _N_FFT).numpy()
    # Frames are centred: one more stands at the very end.
    magnitudes = np.concatenate([magnitudes, magnitudes[:, -1:]], 1)
    samples = load_librosa().griffinlim(
        magnitudes,
        n_iter=_PHASE_ROUNDS,
        hop_length=HOP // MEL_STEPS,
        win_length=_WINDOW,
        n_fft=_N_FFT,
        length=len(features) * HOP,
        random_state=seed,
    )
    return samples.astype(np.float32)


@torch.no_grad()
def continue_recording(
    encoder: MiniEncoder,
    samples: np.ndarray,
    seconds: float,
    temperature: float = 0.9,
    seed: int = 0,
) -> np.ndarray:
    """Write on from the end of a recording.

    Args:
        encoder: With a codec.
        samples: `(n_samples,)` float32 mono at 16 kHz, at least 0.2 s.
        seconds: How long to write on.
        temperature: Above 1 bolder, below 1 safer.
        seed: The same seed gives the same sound.

    Returns:
        `(n,)` float32 at 16 kHz: the last 8.4 s of the recording at most, then what follows.

    Raises:
        CheckpointError: The encoder has no codec.
        ConfigError: The length is not allowed.
        AudioError: The recording is too short.
    """
    check_codec(encoder)
    if not 0 < seconds <= LONGEST_S:
        raise ConfigError(f"a continuation lasts up to {LONGEST_S:g} seconds, not {seconds:g}")
    if len(samples) < _OVERLAP_FRAMES * HOP:
        raise AudioError("the recording is too short to be continued; 0.2 seconds are needed")
    n_read = min(len(samples) // HOP, encoder.config.window_frames)
    end = torch.from_numpy(np.array(samples[len(samples) - n_read * HOP :], np.float32))[None]
    end = normalise_level(end)
    heard = extract_features(end)[0]
    n_new = max(1, round(seconds * SAMPLE_RATE / HOP))
    drawn = write_on(encoder, standardise(heard), n_new, temperature, seed)
    new = restore_level(drawn, heard)
    overlap = _OVERLAP_FRAMES * HOP
    sound = to_sound(torch.cat([heard[-_OVERLAP_FRAMES:], new]), seed)
    fade = np.linspace(0, 1, overlap, dtype=np.float32)
    known = end[0].numpy()
    joint = known[-overlap:] * (1 - fade) + sound[:overlap] * fade
    whole = np.concatenate([known[:-overlap], joint, sound[overlap:]])
    return whole / max(1.0, float(np.abs(whole).max()))
