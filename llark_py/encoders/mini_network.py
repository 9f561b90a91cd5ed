"""The network of the `mini` encoder: convolutions, global tokens, a small transformer, heads.

A window of up to 8.4 s becomes one token for each 0.1 s plus three global tokens (two of the
tempogram, one of the pitch profile). The heads name facts from them; their posteriors are what
the tools measure with and, as concept tokens, what the language model reads first.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from .mini_features import split_streams
from .mini_parts import PART_STEP, PartNetwork
from .mini_periodicity import (
    METRE_ROWS,
    PROFILE_WIDTH,
    TEMPO_ROWS,
    periodicities,
    pitch_profile,
)
from .mini_stems import MelStem, PitchStem, ResidualStem

N_GLOBAL = 3
HEAD_WIDTH = 64
CHORD_CLASSES = 25
"""12 major, 12 minor, and anything else."""
ROOT_CLASSES = 12
BEAT_CLASSES = 3
"""No beat, beat, downbeat."""
BOUNDARY_CLASSES = 2
"""No change of section near, or one within half a second."""
STEMS = ("patches", "residual")
_METRE_HEADS = ("time_signature", "feel")


def frame_classes(n_families: int, boundaries: bool = False) -> dict[str, int]:
    """Classes of the heads that look at every frame, by name, in order."""
    classes = {
        "chord": CHORD_CLASSES,
        "root": ROOT_CLASSES,
        "beat": BEAT_CLASSES,
        "activity": n_families,
    }
    return classes | ({"boundary": BOUNDARY_CLASSES} if boundaries else {})


@dataclass
class NetworkOutput:
    """What the network says of a batch of windows.

    Attributes:
        tokens: `(batch, 3 + T, width)` global tokens, then frame tokens.
        frame_logits: `(batch, T, ...)` by head: `chord`, `root`, `beat`, where the encoder has it
            `boundary` (exclusive classes), and `activity` (which families sound; not exclusive).
        logits: `(batch, classes)` by head: `tempo`, `key`, ...
        parts: `(batch, ceil(T / 2), 84, families)` which families sound each semitone from C1 up
            (logits, not exclusive); None where the encoder has no `PartNetwork`.
    """

    tokens: Tensor
    frame_logits: dict[str, Tensor]
    logits: dict[str, Tensor]
    parts: Tensor | None = None


def _rotary(n_tokens: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    inverse = 10_000 ** (-torch.arange(0, width, 2, device=device).float() / width)
    angles = torch.arange(n_tokens, device=device).float()[:, None] * inverse
    return angles.cos(), angles.sin()


def _rotate(x: Tensor, rotary: tuple[Tensor, Tensor]) -> Tensor:
    cosine, sine = rotary
    first, second = x.float().chunk(2, -1)
    turned = (first * cosine - second * sine, second * cosine + first * sine)
    return torch.cat(turned, -1).to(x.dtype)


class RMSNorm(nn.Module):
    """Root-mean-square normalisation, computed in float32 (Zhang and Sennrich, 2019)."""

    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        scale = torch.rsqrt(x.float().pow(2).mean(-1, keepdim=True) + 1e-6)
        return (x.float() * scale * self.weight.float()).to(x.dtype)


class Block(nn.Module):
    """A pre-norm transformer block with rotary attention, bidirectional unless it is masked."""

    def __init__(self, width: int):
        super().__init__()
        self.n_heads = width // HEAD_WIDTH
        self.attention_norm, self.mlp_norm = RMSNorm(width), RMSNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(
        self, x: Tensor, rotary: tuple[Tensor, Tensor], hidden: Tensor | None = None
    ) -> Tensor:
        """Run `(batch, n, width)`; `hidden` `(n, n)` is true where attention may not look."""
        batch, n_tokens, width = x.shape
        qkv = self.qkv(self.attention_norm(x)).view(batch, n_tokens, 3, self.n_heads, HEAD_WIDTH)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        query, key = _rotate(query, rotary), _rotate(key, rotary)
        # By hand: on so few tokens a quarter of the time of scaled_dot_product_attention in
        # bfloat16 on a CPU.
        scores = (query * HEAD_WIDTH**-0.5) @ key.transpose(-1, -2)
        if hidden is not None:
            scores = scores.masked_fill(hidden, float("-inf"))
        mixed = scores.softmax(-1).to(value.dtype) @ value
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, n_tokens, width))
        return x + self.down(gelu(self.up(self.mlp_norm(x)), approximate="tanh"))


def _mlp(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, outputs))


class MiniNetwork(nn.Module):
    """Packed features of windows in, tokens and head logits out.

    Args:
        width: Width of the tokens; a multiple of 64.
        n_layers: Transformer blocks.
        classes: Classes of each global head, by name; must hold `tempo`, `time_signature`
            and `families`.
        timbre_heads: The heads that read timbre (pooled frames) only.
        beat_seconds: `(bins,)` beat period of each tempo bin.
        stem_channels: Of the residual stem; None for the stem of patches.
        boundaries: Have a frame head for changes of section.
        parts: Tell which families sound each pitch, and hear timbre by that too.
    """

    def __init__(
        self,
        width: int,
        n_layers: int,
        classes: dict[str, int],
        timbre_heads: tuple[str, ...],
        beat_seconds: tuple[float, ...],
        stem_channels: int | None = None,
        boundaries: bool = False,
        parts: bool = False,
    ):
        super().__init__()
        self.classes, self.timbre_heads = classes, timbre_heads
        self.beat_seconds = beat_seconds
        bins = len(beat_seconds)
        self.mel_stem = ResidualStem(width, stem_channels) if stem_channels else MelStem(width)
        self.pitch_stem = PitchStem(width)
        timbre_width = 0
        if isinstance(self.mel_stem, ResidualStem):
            timbre_width = self.mel_stem.timbre_width
            self.activity_shortcut = nn.Linear(timbre_width, classes["families"])
        self.parts = PartNetwork(width, classes["families"]) if parts else None
        if parts:
            self.activity_parts = nn.Linear(classes["families"], classes["families"])
        self.tempo_conv = self._rhythm_conv(TEMPO_ROWS)
        self.tempo_in = nn.Linear(16 * bins, 2 * width)
        self.metre_conv = self._rhythm_conv(METRE_ROWS)
        self.metre_in = nn.Linear(16 * bins, width)
        self.profile_in = _mlp(PROFILE_WIDTH, width, width)
        self.global_embedding = nn.Parameter(torch.randn(N_GLOBAL, width) * 0.02)
        self.blocks = nn.ModuleList(Block(width) for _ in range(n_layers))
        self.norm = RMSNorm(width)
        self.frame_classes = frame_classes(classes["families"], boundaries)
        self.frame_head = nn.Linear(width, sum(self.frame_classes.values()))
        # Lags at 1.5 beats help to tell the metre and mislead the tempo (3:4 errors on real
        # recordings), so the metre rows feed their own head and nothing else.
        self.heads = nn.ModuleDict()
        for name, count in classes.items():
            narrow = name in ("tempo", *_METRE_HEADS, *timbre_heads)
            inputs = (3 if narrow else 5) * width
            if name in timbre_heads:
                inputs += 2 * (classes["families"] + timbre_width)
                inputs += 2 * classes["families"] if parts else 0
            self.heads[name] = _mlp(inputs, width, count)

    @staticmethod
    def _rhythm_conv(rows: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv1d(rows, 64, 5, padding=2), nn.GELU(), nn.Conv1d(64, 16, 5, padding=2), nn.GELU()
        )

    def train(self, mode: bool = True) -> MiniNetwork:
        """Change to training or evaluation; what is frozen keeps its batch statistics."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
                module.eval()
        return self

    def _stems(self, features: Tensor, causal: bool) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Frame tokens `(batch, T, width)`, their timbre (of the residual stem), the parts."""
        dtype = self.tempo_in.weight.dtype
        mel, pitch = split_streams(features.to(dtype))
        if isinstance(self.mel_stem, ResidualStem):
            frames, timbre = self.mel_stem(mel, causal)
        else:
            frames, timbre = self.mel_stem(mel), None
        parts = None
        pitched = frames + self.pitch_stem(pitch)
        if self.parts is not None and not causal:
            parts, added = self.parts(pitch, frames)
            pitched = pitched + added
        return pitched, timbre, parts

    def _transform(self, summary: Tensor, frames: Tensor, causal: bool) -> Tensor:
        """Run global `(batch, 3, width)` and frame tokens through the blocks."""
        tokens = torch.cat([summary + self.global_embedding, frames.to(summary.dtype)], 1)
        n_tokens = tokens.shape[1]
        rotary = _rotary(n_tokens, HEAD_WIDTH, tokens.device)
        hidden = None
        if causal:
            hidden = torch.ones(n_tokens, n_tokens, dtype=torch.bool, device=tokens.device).triu(1)
        for block in self.blocks:
            tokens = block(tokens, rotary, hidden)
        return self.norm(tokens)

    def foresee(self, features: Tensor) -> Tensor:
        """Run windows causally, as a model that writes on does.

        What is computed of a whole window (tempogram, pitch profile) is left out.

        Args:
            features: `(batch, T, 488)`, standardised.

        Returns:
            `(batch, T, width)`; frame t depends on frames 0 ... t only.
        """
        frames, _, _ = self._stems(features, causal=True)
        nothing = frames.new_zeros(len(frames), N_GLOBAL, frames.shape[-1])
        return self._transform(nothing, frames, causal=True)[:, N_GLOBAL:]

    def forward(self, features: Tensor) -> NetworkOutput:
        """Run windows `(batch, T, 488)` of standardised features through the network."""
        batch = len(features)
        mel, pitch = split_streams(features)
        beat_seconds = torch.tensor(self.beat_seconds, device=features.device)
        with torch.no_grad(), torch.autocast(features.device.type, enabled=False):
            tempo_rows, metre_rows = periodicities(mel.float(), pitch.float(), beat_seconds)
            profile = pitch_profile(pitch.float())
        dtype = self.tempo_in.weight.dtype
        frames, frame_timbre, played = self._stems(features, causal=False)
        tempo = self.tempo_in(self.tempo_conv(tempo_rows.to(dtype)).flatten(1))
        metre = self.metre_in(self.metre_conv(metre_rows.to(dtype)).flatten(1))
        summary = torch.cat(
            [tempo.view(batch, 2, -1), self.profile_in(profile.to(dtype))[:, None]], 1
        )
        tokens = self._transform(summary, frames, causal=False)

        frames = tokens[:, N_GLOBAL:]
        parts = self.frame_head(frames).split(list(self.frame_classes.values()), -1)
        frame_logits = dict(zip(self.frame_classes, parts, strict=True))
        shortcut: list[Tensor] = []
        if frame_timbre is not None:
            frame_logits["activity"] = frame_logits["activity"] + self.activity_shortcut(
                frame_timbre
            )
            shortcut = [frame_timbre.mean(1), frame_timbre.amax(1)]
        if played is not None:
            loudest = played.amax(2)  # the pitch that is surest to be a family's
            shown = self.activity_parts(loudest).repeat_interleave(PART_STEP, 1)
            frame_logits["activity"] = frame_logits["activity"] + shown[:, : frames.shape[1]]
            chances = loudest.sigmoid()
            shortcut += [chances.mean(1), chances.amax(1)]
        active = frame_logits["activity"].sigmoid()
        mean, peak = frames.mean(1), frames.amax(1)
        spread = frames.float().std(1, correction=0).to(frames.dtype)
        rhythm = torch.cat([metre.to(mean.dtype), tokens[:, 0], mean], -1)
        seen = {
            "tempo": torch.cat([tokens[:, :2].flatten(1), mean], -1),
            **dict.fromkeys(_METRE_HEADS, rhythm),
        }
        timbre = torch.cat([mean, peak, spread, active.mean(1), active.amax(1), *shortcut], -1)
        everything = torch.cat([mean, peak, tokens[:, :N_GLOBAL].flatten(1)], -1)
        logits = {
            name: head(seen.get(name, timbre if name in self.timbre_heads else everything))
            for name, head in self.heads.items()
        }
        return NetworkOutput(tokens, frame_logits, logits, played)
