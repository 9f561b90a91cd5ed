"""Fits the network of `transcribe_drums` on composed drums, then its thresholds and confidence."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from llark_py.analysis.drum_network import (
    DrumNetwork,
    load_network,
    save_network,
    scale_powers,
)
from llark_py.analysis.drum_pieces import PIECES
from llark_py.analysis.drums import expected_f, pick_strokes
from llark_py.benchmarks.drum_scores import count_strokes, f_measure, micro_f
from llark_py.track import DrumHit

from .average import between
from .drum_batches import draw_batch
from .drum_clips import NOTHING, DrumClips, make_drum_clips
from .drum_reader import fit_reader
from .drum_recipe import DrumRecipe
from .fitting import Steps, fit

_STROKES_WEIGHT, _VELOCITY_WEIGHT = 10.0, 0.5
_RARITY = 3.0
"""A stroke that is missed costs so much more than one too many: there are few."""
_THRESHOLDS = np.round(np.linspace(0.1, 0.7, 13), 3)
_MIDDLE, _PRIOR_STROKES = 0.35, 30.0
"""The threshold of a piece that is never struck, and how firmly the others are held near it."""

Heard = tuple[Sequence[DrumHit], np.ndarray, np.ndarray]
"""True strokes of a clip; probabilities of strokes and their velocities, `(frames, pieces)`."""


def fit_drums(recipe: DrumRecipe) -> Path:
    """Make the clips, fit the network, then what is fitted after it; returns its folder."""
    clips = recipe.work_dir / "clips"
    make_drum_clips(recipe, clips)
    network = fit_network(recipe, clips)
    fit_reader(network, clips, recipe)
    heard = list(hear_dev(network, clips))
    fitted = fit_picking(heard)
    report = json.dumps(fitted, indent=1)
    print(report, file=sys.stderr)
    save_network(network, fitted, recipe.output_dir)
    return recipe.output_dir


def fit_network(recipe: DrumRecipe, clips: Path) -> DrumNetwork:
    """Fit the network on the clips in a folder, going on from its last checkpoint.

    Raises:
        CheckpointError: `init_from` holds no drum network.
    """
    torch.manual_seed(recipe.seed)
    network = load_network(recipe.init_from)[0] if recipe.init_from else DrumNetwork()
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    network.reader.requires_grad_(False)  # it is fitted afterwards
    music, loose = (DrumClips(clips, f"train_{kind}") for kind in ("music", "loose"))

    def collate(steps: list[int]) -> dict[str, Tensor]:
        rng = np.random.default_rng((recipe.seed, steps[0]))
        return draw_batch(music, loose, recipe.batch_size, rng)

    data = Steps(recipe.steps)
    fit(network, data, collate, recipe, recipe.work_dir / "network", recipe.seed, loss=stroke_loss)
    network.load_state_dict(between(before, network.state_dict(), recipe.kept_share))
    return network.eval()


def stroke_loss(network: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """Cross entropy of strokes, and squared error of the velocities where there is one."""
    logits, velocities, _ = network(batch["scaled"])
    strokes = binary_cross_entropy_with_logits(
        logits.float(), batch["strokes"], pos_weight=logits.new_tensor(_RARITY).float()
    )
    struck = batch["velocities"] > 0
    error = (velocities.float() - batch["velocities"]).square() * struck
    loudness = error.sum() / struck.sum().clamp(min=1)
    return _STROKES_WEIGHT * strokes + _VELOCITY_WEIGHT * loudness


@torch.inference_mode()
def hear_dev(network: DrumNetwork, folder: Path) -> Iterator[Heard]:
    """Let the network hear the clips that it was not fitted on: mixes, drums alone, no drums."""
    network.eval()
    music, loose = (DrumClips(folder, f"dev_{kind}") for kind in ("music", "loose"))
    rng = np.random.default_rng(0)
    for clips in (music, loose):
        for powers, strokes in zip(clips.powers, clips.strokes, strict=True):
            yield _heard(network, powers[2], strokes)
    for number, strokes in enumerate(loose.strokes):
        drums = loose.powers[number, 0].astype(np.float32)
        others = music.powers[number % len(music.strokes), 1].astype(np.float32)
        yield _heard(network, np.logaddexp(drums, others + rng.normal(0.0, 1.0)), strokes)
    for powers in music.powers:
        if powers[1].max() > NOTHING + 1:
            yield _heard(network, powers[1], [])


def _heard(
    network: DrumNetwork, logs: np.ndarray, strokes: Sequence[tuple[float, str, int]]
) -> Heard:
    powers = torch.from_numpy(logs.astype(np.float32)).exp()
    logits, velocities, frames = (x[0] for x in network(scale_powers(powers)[None]))
    chances = torch.sigmoid(network.reader(logits, frames))
    return [DrumHit(*s) for s in strokes], chances.numpy(), velocities.numpy()


def fit_picking(heard: Sequence[Heard]) -> dict:
    """Fit a threshold for each piece, the confidence, and from which confidence there are drums.

    Returns:
        `thresholds` by piece, `confidence` (`slope` and `offset` of `expected_f`),
        `least_confidence`, and `dev`: the F-measures that all this gives on these clips.
    """
    counts = np.zeros((len(_THRESHOLDS), len(PIECES), 3))
    for row, threshold in enumerate(_THRESHOLDS):
        for strokes, chances, velocities in heard:
            hits, _ = pick_strokes(chances, velocities, dict.fromkeys(PIECES, float(threshold)))
            found = count_strokes(strokes, hits)
            counts[row] += [found.get(piece, [0, 0, 0]) for piece in PIECES]
    thresholds = {}
    for number, piece in enumerate(PIECES):
        right, found, true = counts[:, number].T
        score = 2 * right / np.maximum(found + true, 1)
        pull = _PRIOR_STROKES / (_PRIOR_STROKES + true[0]) * np.abs(_THRESHOLDS - _MIDDLE)
        thresholds[piece] = float(_THRESHOLDS[np.argmax(score - pull)])
    rows = []
    totals = dict.fromkeys(PIECES, (0, 0, 0))
    for strokes, chances, velocities in heard:
        hits, sums = pick_strokes(chances, velocities, thresholds)
        found = count_strokes(strokes, hits)
        for piece, numbers in found.items():
            right, said, true = (a + b for a, b in zip(totals[piece], numbers, strict=True))
            totals[piece] = right, said, true
        hoped = expected_f(*sums, slope=1.0, offset=0.0)
        rows.append((hoped, micro_f(found) if strokes else 0.0, bool(strokes)))
    expected, reached, drummed = (np.array(column) for column in zip(*rows, strict=True))
    some = expected > 0
    slope, offset = 1.0, 0.0  # a network that hears nothing yet has no line
    if len(np.unique(expected[some])) > 1:
        slope, offset = np.polyfit(expected[some], reached[some], 1)
    told = np.where(some, np.clip(slope * expected + offset, 0, 1), 0.0)
    least = max(np.unique(told), key=lambda t: _balanced(told >= t, drummed))
    return {
        "thresholds": thresholds,
        "confidence": {"slope": round(float(slope), 4), "offset": round(float(offset), 4)},
        "least_confidence": round(float(least), 4),
        "dev": {
            "micro_f": round(micro_f(totals), 4),
            "by_piece": {p: round(f_measure(*n), 3) for p, n in totals.items()},
            "drums_told": round(_balanced(told >= least, drummed), 4),
            "confidence_error": round(float(np.abs(told - reached).mean()), 4),
        },
    }


def _balanced(said: np.ndarray, true: np.ndarray) -> float:
    """Mean share of right verdicts over both kinds of clips."""
    return float((said[true].mean() + (~said[~true]).mean()) / 2)
