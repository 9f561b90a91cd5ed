"""Puts records into the tables of the index."""

from __future__ import annotations

import base64
import sqlite3

from pydantic import ValidationError

from llark_py.errors import ConfigError

from .columns import columns_of, players_of
from .record import SCHEMA_VERSION, Record


def read_record(line: bytes, where: str) -> Record:
    try:
        record = Record.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"{where} is no record of llark caption ({f'{at}: ' if at else ''}{first['msg']}); "
            "mend or delete the line"
        ) from error
    if record.schema_version != SCHEMA_VERSION:
        raise ConfigError(
            f"{where} has schema version {record.schema_version}, this is version "
            f"{SCHEMA_VERSION}; caption the songs again"
        )
    return record


def add_record(connection: sqlite3.Connection, record: Record, start: int) -> None:
    """Add a record; one of the same path that came before is replaced."""
    connection.execute(
        "DELETE FROM words WHERE rowid = (SELECT id FROM songs WHERE path = ?)", [record.path]
    )
    for table in ("players", "embeddings"):
        connection.execute(
            f"DELETE FROM {table} WHERE song = (SELECT id FROM songs WHERE path = ?)", [record.path]
        )
    columns = {"path": record.path, "start": start, **columns_of(record)}
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    song = connection.execute(
        f"INSERT OR REPLACE INTO songs ({names}) VALUES ({marks})", [*columns.values()]
    ).lastrowid
    captions = record.captions
    connection.execute(
        "INSERT INTO words (rowid, caption, tags) VALUES (?, ?, ?)",
        [song, f"{captions.line} {captions.paragraph}", ", ".join(captions.tags)],
    )
    players = list(players_of(record))
    connection.executemany(
        "INSERT OR IGNORE INTO players VALUES (?, ?, ?)", [(n, song, c) for n, c in players]
    )
    named = [("instruments", name) for name, _ in players]
    named += [(fact, columns[fact]) for fact in ("style", "mood") if columns[fact]]
    connection.executemany("INSERT OR IGNORE INTO names VALUES (?, ?)", named)
    if record.embedding:
        vector = base64.b64decode(record.embedding, validate=True)
        connection.execute("INSERT INTO embeddings VALUES (?, ?)", [song, vector])
