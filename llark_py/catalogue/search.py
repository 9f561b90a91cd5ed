"""Finds records of a catalogue: those that fulfil all conditions, best first."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .conditions import DOUBTED, INSTRUMENTS, WORDS, Condition, OneOf, Query, Range

if TYPE_CHECKING:
    from .alike import Example  # a search by words loads no numpy

_DOUBTED_AS = {"speed": "tempo_bpm", "mode": "key"}
_TAG_WEIGHT = 2.0
"""A word among the tags says more of a song than one in a sentence."""
_LEAST_FIT = 1e-9
"""Divides by something where the best fit is none."""


@dataclass(frozen=True)
class Hit:
    """A record that was found.

    Attributes:
        record: As it stands in the catalogue.
        score: What the order is by, in [0, 1]: the mean of words and likeness as far as they were
            asked for, else the confidence.
        words: How well captions and tags fit the words (BM25), the best of all found being 1;
            None where there are no words.
        likeness: To the song it was compared with, in [0, 1]; None where there is none.
        confidence: Mean of the facts that were asked for, in [0, 1].
    """

    record: dict[str, Any]
    score: float
    words: float | None
    likeness: float | None
    confidence: float


@dataclass(frozen=True)
class Tally:
    """How a condition divides a catalogue: records that fulfil it, and that do not tell.

    `without` counts those that would be found if it were not asked for.
    """

    condition: Condition
    fulfilling: int
    unknown: int
    without: int


@dataclass(frozen=True)
class Found:
    """What a search found: the first of `matched` records of `total`."""

    hits: tuple[Hit, ...]
    matched: int
    total: int
    tallies: tuple[Tally, ...]

    @property
    def strictest(self) -> Condition:
        """The condition that fewest records fulfil."""
        return min(self.tallies, key=lambda tally: tally.fulfilling).condition


def names_held(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """List by fact the styles, moods and instruments that the catalogue names."""
    held: dict[str, list[str]] = {}
    for fact, value in connection.execute("SELECT fact, value FROM names"):
        held.setdefault(fact, []).append(value)
    return held


def is_said(connection: sqlite3.Connection, word: str) -> bool:
    """Tell whether captions or tags say a word, in whatever form."""
    rows = connection.execute(
        "SELECT 1 FROM words WHERE words MATCH ? LIMIT 1", [_any_word([word])]
    )
    return rows.fetchone() is not None


def search(
    connection: sqlite3.Connection,
    catalogue: Path,
    query: Query,
    limit: int,
    example: Example | None = None,
) -> Found:
    """Find records.

    Args:
        connection: An open index.
        catalogue: The file it is the index of; records are read from there.
        query: What is wanted.
        limit: Most records to read.
        example: A song; only what can be compared with it is found, the more alike the sooner.
    """
    total, tallies = _test(connection, query.conditions, example)
    matching, fit, words = "tested", "NULL", "NULL"
    divisor: list[float] = []
    if query.ranking:
        said = f"SELECT rowid, -bm25(words, 1.0, {_TAG_WEIGHT}) FROM words WHERE words MATCH ?"
        _keep(connection, "said", "fit", said, [_any_word(query.ranking)])
        only_words = bool(query.words) and not query.conditions and example is None
        matching += f" {'' if only_words else 'LEFT'} JOIN said USING (id)"
        fit, words = "max(fit)", "coalesce(fit, 0) / ?"
    [(matched, best)] = connection.execute(
        f"SELECT count(*), {fit} FROM {matching} WHERE missed = 0"
    )
    if query.ranking:
        divisor = [max(best or 0.0, _LEAST_FIT)]
    if example is not None:
        compared = f"SELECT id, {words}, vector FROM {matching} JOIN embeddings ON song = id"
        rows = connection.execute(f"{compared} WHERE missed = 0", divisor)
        # Those that come too late are left out: a table of all songs takes longer.
        _keep(connection, "alike", "likeness")
        connection.executemany("INSERT INTO alike VALUES (?, ?)", example.most_alike(rows, limit))
        matching += " JOIN alike USING (id)"
    sureness, names = _confidence(query.conditions)
    parts = ["words"] * bool(query.ranking) + ["likeness"] * (example is not None)
    rows = connection.execute(
        f"""
        WITH scored AS (
          SELECT start, path, {"likeness" if example is not None else "NULL AS likeness"},
            {sureness} AS confidence, {words} AS words
          FROM {matching} JOIN songs USING (id) WHERE missed = 0
        )
        SELECT start, {f"({' + '.join(parts)}) / {len(parts)}" if parts else "confidence"} AS score,
          words, likeness, confidence
        FROM scored ORDER BY score DESC, confidence DESC, path LIMIT ?
        """,
        [*names, *divisor, limit],
    )
    hits = []
    with catalogue.open("rb") as file:
        for start, *points in rows:
            file.seek(start)
            hits.append(Hit(json.loads(file.readline()), *points))
    return Found(tuple(hits), matched, total, tallies)


def _any_word(words: Sequence[str]) -> str:
    """Ask the full text for any of some words; quoted, so that none is an operator."""
    single = [part for word in words for part in word.split()]
    return " OR ".join('"' + word.replace('"', "") + '"' for word in single) or '""'


def _sql(condition: Condition) -> tuple[str, list[Any]]:
    """Write a condition in SQL: true, false, or NULL where the record does not tell."""
    if isinstance(condition, Range):
        equal = "=" if condition.includes_ends else ""
        ends = ((condition.low, ">"), (condition.high, "<"))
        tests = [(f"{condition.fact} {sign}{equal} ?", end) for end, sign in ends]
        test = " AND ".join(text for text, end in tests if end is not None)
        values: list[Any] = [end for _, end in tests if end is not None]
    elif condition.fact == WORDS:
        test = "id IN (SELECT rowid FROM words WHERE words MATCH ?)"
        values = [_any_word(condition.values)]
    else:
        values = list(condition.values)
        listed = f"IN ({_marks(values)})"
        if condition.fact == INSTRUMENTS:
            playing = f"id IN (SELECT song FROM players WHERE name {listed})"
            test = f"CASE WHEN players THEN {playing} END"
        else:
            test = f"{condition.fact} {listed}"
    return (f"({test})" if condition.wanted else f"NOT ({test})"), values


def _confidence(conditions: Sequence[Condition]) -> tuple[str, list[str]]:
    """Write in SQL how sure the facts of some conditions are, on average."""
    parts: list[str] = []
    values: list[str] = []
    for condition in conditions:
        column = _DOUBTED_AS.get(condition.fact, condition.fact)
        if column in DOUBTED:
            parts.append(f"{column}_confidence")
        elif isinstance(condition, OneOf) and condition.fact == INSTRUMENTS and condition.wanted:
            parts.append(
                "(SELECT max(confidence) FROM players "
                f"WHERE song = id AND name IN ({_marks(condition.values)}))"
            )
            values += condition.values
    return (f"({' + '.join(parts)}) / {len(parts)}" if parts else "1.0"), values


def _test(
    connection: sqlite3.Connection, conditions: Sequence[Condition], example: Example | None
) -> tuple[int, tuple[Tally, ...]]:
    """Count the records and what each condition leaves of them.

    The table `tested` then says of every song how many conditions it misses.
    """
    tests = [_sql(condition) for condition in conditions]
    given = [value for _, values in tests for value in values]
    source = "songs"
    if example is not None:
        source += " WHERE id IN (SELECT song FROM embeddings) AND content_hash IS NOT ?"
        given.append(example.content_hash)
    columns = "".join(f", {test} AS t{i}" for i, (test, _) in enumerate(tests))
    missed = " + ".join(f"(t{i} IS NOT TRUE)" for i in range(len(tests))) or "0"
    # The limit keeps SQLite from working out every condition once more for each of its uses.
    rows = f"SELECT *, {missed} FROM (SELECT id{columns} FROM {source} LIMIT -1)"
    names = ", ".join([f"t{i}" for i in range(len(tests))] + ["missed"])
    _keep(connection, "tested", names, rows, given)
    sums = "".join(
        f", total(t{i}), total(t{i} IS NULL), total(missed = (t{i} IS NOT TRUE))"
        for i in range(len(tests))
    )
    [(records, *counts)] = connection.execute(f"SELECT count(*){sums} FROM tested")
    whole = [int(count) for count in counts]
    return records, tuple(
        Tally(condition, *whole[3 * i : 3 * i + 3]) for i, condition in enumerate(conditions)
    )


def _keep(
    connection: sqlite3.Connection,
    table: str,
    columns: str,
    rows: str = "",
    given: Sequence[Any] = (),
) -> None:
    """Keep what a statement finds by song; without the key, joins would take a minute."""
    connection.execute(f"DROP TABLE IF EXISTS temp.{table}")
    connection.execute(f"CREATE TEMP TABLE {table} (id INTEGER PRIMARY KEY, {columns})")
    if rows:
        connection.execute(f"INSERT INTO {table} {rows}", given)


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))
