"""List the measuring tools, or run one on a recording."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from llark_py.errors import ConfigError, ToolError, UnknownNameError

from ._songs import for_each_song, save_all


def tools(
    name: Annotated[str | None, typer.Argument(help="The tool; none: list them.")] = None,
    given: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SONG... KEY=VALUE...",
            help="Recordings, and arguments of the tool such as start_s=10.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for files the tool makes; default: the current one.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON line per song, all details included.")
    ] = False,
) -> int:
    """List the measuring tools, or run one on recordings."""
    from llark_py import tools as room

    if name is None:
        width = max(map(len, room.names()))
        for tool in room.names():
            line = {"name": tool, "description": room.describe(tool)}
            print(json.dumps(line) if as_json else f"{tool:{width}}  {line['description']}")
        return 0
    room.describe(name)  # an unknown tool is told before a song is read
    if not given:
        raise ConfigError(f"give a recording: llark tools {name} SONG")
    recordings, others = room.parameters(name)
    songs, arguments = _split(given, others)
    if len(recordings) > 1:
        least, places = room.n_required_recordings(name), ["SONG"] * len(recordings)
        if not least <= len(songs) <= len(recordings):
            places[least:] = [f"[{place}]" for place in places[least:]]
            raise ConfigError(
                f"{name} takes {len(recordings)} recordings ({', '.join(recordings)}), "
                f"not {len(songs)}: llark tools {name} {' '.join(places)}"
            )
        named = dict(zip(recordings, _ids(len(songs)), strict=False))
        _run(name, songs, arguments | named, out, as_json, heading=False)
        return 0
    if not songs:
        raise ConfigError(f"give a recording: llark tools {name} SONG")
    several = len(songs) > 1
    return for_each_song(
        songs,
        lambda song: _run(name, [song], arguments, out, as_json, heading=several),
        lambda song, message: _print_error(song, message) if as_json else None,
    )


def _split(given: Sequence[str], known: Sequence[str]) -> tuple[list[Path], dict[str, str]]:
    """Tell recordings from `key=value`; a file may have a `=` in its name."""
    songs, arguments = [], {}
    for text in given:
        key, equals, value = text.partition("=")
        if equals and key in known:
            arguments[key] = value
        elif equals and key.isidentifier() and not Path(text).exists():
            raise UnknownNameError("argument", key, known)
        else:
            songs.append(Path(text))
    return songs, arguments


def _ids(n: int) -> list[str]:
    """Name recordings as a conversation does."""
    return [f"audio_{number}" for number in range(1, n + 1)]


def _run(
    name: str,
    songs: Sequence[Path],
    arguments: dict[str, str],
    out: Path | None,
    as_json: bool,
    heading: bool,
) -> None:
    from llark_py import tools as room
    from llark_py.audio import load_audio

    workspace = room.Workspace(report=_show_progress if sys.stderr.isatty() else _show_nothing)
    audios = dict(zip(_ids(len(songs)), map(load_audio, songs), strict=True))
    result = room.run_tool(name, arguments, audios, workspace)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    if result.error:
        raise ToolError(result.error)
    paths = save_all(workspace.artefacts, out, songs[0])
    if as_json:
        several = {"songs": [str(song) for song in songs]}
        line = {
            **(several if len(songs) > 1 else {"song": str(songs[0])}),
            "tool": name,
            "result": result.content,
            "details": result.details,
            "artefacts": [str(p) for p in paths],
        }
        print(json.dumps(line, ensure_ascii=False), flush=True)
        return
    if heading:
        print(f"# {songs[0].name}")
    width = max(map(len, result.content))
    for key, value in result.content.items():
        print(f"{key:{width}}  {value}", flush=True)


def _print_error(song: Path, message: str) -> None:
    print(json.dumps({"song": str(song), "error": message}, ensure_ascii=False), flush=True)


def _show_progress(fraction: float, note: str) -> None:
    print(f"\r\033[K{fraction:4.0%} {note}", end="", file=sys.stderr, flush=True)


def _show_nothing(fraction: float, note: str) -> Any:
    pass
