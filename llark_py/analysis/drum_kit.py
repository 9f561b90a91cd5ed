"""A second look at strokes: what a stroke is depends on which pieces the recording has at all.

The network hears a second or two at once and may take the same cymbal now for a ride and now for a
hi-hat. This small one is shown what was said of all pieces at a moment, and of each piece in the
whole recording, and corrects it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool1d, relu

_NEAR = 2  # frames either way: strokes that are one
_SHARES = (0.01, 0.002)
"""A piece is judged by its surest moments: by so large shares of the recording."""
_BOUND, _SCALE = 12.0, 4.0
_STRUCK = 0.2
"""The sound of the kit is that of the frames in which some piece is struck so surely."""


class KitReader(nn.Module):
    """Corrects the strokes of a recording by what is heard in all of it.

    Args:
        width: Of what the network gives for a frame.
        n_pieces: How many pieces are told apart.
        hidden: Width of its one hidden layer.
    """

    def __init__(self, width: int, n_pieces: int, hidden: int = 128):
        super().__init__()
        self.hidden = nn.Linear((2 + len(_SHARES)) * n_pieces + 2 * width, hidden)
        self.change = nn.Linear(hidden, n_pieces)
        nn.init.zeros_(self.change.weight)
        nn.init.zeros_(self.change.bias)

    def forward(self, logits: Tensor, frames: Tensor) -> Tensor:
        """Correct logits `(n_frames, pieces)` of one recording, given `(n_frames, width)`."""
        return self.look(logits, describe_strokes(logits, frames))

    def look(self, logits: Tensor, described: Tensor) -> Tensor:
        """Correct logits of some frames, given their rows of `describe_strokes`."""
        return logits + self.change(relu(self.hidden(described)))


def describe_strokes(logits: Tensor, frames: Tensor) -> Tensor:
    """Put beside each frame what is near it and what the recording has.

    Args:
        logits: `(n_frames, pieces)` of one recording.
        frames: `(n_frames, width)`, what they were read from.

    Returns:
        `(n_frames, 4 * pieces + 2 * width)`: logits of the frame, the highest of 20 ms around it,
        those of the surest moments of the recording; the frame, and the mean of those with strokes.
    """
    bounded = logits.clamp(-_BOUND, _BOUND) / _SCALE
    near = max_pool1d(bounded.T[None], 2 * _NEAR + 1, 1, _NEAR)[0].T
    ranked = bounded.sort(0, descending=True).values
    surest = [ranked[: max(1, round(share * len(ranked)))].mean(0) for share in _SHARES]
    struck = torch.sigmoid(logits).amax(1)
    weights = struck * (struck > _STRUCK)
    kit = weights @ frames / (weights.sum() + 1e-3)
    of_all = torch.cat([*surest, kit]).expand(len(logits), -1)
    return torch.cat([bounded, near, frames, of_all], 1)
