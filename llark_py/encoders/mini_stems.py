"""What the `mini` encoder sees first: convolutions over its two spectral streams."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from .mini_convolutions import Residual, TimeConv, pool_bands
from .mini_features import BINS_PER_SEMITONE, MEL_BANDS, MEL_STEPS, PITCH_BINS

_MEL_CHANNELS = (16, 48, 64)
_OFFSETS = tuple(
    round(12 * BINS_PER_SEMITONE * math.log2(harmonic)) for harmonic in (0.5, 1, 2, 3, 4, 5, 6)
)
"""Where an octave below a pitch and its harmonics lie, in bins above it."""
_HARMONIC_CHANNELS = (24, 48)
_LINE_CHANNELS = 12
_QUIET = -2.0
_ENTRY_CHANNELS = 32


class MelStem(nn.Module):
    """Patches of the mel spectrum, alike in every register: onsets, decays, spectral shapes.

    The spectrum comes twice, as it is and without the mean of each band, which is what rooms,
    equalisers and soundfonts change most.
    """

    def __init__(self, width: int):
        super().__init__()
        first, second, third = _MEL_CHANNELS
        self.convolutions = nn.Sequential(
            nn.Conv2d(2, first, 5, stride=(1, 2), padding=2),
            nn.ReLU(),
            nn.Conv2d(first, second, (MEL_STEPS, 3), stride=(MEL_STEPS, 2), padding=(0, 1)),
            nn.ReLU(),
            nn.Conv2d(second, third, 3, stride=(1, 2), padding=1),
            nn.GELU(),
        )
        self.out = nn.Linear(third * MEL_BANDS // 8, width)

    def forward(self, mel: Tensor) -> Tensor:
        """Turn `(batch, 5 T, 64)` into `(batch, T, width)`."""
        image = torch.stack([mel, mel - mel.mean(1, keepdim=True)], 1)
        # Half as slow again in the other memory layout, on CPUs.
        patches = self.convolutions(image.contiguous(memory_format=torch.channels_last))
        return self.out(patches.transpose(1, 2).flatten(2))


class _Strongest(nn.Module):
    """The maximum of every channel `(batch, channels, n)`; as a pooling layer it is slow."""

    def forward(self, lines: Tensor) -> Tensor:
        return lines.amax(-1)


class PitchStem(nn.Module):
    """Pitches as they lie, and how strong the harmonics above each of them are.

    An instrument is known by the latter whatever it plays, so of that part (a harmonic stack as in
    Bittner et al., "Deep salience representations", ISMIR 2017) the strongest pitch counts.
    """

    def __init__(self, width: int):
        super().__init__()
        self.lines = nn.Sequential(
            nn.Conv1d(1, _LINE_CHANNELS, 7, padding=3, stride=2), nn.GELU(), nn.Flatten()
        )
        first, second = _HARMONIC_CHANNELS
        self.harmonics = nn.Sequential(
            nn.Conv1d(len(_OFFSETS), first, 5, padding=2, stride=2),
            nn.ReLU(),
            nn.Conv1d(first, second, 3, padding=1),
            _Strongest(),
            nn.GELU(),
        )
        self.lines_out = nn.Linear(_LINE_CHANNELS * PITCH_BINS // 2 + PITCH_BINS, width)
        self.harmonics_out = nn.Linear(second, width)

    def forward(self, pitch: Tensor) -> Tensor:
        """Turn `(batch, T, 168)` into `(batch, T, width)`."""
        rows = pitch.flatten(0, 1)
        lines = self.lines(rows[:, None])
        pitches = self.lines_out(torch.cat([lines, rows.to(lines.dtype)], -1))
        # Every other frame will do: the windows of the pitch stream are 0.2 to 0.5 s long.
        some = pitch[:, ::2]
        reach = max(_OFFSETS)
        padded = nn.functional.pad(some.flatten(0, 1), (reach, reach), value=_QUIET)
        stack = [padded[:, reach + offset :][:, :PITCH_BINS] for offset in _OFFSETS]
        timbre = self.harmonics_out(self.harmonics(torch.stack(stack, 1)))
        timbre = timbre.view(*some.shape[:2], -1).repeat_interleave(2, 1)[:, : pitch.shape[1]]
        return pitches.view_as(timbre) + timbre


class ResidualStem(nn.Module):
    """The mel spectrum through a residual network with batch normalisation.

    Timbre is learnt from it in a quarter of the steps that patches take, and it can be run
    causally, for a model that writes on. Full time resolution is left after the second layer:
    attacks are seen, and nothing dear is computed on 50 columns a second.

    Args:
        width: Of the tokens.
        channels: Of the first half of the residual blocks; the second half has twice as many.
    """

    def __init__(self, width: int, channels: int):
        super().__init__()
        wide = 2 * channels
        self.timbre_width = 2 * wide
        self.entry = TimeConv(2, _ENTRY_CHANNELS, 5, (1, 2), 2)
        # The five columns of a frame become one: it sees no other frame, causal or not.
        self.frames = nn.Conv2d(
            _ENTRY_CHANNELS, channels, (MEL_STEPS, 3), (MEL_STEPS, 2), (0, 1), bias=False
        )
        self.frames_norm = nn.BatchNorm2d(channels)
        self.blocks = nn.ModuleList(
            [
                Residual(channels, channels),
                Residual(channels, channels),
                Residual(channels, wide, 2),
                Residual(wide, wide),
            ]
        )
        self.out = nn.Linear(wide * MEL_BANDS // 8, width)

    def forward(self, mel: Tensor, causal: bool = False) -> tuple[Tensor, Tensor]:
        """Turn `(batch, 5 T, 64)` into tokens `(batch, T, width)` and their timbre.

        Args:
            mel: Standardised log-mel spectrum.
            causal: Let no frame depend on a later one.

        Returns:
            The tokens, and `(batch, T, timbre_width)`: mean and maximum over the bands of what
            the last block sees, whatever the register.
        """
        if causal:
            steps = torch.arange(1, mel.shape[1] + 1, device=mel.device)[:, None]
            mean = (mel.float().cumsum(1) / steps).to(mel.dtype)
        else:
            mean = mel.mean(1, keepdim=True)
        image = torch.stack([mel, mel - mean], 1).contiguous(memory_format=torch.channels_last)
        image = relu(self.entry(image, causal))
        image = relu(self.frames_norm(self.frames(image)))
        for block in self.blocks:
            image = block(image, causal)
        return self.out(image.transpose(1, 2).flatten(2)), pool_bands(image)
