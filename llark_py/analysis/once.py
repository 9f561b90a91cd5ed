"""What several measurements need of a recording, computed once and kept while its hearing is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from llark_py.audio import Audio

from .listening import Posteriors

T = TypeVar("T")
_found: WeakKeyDictionary[Posteriors, dict[tuple[str, str], Any]] = WeakKeyDictionary()


def once(audio: Audio, posteriors: Posteriors, name: str, compute: Callable[[], T]) -> T:
    """Give a value that may have been computed before.

    Args:
        audio: The recording.
        posteriors: What was heard of it; the value is kept in memory as long as they are.
        name: Of the value.
        compute: Called where nothing is kept.
    """
    found = _found.setdefault(posteriors, {})
    key = (name, audio.content_hash)
    if key not in found:
        found[key] = compute()
    return found[key]
