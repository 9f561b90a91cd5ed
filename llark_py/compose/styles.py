"""Every style of the composer by name; the first ten are those the first `mini` knows."""

from __future__ import annotations

from llark_py.errors import UnknownNameError

from .style import FEELS, TIME_SIGNATURES, Style
from .styles_original import ORIGINAL
from .styles_popular import POPULAR
from .styles_traditional import TRADITIONAL

__all__ = ["FEELS", "STYLES", "TIME_SIGNATURES", "Style", "style_named"]

_STYLES = ORIGINAL | POPULAR | TRADITIONAL
STYLES = tuple(_STYLES)


def style_named(name: str) -> Style:
    """Return the data of a style.

    Raises:
        UnknownNameError: There is no such style; the message suggests the nearest.
    """
    if name not in _STYLES:
        raise UnknownNameError("style", name, STYLES)
    return _STYLES[name]
