"""The embedded encoder: spectral features, tempogram tokens, a small transformer with heads.

A recording of any length is heard in windows of 8.4 s. What the heads say is averaged over all
windows; the language model reads it as concept tokens (their sum is on every frame too), followed
by the three global tokens (averaged too) and frames: those of the middle window at 5 Hz, or with
`song_frames` those of the whole song, pooled, with time codes and marks (`mini_clock`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from safetensors import safe_open
from torch import Tensor, nn

from llark_py.embedded import embedded_folder
from llark_py.errors import AudioError, CheckpointError

from .base import average_frames
from .mini_clock import SongClock
from .mini_codec import CodeWriter, FrameCodec
from .mini_config import MULTI_LABEL_HEADS, PRESENT, TIMBRE_HEADS, MiniEncoderConfig
from .mini_features import FEATURE_WIDTH, HOP, standardise
from .mini_form import Form
from .mini_network import N_GLOBAL, MiniNetwork, frame_classes
from .mini_recordings import RecordingEncoder
from .mini_songs import hear_song, read_form

# Weights begin at 0.02: with these the tokens are about as long as the frames they stand beside.
_CONCEPT_SCALE, _FRAME_CONCEPT_SCALE = 40.0, 20.0
_MAX_BLEND, _P_HEADS_ONLY = 0.45, 0.4


@dataclass
class Heard:
    """What the encoder made of some windows of one length.

    Attributes:
        tokens: `(windows, 3 + T, width)`.
        posteriors: `(windows, classes)` by head, in [0, 1].
        frame_posteriors: `(windows, T, classes)` by head: `chord`, `root`, `beat`,
            `activity`, and `boundary` where the encoder has it.
    """

    tokens: Tensor
    posteriors: dict[str, Tensor]
    frame_posteriors: dict[str, Tensor]


def weigh(head: str, posteriors: Tensor, thresholds: list[float] | None = None) -> Tensor:
    """Put half of the weight on the verdict: the likeliest class, or every class that is there.

    Probabilities alone are read less well the less sure they are: on a soundfont that was not
    trained on, the language model named another style than the likeliest in 9 % of the clips.

    Args:
        head: Of the network.
        posteriors: `(n, classes)` in [0, 1].
        thresholds: `(classes,)`, from where each of several is there; 0.4 when None.

    Returns:
        `(n, classes)` in [0, 1].
    """
    if head in MULTI_LABEL_HEADS:
        present = posteriors.new_tensor(PRESENT if thresholds is None else thresholds)
        verdict = (posteriors > present).to(posteriors.dtype)
    else:
        verdict = nn.functional.one_hot(posteriors.argmax(-1), posteriors.shape[-1])
    return (posteriors + verdict) / 2


def blur(heard: Heard) -> Heard:
    """Make the heads of a batch less sure, and leave some of its windows to the heads alone.

    On sounds that training never heard, and averaged over a whole song, the heads are right more
    often than the frames are like those of training, but never as sure as on training clips. A
    language model is to follow them there too. Hence mixup (Zhang et al., 2018) of what they say
    with what they say of the next window, which keeps the lesser share, and masked frames as in
    wav2vec 2.0 (Baevski et al., 2020).

    Args:
        heard: Windows `(n, ...)` of different recordings.

    Returns:
        The same shapes; frame posteriors are left alone where frames are.
    """
    n, device = len(heard.tokens), heard.tokens.device
    share = torch.rand(n, 1, device=device) * _MAX_BLEND
    blended = {h: (1 - share) * p + share * p.roll(1, 0) for h, p in heard.posteriors.items()}
    kept = (torch.rand(n, 1, 1, device=device) >= _P_HEADS_ONLY).to(heard.tokens.dtype)
    return Heard(
        heard.tokens * kept, blended, {h: p * kept for h, p in heard.frame_posteriors.items()}
    )


class MiniEncoder(RecordingEncoder):
    """Waveform (16 kHz, mono) or packed features to concept, global and frame tokens."""

    config: MiniEncoderConfig
    config_class = MiniEncoderConfig

    def __init__(self, config: MiniEncoderConfig):
        super().__init__(config)
        classes = {head: len(names) for head, names in config.labels.items()}
        beat_seconds = tuple(float(s) for s in 60.0 / config.tempo_bins_bpm)
        self.network = MiniNetwork(
            config.width,
            config.n_layers,
            classes,
            TIMBRE_HEADS,
            beat_seconds,
            config.stem_channels if config.stem == "residual" else None,
            config.boundaries,
            config.parts,
        )
        self.concepts = nn.ModuleDict(
            {head: nn.Linear(count, config.width) for head, count in classes.items()}
        )
        n_said = sum(frame_classes(classes["families"], config.boundaries).values())
        self.frame_concepts = nn.Linear(n_said, config.width, bias=False)
        if config.song_frames:
            self.clock = SongClock(config.families, config.width)
        if config.codec_books:
            self.codec = FrameCodec(config.codec_components, config.codec_books, config.codec_codes)
            self.writer = CodeWriter(config.width, config.codec_books, config.codec_codes)
        self.post_init()

    def posterior(self, head: str, logits: Tensor) -> Tensor:
        """Turn the logits of a head into probabilities, at the head's temperature."""
        scaled = logits.float() / self.config.temperatures.get(head, 1.0)
        return scaled.sigmoid() if head in MULTI_LABEL_HEADS else scaled.softmax(-1)

    def hear(self, features: Tensor) -> Heard:
        """Run windows of packed, not yet standardised features `(windows, T, 488)`."""
        out = self.network(standardise(features.float()))
        return Heard(
            out.tokens,
            {head: self.posterior(head, logits) for head, logits in out.logits.items()},
            {head: self.posterior(head, logits) for head, logits in out.frame_logits.items()},
        )

    def frame_lengths(
        self, input_values: Tensor, input_values_mask: Tensor | None = None
    ) -> Tensor:
        if input_values.ndim != 3:
            return super().frame_lengths(input_values, input_values_mask)
        n_tokens = self.config.num_output_frames(input_values.shape[1])
        return torch.full((len(input_values),), n_tokens, device=input_values.device)

    def forward(self, input_values: Tensor, input_values_mask: Tensor | None = None) -> Tensor:
        """Encode recordings.

        Args:
            input_values: `(batch, n_samples)` waveforms in [-1, 1], padded on the right; or
                `(batch, T, 488)` packed features, as training caches them, of single windows (or
                with `song_frames` of songs of one length).
            input_values_mask: `(batch, n_samples)` bool, true where there is sound.

        Returns:
            `(batch, max_tokens, width)`; item i has `frame_lengths()[i]` tokens, then zeros.

        Raises:
            AudioError: The input has another shape, or features are longer than a window.
        """
        if input_values.ndim == 3:
            longest = None if self.config.song_frames else self.config.window_frames
            frames = input_values.shape[1]
            if input_values.shape[2] != FEATURE_WIDTH or (longest and frames > longest):
                raise AudioError(
                    f"encoder 'mini' takes features (batch, up to {longest or 'any number'}, "
                    f"{FEATURE_WIDTH}), not {tuple(input_values.shape)}"
                )
            if frames > self.config.window_frames:
                songs = [hear_song(self, item) for item in input_values]
                return torch.cat([self.assemble(song.heard, [song.form]) for song in songs])
            heard = self.hear(input_values)
            return self.assemble(blur(heard) if self.training else heard)
        counts = self._sample_counts(input_values, input_values_mask)
        items = [
            self.encode_waveform(waveform[:count])
            if count
            else waveform.new_zeros(0, self.config.width)
            for waveform, count in zip(input_values, counts, strict=True)
        ]
        return nn.utils.rnn.pad_sequence(items, batch_first=True)

    def assemble(self, heard: Heard, forms: Sequence[Form] | None = None) -> Tensor:
        """Put concept, global and pooled frame tokens of `(windows, ...)` in a row.

        Args:
            heard: Of windows, or of whole recordings, of one length.
            forms: The course of each, for time codes and marks; None: read from what was heard.
        """
        dtype = heard.tokens.dtype
        weights = self.frame_concepts.weight.dtype
        concepts = [
            layer(self._weighed(head, heard).to(weights) * _CONCEPT_SCALE).to(dtype)
            for head, layer in self.concepts.items()
        ]
        said = torch.cat(list(heard.frame_posteriors.values()), -1)
        said = self.frame_concepts(said.to(weights) * _FRAME_CONCEPT_SCALE).to(dtype)
        group = self.config.group_size(said.shape[1])
        frames = average_frames(heard.tokens[:, N_GLOBAL:] + said, group)
        if self.config.song_frames:
            forms = forms or [read_form(heard, i, self.config) for i in range(len(said))]
            added = self.clock(forms, frames.shape[1], group * HOP / self.config.sample_rate)
            frames = frames + added.to(dtype)
        # On every frame too: a language model that has not yet learned where to look finds it.
        frames = frames + torch.stack(concepts, 1).sum(1, keepdim=True)
        return torch.cat([torch.stack(concepts, 1), heard.tokens[:, :N_GLOBAL], frames], 1)

    def _weighed(self, head: str, heard: Heard) -> Tensor:
        return weigh(head, heard.posteriors[head], self.config.thresholds.get(head))


@lru_cache(maxsize=1)
def load_embedded() -> MiniEncoder:
    """Load the encoder of the embedded model, in float32 on the CPU.

    Raises:
        CheckpointError: The package holds no embedded model, or not all of the encoder.
    """
    folder, prefix = embedded_folder(), "model.audio_tower."
    saved = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config = MiniEncoderConfig.from_dict(saved["audio_config"])
    with safe_open(folder / "model.safetensors", framework="pt") as weights:
        state = {
            name.removeprefix(prefix): weights.get_tensor(name).float()
            for name in weights.keys()  # noqa: SIM118 - not a dict
            if name.startswith(prefix)
        }
    return restore(config, state, "the embedded encoder does not fit its config")


def restore(config: MiniEncoderConfig, weights: dict[str, Tensor], failure: str) -> MiniEncoder:
    """Make the encoder that a configuration and saved weights are of, in float32.

    Raises:
        CheckpointError: They do not fit each other; begins with `failure`.
    """
    encoder = MiniEncoder(config)
    try:
        encoder.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(f"{failure}: {error}") from error
    return encoder.eval()


Config, Encoder = MiniEncoderConfig, MiniEncoder
