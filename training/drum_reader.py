"""Fits the second look of the drum network (`analysis/drum_kit.py`) on whole clips.

The network is left as it is; the reader learns from what it says of the training clips, at the
frames where it hears anything, where there is a stroke, and at a few others.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, dropout
from torch.optim.lr_scheduler import OneCycleLR

from llark_py.analysis.drum_kit import KitReader, describe_strokes
from llark_py.analysis.drum_network import DrumNetwork, scale_powers

from .drum_batches import targets_of
from .drum_clips import DrumClips, Strokes
from .drum_recipe import DrumRecipe

_HEARD, _SHARE_OF_OTHERS = 0.03, 0.015
_BATCH, _LEARNING_RATE, _DROPOUT = 1024, 3e-3, 0.1
_OTHERS_LEVEL = 1.0  # spread of the gain of what plays beside loose drums, in nats of power
_DRUMS, _OTHERS, _ROOM = range(3)


class Rows(NamedTuple):
    """Frames to learn from: described (half precision), first logits, targets."""

    described: Tensor
    logits: Tensor
    strokes: Tensor


def fit_reader(network: DrumNetwork, clips: Path, recipe: DrumRecipe) -> None:
    """Fit `network.reader`; nothing else of the network changes."""
    network.eval()
    rng = np.random.default_rng(recipe.seed)
    parts = [_rows(network, powers, strokes, rng) for powers, strokes in _clips(clips, rng)]
    rows = Rows(*(torch.cat(column) for column in zip(*parts, strict=True)))
    torch.manual_seed(recipe.seed)
    learn(network.reader, rows, recipe.reader_epochs)


def learn(reader: KitReader, rows: Rows, epochs: int) -> None:
    """Fit a reader to rows, with AdamW in one cycle of the learning rate."""
    reader.requires_grad_(True)
    n_batches = max(1, len(rows.logits) // _BATCH)
    optimizer = torch.optim.AdamW(reader.parameters(), _LEARNING_RATE)
    schedule = OneCycleLR(optimizer, _LEARNING_RATE, total_steps=epochs * n_batches)
    for _ in range(epochs):
        order = torch.randperm(len(rows.logits))
        for batch in order[: n_batches * _BATCH].chunk(n_batches):
            described = dropout(rows.described[batch].float(), _DROPOUT)
            logits = reader.look(rows.logits[batch], described)
            loss = binary_cross_entropy_with_logits(logits, rows.strokes[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()


def _clips(folder: Path, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, Strokes]]:
    """Give whole clips: music in rooms, half of it mixed anew too, some without drums, and loose
    drums, alone and beside music."""
    music = DrumClips(folder, "train_music")
    for number, (powers, strokes) in enumerate(zip(music.powers, music.strokes, strict=True)):
        if strokes or number % 4 == 0:
            yield powers[_ROOM], strokes
        if strokes and number % 2:
            yield _mixed(powers[_DRUMS], powers[_OTHERS], rng), strokes
    loose = DrumClips(folder, "train_loose")
    share = max(1, len(loose.strokes) // max(1, len(music.strokes) // 3))
    for number in range(0, len(loose.strokes), share):
        powers, strokes = loose.powers[number], loose.strokes[number]
        other = music.powers[rng.integers(len(music.strokes)), _OTHERS]
        alone = number // share % 2 == 0
        yield powers[_ROOM] if alone else _mixed(powers[_DRUMS], other, rng), strokes


def _mixed(drums: np.ndarray, others: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    gain = np.float32(rng.normal(0.0, _OTHERS_LEVEL))
    return np.logaddexp(drums.astype(np.float32), others.astype(np.float32) + gain)


@torch.no_grad()
def _rows(
    network: DrumNetwork, powers: np.ndarray, strokes: Strokes, rng: np.random.Generator
) -> Rows:
    scaled = scale_powers(torch.from_numpy(powers.astype(np.float32)).exp())
    logits, _, frames = (output[0] for output in network(scaled[None]))
    begin = torch.from_numpy(targets_of(strokes, 0, len(logits))[0])
    heard = torch.sigmoid(logits).amax(1) > _HEARD
    some = torch.from_numpy(rng.random(len(logits)) < _SHARE_OF_OTHERS)
    used = heard | some | (begin.amax(1) > 0)
    described = describe_strokes(logits, frames)
    return Rows(described[used].half(), logits[used], begin[used])
