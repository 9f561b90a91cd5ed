"""Where the files that tools make are put for good: named after the song, never over another."""

from __future__ import annotations

import shutil
from itertools import count
from pathlib import Path

from llark_py.errors import ConfigError
from llark_py.tools import Artefact

__all__ = ["Artefact", "free_path", "save_artefact"]


def free_path(path: Path) -> Path:
    """Give the path itself, or with `-2`, `-3`, ... before the ending where it is taken."""
    if not path.exists():
        return path
    candidates = (path.with_name(f"{path.stem}-{n}{path.suffix}") for n in count(2))
    return next(c for c in candidates if not c.exists())


def save_artefact(artefact: Artefact, folder: Path, stem: str) -> Path:
    """Copy an artefact into a folder as `stem` with its own ending.

    Args:
        artefact: What a tool made.
        folder: Made when it does not exist.
        stem: The name without ending, usually that of the song.

    Returns:
        Where it lies.

    Raises:
        ConfigError: The folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = free_path(folder / f"{stem}{artefact.path.suffix}")
        shutil.copyfile(artefact.path, path)
    except OSError as error:
        raise ConfigError(f"cannot write to the folder {folder}: {error.strerror}") from error
    return path
