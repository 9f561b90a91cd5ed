"""What the drum network is shown at each step: drums mixed anew with what plays beside them.

Sounds are mixed, filtered and put into rooms as powers of mel bands, which costs hardly anything;
only the recorded mixes of `drum_clips` went through real rooms and equipment as sound.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.signal import lfilter
from torch import Tensor

from llark_py.analysis.drum_network import FRAME_RATE, MEL_BANDS, scale_powers
from llark_py.analysis.drum_pieces import PIECES

from .drum_clips import NOTHING, DrumClips

WINDOW_FRAMES = 400
_DRUMS, _OTHERS, _ROOM = range(3)
_P_MUSIC, _P_ROOM, _P_ALONE, _P_WITHOUT = 0.7, 0.5, 0.2, 0.06
_OTHERS_DB, _LEVEL_DB = 6.0, 3.0
_P_EQUAL, _P_REVERB, _P_NARROW, _P_NOISE, _P_SHIFT, _P_MASK = 0.6, 0.3, 0.12, 0.5, 0.4, 0.3
_P_16_KHZ = 0.35
_BAND_OF_8_KHZ = 76
"""Mel band from which on a recording of 16 kHz has nothing."""
_DECIBEL = float(np.log(10) / 10)
_BESIDE = 0.4
"""Target of the frames beside a stroke."""
_PIECES = {piece: number for number, piece in enumerate(PIECES)}


def draw_batch(
    music: DrumClips, loose: DrumClips, n: int, rng: np.random.Generator
) -> dict[str, Tensor]:
    """Draw a batch of windows of 4 s.

    Returns:
        `scaled` `(n, frames, 84)`, `strokes` and `velocities` `(n, frames, pieces)` in [0, 1].
    """
    drawn = [draw_window(music, loose, rng) for _ in range(n)]
    logs = torch.from_numpy(np.stack([powers for powers, _ in drawn]))
    strokes = [targets for _, targets in drawn]
    level = rng.normal(0.0, _LEVEL_DB, (n, 1, 1)).astype(np.float32)  # a window is no whole song
    return {
        "scaled": scale_powers(logs.exp(), torch.from_numpy(level * _DECIBEL).exp()),
        "strokes": torch.from_numpy(np.stack([s for s, _ in strokes])),
        "velocities": torch.from_numpy(np.stack([v for _, v in strokes])),
    }


def draw_window(
    music: DrumClips, loose: DrumClips, rng: np.random.Generator
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Draw a window: logarithms of powers `(frames, 84)` float32, and its targets."""
    clips = music if rng.random() < _P_MUSIC else loose
    index, other = rng.integers(len(clips.strokes)), rng.integers(len(music.strokes))
    first = rng.integers(clips.powers.shape[2] - WINDOW_FRAMES)
    second = rng.integers(music.powers.shape[2] - WINDOW_FRAMES)
    window = slice(first, first + WINDOW_FRAMES)
    strokes = clips.strokes[index]
    if rng.random() < _P_ROOM:
        logs = clips.powers[index, _ROOM, window].astype(np.float32)
    else:
        drums, others = (clips.powers[index, k, window].astype(np.float32) for k in range(2))
        if clips is loose or rng.random() < 0.5:
            others = music.powers[other, _OTHERS, second : second + WINDOW_FRAMES]
        chance = rng.random()
        if chance < _P_WITHOUT:
            drums, strokes = np.full_like(drums, NOTHING), []
        elif chance < _P_WITHOUT + _P_ALONE:
            others = np.full_like(drums, NOTHING)
        if rng.random() < _P_SHIFT:
            drums = np.roll(drums, rng.integers(-3, 4), axis=1)
        gain = np.float32(rng.normal(0.0, _OTHERS_DB) * _DECIBEL)
        logs = np.logaddexp(drums, others.astype(np.float32) + gain)
        logs = _recorded(logs, rng)
    if rng.random() < _P_16_KHZ:
        logs[:, _BAND_OF_8_KHZ:] = NOTHING
    return logs, targets_of(strokes, first, WINDOW_FRAMES)


def _recorded(logs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change how a mix was recorded: room, equipment, noise, bandwidth."""
    bands = np.arange(MEL_BANDS)
    if rng.random() < _P_REVERB:
        t60_s = rng.uniform(0.15, 1.5)
        fall = np.exp(-6 * np.log(10) / (t60_s * FRAME_RATE))
        share = 10 ** rng.uniform(-2.0, -0.3) * (1 - fall)
        powers = np.exp(logs)
        logs = np.log(powers + share * lfilter([0.0, 1.0], [1.0, -fall], powers, axis=0) + 1e-10)
    if rng.random() < _P_EQUAL:
        knots = rng.normal(0.0, rng.uniform(0.0, 5.0), 8) * _DECIBEL
        logs = logs + np.interp(bands, np.linspace(0, MEL_BANDS - 1, 8), knots)
    if rng.random() < _P_NARROW:
        beyond = np.maximum(0, bands - rng.integers(45, MEL_BANDS) + 1)
        logs = logs - beyond * rng.uniform(1.0, 6.0) * _DECIBEL
    if rng.random() < _P_NOISE:
        level = np.log(np.exp(logs).mean()) - rng.uniform(20.0, 60.0) * _DECIBEL
        tilt = rng.uniform(-0.06, 0.06) * (bands - MEL_BANDS / 2)
        noise = np.log(rng.exponential(1.0, logs.shape) + 1e-6)
        logs = np.logaddexp(logs, level + tilt + noise)
    if rng.random() < _P_MASK:
        low = rng.integers(MEL_BANDS - 10)
        logs = logs.copy()
        logs[:, low : low + rng.integers(1, 11)] = NOTHING
    return np.maximum(logs, NOTHING).astype(np.float32)


def targets_of(
    strokes: Sequence[tuple[float, str, int]], first: int, n_frames: int
) -> tuple[np.ndarray, np.ndarray]:
    """Write strokes as targets `(n_frames, pieces)` float32: that they begin, and velocities."""
    begin = np.zeros((n_frames + 2, len(PIECES)), np.float32)
    loud = np.zeros_like(begin)
    for time_s, piece, velocity in strokes:
        at, number = round(time_s * FRAME_RATE) - first + 1, _PIECES[piece]
        if not 1 <= at <= n_frames:
            continue
        for frame, target in ((at - 1, _BESIDE), (at, 1.0), (at + 1, _BESIDE)):
            begin[frame, number] = max(begin[frame, number], target)
        loud[at, number] = max(loud[at, number], velocity / 127)
    return begin[1:-1], loud[1:-1]
