"""How alike the songs of a catalogue are to one song: by the embeddings that records carry."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import numpy as np

from llark_py.analysis.likeness import likeness
from llark_py.errors import ConfigError

FORMAT = "<f2"
"""Of the numbers in an embedding, see `record.pack_embedding`."""


def compare_with(connection: sqlite3.Connection, song: Path) -> dict[int, float]:
    """Compare every song of a catalogue with one song.

    The song is heard, unless the catalogue knows it; then it is left out of what it is compared
    with.

    Args:
        connection: An open index.
        song: A recording.

    Returns:
        By song of the index that has an embedding: how alike it sounds, in [0, 1]
        (`analysis.comparison.measure_similarity`).

    Raises:
        AudioError: The song cannot be read.
        ToolError: There is nothing to hear in it.
        ConfigError: No record has an embedding, or they are another encoder's.
    """
    rows = connection.execute("SELECT song, vector FROM embeddings").fetchall()
    if not rows:
        raise ConfigError(
            "no record of the catalogue has an embedding to compare songs by; caption them again"
        )
    same = _songs_of(connection, song)
    known = [vector for key, vector in rows if key in same]
    wanted = np.frombuffer(known[0], FORMAT).astype(np.float32) if known else _hear(song)
    others = [(key, vector) for key, vector in rows if key not in same]
    if any(len(vector) != 2 * wanted.size for _, vector in others):
        raise ConfigError(
            f"the catalogue was made with another encoder than the one that hears {song}; "
            "caption the songs again"
        )
    vectors = np.frombuffer(b"".join(vector for _, vector in others), FORMAT)
    cosines = vectors.reshape(-1, wanted.size).astype(np.float32) @ wanted
    cosines /= np.linalg.norm(wanted)
    return {key: likeness(c) for (key, _), c in zip(others, cosines.tolist(), strict=True)}


def _songs_of(connection: sqlite3.Connection, song: Path) -> set[int]:
    """Find the records of this very file, wherever it lay then."""
    try:
        with song.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"--like {song}: {error.strerror}") from error
    rows = connection.execute("SELECT id FROM songs WHERE content_hash = ?", [content])
    return {key for (key,) in rows}


def _hear(song: Path) -> np.ndarray:
    from llark_py.analysis.comparison import mean_token
    from llark_py.analysis.listening import check_sounding
    from llark_py.analysis.timbre import MIN_DURATION_S
    from llark_py.audio import load_audio

    audio = load_audio(song)
    check_sounding(audio, MIN_DURATION_S)
    return mean_token(audio)
