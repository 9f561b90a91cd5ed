"""How well the heads of the encoder do on clips: accuracies, F1, boundaries, calibration."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from llark_py.encoders.mini import MiniEncoder
from llark_py.encoders.mini_config import MULTI_LABEL_HEADS
from llark_py.encoders.mini_features import standardise
from llark_py.files import write_whole

from .labels import FRAME_S, IGNORE, batch_labels
from .shards import Shards
from .windows import plain_batch

SINGER = "voice"
"""The family whose presence tells that somebody sings."""
_SAME_TEMPO = 0.04
_OCTAVES = np.array([1, 2, 3, 1 / 2, 1 / 3])
_NEAR_BOUNDARY_S = 1.0
_BOUNDARY_PEAK = 0.5
_BINS = 10


def heard_clips(
    encoder: MiniEncoder, shards: Shards, batch_size: int = 50
) -> Iterator[tuple[dict[str, Tensor], dict[str, Tensor]]]:
    """Run plain middle windows of a set through the network.

    Yields:
        Logits by head and labels by head (as `batch_labels`), batch after batch, on the CPU.
    """
    training, device = encoder.training, next(encoder.parameters()).device
    encoder.eval()
    try:
        for first in range(0, len(shards), batch_size):
            indices = list(range(first, min(first + batch_size, len(shards))))
            features, tracks = plain_batch(shards, indices)
            labels = batch_labels(tracks, features.shape[1], encoder.config)
            with torch.inference_mode():
                out = encoder.network(standardise(features.to(device)))
            scores = out.logits | out.frame_logits
            yield {head: s.float().cpu() for head, s in scores.items()}, labels
    finally:
        encoder.train(training)


def collect(encoder: MiniEncoder, shards: Shards) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """All logits and labels of `heard_clips`, each in one tensor."""
    batches = list(heard_clips(encoder, shards))
    heads = batches[0][0]
    return (
        {head: torch.cat([logits[head] for logits, _ in batches]) for head in heads},
        {head: torch.cat([labels[head] for _, labels in batches]) for head in heads},
    )


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Expected calibration error (Guo et al., 2017) with ten bins of equal width.

    Args:
        confidence: `(n,)` in [0, 1].
        right: `(n,)` whether what was said with it was right.
    """
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = [
        abs(confidence[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    ]
    return float(np.sum(gaps))


def f_measures(said: np.ndarray, true: np.ndarray) -> np.ndarray:
    """F1 of each class, of boolean `(n, classes)`; NaN for a class that is neither."""
    hits = 2 * (said & true).sum(0)
    total = said.sum(0) + true.sum(0)
    return np.where(total > 0, hits / np.maximum(total, 1), np.nan)


def boundary_hits(chance: np.ndarray, target: np.ndarray) -> tuple[int, int, int]:
    """Count boundaries that are said, true, and both within one second.

    Args:
        chance: `(T,)` probability of a change of section near each frame; its peaks are said.
        target: `(T,)` 1 near a change.
    """
    reach = round(_NEAR_BOUNDARY_S / FRAME_S)
    peaks = [
        t
        for t in np.flatnonzero(chance > _BOUNDARY_PEAK)
        if t == int(np.argmax(chance[max(0, t - reach) : t + reach + 1])) + max(0, t - reach)
    ]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], target == 1, [0]]).astype(int)))
    true = (edges[::2] + edges[1::2] - 1) / 2
    hits = sum(any(abs(t - p) <= reach for p in peaks) for t in true)
    return len(peaks), len(true), min(hits, len(peaks))


def _tempo_scores(encoder: MiniEncoder, scores: Tensor, target: Tensor) -> dict[str, float]:
    known = ~target.isnan()
    if not known.any():
        return {}
    bpm = encoder.config.tempo_bins_bpm
    truth = np.interp(target[known].numpy(), np.arange(len(bpm)), bpm)
    ratio = bpm[scores[known].argmax(-1).numpy()] / truth
    octaves = np.abs(ratio[:, None] / _OCTAVES - 1) < _SAME_TEMPO
    return {
        "tempo_acc1": float((np.abs(ratio - 1) < _SAME_TEMPO).mean()),
        "tempo_acc2": float(octaves.any(1).mean()),
    }


