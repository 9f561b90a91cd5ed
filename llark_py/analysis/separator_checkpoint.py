"""The separator on disk: `config.json`, `separator.safetensors` (matrices in bfloat16), and
`calibration.json`, the coefficients that its quality is estimated with."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from llark_py.embedded import FOLDER as MINI
from llark_py.errors import CheckpointError
from llark_py.files import whole_file, write_whole

if TYPE_CHECKING:
    from .separator_network import SeparatorNetwork

EMBEDDED = MINI.parent / "separator"
"""Folder of the separator that comes with the package."""
_CONFIG, _WEIGHTS, _CALIBRATION = "config.json", "separator.safetensors", "calibration.json"
_N_COEFFICIENTS = 6
_REMEDY = "install a release, or make one with `llark train separator`"


def save_separator(network: SeparatorNetwork, folder: Path) -> None:
    """Write a separator as it is shipped; each file appears whole or not at all.

    Args:
        network: What is saved.
        folder: Made if it is not there.
    """
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        name: tensor.detach().to(torch.bfloat16 if tensor.ndim > 1 else torch.float32).contiguous()
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    with whole_file(folder / _WEIGHTS) as unfinished:
        save_file(tensors, unfinished)
    write_whole(folder / _CONFIG, json.dumps(network.config.as_dict(), indent=1) + "\n")


@lru_cache(maxsize=1)
def load_separator(folder: Path = EMBEDDED) -> SeparatorNetwork:
    """Load a separator, ready to be asked, in float32.

    Raises:
        CheckpointError: A file is missing, damaged, or of another network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from .separator_network import SeparatorConfig, SeparatorNetwork

    try:
        settings = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
        settings["channels"] = tuple(settings["channels"])
        network = SeparatorNetwork(SeparatorConfig(**settings))
        weights = load_file(folder / _WEIGHTS)
    except (OSError, ValueError, TypeError, LookupError, SafetensorError) as error:
        raise CheckpointError(
            f"cannot load the separator from {folder}: {error}; {_REMEDY}"
        ) from error
    counters = {n for n in network.state_dict() if n.endswith("num_batches_tracked")}
    wanted = {n: t.shape for n, t in network.state_dict().items() if n not in counters}
    if wanted != {n: t.shape for n, t in weights.items()}:
        raise CheckpointError(f"{folder / _WEIGHTS} holds the weights of another network")
    network.load_state_dict({n: t.float() for n, t in weights.items()}, strict=False)
    return network.eval()


def save_calibration(coefficients: dict[str, list[float]], folder: Path) -> None:
    """Write what quality is estimated with: `stems` and `like` -> six coefficients."""
    write_whole(folder / _CALIBRATION, json.dumps(coefficients, indent=1) + "\n")


@lru_cache(maxsize=1)
def load_calibration(folder: Path = EMBEDDED) -> dict[str, list[float]]:
    """Read what quality is estimated with (see `separation_quality.estimate`).

    Raises:
        CheckpointError: It is missing or damaged.
    """
    path = folder / _CALIBRATION
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        read = {kind: [float(number) for number in found[kind]] for kind in ("stems", "like")}
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise CheckpointError(f"cannot read {path}: {error}; {_REMEDY}") from error
    if any(len(numbers) != _N_COEFFICIENTS for numbers in read.values()):
        raise CheckpointError(f"{path} must hold {_N_COEFFICIENTS} coefficients; {_REMEDY}")
    return read
