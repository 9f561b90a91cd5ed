"""What the `mini` encoder does with whole recordings: frames, notes and facts from one hearing.

Older checkpoints (`song_frames: false`) hear window beside window and read the middle one closely.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from llark_py.errors import AudioError

from .base import AudioEncoder, Encoded
from .mini_config import MiniEncoderConfig
from .mini_features import HOP, extract_features, normalise_level, num_feature_frames
from .mini_form import Form
from .mini_network import N_GLOBAL
from .mini_notes import write_notes
from .mini_songs import Hearing, extract_song_features, hear_song, plan_windows, to_numpy

if TYPE_CHECKING:
    from .mini import Heard

_WINDOWS_AT_ONCE = 16
_NOTE = "listening"
_FEATURES_SHARE = 0.3
"""Of the time that hearing takes, about."""


class RecordingEncoder(AudioEncoder):
    """An encoder that hears windows (`hear`) and makes frames of what it heard (`assemble`)."""

    config: MiniEncoderConfig

    def hear(self, features: Tensor) -> Heard:
        """Run windows of packed, not yet standardised features `(windows, T, 488)`."""
        raise NotImplementedError

    def assemble(self, heard: Heard, forms: Sequence[Form] | None = None) -> Tensor:
        """Make the tokens `(n, tokens, width)` of what was heard of n windows or recordings."""
        raise NotImplementedError

    @torch.no_grad()
    def listen(
        self, samples: np.ndarray | Tensor, progress: Callable[[float, str], None] | None = None
    ) -> Hearing:
        """Hear a recording `(n_samples,)`, float mono at 16 kHz, from beginning to end.

        Args:
            samples: The recording.
            progress: Called with a fraction in [0, 1] and a short note; may raise to stop.

        Raises:
            AudioError: There are no samples.
        """
        tell = progress or (lambda fraction, note: None)
        first, rest = _FEATURES_SHARE, 1.0 - _FEATURES_SHARE
        waveform = self._check_samples(samples)
        features = extract_song_features(waveform, lambda done: tell(first * done, _NOTE))
        return hear_song(self, features, lambda done: tell(first + rest * done, _NOTE))

    def encode_waveform(self, waveform: Tensor) -> Tensor:
        """Encode one waveform `(n_samples,)` to `(tokens, width)`."""
        if not self.config.song_frames:
            return encode_middle(self, waveform)
        hearing = hear_song(self, extract_song_features(waveform))
        return self.assemble(hearing.heard, [hearing.form])[0]

    @torch.no_grad()
    def encode_recording(self, waveform: Tensor) -> Encoded:
        """Encode one recording; frames, notes and what tools may use come from one hearing."""
        config = self.config
        if len(waveform) == 0 or not (config.song_frames or config.writes_notes):
            return super().encode_recording(waveform)
        hearing = self.listen(waveform)
        if config.song_frames:
            return self.encode_hearing(hearing)
        return Encoded(encode_middle(self, waveform), self._note(hearing), hearing)

    def encode_hearing(self, hearing: Hearing) -> Encoded:
        """Make of a recording that was heard what the language model reads (`song_frames`)."""
        frames = self.assemble(hearing.heard, [hearing.form])[0]
        return Encoded(frames, self._note(hearing), hearing)

    def _note(self, hearing: Hearing) -> str | None:
        return write_notes(hearing, self.config) if self.config.writes_notes else None

    @torch.inference_mode()
    def analyse(self, samples: np.ndarray) -> dict[str, np.ndarray]:
        """Name what is heard in a recording.

        Args:
            samples: `(n_samples,)` float32 mono at 16 kHz, not empty.

        Returns:
            By head the class probabilities `(classes,)`, averaged over all windows (names in
            `config.labels`, tempo bins in `config.tempo_bins_bpm`); and at 10 Hz over the whole
            recording `<head>_frames` `(T, classes)` of every frame head (`chord_frames`, ...).

        Raises:
            AudioError: There are no samples.
        """
        if self.config.song_frames:
            return self.listen(samples).heads()
        return analyse_side_by_side(self, self._check_samples(samples))

    def _check_samples(self, samples: np.ndarray | Tensor) -> Tensor:
        if len(samples) == 0:
            raise AudioError("the recording has no samples")
        if isinstance(samples, np.ndarray):
            samples = torch.from_numpy(np.ascontiguousarray(samples))
        return samples.to(self.device)


def hear_side_by_side(encoder: RecordingEncoder, waveform: Tensor) -> tuple[Heard, list[int]]:
    """Hear windows of one waveform `(n_samples,)` that do not overlap; also their first frames."""
    waveform = normalise_level(waveform.float())
    n_frames = num_feature_frames(len(waveform))
    window = min(n_frames, encoder.config.window_frames)
    starts = plan_windows(n_frames, window, window)  # the tail in a whole window that overlaps
    parts = []
    for first in range(0, len(starts), _WINDOWS_AT_ONCE):
        chunk = [
            waveform[s * HOP : (s + window) * HOP] for s in starts[first : first + _WINDOWS_AT_ONCE]
        ]
        parts.append(encoder.hear(extract_features(torch.stack(chunk))))
    joined = replace(
        parts[0],
        tokens=torch.cat([p.tokens for p in parts]),
        posteriors={k: torch.cat([p.posteriors[k] for p in parts]) for k in parts[0].posteriors},
        frame_posteriors={
            k: torch.cat([p.frame_posteriors[k] for p in parts]) for k in parts[0].frame_posteriors
        },
    )
    return joined, starts


def encode_middle(encoder: RecordingEncoder, waveform: Tensor) -> Tensor:
    """Encode one waveform `(n_samples,)`: what is said of all windows, frames of the middle one."""
    heard, starts = hear_side_by_side(encoder, waveform)
    middle = slice(len(starts) // 2, len(starts) // 2 + 1)
    globals_ = heard.tokens[:, :N_GLOBAL].mean(0, keepdim=True)
    summary = replace(
        heard,
        tokens=torch.cat([globals_, heard.tokens[middle, N_GLOBAL:]], 1),
        posteriors={head: p.mean(0, keepdim=True) for head, p in heard.posteriors.items()},
        frame_posteriors={head: p[middle] for head, p in heard.frame_posteriors.items()},
    )
    return encoder.assemble(summary)[0]


def analyse_side_by_side(encoder: RecordingEncoder, waveform: Tensor) -> dict[str, np.ndarray]:
    """Give what `Hearing.heads` gives, of windows that do not overlap; the later one counts."""
    heard, starts = hear_side_by_side(encoder, waveform)
    result = {head: to_numpy(p.mean(0)) for head, p in heard.posteriors.items()}
    for head, posteriors in heard.frame_posteriors.items():
        windows = to_numpy(posteriors)
        line = np.zeros((starts[-1] + windows.shape[1], windows.shape[2]), np.float32)
        for start, values in zip(starts, windows, strict=True):
            line[start : start + len(values)] = values
        result[f"{head}_frames"] = line
    return result
