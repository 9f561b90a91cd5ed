"""First training of the encoder: to foresee the codes of the next frame, as a generative model.

The codec is fitted to augmented frames; then the encoder, run causally, is trained to write its
codes on. Needs no facts, so any recordings would do.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from llark_py.encoders.mini import MiniEncoder
from llark_py.encoders.mini_features import standardise

from .fitting import Steps, fit
from .recipe import MiniRecipe
from .sampling import ClipSampler
from .scoring import save_scores
from .shards import Shards
from .windows import FULL_WINDOW, draw_features, plain_batch

_CODEC_CLIPS = 400


def generative_loss(encoder: MiniEncoder, frames: Tensor) -> Tensor:
    """Mean cross entropy, in nats a code, of the codes of each next frame.

    Args:
        encoder: With a fitted codec.
        frames: `(batch, T, 488)` standardised, T at least 2.
    """
    codes = encoder.codec.encode(frames)[:, 1:]
    logits = encoder.writer(encoder.network.foresee(frames)[:, :-1], codes)
    return cross_entropy(logits.float().flatten(0, -2), codes.flatten())


@contextmanager
def fixed_statistics(module: nn.Module) -> Iterator[None]:
    """Let batch normalisation use, and not change, its running statistics."""
    norms = [m for m in module.modules() if isinstance(m, nn.BatchNorm2d) and m.training]
    for norm in norms:
        norm.eval()
    try:
        yield
    finally:
        for norm in norms:
            norm.train()


class Writing(nn.Module):
    """The encoder under the generative loss."""

    def __init__(self, encoder: MiniEncoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        return {"loss": generative_loss(self.encoder, standardise(features))}


def fit_codec(encoder: MiniEncoder, shards: Shards, seed: int) -> float:
    """Fit the codec of an encoder to clips; returns the share of variance that it explains."""
    rng = random.Random(f"codec {seed}")
    indices = rng.sample(range(len(shards)), min(_CODEC_CLIPS, len(shards)))
    features = draw_features(shards, indices, FULL_WINDOW, rng)[0]
    return encoder.codec.fit(standardise(features).flatten(0, 1), seed)


def window_maker(
    shards: Shards, sampler: ClipSampler, batch_size: int, name: str
) -> Callable[[list[int]], dict[str, Tensor]]:
    """Make the collator of a stage that needs no facts: the number of a step to its windows."""

    def collate(steps: list[int]) -> dict[str, Tensor]:
        rng = random.Random(f"{name} {steps}")
        indices = sampler.draw(batch_size, rng)
        return {"features": draw_features(shards, indices, FULL_WINDOW, rng)[0]}

    return collate


@torch.inference_mode()
def score_writing(encoder: MiniEncoder, shards: Shards, n_clips: int = 100) -> float:
    """Mean nats a code on plain middle windows of a set."""
    training = encoder.training
    encoder.eval()
    features, _ = plain_batch(shards, list(range(min(n_clips, len(shards)))))
    nats = float(generative_loss(encoder, standardise(features.to(encoder.device))))
    encoder.train(training)
    return nats


def fit_generative(
    recipe: MiniRecipe, encoder: MiniEncoder, shard_folder: Path, folder: Path
) -> MiniEncoder:
    """Fit codec and writer, or load them when this stage is done; numbers go to `scores.json`."""
    settings, done = recipe.generate, folder / "scores.json"
    if settings is None:
        return encoder
    if done.exists():
        return MiniEncoder.from_pretrained(folder)
    train, dev = Shards(shard_folder, "train"), Shards(shard_folder, "dev")
    explained = fit_codec(encoder, train, recipe.seed)
    print(f"codec: explains {explained:.3f} of the variance", file=sys.stderr, flush=True)
    collate = window_maker(
        train, ClipSampler(train.tracks, 0, 0), settings.batch_size, f"generate {recipe.seed}"
    )
    fit(
        Writing(encoder),
        Steps(settings.steps),
        collate,
        settings,
        folder / "checkpoints",
        recipe.seed,
    )
    encoder.save_pretrained(folder)
    scores = {
        "codec_explains": round(explained, 3),
        "nats_a_code": round(score_writing(encoder, dev), 3),
    }
    save_scores(scores, done)
    return encoder
