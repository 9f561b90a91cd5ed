"""Files that are there whole or not at all, and what tells their contents apart."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a place to write a file that takes its own name once it is whole.

    Whoever is interrupted, or fails, leaves neither half a file nor a file beside it; what was
    there before stays. What has its name is on the disk, also after a crash.

    Args:
        path: Where the file is to be.

    Yields:
        A hidden name beside it with the same ending; written there, the file is moved.
    """
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}.unfinished{path.suffix}")
    try:
        yield unfinished
        # Or the name may reach the disk before what stands under it.
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write a text so that nobody ever sees half of it, as `whole_file` does."""
    with whole_file(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def hash_file(path: str | Path) -> str:
    """Hash the bytes of a file.

    Returns:
        SHA-256, hexadecimal.

    Raises:
        OSError: It cannot be read.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
