"""Where the embedded model lies."""

from __future__ import annotations

from pathlib import Path

from .errors import CheckpointError

FOLDER = Path(__file__).parent / "assets" / "mini"


def embedded_folder() -> Path:
    """Return the folder of the embedded model.

    Raises:
        CheckpointError: This copy of the package holds no embedded model.
    """
    if not ((FOLDER / "config.json").is_file() and (FOLDER / "model.safetensors").is_file()):
        raise CheckpointError(
            f"the embedded model is not in {FOLDER}; install a release, make one with "
            "`llark train mini`, or name another with --model"
        )
    return FOLDER
