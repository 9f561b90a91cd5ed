"""Configuration of the `mini` encoder: its sizes, its label sets and its frame arithmetic."""

from __future__ import annotations

from dataclasses import field
from typing import Any, ClassVar

import numpy as np

from llark_py.errors import ConfigError
from llark_py.theory import KEYS

from .base import AudioEncoderConfig
from .mini_features import HOP, SAMPLE_RATE, num_feature_frames, tempo_bin_centres
from .mini_network import N_GLOBAL, STEMS

MULTI_LABEL_HEADS = ("families", "instruments", "activity")
"""Heads whose classes are not exclusive (sigmoid); every other head is a softmax."""
PRESENT = 0.4
"""From where one of several is said to be there: F1 is best a little below one half."""
TIMBRE_HEADS = ("families", "instruments", "lead", "players")


class MiniEncoderConfig(AudioEncoderConfig):
    """Sizes and label sets of the `mini` encoder.

    Attributes:
        n_layers: Transformer blocks.
        window_frames: Feature frames (0.1 s each) in the longest window.
        frame_pooling: Feature frames averaged into one output frame.
        tempo_bins, lowest_bpm, highest_bpm: The logarithmic tempo axis.
        song_frames: Frames are of the whole song, pooled to `max_frames` embeddings, with time
            codes and marks; else of the middle window only.
        writes_notes: Recordings come with a note of what the heads hear (`AudioEncoder.notes`).
        max_frames: Most embeddings of a recording, those ahead of the frames included.
        time_signatures, styles, families, instruments, densities, sounds: Class names of the
            heads, in order.
        feels, players: Class names of the heads for the rhythmic feel and for the number of
            instruments; empty: there is no such head.
        boundaries: Have a frame head for changes of section.
        parts: Tell which families sound each pitch, and hear timbre by that too.
        stem: `patches`, or `residual` with `stem_channels` channels in its first blocks.
        codec_books: Codebooks of the codec whose codes the encoder can write on; 0: it has none.
        codec_codes, codec_components: Codes in a book, principal components of a frame.
        temperatures: What the logits of a head are divided by, so that it is as sure as it is
            right (Guo et al., 2017); 1 where nothing is said.
        thresholds: By head of several classes, from which probability each is said to be there.
    """

    model_type: ClassVar[str] = "llark_mini_encoder"

    encoder: str = "mini"
    sample_rate: int = SAMPLE_RATE
    width: int = 256
    licence: str = "Apache-2.0"
    n_layers: int = 6
    window_frames: int = 84
    frame_pooling: int = 2
    song_frames: bool = False
    writes_notes: bool = False
    max_frames: int | None = 300
    tempo_bins: int = 96
    lowest_bpm: float = 40.0
    highest_bpm: float = 220.0
    time_signatures: list[str] = field(default_factory=lambda: ["4/4", "3/4", "6/8"])
    styles: list[str] = field(default_factory=lambda: ["rock"])
    families: list[str] = field(default_factory=lambda: ["piano"])
    instruments: list[str] = field(default_factory=lambda: ["piano"])
    densities: list[str] = field(default_factory=lambda: ["sparse", "moderate", "busy"])
    sounds: list[str] = field(default_factory=lambda: ["music", "silence", "noise", "tone"])
    feels: list[str] = field(default_factory=list)
    players: list[str] = field(default_factory=list)
    boundaries: bool = False
    parts: bool = False
    stem: str = "patches"
    stem_channels: int = 64
    codec_books: int = 0
    codec_codes: int = 512
    codec_components: int = 96
    temperatures: dict[str, float] = field(default_factory=dict)
    thresholds: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self, **kwargs: Any) -> None:
        if self.stem not in STEMS:
            raise ConfigError(f"stem is '{self.stem}'; allowed: {', '.join(STEMS)}")
        if self.codec_books and self.stem != "residual":
            raise ConfigError("only an encoder with the stem 'residual' can have a codec")
        self.frame_rate = SAMPLE_RATE / HOP / self.frame_pooling
        super().__post_init__(**kwargs)
        if self.max_frames is not None and self.max_frames <= self.n_prefix:
            raise ConfigError(
                f"max_frames must be above {self.n_prefix}, the tokens ahead of the frames, "
                f"not {self.max_frames}"
            )

    @property
    def labels(self) -> dict[str, list[str]]:
        """Class names of every global head, in the order of the concept tokens."""
        labels = {
            "tempo": [f"{bpm:.1f}" for bpm in self.tempo_bins_bpm],
            "key": list(KEYS),
            "time_signature": self.time_signatures,
            "style": self.styles,
            "families": self.families,
            "instruments": self.instruments,
            "lead": [*self.instruments, "none"],
            "density": self.densities,
            "sound": self.sounds,
            "feel": self.feels,
            "players": self.players,
        }
        return {head: names for head, names in labels.items() if names}

    def present_from(self, head: str) -> np.ndarray:
        """From which probability on each class of a head is said to be there, `(classes,)`."""
        return np.array(self.thresholds.get(head) or [PRESENT] * len(self.labels[head]))

    @property
    def tempo_bins_bpm(self) -> np.ndarray:
        """Tempo of each bin in BPM, `(tempo_bins,)`."""
        return tempo_bin_centres(self.tempo_bins, self.lowest_bpm, self.highest_bpm)

    @property
    def n_prefix(self) -> int:
        """Tokens ahead of the frames: one concept token a head, then the global tokens."""
        return len(self.labels) + N_GLOBAL

    def group_size(self, n_native: int) -> int:
        """How many feature frames are averaged into one, such that all fit under `max_frames`."""
        pooled = -(-n_native // self.frame_pooling)
        room = pooled if self.max_frames is None else self.max_frames - self.n_prefix
        return self.frame_pooling * -(-pooled // max(1, min(room, pooled)))

    def num_output_frames(self, feature_frames: int) -> int:
        """Count the tokens that a recording of `feature_frames` feature frames becomes."""
        heard = feature_frames if self.song_frames else min(feature_frames, self.window_frames)
        return self.n_prefix + -(-heard // self.group_size(heard))

    def num_frames(self, n_samples: int) -> int:
        """Count the tokens that `n_samples` samples become (0 for 0).

        Without `song_frames` they are those of one window at most, however long the recording.
        """
        return self.num_output_frames(num_feature_frames(n_samples)) if n_samples > 0 else 0
