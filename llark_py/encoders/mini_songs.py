"""Recordings of any length for the `mini` encoder: which windows it hears, and how they join.

A song is heard in windows that overlap by half. What is said of each 0.1 s is cross-faded, so that
no seam shows, and what is said of whole windows is averaged, by how much sounds in each of them.
Of what may sound in a part of the song only (instruments), the surest window counts as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from .mini_config import MULTI_LABEL_HEADS, MiniEncoderConfig
from .mini_features import (
    HOP,
    MEL_BANDS,
    MEL_STEPS,
    MEL_WIDTH,
    extract_features,
    normalise_level,
    num_feature_frames,
)
from .mini_form import Form, read_sections, read_spans
from .mini_network import N_GLOBAL
from .mini_periodicity import FRAMES_PER_SECOND

if TYPE_CHECKING:
    from .mini import Heard, MiniEncoder

_WINDOWS_AT_ONCE = 16
_FRAMES_AT_ONCE = 600
_MARGIN = 3  # frames of 0.1 s that the longest analysis window reaches to either side
_SOUNDING = 0.01  # of the loudest frame: 40 dB below it nothing is said to sound
_SILENT = 0.01  # level after normalisation that only silence stays under
_LEAST_WEIGHT = 0.02
_TELLING = 0.25  # of the weight of the weightiest window: below it a window is too quiet to count
_SHORTEST_FORM_S = 20.0
_BOUNDARY = "boundary"

Progress = Callable[[float], None]


def _say_nothing(fraction: float) -> None:
    pass


@dataclass(frozen=True, eq=False)
class Hearing:
    """What the encoder makes of one recording, from beginning to end.

    Attributes:
        heard: As of a single window as long as the recording: `tokens` `(1, 3 + T, width)`,
            `posteriors` `(1, classes)`, `frame_posteriors` `(1, T, classes)`.
        form: Who sounds when, and the sections.
        silent: There is nothing to hear.
    """

    heard: Heard
    form: Form
    silent: bool = False

    def heads(self) -> dict[str, np.ndarray]:
        """By head `(classes,)` probabilities, and as `<head>_frames` those of every 0.1 s."""
        frames = self.heard.frame_posteriors.items()
        return {
            **{head: to_numpy(p[0]) for head, p in self.heard.posteriors.items()},
            **{f"{head}_frames": to_numpy(p[0]) for head, p in frames},
        }


def plan_windows(n_frames: int, window: int, hop: int) -> list[int]:
    """Give the first frames of windows that cover a recording; the last one ends where it does."""
    window = min(n_frames, window)
    starts = list(range(0, n_frames - window + 1, hop))
    return starts if starts[-1] + window == n_frames else [*starts, n_frames - window]


def fade_weights(window: int, device: torch.device | None = None) -> Tensor:
    """Weights `(window,)` of the frames of a window: a triangle, above 0 everywhere."""
    place = torch.arange(window, device=device) + 0.5
    return torch.minimum(place, window - place) / (window / 2)


def extract_song_features(waveform: Tensor, progress: Progress = _say_nothing) -> Tensor:
    """Turn a waveform `(n_samples,)` of any length into features `(frames, 488)`, in pieces.

    The pieces overlap by what an analysis window reads, so that they join without a seam.
    `progress` is told the fraction done before each, and may raise to stop.
    """
    waveform = normalise_level(waveform.float())
    n_frames = num_feature_frames(len(waveform))
    parts = []
    for first in range(0, n_frames, _FRAMES_AT_ONCE):
        progress(first / n_frames)
        before = min(first, _MARGIN)
        stop = min(first + _FRAMES_AT_ONCE, n_frames)
        end = len(waveform) if stop + _MARGIN >= n_frames else (stop + _MARGIN) * HOP
        piece = extract_features(waveform[None, (first - before) * HOP : end])[0]
        parts.append(piece[before : before + stop - first])
    return torch.cat(parts)


def hear_song(encoder: MiniEncoder, features: Tensor, progress: Progress = _say_nothing) -> Hearing:
    """Hear a whole recording.

    Args:
        encoder: Listens.
        features: `(T, 488)` packed, not yet standardised, at least one frame.
        progress: Told the fraction done before each batch of windows; may raise to stop.
    """
    return hear_songs(encoder, [features], progress)[0]


def hear_songs(
    encoder: MiniEncoder, features: Sequence[Tensor], progress: Progress = _say_nothing
) -> list[Hearing]:
    """Hear recordings of any lengths side by side: a batch holds windows of several of them.

    Args:
        encoder: Listens.
        features: Of each `(T, 488)` as for `hear_song`.
        progress: As for `hear_song`.
    """
    songs = [_Song(item, encoder.config) for item in features]
    total, done = sum(len(song.starts) for song in songs), 0
    for window in sorted({song.window for song in songs}):
        places = [(song, start) for song in songs if song.window == window for start in song.starts]
        for first in range(0, len(places), _WINDOWS_AT_ONCE):
            progress(done / total)
            batch = places[first : first + _WINDOWS_AT_ONCE]
            heard = encoder.hear(torch.stack([s.features[at : at + window] for s, at in batch]))
            for i, (song, start) in enumerate(batch):
                song.take(heard, i, start)
            done += len(batch)
    return [song.finish() for song in songs]


class _Song:
    """A recording being heard: what was said of its windows so far."""

    def __init__(self, features: Tensor, config: MiniEncoderConfig):
        self.features, self.config = features, config
        n_frames = len(features)
        self.window = min(n_frames, config.window_frames)
        self.starts = plan_windows(n_frames, self.window, max(1, self.window // 2))
        self._fade = fade_weights(self.window, features.device)
        self._covered = features.new_zeros(n_frames)
        self._lines: dict[str, Tensor] = {}
        self._rows: list[Heard] = []

    def take(self, heard: Heard, item: int, start: int) -> None:
        """Take what was heard in one window, `item` of a batch, that begins at a frame."""
        one, place = slice(item, item + 1), slice(start, start + self.window)
        self._covered[place] += self._fade
        streams = {"": heard.tokens[:, N_GLOBAL:], **heard.frame_posteriors}
        for name, values in streams.items():
            if name not in self._lines:
                shape = len(self.features), values.shape[-1]
                self._lines[name] = self._covered.new_zeros(shape)
            self._lines[name][place] += values[item].float() * self._fade[:, None]
        posteriors = {head: p[one] for head, p in heard.posteriors.items()}
        tokens = heard.tokens[one, :N_GLOBAL].clone()  # a view would keep the whole batch
        self._rows.append(replace(heard, tokens=tokens, posteriors=posteriors, frame_posteriors={}))

    def finish(self) -> Hearing:
        """Join the windows, all of which were taken in order."""
        rows, config = self._rows, self.config
        lines = {name: line / self._covered[:, None] for name, line in self._lines.items()}
        level = _level(self.features)
        said = {head: torch.cat([r.posteriors[head] for r in rows]) for head in rows[0].posteriors}
        sounding, musical = _window_weights(
            level, self.starts, self.window, said.get("sound"), config
        )
        summary = torch.einsum("n,ngw->gw", musical, torch.cat([r.tokens for r in rows]).float())
        whole = replace(
            rows[0],
            tokens=torch.cat([summary, lines.pop("")])[None].to(rows[0].tokens.dtype),
            posteriors={
                head: pool_windows(p, sounding if head == "sound" else musical, head)[None]
                for head, p in said.items()
            },
            frame_posteriors={head: line[None] for head, line in lines.items()},
        )
        sections = len(self.features) >= _SHORTEST_FORM_S * FRAMES_PER_SECOND
        form = read_form(whole, 0, config, self.features if sections else None)
        return Hearing(whole, form, bool(level.max() < _SILENT))


def read_form(
    heard: Heard, item: int, config: MiniEncoderConfig, features: Tensor | None = None
) -> Form:
    """Read the course of one of some recordings (or windows) from what was heard of it.

    Args:
        heard: Of recordings of one length.
        item: Which of them.
        config: Of the encoder.
        features: `(T, 488)` of this recording, to look for sections too.
    """
    activity = to_numpy(heard.frame_posteriors["activity"][item])
    families = to_numpy(heard.posteriors["families"][item])
    duration_s = len(activity) / FRAMES_PER_SECOND
    spans = read_spans(activity, families, config.families)
    if features is None:
        return Form(duration_s, spans)
    boundary = heard.frame_posteriors.get(_BOUNDARY)
    sections = read_sections(
        to_numpy(heard.tokens[item, N_GLOBAL:]),
        _bands(features),
        activity,
        to_numpy(_level(features)),
        None if boundary is None else to_numpy(boundary[item, :, -1]),
    )
    return Form(duration_s, spans, sections)


def pool_windows(said: Tensor, weights: Tensor, head: str) -> Tensor:
    """Join what a head says of each window to what it says of the song.

    Args:
        said: `(windows, classes)` probabilities.
        weights: `(windows,)`, how much each window counts; their sum is 1.
        head: Name of the head.

    Returns:
        `(classes,)` the mean; of heads whose classes are not exclusive its geometric mean with the
        surest of the windows that are not much quieter than the weightiest. (Who solos for a verse
        is there, though most windows are without them.)
    """
    mean = weights @ said
    if head not in MULTI_LABEL_HEADS:
        return mean
    return (mean * said[weights >= _TELLING * weights.max()].amax(0)).sqrt()


def _window_weights(
    level: Tensor, starts: list[int], window: int, sound: Tensor | None, config: MiniEncoderConfig
) -> tuple[Tensor, Tensor]:
    """Weigh windows by how much sounds in them, and by how much of that is music."""
    sounds = (level > _SOUNDING * level.max()).float()
    share = torch.stack([sounds[s : s + window].mean() for s in starts]) + _LEAST_WEIGHT
    music = share
    if sound is not None and "music" in config.sounds:
        music = share * (sound[:, config.sounds.index("music")] + _LEAST_WEIGHT)
    return share / share.sum(), music / music.sum()


def _level(features: Tensor) -> Tensor:
    """Root mean square `(T,)` over the mel bands of features `(T, 488)`."""
    return features[:, :MEL_WIDTH].float().exp().square().mean(-1).sqrt()


def _bands(features: Tensor) -> np.ndarray:
    """Mel spectrum `(T, 64)` of features `(T, 488)`, each band relative to its mean."""
    bands = features[:, :MEL_WIDTH].float().unflatten(-1, (MEL_STEPS, MEL_BANDS)).mean(1)
    return to_numpy(bands - bands.mean(0))


def to_numpy(values: Tensor) -> np.ndarray:
    """Bring a tensor to numpy, as float32."""
    return values.detach().float().cpu().numpy()
