"""Calibration of the heads on watched clips: temperatures and thresholds.

One temperature a head makes it as sure as it is right (Guo et al., "On calibration of modern
neural networks", 2017); a threshold for each family makes its F1 best.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from llark_py.encoders.mini import MiniEncoder
from llark_py.encoders.mini_config import PRESENT

from .labels import IGNORE
from .scoring import collect
from .shards import Shards

_TEMPERATURES = np.geomspace(0.5, 4.0, 43)
_THRESHOLDS = np.linspace(0.1, 0.6, 51)
_PRIOR_CLIPS = 4.0
"""So many right verdicts at the common threshold are added: with few clips it stays near that."""
_WITH_THRESHOLDS = ("families", "instruments")


def fit_temperature(logits: Tensor, target: Tensor) -> float:
    """Find the temperature at which the true classes are likeliest.

    Args:
        logits: `(n, classes)`.
        target: `(n,)` class numbers (IGNORE: unknown), or `(n, classes)` 0 or 1.

    Returns:
        Between 0.5 and 4; 1 when no class is known.
    """
    if target.is_floating_point():

        def loss(temperature: float) -> float:
            return float(binary_cross_entropy_with_logits(logits / temperature, target))
    else:
        logits, target = logits[target != IGNORE], target[target != IGNORE]
        if len(target) == 0:
            return 1.0

        def loss(temperature: float) -> float:
            return float(cross_entropy(logits / temperature, target))

    return round(float(min(_TEMPERATURES, key=loss)), 3)


def fit_thresholds(chances: np.ndarray, true: np.ndarray) -> list[float]:
    """Find for each class the probability from which calling it present gives the best F1.

    Args:
        chances: `(n, classes)` in [0, 1].
        true: `(n, classes)` bool.
    """
    found = []
    for chance, there in zip(chances.T, true.T, strict=True):
        said = chance > _THRESHOLDS[:, None]
        hits = (said & there).sum(1)
        f1 = 2 * hits / np.maximum(said.sum(1) + there.sum(), 1)
        # The mean of the neighbours, and a pull to the middle: one clip must not decide.
        smooth = np.convolve(np.pad(f1, 2, mode="edge"), np.ones(5) / 5, "valid")
        pull = _PRIOR_CLIPS / (_PRIOR_CLIPS + there.sum()) * np.abs(_THRESHOLDS - PRESENT)
        found.append(round(float(_THRESHOLDS[np.argmax(smooth - pull)]), 3))
    return found


def calibrate(encoder: MiniEncoder, shards: Shards) -> None:
    """Fit temperatures and thresholds on a set; they are kept in the encoder's configuration."""
    logits, labels = collect(encoder, shards)
    temperatures, config = {}, encoder.config
    for head, raw in logits.items():
        target = labels[head]
        if head == "tempo":  # a position between bins: the nearest one
            bins = target.nan_to_num(IGNORE).round().long()
            target = torch.where(target.isnan(), IGNORE, bins)
        if not target.is_floating_point():
            raw, target = raw.flatten(0, -2), target.flatten()
        temperatures[head] = fit_temperature(raw, target)
    config.temperatures, config.thresholds = temperatures, {}
    for head in _WITH_THRESHOLDS:
        chances = encoder.posterior(head, logits[head]).numpy()
        config.thresholds[head] = fit_thresholds(chances, labels[head].numpy() > 0.5)
