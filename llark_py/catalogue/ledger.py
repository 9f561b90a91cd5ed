"""What is done of a catalogue: records and failures on disk, and how far they are to be trusted.

Beside `catalogue.jsonl` lie `catalogue.errors.jsonl`, `catalogue.state.json` (up to which byte both
are whole, and which model and questions they belong to) and a lock. A batch is appended to both
files, and then confirmed in the state: what is not confirmed when a run begins is dropped and done
again, so that batches are the same ones as in a run that was never cut off.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from llark_py.errors import ConfigError
from llark_py.files import hash_file, write_whole

from .lines import append_lines, cut_to, keep_lines, read_lines
from .record import SCHEMA_VERSION, Failure, Maker, Record
from .scan import Song

_SUFFIX = ".jsonl"
_PATH = ("path",)
_FAILURE = tuple(Failure.model_fields)


class _Entry(NamedTuple):
    """What is known of a file that is done; `content_hash` is None of one that failed."""

    size_bytes: int | None
    modified_ns: int | None
    content_hash: str | None


class _State(BaseModel):
    """The confirmed part of a catalogue, and what it was made with."""

    schema_version: int
    weights: str
    questions: tuple[str, ...]
    records_bytes: int
    errors_bytes: int


class Ledger:
    """The files of one catalogue, held by one run at a time.

    Args:
        out: Of the records; ends in `.jsonl`.
        maker: The model that describes.
        questions: What is asked about each song.

    Attributes:
        failed_before: Reasons of the files that failed and are left alone, by path.
    """

    def __init__(self, out: Path, maker: Maker, questions: Sequence[str]):
        check_name(out)
        self.records = out
        self.errors = out.with_name(f"{out.stem}.errors{_SUFFIX}")
        self._state_file = out.with_name(f"{out.stem}.state.json")
        self._lock = FileLock(f"{out}.lock", timeout=0)
        self._maker, self._questions = maker, tuple(questions)
        self.failed_before: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Take the lock and bring the files in order.

        Raises:
            ConfigError: Another run writes here, the catalogue was begun with another model or
                other questions, a line is broken, or the place cannot be written to.
        """
        try:
            self.records.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout as error:
            raise ConfigError(
                f"another run writes to '{self.records}'; wait for it, or give another --out"
            ) from error
        except OSError as error:
            raise ConfigError(
                f"'{self.records}' cannot be written: {error.strerror or error}"
            ) from error
        try:
            self._recover()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.release()

    def plan(self, songs: Sequence[Song], retry_errors: bool = False) -> list[Song]:
        """Find what is left to do, and take out of the files what is out of date.

        A song is done when its size and time are those of its record, or its content is.

        Args:
            songs: That the catalogue is to hold; what it holds besides stays.
            retry_errors: Also do the songs that failed before.
        """
        done = {
            line["path"]: _Entry(line["size_bytes"], line["modified_ns"], line["content_hash"])
            for line in read_lines(self.records, _Entry._fields + _PATH)
        }
        failed = {line["path"]: line for line in read_lines(self.errors, _FAILURE)}
        left: list[Song] = []
        stale: set[str] = set()
        retried: set[str] = set()
        for song in songs:
            if (entry := done.get(song.path)) is not None:
                if not _is_same(song, entry):
                    stale.add(song.path)
                    left.append(song)
            elif (line := failed.get(song.path)) is not None:
                same = (line["size_bytes"], line["modified_ns"]) == song[1:]
                if same and not retry_errors:
                    self.failed_before[song.path] = line["reason"]
                else:
                    retried.add(song.path)
                    left.append(song)
            else:
                left.append(song)
        if stale:
            self._rewrite(self.records, stale)
        if retried:
            self._rewrite(self.errors, retried)
        return left

    def add(self, records: Iterable[Record], failures: Iterable[Failure]) -> None:
        """Append a batch; on return it is on the disk and confirmed."""
        errors_bytes = append_lines(self.errors, (f.model_dump_json() for f in failures))
        records_bytes = append_lines(self.records, (r.model_dump_json() for r in records))
        self._confirm(records_bytes, errors_bytes)

    def replace_failures(self, failures: Sequence[Failure]) -> None:
        """Write down failures that every run finds anew, such as folders that cannot be read."""
        known = {line["path"]: line["reason"] for line in read_lines(self.errors, _FAILURE)}
        new = [f for f in failures if known.get(f.path) != f.reason]
        mended = {path for path in known if os.path.isdir(path)} - {f.path for f in failures}
        if again := {f.path for f in new} & set(known) | mended:
            self._rewrite(self.errors, again)
        if new:
            self.add([], new)

    def _recover(self) -> None:
        state = self._read_state()
        if state is not None:
            self._check(state.schema_version, state.weights, state.questions)
        elif (first := next(read_lines(self.records), None)) is not None:
            model = first.get("model")
            made = model.get("weights", "") if isinstance(model, dict) else ""
            self._check(first.get("schema_version", 0), made, tuple(first.get("asked", ())))
        cut_to(self.records, state.records_bytes if state else None)
        cut_to(self.errors, state.errors_bytes if state else None)
        for path in (self.records, self.errors):
            path.touch()
        self._confirm(*(path.stat().st_size for path in (self.records, self.errors)))

    def _read_state(self) -> _State | None:
        if not self.records.exists() or not self._state_file.exists():
            return None
        try:
            return _State.model_validate_json(self._state_file.read_bytes())
        except ValidationError as error:
            raise ConfigError(
                f"'{self._state_file}' is broken; delete it (the records are kept)"
            ) from error

    def _check(self, schema_version: int, weights: str, questions: tuple[str, ...]) -> None:
        """Refuse to go on with a catalogue that would not be of one piece."""
        begun = f"'{self.records}' was begun"
        if schema_version != SCHEMA_VERSION:
            raise ConfigError(
                f"{begun} with records of version {schema_version}, and this llark writes version "
                f"{SCHEMA_VERSION}; give another --out"
            )
        if weights != self._maker.weights:
            raise ConfigError(
                f"{begun} by another model (weights {weights[:12]}, now "
                f"{self._maker.weights[:12]} of '{self._maker.name}'); give the same --model, or "
                "another --out"
            )
        if questions != self._questions:
            raise ConfigError(
                f"{begun} with {_list(questions)}, and now there are {_list(self._questions)}; "
                "ask the same, or give another --out"
            )

    def _rewrite(self, path: Path, without: set[str]) -> None:
        # Without a state whole lines are trusted, whichever of the two files is there.
        self._state_file.unlink(missing_ok=True)
        keep_lines(path, lambda line: line["path"] not in without)
        self._confirm(*(p.stat().st_size for p in (self.records, self.errors)))

    def _confirm(self, records_bytes: int, errors_bytes: int) -> None:
        state = _State(
            schema_version=SCHEMA_VERSION,
            weights=self._maker.weights,
            questions=self._questions,
            records_bytes=records_bytes,
            errors_bytes=errors_bytes,
        )
        write_whole(self._state_file, state.model_dump_json())


def check_name(out: Path) -> None:
    """Refuse names that no catalogue can have.

    Raises:
        ConfigError: It does not end in `.jsonl`, or is a folder.
    """
    if out.suffix != _SUFFIX or out.is_dir():
        raise ConfigError(f"records are written to a file that ends in {_SUFFIX}, not to '{out}'")


def _is_same(song: Song, entry: _Entry) -> bool:
    if (entry.size_bytes, entry.modified_ns) == (song.size_bytes, song.modified_ns):
        return True
    try:
        return song.size_bytes == entry.size_bytes and hash_file(song.path) == entry.content_hash
    except OSError:  # it is done anew, and then it is told why it cannot be read
        return False


def _list(questions: Sequence[str]) -> str:
    return " and ".join(f"'{q}'" for q in questions) or "no questions"
