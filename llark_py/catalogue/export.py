"""A catalogue as a table: Parquet or CSV."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from llark_py.errors import ConfigError, MissingExtraError, UnknownNameError
from llark_py.files import whole_file

from .lines import read_lines
from .record import Facts

FORMATS = ("parquet", "csv")
_ROWS = 1000
_LINK = "; "
_EMBEDDING = "embedding"

# Column -> where it stands in a record, by type.
_TEXTS = {
    "path": "path",
    "content_hash": "content_hash",
    "caption_line": "captions.line",
    "caption_paragraph": "captions.paragraph",
    "sound": "facts.sound.value",
    "style": "facts.style.value",
    "mood": "facts.mood.value",
    "key": "facts.key.value",
    "time_signature": "facts.time_signature.value",
    "chord_progression": "facts.chords.value.progression",
    "vocals_language": "facts.vocals_language.value",
    "model": "model.name",
    "model_version": "model.version",
    "model_weights": "model.weights",
}
_TEXTS |= {f"{name}_source": f"facts.{name}.source" for name in Facts.model_fields}
_NUMBERS = {
    "duration_s": "duration_s",
    "sound_confidence": "facts.sound.confidence",
    "style_confidence": "facts.style.confidence",
    "tempo_bpm": "facts.tempo_bpm.value",
    "tempo_confidence": "facts.tempo_bpm.confidence",
    "key_confidence": "facts.key.confidence",
    "time_signature_confidence": "facts.time_signature.confidence",
    "chords_confidence": "facts.chords.confidence",
    "vocals_confidence": "facts.vocals.confidence",
    "sung_percent": "facts.vocals.value.sung_percent",
    "loudness_lufs": "facts.loudness_lufs.value",
}
_TRUTHS = {"singer": "facts.vocals.value.singer", "choir": "facts.vocals.value.choir"}
_LISTS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "tags": ("captions.tags", str),
    "common_chords": ("facts.chords.value.common", str),
    "instruments": ("facts.instruments.value", lambda player: player["family"]),
    "instrument_confidences": (
        "facts.instruments.value",
        lambda player: f"{player['confidence']:g}",
    ),
    "sections": ("facts.sections.value", lambda section: f"{section[0]:g} {section[2]}"),
    "unknown": ("unknown", ": ".join),
}


def check_form(form: str) -> None:
    """Tell whether a table can be written before there is anything to write.

    Raises:
        UnknownNameError: There is no such form.
        MissingExtraError: pyarrow is not installed.
    """
    if form not in FORMATS:
        raise UnknownNameError("format", form, FORMATS)
    if form == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise MissingExtraError("pyarrow, which writes Parquet,", "pip install pyarrow")


def export_table(records: Path, form: str) -> Path:
    """Write a catalogue as a table, beside it and under its name.

    Questions of the user are columns of their own. A CSV has lists as text, and no embeddings.

    Args:
        records: The catalogue.
        form: One of `FORMATS`.

    Returns:
        Where the table is.

    Raises:
        UnknownNameError, MissingExtraError: As in `check_form`.
        ConfigError: The table cannot be written.
    """
    check_form(form)
    out = records.with_suffix(f".{form}")
    try:
        with whole_file(out) as unfinished:
            if form == "csv":
                _write_csv(records, unfinished)
            else:
                _write_parquet(records, unfinished)
    except OSError as error:
        raise ConfigError(f"'{out}' cannot be written: {error.strerror or error}") from error
    return out


def flatten(record: dict[str, Any], questions: Sequence[str]) -> dict[str, Any]:
    """Make one row of a record; None where something is not known."""
    row = {name: _find(record, place) for name, place in {**_TEXTS, **_NUMBERS, **_TRUTHS}.items()}
    for name, (place, read) in _LISTS.items():
        items = _find(record, place)
        if isinstance(items, dict):
            items = items.items()
        row[name] = None if items is None else [read(item) for item in items]
    row |= {_column(q): record["asked"].get(q) for q in questions}
    return {**row, _EMBEDDING: record[_EMBEDDING]}


def _find(record: Any, place: str) -> Any:
    for name in place.split("."):
        if record is None:
            return None
        record = record[name]
    return record


def _column(question: str) -> str:
    return f"asked: {question}"


def _questions(records: Path) -> list[str]:
    first = next(read_lines(records), None)
    return list(first["asked"]) if first else []


def _write_csv(records: Path, out: Path) -> None:
    questions = _questions(records)
    columns = [*_TEXTS, *_NUMBERS, *_TRUTHS, *_LISTS, *map(_column, questions)]
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        for record in read_lines(records):
            row = flatten(record, questions)
            row |= {name: _LINK.join(row[name] or ()) for name in _LISTS}
            writer.writerow(row)


def _write_parquet(records: Path, out: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    questions = _questions(records)
    schema = pa.schema(
        [(name, pa.string()) for name in _TEXTS]
        + [(name, pa.float64()) for name in _NUMBERS]
        + [(name, pa.bool_()) for name in _TRUTHS]
        + [(name, pa.list_(pa.string())) for name in _LISTS]
        + [(_column(q), pa.string()) for q in questions]
        + [(_EMBEDDING, pa.string())]
    )
    with parquet.ParquetWriter(out, schema) as writer:
        for rows in _in_groups(flatten(record, questions) for record in read_lines(records)):
            writer.write_table(pa.Table.from_pylist(rows, schema))


def _in_groups(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while group := list(islice(rows, _ROWS)):
        yield group
