"""A table of your own: a .csv or .tsv whose columns are facts and whose rows are recordings.

The column `audio_path` (from the table's folder) is needed; `id`, `tempo_bpm`, `time_signature`,
`key`, `genre`, `mood`, `lead` and `lyrics` may be there, and `instruments` as names of the
composer's instruments with commas between. An empty cell is an unknown fact.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from llark_py.audio import load_audio
from llark_py.compose.instruments import family_of
from llark_py.errors import AudioError, ConfigError, LlarkError
from llark_py.theory import key_name, parse_key
from llark_py.track import Instrument, Source, Track

WORDS = ("id", "time_signature", "genre", "mood", "lead", "lyrics")
COLUMNS = ("audio_path", "tempo_bpm", "key", "instruments", *WORDS)


def read_tracks(root: Path) -> Iterator[Track]:
    """Read every row of the table.

    Args:
        root: The .csv or .tsv file.

    Raises:
        ConfigError: The file is missing, has other columns, or a cell does not fit; names the row.
    """
    if not root.is_file():
        raise ConfigError(f"no file '{root}'; expected a .csv or .tsv of recordings and facts")
    with root.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t" if root.suffix.lower() == ".tsv" else ",")
        columns = rows.fieldnames or []
        unknown = [c for c in columns if c not in COLUMNS]
        if unknown or "audio_path" not in columns:
            wrong = f"unknown column {unknown[0]!r}" if unknown else "no column 'audio_path'"
            raise ConfigError(f"{root}: {wrong}; allowed: {', '.join(COLUMNS)}")
        for number, row in enumerate(rows, 2):
            try:
                yield _track_of(row, root.parent)
            except (LlarkError, ValueError) as error:
                raise ConfigError(f"{root}, line {number}: {error}") from error


def _track_of(row: dict[str, str], folder: Path) -> Track:
    cells = {name: (value or "").strip() for name, value in row.items() if name in COLUMNS}
    audio = folder / cells["audio_path"]
    if not cells["audio_path"]:
        raise AudioError("the cell audio_path is empty")
    instruments = [name.strip() for name in cells.get("instruments", "").split(",")]
    bpm, key = cells.get("tempo_bpm"), cells.get("key")
    words = {name: cells.get(name) or None for name in WORDS if name != "id"}
    return Track(
        id=cells.get("id") or audio.stem,
        audio_path=str(audio.resolve()),
        duration_s=load_audio(audio).duration_s,
        tempo_bpm=float(bpm) if bpm else None,
        key=key_name(*parse_key(key)) if key else None,
        instruments=tuple(Instrument(n, family_of(n), "unknown") for n in instruments if n),
        sources={"*": Source("dataset:table")},
        **words,
    )
