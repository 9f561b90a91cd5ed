"""What of a record becomes columns of the index: facts that are sure enough, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llark_py.instruct.facts import speed_word
from llark_py.theory import KEYS, key_index, parse_key

from .conditions import DOUBTED, SURE
from .record import Fact, Record

LOUD_LUFS, QUIET_LUFS = -14.0, -23.0
"""Loud is at least what streaming services play at, quiet below what broadcasts do (EBU R 128)."""


def columns_of(record: Record) -> dict[str, Any]:
    """Give the columns of a record; None is what is unknown, or not sure enough.

    Besides the facts there are `speed` (`slow`, `moderate`, `fast`: `instruct.facts.speed_word`),
    `level` (`quiet`, `moderate`, `loud`), `mode`, `vocals` (`yes`, `no`; a choir counts) and
    `players` (1 where the instruments are known).
    """
    facts = record.facts
    key, metre = _sure(facts.key), _sure(facts.time_signature)
    tempo, vocals = _sure(facts.tempo_bpm), _sure(facts.vocals)
    loudness = _sure(facts.loudness_lufs)
    values = {
        "duration_s": record.duration_s,
        "content_hash": record.content_hash,
        "model": record.model.name,
        "weights": record.model.weights,
        "loudness_lufs": loudness,
        "level": None if loudness is None else _level(loudness),
        "tempo_bpm": tempo,
        "speed": None if tempo is None else speed_word(tempo, metre),
        "key": KEYS[key_index(key)] if key else None,
        "mode": parse_key(key)[1] if key else None,
        "time_signature": metre,
        "style": _sure(facts.style),
        "mood": _sure(facts.mood),
        "vocals": None if vocals is None else "yes" if vocals.singer or vocals.choir else "no",
        "players": None if facts.instruments is None else 1,
    }
    sureness = {f"{name}_confidence": _confidence(getattr(facts, name)) for name in DOUBTED}
    return values | sureness


def players_of(record: Record) -> Iterator[tuple[str, float]]:
    """Name the families that play and what they likely are, with the family's confidence.

    A family is listed from the threshold on that training found for it, so nothing is left out.
    """
    fact = record.facts.instruments
    for player in fact.value if fact else ():
        for name in dict.fromkeys((player.family, *player.instruments)):
            yield name, player.confidence


def _sure(fact: Fact[Any] | None) -> Any:
    return None if fact is None or _confidence(fact) < SURE else fact.value


def _confidence(fact: Fact[Any] | None) -> float:
    """Give how sure a fact is; what has no confidence (loudness) is sure, what is unknown not."""
    if fact is None:
        return 0.0
    return 1.0 if fact.confidence is None else fact.confidence


def _level(loudness_lufs: float) -> str:
    if loudness_lufs >= LOUD_LUFS:
        return "loud"
    return "quiet" if loudness_lufs < QUIET_LUFS else "moderate"
