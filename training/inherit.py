"""Starts an encoder from the weights of another one, whatever labels each of them knows.

What stands for a class (a style, an instrument) is taken over by the name of the class, so that a
new label set loses nothing of what was learned about the old one. Everything else is taken over
where name and shape agree.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from llark_py.encoders.mini import MiniEncoder, restore
from llark_py.encoders.mini_config import TIMBRE_HEADS, MiniEncoderConfig
from llark_py.encoders.mini_network import frame_classes
from llark_py.errors import CheckpointError

_TOWER = "model.audio_tower."
_LAST = "2"  # layer of a head: the one with a row for each class
Names = list[str] | None


def inherit(encoder: MiniEncoder, folder: Path) -> tuple[int, int]:
    """Overwrite the weights of an encoder with those that a saved one shares with it.

    Args:
        encoder: Changed in place.
        folder: Of a saved `mini` encoder, or of a model that holds one.

    Returns:
        How many tensors were found in the saved encoder, wholly or in part, and how many there are.

    Raises:
        CheckpointError: The folder holds no `mini` encoder.
    """
    old_config, old = _read(folder)
    own = encoder.state_dict()
    n_taken = 0
    for name, tensor in own.items():
        if name not in old:
            continue
        before, now = (
            _axes(name, config, value)
            for config, value in ((old_config, old[name]), (encoder.config, tensor))
        )
        n_taken += _copy(old[name], tensor, before, now)
    encoder.load_state_dict(own)
    return n_taken, len(own)


def load_encoder(folder: Path) -> MiniEncoder:
    """Load a fitted encoder, in float32.

    Args:
        folder: Of a saved `mini` encoder, or of a model that holds one.

    Raises:
        CheckpointError: The folder holds no `mini` encoder, or not all of it.
    """
    config, weights = _read(folder)
    return restore(config, weights, f"{folder} holds no whole encoder")


def _read(folder: Path) -> tuple[MiniEncoderConfig, dict[str, Tensor]]:
    try:
        saved = MiniEncoderConfig.get_config_dict(folder)[0]
        state = load_file(folder / "model.safetensors")
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{folder} holds no saved encoder: {error}") from error
    saved = saved.get("audio_config", saved)
    if saved.get("model_type") != MiniEncoderConfig.model_type:
        raise CheckpointError(
            f"{folder} holds the encoder '{saved.get('encoder')}'; 'mini' starts from 'mini' only"
        )
    if any(name.startswith(_TOWER) for name in state):
        state = {n.removeprefix(_TOWER): t for n, t in state.items() if n.startswith(_TOWER)}
    return MiniEncoderConfig.from_dict(saved), state


def _axes(name: str, config: MiniEncoderConfig, weight: Tensor) -> tuple[Names, Names]:
    """Name the rows and columns of a weight that stand for classes; None: they stand for none."""
    parts, labels = name.split("."), config.labels
    is_matrix = weight.ndim == 2
    if parts[0] == "concepts":  # one column a class
        return None, labels[parts[1]] if is_matrix else None
    if parts[0] == "frame_concepts":
        return None, _frame_names(config)
    if parts[1] == "frame_head":
        return _frame_names(config), None
    if parts[1] == "activity_shortcut" or parts[1:3] == ["parts", "families"]:
        return list(config.families), None
    if parts[1] == "activity_parts":
        return list(config.families), list(config.families) if is_matrix else None
    if parts[1] == "heads" and parts[3] == _LAST:
        return labels[parts[2]], None
    if parts[1] == "heads" and parts[2] in TIMBRE_HEADS and is_matrix:
        return None, _timbre_names(config, weight.shape[1])
    return None, None


def _frame_names(config: MiniEncoderConfig) -> list[str]:
    counts = frame_classes(len(config.families), config.boundaries)
    return [
        f"{head} {config.families[i] if head == 'activity' else i}"
        for head, count in counts.items()
        for i in range(count)
    ]


def _timbre_names(config: MiniEncoderConfig, n_columns: int) -> list[str]:
    """What timbre heads read: summaries of frames, who is active, timbre of the stem, parts."""
    frames = [f"frames {i}" for i in range(3 * config.width)]
    active = [f"{kind} {family}" for kind in ("mean", "peak") for family in config.families]
    played = [f"played {name}" for name in active] if config.parts else []
    rest = n_columns - len(frames) - len(active) - len(played)
    return [*frames, *active, *(f"stem {i}" for i in range(rest)), *played]


def _copy(
    source: Tensor, target: Tensor, old: tuple[Names, Names], new: tuple[Names, Names]
) -> bool:
    """Copy what has the same place, or the same names, in both; tell whether anything had."""
    if source.ndim != target.ndim:
        return False
    read, write = [], []
    for axis, size in enumerate(target.shape):
        before, now = (old[axis], new[axis]) if axis < len(old) else (None, None)
        if before is None or now is None:
            if source.shape[axis] != size:
                return False
            before = now = [str(i) for i in range(size)]
        shared = [name for name in now if name in before]
        read.append([before.index(name) for name in shared])
        write.append([now.index(name) for name in shared])
    target.numpy()[np.ix_(*write)] = source.to(target.dtype).numpy()[np.ix_(*read)]
    return all(write)
