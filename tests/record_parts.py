"""Simulated records of a catalogue, for tests and speed scripts that need many or known ones."""

from __future__ import annotations

import hashlib
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from llark_py.catalogue.record import (
    Captions,
    Chords,
    Fact,
    Facts,
    Maker,
    Player,
    Record,
    Vocals,
    pack_embedding,
)
from llark_py.compose.instruments import FAMILIES, members
from llark_py.compose.mood import MOODS
from llark_py.compose.styles import STYLES
from llark_py.theory import KEYS

WIDTH = 256
MAKER = Maker(name="mini", version="0", weights="0" * 64)
_ADJECTIVES = ("gentle", "driving", "sparse", "dense", "warm", "bright", "dusty", "nocturnal")
_SCENES = ("a workout", "a rainy evening", "a long drive", "a small theatre", "a quiet library")


def fact(value: Any, confidence: float | None = 0.9, source: str = "model") -> Fact[Any]:
    """Make a fact."""
    return Fact(value=value, source=source, confidence=confidence)


def make_record(name: str = "song", line: str = "", **known: Any) -> Record:
    """Make a record of which only some things are known.

    Args:
        name: Of the file.
        line: The short caption.
        known: Facts as values or `Fact`s; `players` are families or (family, instrument,
            confidence); `sings` is a truth value; `duration_s`, `tags`, `embedding`, `path`,
            `maker` are those of a record.
    """
    duration_s, tags = known.pop("duration_s", 60.0), known.pop("tags", ())
    maker = known.pop("maker", MAKER)
    embedding, path = known.pop("embedding", None), known.pop("path", f"/music/{name}.wav")
    facts = {k: v if isinstance(v, Fact) else fact(v) for k, v in known.items() if k not in _OWN}
    if "players" in known:
        players = [_player(p) for p in known["players"]]
        facts["instruments"] = fact(tuple(players))
    if "sings" in known:
        vocals = Vocals(singer=known["sings"], choir=False, sung_percent=50.0 * known["sings"])
        facts["vocals"] = fact(vocals)
    return Record(
        path=path,
        content_hash=hashlib.sha256(name.encode()).hexdigest(),
        size_bytes=1000,
        modified_ns=0,
        duration_s=duration_s,
        captions=Captions(line=line, paragraph=line, tags=tags),
        facts=Facts(**facts),
        embedding=None if embedding is None else pack_embedding(np.asarray(embedding)),
        model=maker,
    )


_OWN = ("players", "sings")


def _player(given: str | tuple[str, str, float]) -> Player:
    family, instrument, confidence = (given, given, 0.9) if isinstance(given, str) else given
    return Player(family=family, confidence=confidence, share=0.5, instruments=(instrument,))


def random_record(number: int) -> Record:
    """Make the record of a song that does not exist, with all facts; the same for a number."""
    rng, draw = Random(number), np.random.default_rng(number)
    style, mood = rng.choice(STYLES), rng.choice(MOODS)
    families = rng.sample(FAMILIES[:-1], rng.randint(1, 5))
    players = [(f, rng.choice(members(f)), rng.uniform(0.3, 1.0)) for f in families]
    named = " and ".join(instrument for _, instrument, _ in players)
    line = (
        f"A {rng.choice(_ADJECTIVES)} {mood} {style} piece with {named} for {rng.choice(_SCENES)}."
    )
    sings, tempo = rng.random() < 0.4, round(rng.uniform(50, 190), 1)
    return make_record(
        f"song {number:06}",
        f"{line} It moves at a steady pace, the harmony changes once a bar, and ends as it began.",
        duration_s=rng.uniform(20, 400),
        tags=(style, mood, *(instrument for _, instrument, _ in players)),
        style=fact(style, rng.uniform(0.3, 1)),
        mood=fact(mood, rng.uniform(0.3, 1)),
        tempo_bpm=fact(tempo, rng.uniform(0.3, 1), "tool:estimate_tempo"),
        key=fact(rng.choice(KEYS), rng.uniform(0.3, 1), "tool:estimate_key"),
        time_signature=fact(rng.choice(("4/4", "3/4", "6/8")), rng.uniform(0.4, 1)),
        chords=fact(Chords(progression="I V vi IV", common=("C", "G", "Am", "F"))),
        loudness_lufs=fact(rng.uniform(-30, -8), None, "tool:measure_loudness"),
        players=players,
        sings=sings,
        embedding=draw.standard_normal(WIDTH),
    )


def write_catalogue(path: Path, records: list[Record]) -> Path:
    """Write records as a catalogue."""
    path.write_text("".join(r.model_dump_json() + "\n" for r in records), encoding="utf-8")
    return path
