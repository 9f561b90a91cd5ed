"""What every test gets: no network, a cache of its own, and the real songs where they are."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Set before any library is imported; child processes inherit them.
os.environ.update(
    GRADIO_ANALYTICS_ENABLED="False",
    HF_HUB_OFFLINE="1",
    TOKENIZERS_PARALLELISM="false",
    TRANSFORMERS_OFFLINE="1",
    LLARK_CACHE=tempfile.mkdtemp(prefix="llark-tests-"),
)

CACHE = os.environ["LLARK_CACHE"]
REAL_SONGS = Path(__file__).parents[2] / "shared" / "real" / "audio"
LOOPBACK = {"127.0.0.1", "::1", "localhost", "0.0.0.0"}


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Refuse every connection that leaves this machine."""
    connect = socket.socket.connect

    def local_only(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOOPBACK:
            raise RuntimeError(f"a test tried to reach {address}; tests have no network")
        connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", local_only)
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def own_cache() -> Iterator[None]:
    """Delete the cache of the tests; the real one was never looked at."""
    yield
    shutil.rmtree(CACHE, ignore_errors=True)


@pytest.fixture(scope="session")
def real_song() -> Callable[[str], Path]:
    """Find a real recording by name; the test is skipped where the collection is not laid out."""

    def find(name: str) -> Path:
        path = REAL_SONGS / name
        if not path.is_file():
            pytest.skip(f"{path} is not there (real recordings lie beside the repository)")
        return path

    return find
