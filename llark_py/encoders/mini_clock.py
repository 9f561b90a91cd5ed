"""What tells the language model when: a time code on every frame, and marks of what happens."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from .mini_form import Form

_MINUTES, _TENS, _ONES = 16, 6, 10
_LONGEST_S = _MINUTES * 60
_PERIODS_S = tuple(2.0 * 2**i for i in range(10))
TIME_FEATURES = _MINUTES + _TENS + _ONES + 2 * len(_PERIODS_S) + 2
# Weights begin at 0.02: with these the additions are about half as long as the frames.
_TIME_SCALE, _MARK_SCALE = 6.0, 20.0


def time_features(seconds: np.ndarray, duration_s: float) -> np.ndarray:
    """Describe moments so that they can be said as m:ss.

    Args:
        seconds: `(n,)` from the beginning of the recording.
        duration_s: Of the whole recording.

    Returns:
        `(n, TIME_FEATURES)`: minute, tens and ones of the second as one-hot vectors, sines and
        cosines of periods from 2 to 1024 s, and of the share of the recording that has passed.
    """
    whole = np.minimum(seconds, _LONGEST_S - 1).astype(int)
    angles = 2 * math.pi * seconds[:, None] / np.array(_PERIODS_S)
    passed = math.pi * seconds[:, None] / max(duration_s, 1e-3)
    parts = (
        np.eye(_MINUTES)[whole // 60],
        np.eye(_TENS)[whole % 60 // 10],
        np.eye(_ONES)[whole % 10],
        *(np.sin(angles), np.cos(angles), np.sin(passed), np.cos(passed)),
    )
    return np.concatenate(parts, 1).astype(np.float32)


class SongClock(nn.Module):
    """Learned projections of time codes and marks, to be added to frames.

    Args:
        families: Whose entrances and exits are marked.
        width: Of the frames.
    """

    def __init__(self, families: Sequence[str], width: int):
        super().__init__()
        self.families = tuple(families)
        self.time = nn.Linear(TIME_FEATURES, width, bias=False)
        self.marks = nn.Linear(2 * len(self.families) + 1, width, bias=False)

    def forward(self, forms: Sequence[Form], n_frames: int, frame_s: float) -> Tensor:
        """Make what is added to the frames of some recordings.

        Args:
            forms: Of the recordings, all of one length.
            n_frames: Of each.
            frame_s: Seconds in a frame.

        Returns:
            `(recordings, n_frames, width)`.
        """
        weight = self.time.weight
        code = time_features(np.arange(n_frames) * frame_s, forms[0].duration_s)
        marks = np.stack([self.mark(form, n_frames, frame_s) for form in forms])
        return self.time(torch.from_numpy(code).to(weight) * _TIME_SCALE) + self.marks(
            torch.from_numpy(marks).to(weight) * _MARK_SCALE
        )

    def mark(self, form: Form, n_frames: int, frame_s: float) -> np.ndarray:
        """Mark the frames in which a family enters or leaves or a section begins.

        Returns:
            `(n_frames, 2 * families + 1)` of 0 and 1: entrances, exits, boundaries.
        """
        marks = np.zeros((n_frames, 2 * len(self.families) + 1), np.float32)
        events = [(t, self.families.index(name)) for t, name in form.entrances]
        events += [(t, len(self.families) + self.families.index(name)) for t, name in form.exits]
        events += [(section.start_s, marks.shape[1] - 1) for section in form.sections[1:]]
        for moment_s, column in events:
            marks[min(int(moment_s / frame_s + 1e-6), n_frames - 1), column] = 1.0
        return marks
