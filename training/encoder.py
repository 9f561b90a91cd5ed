"""Second training of the encoder: fit it by naming every fact of the composed clips."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, log_softmax
from transformers import TrainerCallback

from llark_py.compose import instruments, styles
from llark_py.compose.sounds import NOT_MUSIC
from llark_py.encoders import build_encoder, encoder_config
from llark_py.encoders.mini import MiniEncoder
from llark_py.encoders.mini_features import standardise
from llark_py.instruct.facts import DENSITIES

from .average import between
from .calibration import calibrate
from .fitting import Steps, fit
from .generative import fixed_statistics, generative_loss
from .inherit import inherit, load_encoder
from .labels import IGNORE, batch_labels
from .mixing import Joiner
from .recipe import MiniRecipe
from .sampling import ClipSampler
from .scoring import save_scores, score_encoder
from .shards import Shards
from .windows import draw_batch

# Binary losses are means over classes: these weights make them count like the others.
_WEIGHTS = {
    "families": 8.0,
    "instruments": 10.0,
    "activity": 8.0,
    "style": 4.0,
    "beat": 2.0,
    "root": 0.5,
    "lead": 0.5,
    "density": 0.3,
    "players": 0.3,
}
_PARTS_WEIGHT = 300.0
"""Of a mean over a thousand pairs of a pitch and a family at each moment."""
_TEMPO_WIDTH_BINS = 0.6
_KEPT_SHARE = 1 / 6
_VAGUE = ("style", "lead", "density", "feel", "players", "boundary")
"""Heads whose classes shade into each other: a share of the target goes to the other classes."""
_SMOOTHING = 0.05
PLAYERS = ("1", "2", "3", "4", "5 or more")
"""How many instruments sound."""


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
            losses[head] = cross_entropy(
                scores.flatten(0, -2),
                target.flatten(),
                label_smoothing=_SMOOTHING if head in _VAGUE else 0.0,
            )
    return losses


def parts_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross entropy of who plays which pitch; windows of NaN do not count."""
    known = ~target[:, 0, 0, 0].isnan()
    if not known.any():
        return logits.sum() * 0
    return binary_cross_entropy_with_logits(logits[known].float(), target[known])


class EncoderWithLoss(nn.Module):
    """The encoder's network under a weighted sum of its heads' losses.

    Args:
        encoder: With a fitted codec if there is a generative share.
        generative_weight: Of the generative loss beside those of the heads.
        generative_share: Of the windows of a batch that are also foreseen.
        keep_weight: Of the distance of a share of its tokens to those it began with, which some
            language model reads already.
    """

    def __init__(
        self,
        encoder: MiniEncoder,
        generative_weight: float = 0.0,
        generative_share: float = 0.0,
        keep_weight: float = 0.0,
    ):
        super().__init__()
        self.encoder = encoder
        self.generative_weight, self.generative_share = generative_weight, generative_share
        self.keep_weight = keep_weight
        # In a list, so that it is neither fitted nor saved.
        self._before = [deepcopy(encoder.network).eval()] if keep_weight else []

    def forward(self, features: Tensor, **labels: Tensor) -> dict[str, Tensor]:
        """Return `{"loss": ...}` of windows `(batch, T, 488)`."""
        frames = standardise(features)
        out = self.encoder.network(frames)
        losses = head_losses(out.logits, out.frame_logits, labels)
        total = torch.stack([_WEIGHTS.get(k, 1.0) * loss for k, loss in losses.items()]).sum()
        if out.parts is not None:
            total = total + _PARTS_WEIGHT * parts_loss(out.parts, labels["parts"])
        if self.generative_weight:
            some = frames[: max(1, round(len(frames) * self.generative_share))]
            with fixed_statistics(self.encoder.network):  # those of whole, larger batches
                total = total + self.generative_weight * generative_loss(self.encoder, some)
        for before in self._before:
            total = total + self.keep_weight * self._moved(before, frames, out.tokens)
        return {"loss": total}

    def _moved(self, before: nn.Module, frames: Tensor, tokens: Tensor) -> Tensor:
        """Squared distance to earlier tokens of some windows, as a share of their variance."""
        some = frames[: max(1, round(len(frames) * _KEPT_SHARE))]
        with torch.no_grad():
            earlier = before(some).tokens.float()
        spread = earlier.var((0, 1)).mean().clamp(min=1e-6)
        return (tokens[: len(some)].float() - earlier).square().mean() / spread


