"""Lets tools separate each recording only once while a benchmark asks about it again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from unittest.mock import patch

_KEPT = 16  # of minutes of music, some 10 MB each


@contextmanager
def separating_once() -> Iterator[None]:
    """Keep what `separate_stems` and `separate_like` found; the tools run as ever otherwise."""
    from llark_py.tools import separate_like, separate_stems

    with (
        patch.object(separate_stems, "take_apart", _once(separate_stems.take_apart)),
        patch.object(separate_like, "find_like", _once(separate_like.find_like)),
    ):
        yield


def _once(separate: Callable[..., Any]) -> Callable[..., Any]:
    """Keep the results of a function whose last argument is told of progress."""

    @lru_cache(maxsize=_KEPT)
    def kept(*asked: Any) -> Any:
        return separate(*asked, lambda fraction, note: None)

    return lambda *arguments: kept(*arguments[:-1])
