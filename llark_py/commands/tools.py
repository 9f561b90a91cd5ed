"""List the measuring tools, or run one on a recording."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from llark_py.errors import ConfigError, ToolError

from ._songs import for_each_song, save_all


def tools(
    name: Annotated[str | None, typer.Argument(help="The tool; none: list them.")] = None,
    songs: Annotated[
        list[Path] | None, typer.Argument(metavar="SONG...", help="Recordings.")
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
    if not songs:
        raise ConfigError(f"give a recording: llark tools {name} SONG")
    several = len(songs) > 1
    return for_each_song(
        songs,
        lambda song: _run(name, song, out, as_json, heading=several),
        lambda song, message: _print_error(song, message) if as_json else None,
    )


def _run(name: str, song: Path, out: Path | None, as_json: bool, heading: bool) -> None:
    from llark_py import tools as room
    from llark_py.audio import load_audio

    workspace = room.Workspace(report=_show_progress if sys.stderr.isatty() else _show_nothing)
    audio = load_audio(song)
    result = room.run_tool(name, {"audio": "audio_1"}, {"audio_1": audio}, workspace)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    if result.error:
        raise ToolError(result.error)
    paths = save_all(workspace.artefacts, out, song)
    if as_json:
        line = {
            "song": str(song),
            "tool": name,
            "result": result.content,
            "details": result.details,
            "artefacts": [str(p) for p in paths],
        }
        print(json.dumps(line, ensure_ascii=False), flush=True)
        return
    if heading:
        print(f"# {song.name}")
    width = max(map(len, result.content))
    for key, value in result.content.items():
        print(f"{key:{width}}  {value}", flush=True)


def _print_error(song: Path, message: str) -> None:
    print(json.dumps({"song": str(song), "error": message}, ensure_ascii=False), flush=True)


def _show_progress(fraction: float, note: str) -> None:
    print(f"\r\033[K{fraction:4.0%} {note}", end="", file=sys.stderr, flush=True)


def _show_nothing(fraction: float, note: str) -> Any:
    pass