def new_encoder(recipe: MiniRecipe) -> MiniEncoder:
    """Make the encoder with the composer's label sets, untrained or with an earlier one's weights.

    Raises:
        CheckpointError: `init_from` holds no `mini` encoder.
    """
    settings = recipe.encoder
    config = encoder_config(
        "mini",
        width=settings.width,
        n_layers=settings.n_layers,
        time_signatures=list(styles.TIME_SIGNATURES),
        styles=list(styles.STYLES),
        families=list(instruments.FAMILIES),
        instruments=list(instruments.INSTRUMENTS),
        densities=list(DENSITIES),
        sounds=["music", *NOT_MUSIC],
        feels=list(styles.FEELS),
        players=list(PLAYERS),
        boundaries=settings.boundaries,
        parts=settings.parts,
        stem=settings.stem,
        stem_channels=settings.stem_channels,
        codec_books=recipe.generate.codec_books if recipe.generate else 0,
        codec_codes=recipe.generate.codec_codes if recipe.generate else 1,
    )
    torch.manual_seed(recipe.seed)
    encoder = build_encoder(config)
    assert isinstance(encoder, MiniEncoder)
    if settings.init_from:
        taken, n_tensors = inherit(encoder, settings.init_from)
        print(
            f"encoder: {taken} of {n_tensors} tensors begin as in {settings.init_from}",
            file=sys.stderr,
        )
    return encoder


class _ScoreNow(TrainerCallback):
    """Prints the scores on the watched set now and then."""

    def __init__(self, encoder: MiniEncoder, dev: Shards, every: int):
        self.encoder, self.dev, self.every = encoder, dev, every

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step % self.every == 0:
            scores = score_encoder(self.encoder, self.dev)
            print(f"encoder step {state.global_step}: {scores}", file=sys.stderr, flush=True)


def batch_maker(
    recipe: MiniRecipe, encoder: MiniEncoder, train: Shards
) -> Callable[[list[int]], dict[str, Tensor]]:
    """Make the collator of the stage: the number of a step to its whole batch.

    The number alone decides, so that a resumed run goes on with new windows.
    """
    settings = recipe.encoder
    sampler = ClipSampler(train.tracks, settings.p_named_style, settings.p_rare_family)
    joiner = Joiner(train, settings.p_joined)

    def collate(steps: list[int]) -> dict[str, Tensor]:
        rng = random.Random(f"encoder {recipe.seed} {steps}")
        features, tracks = draw_batch(train, sampler.draw(settings.batch_size, rng), rng)
        joiner.join(features.numpy(), tracks, rng)
        return {"features": features, **batch_labels(tracks, features.shape[1], encoder.config)}

    return collate


def fit_encoder(
    recipe: MiniRecipe, shard_folder: Path, folder: Path, encoder: MiniEncoder | None = None
) -> MiniEncoder:
    """Fit the encoder, or load it when this stage is done; scores go to `scores.json`.

    Args:
        recipe: What to do.
        shard_folder: Of the clips.
        folder: Of the stage.
        encoder: From the generative stage; None begins with random weights.

    Returns:
        The fitted and calibrated encoder.
    """
    done = folder / "scores.json"
    if done.exists():
        return MiniEncoder.from_pretrained(folder)
    encoder = encoder or new_encoder(recipe)
    train, dev = Shards(shard_folder, "train"), Shards(shard_folder, "dev")
    settings = recipe.encoder
    before = deepcopy(encoder.state_dict())
    weight = settings.generative_weight if recipe.generate else 0.0
    fit(
        EncoderWithLoss(encoder, weight, settings.generative_share, settings.keep_weight),
        Steps(settings.steps),
        batch_maker(recipe, encoder, train),
        settings,
        folder / "checkpoints",
        recipe.seed,
        [_ScoreNow(encoder, dev, max(1, settings.steps // 8))],
    )
    encoder.load_state_dict(between(before, encoder.state_dict(), settings.kept_share))
    calibrate(encoder, dev)
    scores = score_encoder(encoder, dev)
    print(f"encoder: {scores}", file=sys.stderr, flush=True)
    encoder.save_pretrained(folder)
    save_scores(scores, done)
    return encoder.eval()


def keep_encoder(recipe: MiniRecipe, folder: Path) -> MiniEncoder:
    """Take the fitted encoder of `init_from` as it is, and save it where the stage would.

    Raises:
        CheckpointError: `init_from` holds no whole `mini` encoder.
    """
    assert recipe.encoder.init_from is not None  # the recipe checks it
    encoder = load_encoder(recipe.encoder.init_from)
    encoder.save_pretrained(folder)
    return encoder
