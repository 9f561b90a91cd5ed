"""How alike the songs of a catalogue are to one song: by the embeddings that records carry."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import numpy as np

from llark_py.analysis.likeness import likeness
from llark_py.errors import AudioError, ConfigError

FORMAT = "<f2"
"""Of the numbers in an embedding, see `record.pack_embedding`."""
_EMBEDDED = "mini"


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
        AudioError: The song cannot be read, or there is nothing to hear in it.
        ConfigError: No record has an embedding, or the model that made them is not to be had.
    """
    rows = connection.execute("SELECT song, vector FROM embeddings").fetchall()
    if not rows:
        raise ConfigError(
            "no record of the catalogue has an embedding to compare songs by; caption them again"
        )
    same = _songs_of(connection, song)
    known = [vector for key, vector in rows if key in same]
    if known:
        wanted = np.frombuffer(known[0], FORMAT).astype(np.float32)
    else:
        wanted = _hear(song, *_maker(connection))
    others = [(key, vector) for key, vector in rows if key not in same]
    vectors = np.frombuffer(b"".join(vector for _, vector in others), FORMAT)
    cosines = vectors.reshape(-1, wanted.size).astype(np.float32) @ wanted
    cosines /= np.linalg.norm(wanted)
    return dict(zip((key for key, _ in others), likeness(cosines).tolist(), strict=True))


def _maker(connection: sqlite3.Connection) -> tuple[str, str]:
    """Name the model that made the catalogue, and the hash of its weights."""
    makers = connection.execute("SELECT DISTINCT model, weights FROM songs").fetchall()
    if len(makers) > 1:
        names = ", ".join(f"{name} ({weights[:12]})" for name, weights in makers)
        raise ConfigError(f"the catalogue was made by several models: {names}; make it by one")
    return makers[0]


def _songs_of(connection: sqlite3.Connection, song: Path) -> set[int]:
    """Find the records of this very file, wherever it lay then."""
    try:
        with song.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"--like {song}: {error.strerror}") from error
    rows = connection.execute("SELECT id FROM songs WHERE content_hash = ?", [content])
    return {key for (key,) in rows}


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
