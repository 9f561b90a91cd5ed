"""Fits the embedded separator on mixtures of composed stems, and saves it as it is shipped."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

from llark_py.analysis.separator_checkpoint import save_calibration, save_separator
from llark_py.analysis.separator_network import (
    FFT,
    N_BINS,
    SAMPLE_RATE,
    SeparatorConfig,
    SeparatorNetwork,
)
from llark_py.config import dump_config

from .fitting import Steps, fit
from .recipe import SeparatorRecipe
from .separator_calibration import calibrate
from .separator_mixes import Mixes
from .stem_clips import UNSEEN, StemClips, make_stem_clips

_FLOOR = 0.05
"""Share of the mixture's energy below which errors hardly matter. Much less, and silence is the
safest answer to everything: the logarithm rewards being perfectly silent too well."""
_FAINT, _SILENT = 1e-4, 1e-3
_EDGES_HZ = (0.0, 400.0, 2500.0, 16000.0)
"""Errors count in these ranges too, lest the loud low notes be all that is learned."""


class SeparationLoss(nn.Module):
    """Network and loss: the logarithm of the error's energy, whole and in ranges of frequency.

    Args:
        network: What is fitted.
    """

    def __init__(self, network: SeparatorNetwork):
        super().__init__()
        self.network = network

    def forward(
        self, magnitudes: Tensor, examples: Tensor, ideal: Tensor, lost: Tensor, energy: Tensor
    ) -> dict[str, Tensor]:
        """Compute `loss` (`errors_db` are relative to the stems) of a batch of `Mixes`."""
        network = self.network
        stems = network.query_stems().expand(len(magnitudes), -1, -1)
        asked = network.query_example(network.encode(examples))
        masks = network.decode(
            network.encode(magnitudes), torch.cat([stems, asked[:, None].to(stems.dtype)], 1)
        )
        power = magnitudes.square()
        errors = (power[:, None] * (masks - ideal).square()).sum(2) + lost  # (batch, 5, bins)
        whole = power.sum(1)  # (batch, bins)
        everything = whole.sum(1)[:, None].clamp(min=_SILENT)
        loss = 0.5 * torch.log(errors.sum(2) / everything + _FLOOR).mean()
        for low, high in pairwise(_EDGES_HZ):
            at = slice(round(low * FFT / SAMPLE_RATE), min(N_BINS, round(high * FFT / SAMPLE_RATE)))
            there = whole[:, at].sum(1)[:, None] + _FAINT * everything
            part = torch.log(errors[:, :, at].sum(2) / there + _FLOOR).mean()
            loss = loss + 0.5 / (len(_EDGES_HZ) - 1) * part
        return {"loss": loss}


def fit_separator(recipe: SeparatorRecipe) -> Path:
    """Compose stems, fit the separator, save it with its calibration; returns its folder."""
    work = recipe.work_dir
    make_stem_clips(recipe.clips, work / "clips")
    clips = StemClips(work / "clips", "train", without=UNSEEN)
    mixes = Mixes(clips, recipe.seed)
    torch.manual_seed(recipe.seed)
    network = SeparatorNetwork(SeparatorConfig(recipe.channels))
    fit(
        SeparationLoss(network),
        Steps(recipe.fit.steps),
        partial(_collate, mixes, recipe.fit.batch_size),
        recipe.fit,
        work / "fit",
        recipe.seed,
    )
    save_separator(network.eval(), recipe.output_dir)
    watched = StemClips(work / "clips", "dev")
    save_calibration(calibrate(network, watched), recipe.output_dir)
    dump_config(recipe, recipe.output_dir / "recipe.yaml")
    return recipe.output_dir


def _collate(mixes: Mixes, size: int, numbers: Sequence[int]) -> dict[str, Tensor]:
    """Draw the batch of a step; a function that can be sent to another process."""
    return mixes.batch(numbers[0], size)
