"""The pieces of a drum kit that are told apart by ear, and their General MIDI keys."""

from __future__ import annotations

PIECES = {
    "kick": 36,
    "snare": 38,
    "rim shot": 37,
    "clap": 39,
    "closed hi-hat": 42,
    "open hi-hat": 46,
    "tom": 47,
    "crash cymbal": 49,
    "ride cymbal": 51,
    "tambourine": 54,
    "cowbell": 56,
    "hand drum": 63,
    "shaker": 82,
    "claves": 75,
    "triangle": 81,
}
"""Piece -> the key it is written with."""

# What sounds alike, or differs only in pitch, is one piece. By the names of the composer.
_LIKENESSES = {
    "pedal hi-hat": "closed hi-hat",
    "low tom": "tom",
    "mid tom": "tom",
    "high tom": "tom",
    "ride bell": "ride cymbal",
    "maracas": "shaker",
    "conga": "hand drum",
    "low conga": "hand drum",
    "high bongo": "hand drum",
    "low bongo": "hand drum",
    "timbale": "hand drum",
}


def piece_of(name: str) -> str:
    """Give the piece of `PIECES` that a piece of the composer (`compose.drums.PIECES`) is heard as.

    Raises:
        KeyError: The composer has no such piece.
    """
    piece = _LIKENESSES.get(name, name)
    if piece not in PIECES:
        raise KeyError(name)
    return piece
