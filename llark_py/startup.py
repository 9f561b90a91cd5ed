"""Makes a cold start shorter."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Iterator[None]:
    """Keep the garbage collector from running while much is made that will stay.

    Importing torch and transformers makes millions of objects, and the collector walks over all
    of them again and again: a fifth of the time of the imports (see `tests/speed`).
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.freeze()
            gc.enable()
