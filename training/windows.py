"""Views of composed clips: cropped, stretched and transposed in feature space, labels with them.

One rendered clip covers all twelve keys and a wide range of tempi at the cost of a row gather,
because every label that changes is changed too.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from llark_py.compose.mood import mood_of, notes_per_second
from llark_py.encoders.mini_features import (
    BINS_PER_SEMITONE,
    MEL_BANDS,
    MEL_STEPS,
    MEL_WIDTH,
    PITCH_BINS,
)
from llark_py.theory import parse_key
from llark_py.track import Track, crop, stretch, transpose

from .labels import FRAME_S
from .shards import Shards

FULL_WINDOW = 84
_SHORT_WINDOWS = (30, 44, 64)
_P_FULL = 0.75
_SPEEDS = (0.75, 1.35)
_P_STRETCH = 0.8


@dataclass(frozen=True)
class View:
    """How a clip is seen: from feature frame `start`, `speed` times as fast, higher by `shift`."""

    start: float
    speed: float
    shift: int


def draw_window_length(rng: random.Random) -> int:
    """Draw the length in frames of all windows of one batch."""
    return FULL_WINDOW if rng.random() < _P_FULL else rng.choice(_SHORT_WINDOWS)


def draw_view(n_frames: int, window: int, rng: random.Random) -> View:
    """Draw a view that fits `window` output frames into a clip of `n_frames`."""
    fastest = min(_SPEEDS[1], (n_frames - 1) / window)
    speed = rng.uniform(_SPEEDS[0], fastest) if rng.random() < _P_STRETCH else 1.0
    return View(rng.uniform(0, n_frames - 1 - window * speed), speed, rng.randint(-5, 6))


def centre_view(n_frames: int, window: int) -> View:
    """The plain view of a clip's middle, for evaluation."""
    return View((n_frames - window) // 2, 1.0, 0)


def _resample(rows: np.ndarray, start: float, speed: float, count: int) -> np.ndarray:
    """Read `count` rows at `start, start + speed, ...` by linear interpolation."""
    position = np.clip(start + np.arange(count) * speed, 0, len(rows) - 1.001)
    index = position.astype(int)
    weight = (position - index).astype(np.float32)[:, None]
    return rows[index] * (1 - weight) + rows[index + 1] * weight


def _shift_pitch(pitch: np.ndarray, semitones: int) -> np.ndarray:
    """Move the pitch stream by semitones; what comes in at the edge is the quiet level."""
    bins = semitones * BINS_PER_SEMITONE
    if not bins:
        return pitch
    moved = np.roll(pitch, bins, axis=1)
    edge = slice(0, bins) if bins > 0 else slice(bins, None)
    moved[:, edge] = np.quantile(pitch, 0.03)
    return moved


def view_features(features: np.ndarray, view: View, window: int) -> np.ndarray:
    """Apply a view to packed features `(frames, 488)`; returns `(window, 488)`."""
    if view.speed == 1.0 and view.shift == 0 and float(view.start).is_integer():
        return features[int(view.start) : int(view.start) + window].copy()
    mel = features[:, :MEL_WIDTH].reshape(-1, MEL_BANDS)
    mel = _resample(mel, view.start * MEL_STEPS, view.speed, window * MEL_STEPS)
    pitch = _resample(features[:, MEL_WIDTH:], view.start, view.speed, window)
    return np.concatenate([mel.reshape(window, MEL_WIDTH), _shift_pitch(pitch, view.shift)], 1)


def view_track(track: Track, view: View, window: int) -> Track:
    """Apply a view to the facts, the mood (which follows the tempo) included."""
    start_s = view.start * FRAME_S
    seen = crop(track, start_s, start_s + window * FRAME_S * view.speed)
    seen = stretch(transpose(seen, view.shift), view.speed)
    if seen.sound != "music" or seen.key is None or seen.tempo_bpm is None:
        return seen
    starts = [(note.start_s, note.instrument) for note in seen.notes]
    mood = mood_of(
        seen.genre,
        parse_key(seen.key)[1],
        seen.tempo_bpm,
        seen.time_signature or "4/4",
        notes_per_second(starts, seen.duration_s),
        "drums" in seen.families,
    )
    return seen.model_copy(update={"mood": mood if track.mood else None})


def _curve(n: int, points: int, spread: float, rng: np.random.Generator) -> np.ndarray:
    """A smooth random curve over `n` bins."""
    return np.interp(
        np.arange(n), np.linspace(0, n - 1, points), rng.normal(0, spread, points)
    ).astype(np.float32)


def blur_timbre(features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change the sound as other samples, rooms and microphones would; what is played stays.

    Both spectra get another balance and contrast, formants move by up to one mel band, a band is
    masked. There are few soundfonts to train on, and this keeps the encoder from knowing them by
    their spectra; more of it hides timbre itself, which is the hardest to learn.
    """
    mel: np.ndarray = features[:, :MEL_WIDTH].reshape(-1, MEL_BANDS)
    pitch: np.ndarray = features[:, MEL_WIDTH:]
    if rng.random() < 0.6:
        spread = rng.uniform(0.1, 0.5)
        mel = mel + _curve(MEL_BANDS, 8, spread, rng)
        pitch = pitch + _curve(PITCH_BINS, 9, spread * 0.8, rng)
    if rng.random() < 0.3:
        mel = (mel - mel.mean()) * rng.uniform(0.88, 1.14) + mel.mean()
        pitch = (pitch - pitch.mean()) * rng.uniform(0.88, 1.14) + pitch.mean()
    if rng.random() < 0.2:
        read = np.clip(np.arange(MEL_BANDS) + rng.uniform(-1, 1), 0, MEL_BANDS - 1.001)
        low, weight = read.astype(int), (read % 1).astype(np.float32)
        mel = mel[:, low] * (1 - weight) + mel[:, low + 1] * weight
    if rng.random() < 0.15:
        first = rng.integers(MEL_BANDS - 5)
        mel[:, first : first + rng.integers(1, 6)] = mel.mean()
    return np.concatenate([mel.reshape(-1, MEL_WIDTH), pitch], 1)


def draw_features(
    shards: Shards, indices: list[int], window: int, rng: random.Random
) -> tuple[Tensor, list[View]]:
    """Draw augmented windows of some clips: `(batch, window, 488)` and how they are seen."""
    noise = np.random.default_rng(rng.getrandbits(32))
    rows, views = [], []
    for index in indices:
        features = shards.features(index)
        views.append(draw_view(len(features), window, rng))
        rows.append(blur_timbre(view_features(features, views[-1], window), noise))
    return torch.from_numpy(np.stack(rows).astype(np.float32)), views


def draw_batch(
    shards: Shards, indices: list[int], rng: random.Random
) -> tuple[Tensor, list[Track]]:
    """Draw augmented windows of some clips: `(batch, window, 488)` and their facts."""
    window = draw_window_length(rng)
    features, views = draw_features(shards, indices, window, rng)
    seen = zip(indices, views, strict=True)
    return features, [view_track(shards.tracks[i], view, window) for i, view in seen]


def plain_batch(shards: Shards, indices: list[int]) -> tuple[Tensor, list[Track]]:
    """The plain middle windows of some clips: `(batch, 84, 488)` and their facts."""
    rows, tracks = [], []
    for index in indices:
        features = shards.features(index)
        view = centre_view(len(features), FULL_WINDOW)
        rows.append(view_features(features, view, FULL_WINDOW))
        tracks.append(view_track(shards.tracks[index], view, FULL_WINDOW))
    return torch.from_numpy(np.stack(rows)), tracks
