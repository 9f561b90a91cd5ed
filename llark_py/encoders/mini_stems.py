"""What the `mini` encoder sees first: convolutions over its two spectral streams."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .mini_features import BINS_PER_SEMITONE, MEL_BANDS, MEL_STEPS, PITCH_BINS

_MEL_CHANNELS = (16, 48, 64)
_OFFSETS = tuple(
    round(12 * BINS_PER_SEMITONE * math.log2(harmonic)) for harmonic in (0.5, 1, 2, 3, 4, 5, 6)
)
"""Where an octave below a pitch and its harmonics lie, in bins above it."""
_HARMONIC_CHANNELS = (24, 48)
_LINE_CHANNELS = 12
_QUIET = -2.0


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
            nn.MaxPool1d(PITCH_BINS // 2),
            nn.GELU(),
            nn.Flatten(),
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
