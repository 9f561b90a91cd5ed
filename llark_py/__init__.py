"""llark_py: a music-language assistant that listens, measures and talks.

The names below are loaded when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.15.0"

_LAZY = {
    "Audio": "llark_py.audio",
    "load_audio": "llark_py.audio",
    "Assistant": "llark_py.assistant.core",
    "load_assistant": "llark_py.assistant.core",
    "load_endpoint_assistant": "llark_py.assistant.endpoint",
}
__all__ = [
    "Assistant",
    "Audio",
    "__version__",
    "load_assistant",
    "load_audio",
    "load_endpoint_assistant",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'llark_py' has no attribute '{name}'")
    from llark_py.startup import lean_imports

    with lean_imports():
        return getattr(importlib.import_module(_LAZY[name]), name)
