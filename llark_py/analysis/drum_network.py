"""The network that hears drums: a log-mel spectrogram in, strokes of every piece by frame out."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from llark_py.audio import Audio
from llark_py.errors import CheckpointError

from .drum_pieces import PIECES

SAMPLE_RATE = 22_050
HOP = 220
"""Samples between frames: 10 ms."""
MEL_BANDS = 84
FRAME_RATE = SAMPLE_RATE / HOP
_N_FFT = 1024
_LOWEST_HZ, _HIGHEST_HZ = 25.0, 11_000.0
_FAINTEST = 1e-7  # -70 dB of the mean power: quieter than what people hear in a mix
_LOG_MEAN, _LOG_SPREAD = -9.0, 4.0  # of composed music, about
_BLOCK_FRAMES = 6000
_DILATIONS = (1, 2, 4, 8, 16, 32, 64)
CONTEXT_FRAMES = sum(_DILATIONS) + 3
"""How many frames on either side a frame's answer depends on."""
ASSETS = Path(__file__).parents[1] / "assets" / "drums"


@lru_cache(maxsize=1)
def _filters() -> Tensor:
    """Mel filters `(513, 84)` float32, areas normalised (Slaney)."""
    import librosa

    filters = librosa.filters.mel(
        sr=SAMPLE_RATE, n_fft=_N_FFT, n_mels=MEL_BANDS, fmin=_LOWEST_HZ, fmax=_HIGHEST_HZ
    )
    return torch.from_numpy(np.asarray(filters.T, np.float32))


def mel_powers(audio: Audio) -> Tensor:
    """Measure the power of each mel band at every frame.

    Args:
        audio: Any rate, mono or stereo.

    Returns:
        `(n_frames, 84)` float32, frame t centred at t * `HOP` samples of `SAMPLE_RATE`.
    """
    samples = torch.from_numpy(audio.mono().resample(SAMPLE_RATE).samples)
    window = torch.hann_window(_N_FFT)
    padded = nn.functional.pad(samples, (_N_FFT // 2, _N_FFT // 2))
    frames = padded.unfold(0, _N_FFT, HOP)
    blocks = [
        (torch.fft.rfft(block * window).abs() ** 2) @ _filters()
        for block in frames.split(_BLOCK_FRAMES)
    ]
    return torch.cat(blocks)


def scale_powers(powers: Tensor) -> Tensor:
    """Turn powers `(..., n_frames, 84)` into what the network takes, whatever their level."""
    level = powers.mean(-2, keepdim=True).sum(-1, keepdim=True)
    return (torch.log(powers / (level + 1e-20) + _FAINTEST) - _LOG_MEAN) / _LOG_SPREAD


class _Block(nn.Module):
    """A residual block over time: each channel by itself, then all of a frame together."""

    def __init__(self, width: int, dilation: int):
        super().__init__()
        self.over_time = nn.Conv1d(
            width, width, 3, padding=dilation, dilation=dilation, groups=width, bias=False
        )
        self.norm = nn.BatchNorm1d(width)
        self.mix = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.mix(relu(self.norm(self.over_time(x))))


class DrumNetwork(nn.Module):
    """Convolutions over time and pitch, then over ever longer times.

    Args:
        channels: Of the three layers over time and pitch.
        width: Of the layers over time.
        pieces: What is told apart, in the order of the outputs.
    """

    def __init__(
        self,
        channels: tuple[int, ...] = (16, 32, 64),
        width: int = 144,
        pieces: tuple[str, ...] = tuple(PIECES),
    ):
        super().__init__()
        self.settings = {"channels": list(channels), "width": width, "pieces": list(pieces)}
        layers: list[nn.Module] = []
        bands, before = MEL_BANDS, 1
        for number, after in enumerate(channels):
            high = 7 if number == 0 else 3
            layers += [
                nn.Conv2d(before, after, (3, high), (1, 2), (1, high // 2), bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
            bands, before = (bands + 1) // 2, after
        self.picture = nn.Sequential(*layers)
        self.squeeze = nn.Conv1d(before * bands, width, 1)
        self.times = nn.ModuleList(_Block(width, dilation) for dilation in _DILATIONS)
        self.norm = nn.BatchNorm1d(width)
        self.head = nn.Conv1d(width, 2 * len(pieces), 1)

    def forward(self, scaled: Tensor) -> tuple[Tensor, Tensor]:
        """Hear strokes.

        Args:
            scaled: `(batch, n_frames, 84)` of `scale_powers`.

        Returns:
            Logits that a stroke begins and its velocity in [0, 1], each
            `(batch, n_frames, pieces)`.
        """
        # Channels last: a third faster on a CPU.
        x = self.picture(scaled[:, None].contiguous(memory_format=torch.channels_last))
        x = self.squeeze(x.transpose(2, 3).flatten(1, 2))
        for block in self.times:
            x = block(x)
        strokes, velocities = self.head(relu(self.norm(x))).transpose(1, 2).chunk(2, -1)
        return strokes, torch.sigmoid(velocities)


def save_network(network: DrumNetwork, fitted: dict[str, Any], folder: Path) -> None:
    """Write `model.safetensors` (float16) and `config.json`, the weights last.

    Args:
        network: The network.
        fitted: What was fitted after it: thresholds and the calibration.
        folder: Made where it is missing.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"network": network.settings, **fitted}, indent=1) + "\n"
    (folder / ".config.json").write_text(text, encoding="utf-8")
    weights = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    save_file(weights, folder / ".model.safetensors")
    for name in ("config.json", "model.safetensors"):
        (folder / f".{name}").replace(folder / name)


def load_network(folder: Path) -> tuple[DrumNetwork, dict[str, Any]]:
    """Read what `save_network` wrote: the network, ready to hear, and what was fitted after it.

    Raises:
        CheckpointError: There is none in the folder, or it is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        weights = load_file(folder / "model.safetensors")
        network = DrumNetwork(**config.pop("network"))
        missing = network.load_state_dict({k: v.float() for k, v in weights.items()}, strict=False)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(
            f"the drum network in {folder} cannot be read ({error}); install the package anew, "
            "or make one with `llark train`"
        ) from error
    lost = [k for k in missing.missing_keys if not k.endswith("num_batches_tracked")]
    if lost or missing.unexpected_keys:
        raise CheckpointError(
            f"the weights in {folder} do not fit: missing {lost}, "
            f"unexpected {missing.unexpected_keys}"
        )
    return network.eval(), config
