"""How a tool's result becomes what the model is shown and what people and programs get."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

_HIGHEST_CONFIDENCE = 0.99
_ABSENT: Any = object()


def detail(default: Any = dataclasses.MISSING) -> Any:
    """Mark a field of a tool's result as too long or too fine for the model to be shown."""
    return dataclasses.field(default=default, metadata={"detail": True})


def absent() -> Any:
    """Mark a field that is left out of the result where it is not given."""
    return dataclasses.field(default=_ABSENT)


def as_confidence(probability: float) -> float:
    """Round a probability for a tool's result: two decimals and at most 0.99.

    A measurement is never certain, and training shows language models no confidence of 1.
    """
    return round(min(probability, _HIGHEST_CONFIDENCE), 2)


def round_spans(spans_s: Iterable[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Round the starts and ends of spans to a tenth of a second, as finely as they are heard."""
    return tuple((round(start, 1), round(end, 1)) for start, end in spans_s)


def model_view(result: Any) -> dict[str, Any]:
    """Give the small JSON object that the model is shown: every field that is no `detail()`."""
    return {
        field.name: getattr(result, field.name)
        for field in _fields(result)
        if not field.metadata.get("detail")
    }


def full_view(result: Any) -> dict[str, Any]:
    """Give every field, named tuples inside turned into JSON objects."""
    return {f.name: _plain(getattr(result, f.name)) for f in _fields(result)}


def _fields(result: Any) -> list[dataclasses.Field[Any]]:
    """List the fields that are there; `absent()` ones are not where they were not given."""
    return [f for f in dataclasses.fields(result) if getattr(result, f.name) is not _ABSENT]


def _plain(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return {name: _plain(item) for name, item in value._asdict().items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value
