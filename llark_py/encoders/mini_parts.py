"""Who plays which pitch: the part of the `mini` encoder that ties notes to instrument families.

A clip tells only which families play, and a mixture hides which of its partials are whose. The
composer knows the family of every note, so this is asked of every pitch at every moment: some
hundred thousand times more answers to learn timbre from, and pitch-conditioned timbre is known to
be learned better (Hung and Yang, "Frame-level instrument recognition by timbre and pitch", ISMIR
2018; Wu et al., "Multi-instrument automatic music transcription with self-attention-based instance
segmentation", TASLP 2020).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, relu

from .mini_convolutions import Residual, TimeConv, pool_bands
from .mini_features import BINS_PER_SEMITONE, LOWEST_MIDI, PITCH_BINS

PART_STEP = 2
"""Feature frames (0.1 s each) in a frame of parts."""
PART_PITCHES = PITCH_BINS // BINS_PER_SEMITONE
"""Semitones from `LOWEST_MIDI` up."""
_OFFSETS = tuple(
    round(12 * BINS_PER_SEMITONE * math.log2(harmonic))
    for harmonic in (0.5, 1, 2, 3, 4, 5, 6, 8, 10)
)
_ENTRY, _CHANNELS = 32, 48
_QUIET = -2.0
# Of a thousand pairs of a pitch and a family about four sound.
_RARE = -5.0

__all__ = ["LOWEST_MIDI", "PART_PITCHES", "PART_STEP", "PartNetwork"]


class PartNetwork(nn.Module):
    """Harmonic stacks of the pitch stream to the families that sound each pitch.

    Args:
        width: Of the frame tokens.
        n_families: Instrument families.
    """

    def __init__(self, width: int, n_families: int):
        super().__init__()
        # Half semitones become semitones.
        self.entry = TimeConv(len(_OFFSETS), _ENTRY, (3, 5), (1, BINS_PER_SEMITONE), (1, 2))
        self.first, self.second = Residual(_ENTRY, _CHANNELS), Residual(_CHANNELS, _CHANNELS)
        # Attacks and noise, which the long windows of the pitch stream do not show.
        self.context = nn.Linear(width, _CHANNELS)
        self.families = nn.Conv2d(_CHANNELS, n_families, 1)
        nn.init.constant_(self.families.bias, _RARE)  # type: ignore[arg-type]
        self.out = nn.Linear(2 * _CHANNELS, width)

    def forward(self, pitch: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Tell who plays what.

        Args:
            pitch: `(batch, T, 168)` standardised log-frequency spectrum.
            frames: `(batch, T, width)` of the mel stem.

        Returns:
            `(batch, ceil(T / 2), 84, families)` logits, and `(batch, T, width)` to add to the
            frames.
        """
        n_frames = pitch.shape[1]
        reach = max(_OFFSETS)
        padded = pad(pitch[:, ::PART_STEP], (reach, reach), value=_QUIET)
        stack = [padded[..., reach + offset :][..., :PITCH_BINS] for offset in _OFFSETS]
        image = torch.stack(stack, 1).contiguous(memory_format=torch.channels_last)
        image = self.first(relu(self.entry(image)))
        context = self.context(frames[:, ::PART_STEP]).transpose(1, 2)
        image = self.second(image + context[..., None].to(image.dtype))
        added = self.out(pool_bands(image)).repeat_interleave(PART_STEP, 1)[:, :n_frames]
        return self.families(image).permute(0, 2, 3, 1), added
