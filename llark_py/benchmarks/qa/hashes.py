"""SHA-256 of questions and files, so that results tell what they were made of."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any


def sha256(value: Any) -> str:
    """Hash what JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def hash_file(path: Path) -> str:
    """Hash the bytes of a file, piece by piece; a file that stays as it is is read once.

    Raises:
        OSError: It cannot be read.
    """
    about = path.stat()
    return _hash_file(path, about.st_size, about.st_mtime_ns)


@cache
def _hash_file(path: Path, size: int, changed_ns: int) -> str:
    # Size and time are arguments only to tell one state of the file from the next.
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
