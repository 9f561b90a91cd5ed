"""Averages the weights of a model before and after it was trained further.

    python -m llark_py.training.average BEFORE AFTER OUT --share 0.6

Training on new questions makes a small model forget some of the old ones. Between the two sets of
weights, which the same training leads from one to the other, there are some that know both
(Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022).
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from llark_py.errors import CheckpointError, ConfigError, LlarkError

from .expansion import count_blocks, expand_blocks

_WEIGHTS = "model.safetensors"


def average_weights(before: Path, after: Path, out: Path, share: float) -> None:
    """Write a model whose weights lie between those of two.

    Args:
        before: Folder of a saved model.
        after: Folder of the same model, trained further, perhaps deeper by then; everything but
            the weights is taken over from here.
        out: Folder to write, which must not exist or be empty.
        share: How far from `before` (0) to `after` (1).

    Raises:
        CheckpointError: A folder holds no weights, or they are not those of one model.
        ConfigError: The share is not in [0, 1], or there is something in `out`.
    """
    if not 0 <= share <= 1:
        raise ConfigError(f"share must be from 0 to 1, not {share}")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out} exists and is no empty folder; name another one")
    old, new = _read(before), _read(after)
    depth, n_blocks = count_blocks(old), count_blocks(new)
    if depth < n_blocks <= 2 * depth:
        old = expand_blocks(old, n_blocks)
    unlike = sorted(old.keys() ^ new.keys())
    unlike += [name for name in old.keys() & new.keys() if old[name].shape != new[name].shape]
    if unlike:
        raise CheckpointError(
            f"{before} and {after} are not one model before and after training: "
            f"{len(unlike)} weights differ in name or shape, the first is {unlike[0]}"
        )
    mixed = between(old, new, share)
    with safe_open(after / _WEIGHTS, "pt") as file:
        metadata = file.metadata()
    shutil.copytree(after, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns(_WEIGHTS))
    partial = out / f"{_WEIGHTS}.part"
    save_file(mixed, partial, metadata=metadata)
    partial.replace(out / _WEIGHTS)


def _read(folder: Path) -> dict[str, Tensor]:
    try:
        return load_file(folder / _WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{folder} holds no saved model ({_WEIGHTS}): {error}") from error


def between(old: dict[str, Tensor], new: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """Average two sets of weights of the same names and shapes; counters are those of the new one.

    Args:
        old: Weights before training, by name.
        new: Weights after it.
        share: How far from `old` (0) to `new` (1).
    """
    return {
        name: torch.lerp(old[name].float(), weight.float(), share).to(weight.dtype)
        if weight.is_floating_point()
        else weight
        for name, weight in new.items()
    }


def main() -> int:
    """Average two models."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("before", type=Path, help="folder of the model before")
    parser.add_argument("after", type=Path, help="folder of the model after")
    parser.add_argument("out", type=Path, help="folder to write")
    parser.add_argument("--share", type=float, default=0.5, help="how far towards AFTER, 0 to 1")
    options = parser.parse_args()
    try:
        average_weights(options.before, options.after, options.out, options.share)
    except LlarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
