"""What was found out about a song, kept on disk: a tool asked twice answers at once.

One small file a song and measurement, named after the content of the sound and the version of
what measured it. A new version, other weights or another cut of the song are another name, so
nothing here is ever out of date; what is not asked for goes when room is needed.

Written by hand, since both libraries that do this read their entries with pickle, which runs what
a file tells it to: diskcache (no release since 2023, CVE-2025-69872) and joblib.Memory, which also
stays in bounds only where `reduce_size` is called. An `.npz` without objects runs nothing and
carries checksums.

Settings: `LLARK_CACHE` is another folder, or `off`; `LLARK_CACHE_MIB` the most it may hold.
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from llark_py.audio import Audio
from llark_py.errors import ConfigError

DEFAULT_MIB = 1024
_FOLDER, _LIMIT, _OFF = "LLARK_CACHE", "LLARK_CACHE_MIB", "off"
_ROOM = "songs"
_ENTRY = re.compile(r"[0-9a-f]{64}\.[a-z_]+\.[0-9a-f]{32}\.npz")
_UNFINISHED = ".unfinished-"
_ABANDONED_S = 3600.0
_FACTS = "facts"
_MIB = 1 << 20
# All that numpy, zipfile, JSON and an `unpack` raise over files that are not what they should be.
_BROKEN = (
    LookupError,
    TypeError,
    ValueError,
    EOFError,
    MemoryError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)

Arrays = Mapping[str, np.ndarray]
T = TypeVar("T")

_log = logging.getLogger(__name__)
_complained_of: set[Path] = set()


class State(NamedTuple):
    """Where the cache is (None: it is off), how many files it holds, and bytes of how many."""

    folder: Path | None
    n_files: int
    size: int
    limit: int


class SongAnalysis:
    """What is kept of one recording.

    Whatever goes wrong with the disk costs only time: a broken file is deleted with a warning, a
    folder that cannot be used is warned of once, and the caller computes as if nothing was kept.

    Args:
        audio: The recording; its content counts, not where it came from.
    """

    def __init__(self, audio: Audio):
        self._song = audio.content_hash

    def recall(self, name: str, version: str, kind: type[T], compute: Callable[[], T]) -> T:
        """Give a kept value, or compute and keep it.

        Args:
            name: Of the measurement, in small letters and underscores.
            version: All that the value depends on besides the sound: arguments, weights, code.
            kind: Type of the value: dataclasses, named tuples, tuples, finite numbers and words.
            compute: Called where nothing is kept; what it raises is not kept.
        """
        from pydantic import TypeAdapter

        adapter: TypeAdapter[T] = TypeAdapter(kind)
        kept = self.read(name, version, lambda arrays, facts: (adapter.validate_json(facts),))
        if kept is not None:
            return kept[0]
        value = compute()
        self.write(name, version, {}, adapter.dump_json(value))
        return value

    def read(self, name: str, version: str, unpack: Callable[[Arrays, bytes], T]) -> T | None:
        """Read what `write` kept; None where there is nothing.

        Args:
            name: Of the measurement.
            version: As it was written.
            unpack: Makes the value of arrays and JSON; what it raises over missing or unfit ones
                makes the file a broken one.
        """
        path = self._path(name, version)
        if path is None:
            return None
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as entry:
                value = unpack(entry, entry[_FACTS].tobytes())
        except FileNotFoundError:
            return None
        except _BROKEN as error:
            _log.warning("%s is broken and is computed anew (%s)", path, error)
            _delete(path)
            return None
        except OSError as error:
            _complain(path.parent, error)
            return None
        _mark_used(path)
        return value

    def write(self, name: str, version: str, arrays: Arrays, facts: bytes) -> None:
        """Keep arrays of numbers and a JSON text.

        Args:
            name: Of the measurement.
            version: All that they depend on besides the sound.
            arrays: By name; none is called `facts`.
            facts: JSON, UTF-8.
        """
        path = self._path(name, version)
        if path is None:
            return
        content = io.BytesIO()
        packed = {**arrays, _FACTS: np.frombuffer(facts, np.uint8)}
        np.savez(content, allow_pickle=False, **packed)
        limit = _limit()
        if content.tell() > limit:
            return
        try:
            _put(path, content.getbuffer())
            _make_room(path.parent, limit)
        except OSError as error:
            _complain(path.parent, error)

    def _path(self, name: str, version: str) -> Path | None:
        folder = _folder()
        if folder is None:
            return None
        return folder / f"{self._song}.{name}.{sha256(version.encode()).hexdigest()[:32]}.npz"


def describe_version(*parts: Any) -> str:
    """Join what a measurement depends on; the source of a `Path` counts, not its name.

    Code that changes makes what it computed before out of date, without a number that somebody
    must remember to raise.
    """
    texts = [
        sha256(part.read_bytes()).hexdigest() if isinstance(part, Path) else part for part in parts
    ]
    return json.dumps(texts)


def state() -> State:
    """Look at the cache as it is."""
    folder = _folder()
    files = [] if folder is None else list(_entries(folder))
    return State(folder, len(files), sum(size for _, size, _ in files), _limit())


def clear() -> State:
    """Delete every entry, and nothing else; give what the cache was before.

    Raises:
        ConfigError: A file cannot be deleted.
    """
    before = state()
    if before.folder is not None:
        try:
            for path, *_ in _entries(before.folder, unfinished=True):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise ConfigError(
                f"the cache {before.folder} cannot be emptied: {error.strerror or error}"
            ) from error
    return before


def _folder() -> Path | None:
    given = os.environ.get(_FOLDER, "").strip()
    if given.lower() == _OFF or _limit() == 0:
        return None
    if given:
        return Path(given).expanduser() / _ROOM
    from platformdirs import user_cache_path

    return user_cache_path("llark", appauthor=False) / _ROOM


def _limit() -> int:
    """The most that all entries together may take, in bytes."""
    given = os.environ.get(_LIMIT, "").strip() or str(DEFAULT_MIB)
    if not (given.isascii() and given.isdecimal()):
        raise ConfigError(f"{_LIMIT} is '{given}'; allowed: a whole number of MiB, 0 for no cache")
    return int(given) * _MIB


def _put(path: Path, content: memoryview) -> None:
    """Write a file so that nobody ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, unfinished = tempfile.mkstemp(prefix=_UNFINISHED, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(unfinished, path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise


def _make_room(folder: Path, limit: int) -> None:
    """Delete what was not used for longest, and what a writer that died has left."""
    now, room = time.time(), limit
    for path, size, used in sorted(
        _entries(folder, unfinished=True), key=lambda entry: entry[2], reverse=True
    ):
        unfinished = path.name.startswith(_UNFINISHED)
        room -= 0 if unfinished else size
        if (now - used > _ABANDONED_S) if unfinished else room < 0:
            path.unlink(missing_ok=True)


def _entries(folder: Path, unfinished: bool = False) -> Iterator[tuple[Path, int, float]]:
    """Give path, bytes and time of last use of every file that is ours."""
    if not folder.is_dir():
        return
    with os.scandir(folder) as files:
        for file in files:
            if _ENTRY.fullmatch(file.name) or (unfinished and file.name.startswith(_UNFINISHED)):
                try:
                    facts = file.stat(follow_symlinks=False)
                except FileNotFoundError:  # another process needed its room
                    continue
                yield Path(file.path), facts.st_size, facts.st_mtime


def _mark_used(path: Path) -> None:
    """Let it be the last to go."""
    # Another process may have needed its room, or the folder is only read and nothing ever goes.
    with suppress(FileNotFoundError, PermissionError):
        os.utime(path)


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        _complain(path.parent, error)


def _complain(folder: Path, error: OSError) -> None:
    if folder not in _complained_of:
        _complained_of.add(folder)
        _log.warning(
            "the cache %s cannot be used (%s): songs are measured anew each time; "
            "set %s to another folder, or to '%s'",
            folder,
            error.strerror or error,
            _FOLDER,
            _OFF,
        )
