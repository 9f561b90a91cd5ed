"""The index beside a catalogue that searches read: facts as columns, words as full text.

It is an SQLite file that can be made again at any time from the catalogue. SQLite is part of
Python; its full-text index (FTS5) ranks by BM25, stems English words and grows by single records,
which DuckDB's extension for it (a download) and static indexes such as bm25s do not.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from llark_py.errors import ConfigError

from .conditions import DOUBTED

_VERSION = 1
"""Of the tables here and of what `columns_of` puts into them; others are made again."""
_PATIENCE_S = 60.0
_CHUNK = 1 << 20
_REPORT_EVERY = 5000
_SCHEMA = f"""
CREATE TABLE state (records, bytes, digest, inode, modified_ns, size);
CREATE TABLE songs (
  id INTEGER PRIMARY KEY, path TEXT UNIQUE, start INTEGER,
  content_hash TEXT, model TEXT, weights TEXT,
  duration_s REAL, loudness_lufs REAL, level TEXT, tempo_bpm REAL, speed TEXT, key TEXT, mode TEXT,
  time_signature TEXT, style TEXT, mood TEXT, vocals TEXT, players INTEGER,
  {", ".join(f"{fact}_confidence REAL" for fact in DOUBTED)}
);
CREATE INDEX songs_by_hash ON songs (content_hash);
CREATE TABLE players (name TEXT, song INTEGER, confidence REAL, PRIMARY KEY (name, song))
  WITHOUT ROWID;
CREATE INDEX players_by_song ON players (song);
CREATE TABLE names (fact TEXT, value TEXT, PRIMARY KEY (fact, value)) WITHOUT ROWID;
CREATE TABLE embeddings (song INTEGER PRIMARY KEY, vector BLOB);
CREATE VIRTUAL TABLE words USING fts5 (
  caption, tags, tokenize = 'porter unicode61 remove_diacritics 2'
);
"""
_OWN_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'words_*'"
Report = Callable[[str], None]


def open_index(catalogue: Path, report: Report) -> sqlite3.Connection:
    """Open the index of a catalogue; it is made, or what was appended is added, where needed.

    All happens in one transaction: who is stopped, or two who search at once, leave the old index
    or the new one.

    Args:
        catalogue: A JSONL file of records, as `llark caption` writes it.
        report: Told in a few words what takes time, and what is left out.

    Raises:
        ConfigError: There is no such catalogue, it holds no record or something else, or the
            index cannot be written beside it.
    """
    if not catalogue.is_file():
        what = "is a folder" if catalogue.is_dir() else "does not exist"
        raise ConfigError(
            f"{catalogue} {what}; make a catalogue: llark caption SONGS --out catalogue.jsonl"
        )
    place = catalogue.with_suffix(".index.sqlite")
    try:
        try:
            return _opened(place, catalogue, report)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            report(f"{place} is damaged and is made again")
            place.unlink()
            return _opened(place, catalogue, report)
    except sqlite3.OperationalError as error:
        raise ConfigError(f"the index {place} cannot be used: {error}") from error
    except OSError as error:
        raise ConfigError(f"{error.filename}: {error.strerror}") from error


def _opened(place: Path, catalogue: Path, report: Report) -> sqlite3.Connection:
    connection = sqlite3.connect(place, timeout=_PATIENCE_S, isolation_level=None)
    try:
        connection.execute("PRAGMA temp_store = MEMORY")
        _update(connection, catalogue, report)
    except BaseException:
        connection.close()
        if place.stat().st_size == 0:
            place.unlink()
        raise
    return connection


def _update(connection: sqlite3.Connection, catalogue: Path, report: Report) -> None:
    with catalogue.open("rb") as file:
        status = os.fstat(file.fileno())
        stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
        state = _state(connection)
        if state is None or state.stamp != stamp:
            with connection:  # commits, or takes all back
                connection.execute("BEGIN IMMEDIATE")
                state = _added(connection, catalogue, file, report)
                row = (state.records, state.bytes, state.digest, *stamp)
                connection.execute("DELETE FROM state")
                connection.execute("INSERT INTO state VALUES (?, ?, ?, ?, ?, ?)", row)
    if state.bytes < status.st_size:
        report(f"the last line of {catalogue} is unfinished and is left out")


class _State(NamedTuple):
    """How far a catalogue is indexed, and how its file looked then."""

    records: int
    bytes: int
    digest: str
    stamp: tuple[int, int, int]


def _state(connection: sqlite3.Connection) -> _State | None:
    [(version,)] = connection.execute("PRAGMA user_version")
    if version != _VERSION:
        return None
    [(records, size, digest, *stamp)] = connection.execute("SELECT * FROM state")
    return _State(records, size, digest, tuple(stamp))


def _added(
    connection: sqlite3.Connection, catalogue: Path, file: BinaryIO, report: Report
) -> _State:
    """Add the lines that are new; all of them where the file is not what it was, and longer."""
    from .rows import add_record, read_record  # a search that finds all indexed loads no pydantic

    state = _state(connection)
    digest = hashlib.sha256()
    if state is None or not _begins_as_before(file, state, digest):
        for (name,) in connection.execute(_OWN_TABLES).fetchall():
            connection.execute(f"DROP TABLE {name}")
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {_VERSION}")
        file.seek(0)
        digest, state = hashlib.sha256(), _State(0, 0, "", (0, 0, 0))
    count, start = state.records, state.bytes
    for line in file:
        if not line.endswith(b"\n"):
            break
        count += 1
        add_record(connection, read_record(line, f"{catalogue}, line {count}"), start)
        digest.update(line)
        start += len(line)
        if count % _REPORT_EVERY == 0:
            report(f"indexing: {count:,} records")
    if not count:
        raise ConfigError(f"{catalogue} holds no records; make some with llark caption")
    return _State(count, start, digest.hexdigest(), (0, 0, 0))


def _begins_as_before(file: BinaryIO, state: _State, digest: Any) -> bool:
    left = state.bytes
    while left and (part := file.read(min(left, _CHUNK))):
        digest.update(part)
        left -= len(part)
    return not left and digest.hexdigest() == state.digest