def _family_scores(chances: np.ndarray, true: np.ndarray, encoder: MiniEncoder) -> dict[str, float]:
    families = encoder.config.families
    said = chances > encoder.config.present_from("families")
    hits = 2 * (said & true).sum()
    each = f_measures(said, true)
    scores = {
        "family_f1": float(hits / max(1, said.sum() + true.sum())),
        "family_macro_f1": float(np.nanmean(each)),
        **{f"family_f1:{f}": float(v) for f, v in zip(families, each, strict=True) if v == v},
    }
    if SINGER in families:
        voice = families.index(SINGER)
        scores["singer"] = float((said[:, voice] == true[:, voice]).mean())
    return scores


def _boundary_scores(chances: np.ndarray, target: np.ndarray) -> dict[str, float]:
    counts = np.zeros(3)
    for chance, marks in zip(chances, target, strict=True):
        if (marks != IGNORE).all():
            counts += boundary_hits(chance, marks)
    said, true, hits = counts
    return {"boundary_f": float(2 * hits / (said + true))} if true else {}


@torch.inference_mode()
def part_f1(encoder: MiniEncoder, shards: Shards, n_clips: int = 100) -> float:
    """F1 of which family sounds which pitch when, over all of them; the drums have no pitches."""
    training, device = encoder.training, next(encoder.parameters()).device
    encoder.eval()
    features, tracks = plain_batch(shards, list(range(min(n_clips, len(shards)))))
    played = encoder.network(standardise(features.to(device))).parts
    encoder.train(training)
    said = (played.float().cpu() > 0).numpy()
    true = batch_labels(tracks, features.shape[1], encoder.config)["parts"].numpy() > 0.5
    return float(2 * (said & true).sum() / max(1, said.sum() + true.sum()))


def score_encoder(encoder: MiniEncoder, shards: Shards) -> dict[str, float]:
    """Score the heads on plain middle windows of a set.

    Returns:
        Accuracy by head; `tempo_acc1` and `tempo_acc2` (4 %, the latter up to octaves); F1 of the
        families (micro, macro, each) at their thresholds; `singer`, whether it is heard rightly
        that somebody sings; F of section boundaries within one second; `part_f1`, who plays which
        pitch; expected calibration error by head (`ece:...`). What clips do not tell is left out.
    """
    logits, labels = collect(encoder, shards)
    scores: dict[str, float] = {}
    for head, raw in logits.items():
        target, chances = labels[head], encoder.posterior(head, raw)
        if head == "tempo":
            scores |= _tempo_scores(encoder, raw, target)
            continue
        if head in MULTI_LABEL_HEADS:
            true = target.numpy() > 0.5
            scores[f"ece:{head}"] = calibration_error(chances.numpy().ravel(), true.ravel())
            if head == "families":
                scores |= _family_scores(chances.numpy(), true, encoder)
            continue
        known = target != IGNORE
        if not known.any():
            continue
        confidence, said = chances[known].max(-1)
        right = (said == target[known]).numpy()
        scores[f"ece:{head}"] = calibration_error(confidence.numpy(), right)
        if head == "boundary":
            scores |= _boundary_scores(chances[..., 1].numpy(), target.numpy())
        else:
            scores[head] = float(right.mean())
    if encoder.config.parts:
        scores["part_f1"] = part_f1(encoder, shards)
    return {name: round(value, 3) for name, value in scores.items()}


def save_scores(scores: dict[str, float], path: Path) -> None:
    """Write scores as JSON; a file that is there is whole, and says that its stage is done."""
    write_whole(path, json.dumps(scores, indent=1) + "\n")
