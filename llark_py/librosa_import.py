"""Imports librosa in one process at a time.

The first import compiles librosa's universal functions with numba and keeps them on disk. Two
processes that do so at once in a new environment leave a wrapper of one beside a function of the
other; whoever loads that pair calls address 0, and from then on every process that does is ended by
a segmentation fault (numba 0.61, librosa 0.11). So nothing here imports librosa by itself.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from filelock import FileLock
from platformdirs import user_cache_path

_COMPILED = ("util.utils", "core.audio", "core.pitch", "beat")


def load_librosa(*modules: str) -> Any:
    """Import librosa; another process that is just doing so is waited for.

    Args:
        *modules: Those that are wanted, such as `sequence`, for a shorter start; by default all
            that are compiled when they are imported, behind which any other may be used.

    Returns:
        The package `librosa`.
    """
    wanted = [f"librosa.{name}" for name in modules or _COMPILED]
    if not all(name in sys.modules for name in wanted):
        with FileLock(_lock_path()):
            for name in wanted:
                import_module(name)
    return import_module("librosa")


def _lock_path() -> Path:
    """Where the lock lies: in the user's cache, or where that cannot be written to, in /tmp."""
    folder = user_cache_path("llark", appauthor=False)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        folder = Path(tempfile.gettempdir())
    return folder / "librosa.lock"
