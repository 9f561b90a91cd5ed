"""The published record of a song in a catalogue: captions, facts with their sources, an embedding.

`llark caption --schema` prints its JSON Schema. A catalogue is a JSONL file of such records, one
line a song, no path twice. Nothing in a record depends on when or how fast it was made.
"""

from __future__ import annotations

import base64
from typing import Generic, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from llark_py.track import Section

SCHEMA_VERSION = 1
"""Raised when a field changes its meaning; catalogues of another version are not continued."""
MODEL = "model"
T = TypeVar("T")


def tool_source(name: str) -> str:
    """Give the source of what a tool measures."""
    return f"tool:{name}"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Fact(_Frozen, Generic[T]):
    """What is known of a song, who says so, and how surely."""

    value: T
    source: str = Field(
        pattern=r"^(model|tool:[a-z_]+)$",
        description="`model` (a head of the encoder) or `tool:<name>` (a measurement).",
    )
    confidence: float | None = Field(
        ge=0, le=1, description="In [0, 1]; null where it would mean nothing, as for loudness."
    )


class Chords(_Frozen):
    """The harmony in short."""

    progression: str = Field(description="Main progression in Roman numerals: `I V vi IV`.")
    common: tuple[str, ...] = Field(description="Chords that sound longest, the longest first.")


class Player(_Frozen):
    """An instrument family that plays."""

    family: str
    confidence: float = Field(ge=0, le=1)
    share: float = Field(ge=0, le=1, description="Of the song in which it sounds.")
    instruments: tuple[str, ...] = Field(description="What it likely is, the likeliest first.")


class Vocals(_Frozen):
    """Who sings, and how much."""

    singer: bool
    choir: bool
    sung_percent: float = Field(ge=0, le=100, description="Of the song, by the singer.")


class Facts(_Frozen):
    """Facts of one song; null means unknown, never absent. `Record.unknown` says why."""

    sound: Fact[str] | None = Field(
        None, description="`music`, or what it is instead: `silence`, `noise`, `speech`, ..."
    )
    style: Fact[str] | None = None
    mood: Fact[str] | None = None
    tempo_bpm: Fact[float] | None = Field(None, description="Beats per minute.")
    key: Fact[str] | None = Field(None, description="Tonic and mode: `F# minor`.")
    time_signature: Fact[str] | None = Field(None, description="`4/4`, `3/4` or `6/8`.")
    chords: Fact[Chords] | None = None
    instruments: Fact[tuple[Player, ...]] | None = Field(
        None, description="Families in order of their first entrance; each has its confidence."
    )
    vocals: Fact[Vocals] | None = None
    vocals_language: Fact[str] | None = Field(
        None, description="Always null: nothing here tells languages apart yet."
    )
    sections: Fact[tuple[Section, ...]] | None = Field(
        None, description="[start_s, end_s, label] without gaps, of songs of 20 s and more."
    )
    loudness_lufs: Fact[float] | None = Field(None, description="Integrated, ITU-R BS.1770-4.")


class Captions(_Frozen):
    """What the model says, greedily decoded."""

    line: str
    paragraph: str
    tags: tuple[str, ...]


class Maker(_Frozen):
    """Which model made a record."""

    name: str = Field(description="`mini`, or the folder or Hub name that was given.")
    version: str = Field(description="Of llark_py.")
    weights: str = Field(description="Hash of weights and configuration, hexadecimal.")


class Record(_Frozen):
    """One song of a catalogue."""

    schema_version: int = SCHEMA_VERSION
    path: str = Field(description="Absolute path of the file.")
    content_hash: str = Field(description="SHA-256 of the file, hexadecimal.")
    size_bytes: int
    modified_ns: int = Field(description="Time of the last change of the file, since 1970.")
    duration_s: float = Field(gt=0)
    captions: Captions
    facts: Facts
    unknown: dict[str, str] = Field(
        default={}, description="Name of a fact that could not be had -> why, in one sentence."
    )
    asked: dict[str, str] = Field(default={}, description="Question of the user -> answer.")
    embedding: str | None = Field(
        None,
        description="Mean frame token of the encoder at length 1: base64 of little-endian float16; "
        "the cosine of two is how alike songs sound. Null where there is nothing to hear.",
    )
    model: Maker


class Failure(_Frozen):
    """A file that no record could be made of; a line of `catalogue.errors.jsonl`."""

    path: str
    size_bytes: int | None = Field(description="Null where not even that can be told.")
    modified_ns: int | None
    reason: str


def pack_embedding(vector: np.ndarray) -> str:
    """Write a vector `(width,)` at length 1 as base64 of float16, 1.3 kB for 512 numbers.

    Raises:
        ValueError: It has no length.
    """
    length = float(np.linalg.norm(vector))
    if not length > 0:
        raise ValueError("an embedding of length 0 has no direction")
    return base64.b64encode((vector / length).astype("<f2").tobytes()).decode("ascii")


def unpack_embedding(text: str) -> np.ndarray:
    """Read what `pack_embedding` wrote: `(width,)` float32 of about length 1."""
    return np.frombuffer(base64.b64decode(text, validate=True), "<f2").astype(np.float32)
