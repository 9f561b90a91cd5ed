"""Second stage of `mini`: fit the encoder by naming every fact of the composed clips."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, log_softmax
from transformers import TrainerCallback

from llark_py.compose.instruments import FAMILIES, INSTRUMENTS
from llark_py.compose.sounds import NOT_MUSIC
from llark_py.compose.styles import STYLES, TIME_SIGNATURES
from llark_py.encoders import build_encoder, encoder_config
from llark_py.encoders.mini import MiniEncoder
from llark_py.encoders.mini_features import standardise
from llark_py.instruct.facts import DENSITIES
from llark_py.track import Track

from .fitting import Indices, fit
from .labels import IGNORE, batch_labels
from .recipe import MiniRecipe
from .shards import Shards
from .windows import draw_batch, plain_batch

# Binary losses are means over classes: these weights make them count like the others.
_WEIGHTS = {
    "families": 8.0,
    "instruments": 10.0,
    "activity": 8.0,
    "style": 4.0,
    "root": 0.5,
    "lead": 0.5,
    "density": 0.3,
}
_TEMPO_WIDTH_BINS = 0.6


def tempo_loss(logits: Tensor, position: Tensor) -> Tensor:
    """Cross entropy with a narrow bell around the true bin position (NaN: unknown)."""
    known = ~position.isnan()
    if not known.any():
        return logits.sum() * 0
    bins = torch.arange(logits.shape[-1], device=logits.device)
    bell = torch.exp(-((bins - position[known, None]) ** 2) / (2 * _TEMPO_WIDTH_BINS**2))
    bell = bell / bell.sum(-1, keepdim=True)
    return -(bell * log_softmax(logits[known], -1)).sum(-1).mean()


def head_losses(
    logits: dict[str, Tensor], frame_logits: dict[str, Tensor], labels: dict[str, Tensor]
) -> dict[str, Tensor]:
    """Compute the loss of every head; labels as `batch_labels` makes them."""
    losses = {}
    for head, scores in (logits | frame_logits).items():
        target, scores = labels[head], scores.float()
        if head == "tempo":
            losses[head] = tempo_loss(scores, target)
        elif target.is_floating_point():
            losses[head] = binary_cross_entropy_with_logits(scores, target)
        elif (target != IGNORE).any():
            losses[head] = cross_entropy(scores.flatten(0, -2), target.flatten())
    return losses


class EncoderWithLoss(nn.Module):
    """The encoder's network under a weighted sum of its heads' losses."""

    def __init__(self, encoder: MiniEncoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, features: Tensor, **labels: Tensor) -> dict[str, Tensor]:
        """Return `{"loss": ...}` of windows `(batch, T, 488)`."""
        out = self.encoder.network(standardise(features))
        losses = head_losses(out.logits, out.frame_logits, labels)
        return {"loss": sum(_WEIGHTS.get(k, 1.0) * loss for k, loss in losses.items())}  # type: ignore[dict-item]


def prefer_named_styles(
    tracks: Sequence[Track], indices: list[int], p: float, rng: random.Random
) -> list[int]:
    """Exchange a share `p` of the music without a named style for music with one.

    About half of the clips have instruments drawn without regard to style, and none to name.
    """
    named = [i for i, track in enumerate(tracks) if track.genre]

    def exchanged(i: int) -> bool:
        return bool(named) and tracks[i].sound == "music" and not tracks[i].genre

    return [rng.choice(named) if exchanged(i) and rng.random() < p else i for i in indices]


def new_encoder(recipe: MiniRecipe) -> MiniEncoder:
    """Make the untrained encoder with the composer's label sets."""
    config = encoder_config(
        "mini",
        width=recipe.encoder.width,
        n_layers=recipe.encoder.n_layers,
        time_signatures=list(TIME_SIGNATURES),
        styles=list(STYLES),
        families=list(FAMILIES),
        instruments=list(INSTRUMENTS),
        densities=list(DENSITIES),
        sounds=["music", *NOT_MUSIC],
    )
    torch.manual_seed(recipe.seed)
    encoder = build_encoder(config)
    assert isinstance(encoder, MiniEncoder)
    return encoder


