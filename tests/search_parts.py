"""A catalogue of four songs, and searches in it, for the tests of searching."""

from __future__ import annotations

from pathlib import Path

from record_parts import fact, make_record

from llark_py.catalogue.alike import read_example
from llark_py.catalogue.index import open_index
from llark_py.catalogue.query import parse_query
from llark_py.catalogue.record import Record
from llark_py.catalogue.search import Found, is_said, names_held, search
from llark_py.catalogue.vocabulary import Vocabulary


def songs() -> list[Record]:
    """A few songs that differ in what searches ask for."""
    return [
        make_record(
            "nocturne",
            "A calm piano nocturne for a rainy night.",
            tags=("classical piano", "peaceful"),
            style="classical piano",
            mood="peaceful",
            tempo_bpm=72.0,
            key="A minor",
            time_signature="3/4",
            loudness_lufs=fact(-25.0, None),
            players=["piano"],
            sings=False,
            duration_s=250.0,
        ),
        make_record(
            "swing",
            "Swinging jazz with a saxophone that tells a story.",
            tags=("jazz", "saxophone"),
            style="jazz",
            mood="cheerful",
            tempo_bpm=168.0,
            key="Bb major",
            time_signature="4/4",
            loudness_lufs=fact(-12.0, None),
            players=["drums", ("woodwind", "saxophone", 0.4), "piano"],
            sings=False,
            duration_s=120.0,
        ),
        make_record(
            "ballad",
            "A singer and a guitar by the fire.",
            style=fact("folk", 0.3),
            mood="melancholic",
            tempo_bpm=88.0,
            key="C# minor",
            time_signature="4/4",
            players=[("guitar", "acoustic guitar", 0.9)],
            sings=True,
            duration_s=180.0,
        ),
        make_record("wind", "Wind and nothing else.", sound="nature"),
    ]


def find(catalogue: Path, text: str, limit: int = 20, like: Path | None = None) -> Found:
    """Search as the command line does."""
    index = open_index(catalogue, lambda message: None)
    vocabulary = Vocabulary(names_held(index))
    query = parse_query(text, vocabulary, lambda word: is_said(index, word))
    example = read_example(index, like) if like else None
    found = search(index, catalogue, query, limit, example)
    index.close()
    return found


def names(found: Found) -> list[str]:
    """Name the songs that were found, in order."""
    return [hit.record["path"].split("/")[-1].removesuffix(".wav") for hit in found.hits]
