"""Find songs of a catalogue by words ("slow jazz without drums") or by likeness to a song."""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llark_py.errors import ConfigError

if TYPE_CHECKING:
    from llark_py.catalogue.conditions import Query
    from llark_py.catalogue.search import Found, Hit

_COLUMNS = ("score", "tempo", "key", "metre", "length", "style", "mood", "song", "caption")
_RIGHT = ("score", "tempo", "length")


def search(
    catalogue: Annotated[Path, typer.Argument(help="What llark caption wrote: catalogue.jsonl.")],
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WORDS",
            help='What to look for, such as "calm piano in a minor key under 90 bpm".',
        ),
    ] = None,
    like: Annotated[
        Path | None, typer.Option(help="A recording; songs that sound like it come first.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most songs to show.")] = 20,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object, whole records included.")
    ] = False,
) -> None:
    """Find songs of a catalogue; says what it understood, and relaxes nothing."""
    from llark_py.catalogue.index import open_index
    from llark_py.catalogue.query import parse_query
    from llark_py.catalogue.search import is_said, names_held
    from llark_py.catalogue.search import search as find
    from llark_py.catalogue.vocabulary import Vocabulary

    text = " ".join(words or ())
    if not text and like is None:
        raise ConfigError('say what to look for: llark search catalogue.jsonl "slow jazz"')
    with closing(open_index(catalogue, _tell)) as index:
        held = Vocabulary(names_held(index))
        query = parse_query(text, held, lambda word: is_said(index, word))
        if like is None and not query.conditions and not query.words:
            raise ConfigError(f"'{text}' says nothing about the music to look for")
        example = None
        if like is not None:
            from llark_py.catalogue.alike import read_example

            example = read_example(index, like)
        found = find(index, catalogue, query, limit, example)
        unsaid = [word for word in query.words if not is_said(index, word)]
    if as_json:
        print(json.dumps(_as_json(query, unsaid, like, found), ensure_ascii=False))
        return
    _explain(query, unsaid, like, found)
    if found.hits:
        print(_table([_row(hit) for hit in found.hits]))


def _tell(message: str) -> None:
    print(f"llark: {message}", file=sys.stderr)


def _explain(query: Query, unsaid: list[str], like: Path | None, found: Found) -> None:
    """Say how the search was understood and what it came to."""
    for wrong, right in query.corrected.items():
        _tell(f"read '{wrong}' as '{right}'")
    _tell("; ".join([*query.told(), *([f"like {like}"] if like else [])]))
    if unsaid and found.matched:
        _tell(f"no caption says {', '.join(unsaid)}")
    if found.matched:
        shown = f", showing {len(found.hits)}" if len(found.hits) < found.matched else ""
        _tell(f"{found.matched:,} of {found.total:,} records match{shown}")
        return
    if not found.tallies:
        _tell(f"no caption of {found.total:,} records says any of these words")
        return
    _tell(f"none of {found.total:,} records fulfils all of this")
    for tally in found.tallies:
        unknown = f", {tally.unknown:,} do not tell" if tally.unknown else ""
        _tell(
            f"  {tally.condition}: {tally.fulfilling:,} do{unknown}; "
            f"without it {tally.without:,} would match"
        )
    _tell(f"what excludes most is '{found.strictest}'")


def _as_json(query: Query, unsaid: list[str], like: Path | None, found: Found) -> dict[str, Any]:
    return {
        "understood": query.told(),
        "corrected": query.corrected,
        "unsaid": unsaid,
        "like": str(like) if like else None,
        "total": found.total,
        "matched": found.matched,
        "filters": [{**asdict(t), "condition": str(t.condition)} for t in found.tallies],
        "songs": [asdict(hit) for hit in found.hits],
    }


def _row(hit: Hit) -> dict[str, str]:
    """Write what a person wants to see of a record; `?` stands behind what is not sure."""
    from llark_py.catalogue.conditions import SURE

    def fact(name: str, form: str = "{}") -> str:
        known = hit.record["facts"].get(name)
        if known is None:
            return "-"
        unsure = known["confidence"] is not None and known["confidence"] < SURE
        return form.format(known["value"]) + "?" * unsure

    minutes, seconds = divmod(round(hit.record["duration_s"]), 60)
    return {
        "score": f"{hit.score:.2f}",
        "tempo": fact("tempo_bpm", "{:.0f}"),
        "key": fact("key"),
        "metre": fact("time_signature"),
        "length": f"{minutes}:{seconds:02}",
        "style": fact("style"),
        "mood": fact("mood"),
        "song": hit.record["path"],
        "caption": hit.record["captions"]["line"],
    }


def _table(rows: list[dict[str, str]]) -> str:
    """Set rows in columns; on a terminal only the names of songs, and no line is broken."""
    on_terminal = sys.stdout.isatty()
    if on_terminal:
        rows = [row | {"song": Path(row["song"]).name} for row in rows]
    rows = [{key: _printable(text) for key, text in row.items()} for row in rows]
    rows.insert(0, {name: name for name in _COLUMNS})
    widths = {name: max(len(row[name]) for row in rows) for name in _COLUMNS}
    lines = []
    for row in rows:
        cells = (f"{row[n]:{'>' if n in _RIGHT else '<'}{widths[n]}}" for n in _COLUMNS)
        line = "  ".join(cells).rstrip()
        lines.append(line[: shutil.get_terminal_size().columns] if on_terminal else line)
    return "\n".join(lines)


def _printable(text: str) -> str:
    """Keep a file's name from moving the cursor or breaking the line."""
    return "".join(c if c.isprintable() else "?" for c in text)
