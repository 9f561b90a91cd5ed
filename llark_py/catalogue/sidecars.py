"""A text or JSON beside each song of a catalogue: what training data of music models comes with."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from llark_py.files import write_whole

from .lines import read_lines

SIDECARS = ("txt", "json")


def write_sidecars(records: Path, form: str) -> list[str]:
    """Write a file beside each song: its long caption (`txt`), or its record (`json`).

    What was written is noted beside the catalogue (`catalogue.sidecars.json`), so that a song that
    has changed gets another file. A file that somebody else wrote, or has changed since, and that
    says something else is left as it is.

    Args:
        records: The catalogue.
        form: One of `SIDECARS`.

    Returns:
        Which could not be written, each with the reason.
    """
    notes = records.with_name(f"{records.stem}.sidecars.json")
    ours: dict[str, str] = _read_notes(notes)
    complaints = []
    for record in read_lines(records):
        place = Path(record["path"]).with_suffix(f".{form}")
        text = record["captions"]["paragraph"]
        if form == "json":
            text = json.dumps(record, ensure_ascii=False, indent=1)
        try:
            if _write(place, f"{text}\n", ours.get(str(place))):
                ours[str(place)] = _digest(f"{text}\n".encode())
            else:
                complaints.append(f"{place} is there already and says something else")
        except OSError as error:
            complaints.append(f"{place} cannot be written: {error.strerror or error}")
    write_whole(notes, json.dumps(ours, indent=0))
    return complaints


def _write(place: Path, text: str, before: str | None) -> bool:
    """Write a file, if there is none or the one that was written before; say whether it holds."""
    try:
        with place.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        there = place.read_bytes()
        if there == text.encode():
            return True
        if before is None or _digest(there) != before:
            return False
        write_whole(place, text)
    return True


def _read_notes(notes: Path) -> dict[str, str]:
    """Read what was written before; nothing where the notes are missing or are no notes."""
    try:
        read = json.loads(notes.read_bytes())
    except (OSError, ValueError):
        return {}  # then every file that says something else is taken for somebody else's
    return read if isinstance(read, dict) else {}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]
