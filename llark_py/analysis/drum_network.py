"""The network that hears drums: a log-mel spectrogram in, strokes of every piece by frame out."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad, relu

from llark_py.audio import Audio
from llark_py.errors import CheckpointError
from llark_py.librosa_import import load_librosa

from .drum_kit import KitReader
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
_RISE = 2
"""What begins is louder than so many frames before."""
_RARE = -4.5
_DISTANCES = (1, 2, 4, 8, 16, 32, 64)
CONTEXT_FRAMES = sum(_DISTANCES) + 3 + _RISE
"""How many frames on either side a frame's answer depends on."""
ASSETS = Path(__file__).parents[1] / "assets" / "drums"


@lru_cache(maxsize=1)
def _filters() -> Tensor:
    """Mel filters `(513, 84)` float32, areas normalised (Slaney)."""
    librosa = load_librosa("filters")

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
    padded = pad(samples, (_N_FFT // 2, _N_FFT // 2))
    frames = padded.unfold(0, _N_FFT, HOP)
    blocks = [
        (torch.fft.rfft(block * window).abs() ** 2) @ _filters()
        for block in frames.split(_BLOCK_FRAMES)
    ]
    return torch.cat(blocks)


def scale_powers(powers: Tensor, gain: Tensor | float = 1.0) -> Tensor:
    """Turn powers `(..., n_frames, 84)` into what the network takes, whatever their level.

    Args:
        powers: Of `mel_powers`.
        gain: Of the power, for training.
    """
    level = powers.mean(-2, keepdim=True).sum(-1, keepdim=True)
    return (torch.log(gain * powers / (level + 1e-20) + _FAINTEST) - _LOG_MEAN) / _LOG_SPREAD


class _Block(nn.Module):
    """A residual block over time: each frame hears one before and one behind it, at a distance.

    Written as one matrix product, which a CPU does several times faster than a convolution.
    """

    def __init__(self, width: int, distance: int):
        super().__init__()
        self.distance = distance
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Linear(3 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Take and give `(batch, n_frames, width)`."""
        n_frames = x.shape[1]
        here = relu(self.norm(x))
        padded = pad(here, (0, 0, self.distance, self.distance))
        before, behind = padded[:, :n_frames], padded[:, 2 * self.distance :]
        return x + self.mix(torch.cat([before, here, behind], -1))


class DrumNetwork(nn.Module):
    """Two convolutions over time and pitch, then blocks over ever longer times.

    Args:
        channels: Of the convolutions.
        width: Of the blocks.
        pieces: What is told apart, in the order of the outputs.
    """

    def __init__(
        self,
        channels: tuple[int, int] = (48, 96),
        width: int = 256,
        pieces: tuple[str, ...] = tuple(PIECES),
    ):
        super().__init__()
        self.settings = {"channels": list(channels), "width": width, "pieces": list(pieces)}
        first, second = channels
        self.picture = nn.Sequential(
            nn.Conv2d(2, first, (5, 8), (1, 4), (2, 2), bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(),
            nn.Conv2d(first, second, 3, (1, 2), 1, bias=False),
            nn.BatchNorm2d(second),
            nn.ReLU(),
        )
        bands = (MEL_BANDS // 4 + 1) // 2
        self.squeeze = nn.Linear(second * bands, width)
        self.times = nn.ModuleList(_Block(width, distance) for distance in _DISTANCES)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 2 * len(pieces))
        with torch.no_grad():  # strokes are rare: it need not learn that first
            self.head.bias[: len(pieces)] = _RARE
        self.reader = KitReader(width, len(pieces))

    def forward(self, scaled: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Hear strokes, at first; `reader` looks again when the whole recording is heard.

        Args:
            scaled: `(batch, n_frames, 84)` of `scale_powers`.

        Returns:
            Logits that a stroke begins and its velocity in [0, 1], each
            `(batch, n_frames, pieces)`, and what they were read from, `(batch, n_frames, width)`.
        """
        before = torch.cat([scaled[:, :_RISE], scaled[:, :-_RISE]], 1)
        both = torch.stack([scaled, relu(scaled - before)], 1)
        # Channels last: a third faster on a CPU.
        seen = self.picture(both.contiguous(memory_format=torch.channels_last))
        x = self.squeeze(seen.permute(0, 2, 3, 1).flatten(2))
        for block in self.times:
            x = block(x)
        frames = relu(self.norm(x))
        strokes, velocities = self.head(frames).chunk(2, -1)
        return strokes, torch.sigmoid(velocities), frames


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
