"""How alike the songs of a catalogue are to one song: by the embeddings that records carry."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from llark_py.analysis.likeness import likeness
from llark_py.errors import AudioError, ConfigError
from llark_py.files import hash_file

FORMAT = "<f2"
"""Of the numbers in an embedding, see `record.pack_embedding`."""
_EMBEDDED = "mini"
_AT_ONCE = 4096
"""Embeddings that are computed with while they are in the processor's cache."""
_ROWS_AT_ONCE = 16
"""A multiple of what BLAS takes at a time."""


@dataclass(frozen=True)
class Example:
    """A song that the songs of a catalogue are compared with.

    Attributes:
        content_hash: SHA-256 of the file; records of it are left out.
        vector: What was heard of it: `(width,)` float32 of about length 1.
    """

    content_hash: str
    vector: np.ndarray

    def most_alike(self, rows: sqlite3.Cursor, limit: int) -> Iterator[tuple[int, float]]:
        """Compare songs, and choose those that can be among the first.

        Args:
            rows: Of every song: its number in the index, how well words fit it in [0, 1] (None
                where there are none) and its embedding.
            limit: How many will be wanted; less than 1 is all.

        Returns:
            Song and how alike it sounds, in [0, 1] (`analysis.comparison.measure_similarity`): the
            first by the sum of fit and likeness, and all that are equal to the last of them.
        """
        songs: list[int] = []
        fits: list[float] = []
        cosines = [np.empty(0, np.float32)]
        while part := rows.fetchmany(_AT_ONCE):
            numbers, fit, vectors = zip(*part)
            songs += numbers
            fits += (value or 0.0 for value in fit)
            cosines.append(self._cosines(vectors))
        alike = likeness(np.concatenate(cosines)).astype(np.float64)
        scores = alike + np.array(fits)
        least = np.partition(scores, -limit)[-limit] if 0 < limit < len(songs) else 0.0
        return ((songs[i], float(alike[i])) for i in np.flatnonzero(scores >= least))

    def _cosines(self, vectors: Sequence[bytes]) -> np.ndarray:
        """Compare embeddings; a cosine is the same whichever others are computed with it.

        BLAS takes several rows at a time and rounds the few that are left over otherwise, so there
        are to be none.
        """
        blank = bytes(len(vectors[0])) * (-len(vectors) % _ROWS_AT_ONCE)
        numbers = np.frombuffer(b"".join((*vectors, blank)), FORMAT)
        cosines = numbers.reshape(-1, self.vector.size).astype(np.float32) @ self.vector
        return cosines[: len(vectors)] / np.linalg.norm(self.vector)


def read_example(connection: sqlite3.Connection, song: Path) -> Example:
    """Take a song to compare others with; it is heard, unless the catalogue knows it.

    Args:
        connection: An open index.
        song: A recording.

    Raises:
        AudioError: The song cannot be read, or there is nothing to hear in it.
        ConfigError: No record has an embedding, or the model that made them is not to be had.
    """
    if not connection.execute("SELECT 1 FROM embeddings LIMIT 1").fetchone():
        raise ConfigError(
            "no record of the catalogue has an embedding to compare songs by; caption them again"
        )
    content_hash = _hash_of(song)
    known = connection.execute(
        "SELECT vector FROM songs JOIN embeddings ON song = id WHERE content_hash = ? "
        "ORDER BY id LIMIT 1",
        [content_hash],
    ).fetchone()
    if known:
        return Example(content_hash, np.frombuffer(known[0], FORMAT).astype(np.float32))
    return Example(content_hash, _hear(song, *_maker(connection)))


def _maker(connection: sqlite3.Connection) -> tuple[str, str]:
    """Name the model that made the catalogue, and the hash of its weights."""
    makers = connection.execute("SELECT DISTINCT model, weights FROM songs").fetchall()
    if len(makers) > 1:
        names = ", ".join(f"{name} ({weights[:12]})" for name, weights in makers)
        raise ConfigError(f"the catalogue was made by several models: {names}; make it by one")
    return makers[0]


def _hash_of(song: Path) -> str:
    try:
        return hash_file(song)
    except OSError as error:
        raise ConfigError(f"--like {song}: {error.strerror}") from error


def _hear(song: Path, model: str, weights: str) -> np.ndarray:
    """Hear a song as the songs of the catalogue were heard."""
    from .captioner import load_captioner
    from .decode import decode_song
    from .record import Failure, unpack_embedding
    from .scan import look_at

    captioner = load_captioner(None if model == _EMBEDDED else model)
    if captioner.maker.weights != weights:
        raise ConfigError(
            f"the catalogue was made by another model (weights {weights[:12]}, now "
            f"{captioner.maker.weights[:12]} of '{model}'); caption the songs again"
        )
    looked = look_at(str(song))
    decoded = looked if isinstance(looked, Failure) else decode_song(looked, *captioner.rates)
    if isinstance(decoded, Failure):
        raise AudioError(decoded.reason)
    [listened] = captioner.listen([decoded], captioner.hear([decoded]))
    if listened.embedding is None:
        raise AudioError(f"there is nothing to hear in {song}")
    return unpack_embedding(listened.embedding)
