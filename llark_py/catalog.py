"""Finds the parts of the house by file name: adding a part is adding one file.

A room such as `llark_py.tools` holds one part a file; every module there that does not begin
with an underscore and is not in the room's `NOT_PARTS` is a part under its own file name.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from .errors import UnknownNameError


def names(room: str) -> list[str]:
    """List the parts of a room (`encoders`, `tools`, ...) by name, without importing them."""
    package = importlib.import_module(f"llark_py.{room}")
    skip = set(getattr(package, "NOT_PARTS", ()))
    return sorted(
        m.name
        for m in pkgutil.iter_modules(package.__path__)
        if not m.name.startswith("_") and m.name not in skip
    )


def load(room: str, name: str) -> ModuleType:
    """Import one part of a room.

    Raises:
        UnknownNameError: The room has no such part; the message suggests the nearest name.
    """
    known = names(room)
    if name not in known:
        raise UnknownNameError(room.removesuffix("s"), name, known)
    return importlib.import_module(f"llark_py.{room}.{name}")
