"""Finds the songs of a catalogue: files, folders, patterns and lists of them, in a fixed order."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from llark_py.errors import ConfigError

from .record import Failure

SUFFIXES = (".aac", ".aif", ".aiff", ".flac", ".m4a", ".mka", ".mp3", ".mp4", ".oga", ".ogg",
            ".opus", ".wav", ".wave", ".webm", ".wma")  # fmt: skip
"""What is taken for sound in a folder; a file that is named is taken whatever it is called."""
_LIST_MARK = "@"


class Song(NamedTuple):
    """A file as it lies on the disk."""

    path: str
    size_bytes: int
    modified_ns: int


class Scan(NamedTuple):
    """What was found: songs in order of their paths, and what can be no song."""

    songs: list[Song]
    failures: list[Failure]


def scan(given: Sequence[str]) -> Scan:
    """Find the songs that somebody names.

    Folders are searched with all folders in them, each once, also through links; names that begin
    with a point are passed over there. `@FILE` names a text file with one name a line, and `*`,
    `?` and `[...]` in a name that is no file make it a pattern (`**` for folders in folders).

    Args:
        given: Names of files, folders, patterns, lists.

    Raises:
        ConfigError: Nothing goes by a name that was given, or a list cannot be read.
    """
    failures: list[Failure] = []
    found: set[str] = set()
    for name in given:
        if name.startswith(_LIST_MARK) and not os.path.lexists(name):
            for line in _read_list(name.removeprefix(_LIST_MARK)):
                # One bad line among thousands is no reason to stop.
                found.update(_expand(line, failures) or [os.path.abspath(line)])
        elif matches := list(_expand(name, failures)):
            found.update(matches)
        else:
            raise _nothing_there(name)
    songs: list[Song] = []
    for path in sorted(found, key=os.fsencode):
        looked = look_at(path)
        if isinstance(looked, Song):
            songs.append(looked)
        else:
            failures.append(looked)
    return Scan(songs, failures)


def _nothing_there(name: str) -> ConfigError:
    if os.path.isdir(os.path.expanduser(name)):
        return ConfigError(
            f"the folder '{name}' has no sound in it; what ends in {', '.join(SUFFIXES)} is taken "
            "for sound, and a file of another name when it is named itself"
        )
    return ConfigError(
        f"there is no file, folder or match for '{name}'; check the name "
        f"(a list of names is given as {_LIST_MARK}FILE)"
    )


def look_at(path: str) -> Song | Failure:
    """Look at a file without reading it; says why it can be no song."""
    try:
        path.encode()
    except UnicodeEncodeError:
        readable = os.fsencode(path).decode("utf-8", "backslashreplace")
        return Failure(
            path=readable,
            size_bytes=None,
            modified_ns=None,
            reason="its name is not UTF-8 and could not be written down; rename it",
        )
    try:
        facts = os.stat(path)
    except OSError as error:
        return _fail(path, f"it cannot be opened: {error.strerror or error}")
    if not stat.S_ISREG(facts.st_mode):
        return _fail(path, "it is no plain file")
    return Song(path, facts.st_size, facts.st_mtime_ns)


def _read_list(name: str) -> list[str]:
    try:
        text = Path(name).expanduser().read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise ConfigError(f"the list '{name}' cannot be read: {error.strerror or error}") from error
    return [line for line in text.splitlines() if line.strip()]


def _expand(name: str, failures: list[Failure]) -> Iterable[str]:
    """List the files that a name stands for; none where it stands for nothing."""
    path = os.path.abspath(os.path.expanduser(name))
    if os.path.isdir(path):
        return list(_walk(path, failures))
    if os.path.lexists(path):
        return [path]
    if not glob.has_magic(name):
        return []
    return [
        file
        for match in glob.glob(path, recursive=True)
        for file in (_walk(match, failures) if os.path.isdir(match) else [match])
    ]


def _walk(folder: str, failures: list[Failure]) -> Iterator[str]:
    """Give the sound files in a folder and those in it; links may lead in circles.

    A folder that is called like a sound file and has nothing in it is a failure: who looks for
    that file is to find it.
    """
    seen: set[tuple[int, int]] = set()

    def complain(error: OSError) -> None:
        failures.append(_fail(error.filename, f"the folder cannot be read: {error.strerror}"))

    for here, folders, files in os.walk(folder, followlinks=True, onerror=complain):
        facts = os.stat(here)
        if (facts.st_dev, facts.st_ino) in seen:
            folders.clear()
            continue
        seen.add((facts.st_dev, facts.st_ino))
        if not folders and not files and _is_sound(here):
            failures.append(_fail(here, "it is a folder, and an empty one"))
        folders[:] = sorted((f for f in folders if not f.startswith(".")), key=os.fsencode)
        for file in files:
            if not file.startswith(".") and _is_sound(file):
                yield os.path.join(here, file)


def _is_sound(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES


def _fail(path: str, reason: str) -> Failure:
    readable = os.fsencode(path).decode("utf-8", "backslashreplace")
    return Failure(path=readable, size_bytes=None, modified_ns=None, reason=reason)