@torch.inference_mode()
def score_encoder(encoder: MiniEncoder, shards: Shards, batch_size: int = 50) -> dict[str, float]:
    """Score the heads on plain middle windows of a set: accuracies, F1 of the families."""
    right: dict[str, list[np.ndarray]] = {}
    counts = np.zeros((3, len(encoder.config.families)))
    training, device = encoder.training, next(encoder.parameters()).device
    encoder.eval()
    for first in range(0, len(shards), batch_size):
        indices = list(range(first, min(first + batch_size, len(shards))))
        features, tracks = plain_batch(shards, indices)
        labels = batch_labels(tracks, features.shape[1], encoder.config)
        out = encoder.network(standardise(features.to(device)))
        for head, scores in (out.logits | out.frame_logits).items():
            target, scores = labels[head], scores.float().cpu()
            if head == "tempo":
                known = ~target.isnan()
                bpm = encoder.config.tempo_bins_bpm
                truth = np.interp(target[known].numpy(), np.arange(len(bpm)), bpm)
                ratio = bpm[scores[known].argmax(-1).numpy()] / truth
                right.setdefault("tempo_acc1", []).append(np.abs(ratio - 1) < 0.04)
                octaves = np.abs(ratio[:, None] / np.array([1, 2, 3, 1 / 2, 1 / 3]) - 1) < 0.04
                right.setdefault("tempo_acc2", []).append(octaves.any(1))
            elif head == "families":
                said = scores > 0
                counts += np.stack(
                    [(said & (target > 0)).sum(0), (said & (target == 0)).sum(0),
                     (~said & (target > 0)).sum(0)]
                )  # fmt: skip
            elif not target.is_floating_point():
                known = target != IGNORE
                hit = scores.argmax(-1)[known] == target[known]
                right.setdefault(head, []).append(hit.numpy())
    encoder.train(training)
    scored = {name: round(float(np.concatenate(hits).mean()), 3) for name, hits in right.items()}
    hit, extra, missed = counts
    scored["family_f1"] = round(float(2 * hit.sum() / (2 * hit + extra + missed).sum()), 3)
    per_family = 2 * hit / np.maximum(2 * hit + extra + missed, 1)
    scored["family_macro_f1"] = round(float(per_family.mean()), 3)
    return scored


class _ScoreNow(TrainerCallback):
    """Prints the scores on the watched set now and then."""

    def __init__(self, encoder: MiniEncoder, dev: Shards, every: int):
        self.encoder, self.dev, self.every = encoder, dev, every

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step % self.every == 0:
            scores = score_encoder(self.encoder, self.dev)
            print(f"encoder step {state.global_step}: {scores}", file=sys.stderr, flush=True)


def fit_encoder(recipe: MiniRecipe, shard_folder: Path, folder: Path) -> MiniEncoder:
    """Fit the encoder, or load it when this stage is done; scores go to `scores.json`."""
    encoder, done = new_encoder(recipe), folder / "scores.json"
    if done.exists():
        return MiniEncoder.from_pretrained(folder)
    train, dev = Shards(shard_folder, "train"), Shards(shard_folder, "dev")
    rng = random.Random(recipe.seed)

    def collate(indices: list[int]) -> dict[str, Tensor]:
        indices = prefer_named_styles(train.tracks, indices, recipe.encoder.p_named_style, rng)
        features, tracks = draw_batch(train, indices, rng)
        return {"features": features, **batch_labels(tracks, features.shape[1], encoder.config)}

    settings = recipe.encoder
    watch = _ScoreNow(encoder, dev, max(1, settings.steps // 8))
    fit(
        EncoderWithLoss(encoder),
        Indices(len(train)),
        collate,
        settings,
        folder / "checkpoints",
        recipe.seed,
        [watch],
    )
    encoder.save_pretrained(folder)
    scores = score_encoder(encoder, dev)
    done.write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
    return encoder.eval()
