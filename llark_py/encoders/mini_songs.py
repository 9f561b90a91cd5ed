"""Recordings of any length for the `mini` encoder: which windows it hears, and how they join."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from llark_py.errors import AudioError

from .mini_features import HOP, extract_features, normalise_level, num_feature_frames
from .mini_network import N_GLOBAL

if TYPE_CHECKING:
    from .mini import Heard, MiniEncoder

_WINDOWS_AT_ONCE = 16


def hear_recording(encoder: MiniEncoder, waveform: Tensor) -> tuple[Heard, list[int]]:
    """Hear every window of one waveform `(n_samples,)`; also the windows' first frames."""
    waveform = normalise_level(waveform.float())
    n_frames = num_feature_frames(len(waveform))
    window = min(n_frames, encoder.config.window_frames)
    starts = list(range(0, n_frames - window + 1, window))
    if starts[-1] + window < n_frames:
        starts.append(n_frames - window)  # the tail, in a whole window that overlaps
    parts = []
    for first in range(0, len(starts), _WINDOWS_AT_ONCE):
        chunk = [
            waveform[s * HOP : (s + window) * HOP] for s in starts[first : first + _WINDOWS_AT_ONCE]
        ]
        parts.append(encoder.hear(extract_features(torch.stack(chunk))))
    return _join(parts), starts


def _join(parts: list[Heard]) -> Heard:
    """Put batches of windows in one."""
    return replace(
        parts[0],
        tokens=torch.cat([p.tokens for p in parts]),
        posteriors={k: torch.cat([p.posteriors[k] for p in parts]) for k in parts[0].posteriors},
        frame_posteriors={
            k: torch.cat([p.frame_posteriors[k] for p in parts]) for k in parts[0].frame_posteriors
        },
    )


def encode_recording(encoder: MiniEncoder, waveform: Tensor) -> Tensor:
    """Encode one waveform `(n_samples,)`: what is said of all windows, frames of the middle one."""
    heard, starts = hear_recording(encoder, waveform)
    middle = slice(len(starts) // 2, len(starts) // 2 + 1)
    globals_ = heard.tokens[:, :N_GLOBAL].mean(0, keepdim=True)
    summary = replace(
        heard,
        tokens=torch.cat([globals_, heard.tokens[middle, N_GLOBAL:]], 1),
        posteriors={head: p.mean(0, keepdim=True) for head, p in heard.posteriors.items()},
        frame_posteriors={head: p[middle] for head, p in heard.frame_posteriors.items()},
    )
    return encoder.assemble(summary)[0]


def analyse_recording(encoder: MiniEncoder, samples: np.ndarray) -> dict[str, np.ndarray]:
    """Name what is heard in a recording.

    Args:
        encoder: Listens.
        samples: `(n_samples,)` float32 mono at 16 kHz, not empty.

    Returns:
        By head the class probabilities `(classes,)`, averaged over all windows (names in
        `config.labels`, tempo bins in `config.tempo_bins_bpm`); and at 10 Hz over the whole
        recording `chord_frames` `(T, 25)`, `beat_frames` `(T, 3)` and
        `activity_frames` `(T, families)`.

    Raises:
        AudioError: There are no samples.
    """
    if len(samples) == 0:
        raise AudioError("the recording has no samples")
    waveform = torch.from_numpy(np.ascontiguousarray(samples)).to(encoder.device)
    heard, starts = hear_recording(encoder, waveform)
    result = {head: p.mean(0).cpu().numpy() for head, p in heard.posteriors.items()}
    for head in ("chord", "beat", "activity"):
        windows = heard.frame_posteriors[head].cpu().numpy()
        line = np.zeros((starts[-1] + windows.shape[1], windows.shape[2]), np.float32)
        for start, values in zip(starts, windows, strict=True):
            line[start : start + len(values)] = values
        result[f"{head}_frames"] = line
    return result
