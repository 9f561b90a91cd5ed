"""Which `mini` encoder it is that hears: its weights, its configuration and its code, as a hash.

What it heard may be kept under that name. Nothing here loads torch, so that what is kept is found
without it.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from llark_py import embedded

if TYPE_CHECKING:
    from .mini import MiniEncoder

_FILES = ("config.json", "model.safetensors")


def embedded_version() -> str | None:
    """Hash the embedded encoder as `load_embedded` loads it; None where there is none."""
    folder = embedded.FOLDER
    return _hash_files(folder) if all((folder / name).is_file() for name in _FILES) else None


@lru_cache(maxsize=1)  # like the encoder, which is loaded once
def _hash_files(folder: Path) -> str:
    digest = hashlib.sha256(_code())
    for name in _FILES:
        with (folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def weights_version(encoder: MiniEncoder) -> str:
    """Hash an encoder in memory, whose weights must not change as long as the hash is used."""
    import torch

    digest = hashlib.sha256(_code())
    digest.update(encoder.config.to_json_string(use_diff=False).encode())
    for name, weights in sorted(encoder.state_dict().items()):
        digest.update(f"{name} {weights.dtype} {tuple(weights.shape)} ".encode())
        digest.update(weights.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _code() -> bytes:
    """Another way to hear with the same weights is another version too."""
    return b"".join(
        source.read_bytes() for source in sorted(Path(__file__).parent.glob("mini*.py"))
    )
