"""Runs the stages over a whole catalogue on this machine.

Worker processes decode ahead, hear and run the tools; this process speaks, batch by batch, and
writes down what is done. A model with an encoder of its own hears in this process.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from llark_py.errors import ConfigError

from .captioner import Listened, Said
from .decode import Decoded, decode_song, fail, needed_bytes
from .hearing import HeardSong, hear_embedded
from .measure import Measured, measure_song
from .record import Failure, Maker, Record
from .scan import Song
from .workers import Work, WorkerDied, Workers

BATCH_SONGS = 16
LEAST_MIB = 1024
DEFAULT_MIB = 4096
_MIB = 1 << 20
_BATCH_SHARE = 4
"""One in so many bytes of the memory is for the two batches that are worked on."""
OWN_SHARE = 4
"""One in so many processors is for this process, which generates text."""
_DIED = "its process died; the file is damaged, or too large for the memory of this machine"
_UNKNOWN_MOOD = "the model names none"
_NOT_MUSIC = "it does not sound like music"
T = TypeVar("T")

_log = logging.getLogger(__name__)


class Speaker(Protocol):
    """What the engine needs of a `Captioner`."""

    maker: Maker

    @property
    def rates(self) -> tuple[int, int]: ...

    @property
    def encoder_config(self) -> Any: ...

    @property
    def hears_elsewhere(self) -> bool: ...

    def hear(self, songs: Sequence[Decoded]) -> list[HeardSong]: ...

    def listen(self, songs: Sequence[Decoded], heard: Sequence[HeardSong]) -> list[Listened]: ...

    def speak(self, songs: Sequence[Decoded], listened: Sequence[Listened]) -> list[Said]: ...


class Book(Protocol):
    """What the engine needs of a `Ledger`."""

    def add(self, records: Iterable[Record], failures: Iterable[Failure]) -> None: ...


@dataclass
class _Ahead:
    """A song that is being decoded, and the memory that it may take."""

    song: Song
    work: Work[Decoded | Failure] | None
    n_bytes: int


@dataclass
class _Batch:
    """Songs that are described together, those that failed among them, and who hears them."""

    songs: list[Decoded] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    hearing: Work[list[HeardSong]] | None = None


class Engine:
    """Describes songs and writes them down.

    Args:
        captioner: Hears and speaks.
        ledger: Takes the results.
        workers: Decode and measure.
        memory_mib: The most that the songs in work may take together, in MiB.
    """

    def __init__(
        self, captioner: Speaker, ledger: Book, workers: Workers, memory_mib: int = DEFAULT_MIB
    ):
        if memory_mib < LEAST_MIB:
            raise ConfigError(f"songs in work need at least {LEAST_MIB} MiB, not {memory_mib}")
        self._captioner, self._ledger, self._workers = captioner, ledger, workers
        self._memory = memory_mib * _MIB

    def run(self, songs: Sequence[Song]) -> Iterator[tuple[int, list[Failure]]]:
        """Do songs in their order.

        Yields:
            After each batch is on the disk, how many songs it has described, and which failed.
        """
        before: _Batch | None = None
        for batch in self._batches(self._decode_all(songs)):
            # While one batch is spoken of, the workers hear the next.
            if batch.songs and self._captioner.hears_elsewhere:
                features = [song.features for song in batch.songs]
                batch.hearing = self._workers.submit(hear_embedded, features)
            if before is not None:
                yield self._finish(before)
            before = batch
        if before is not None:
            yield self._finish(before)

    def _batches(self, decoded: Iterator[Decoded | Failure]) -> Iterator[_Batch]:
        """Group songs that can be read, and those between them that cannot."""
        batch = _Batch()
        for one in decoded:
            if isinstance(one, Failure):
                batch.failures.append(one)
            else:
                batch.songs.append(one)
            # By what songs weigh and not by what is free, and of as many files, bad ones included,
            # so that batches are always the same, and the same at every station of a cluster.
            n_files = len(batch.songs) + len(batch.failures)
            weight = sum(song.size_bytes for song in batch.songs)
            if n_files == BATCH_SONGS or weight > self._memory / _BATCH_SHARE / 2:
                yield batch
                batch = _Batch()
        if batch.songs or batch.failures:
            yield batch

    def _decode_all(self, songs: Sequence[Song]) -> Iterator[Decoded | Failure]:
        """Decode ahead as far as the memory allows, in order."""
        ahead: deque[_Ahead] = deque()
        room = self._memory - self._memory / _BATCH_SHARE
        used = 0
        left = iter(songs)
        following = next(left, None)
        while ahead or following is not None:
            while following is not None and len(ahead) < 2 * BATCH_SONGS:
                n_bytes = needed_bytes(following)
                if n_bytes > room:
                    ahead.append(_Ahead(following, None, 0))
                elif used + n_bytes > room and ahead:
                    break
                else:
                    work = self._workers.submit(decode_song, following, *self._captioner.rates)
                    ahead.append(_Ahead(following, work, n_bytes))
                    used += n_bytes
                following = next(left, None)
            one = ahead.popleft()
            used -= one.n_bytes
            yield self._result_of(one)

    def _result_of(self, one: _Ahead) -> Decoded | Failure:
        if one.work is None:
            return fail(
                one.song, "it is too large to decode; raise --max-memory and --retry-errors"
            )
        try:
            return one.work.result()
        except WorkerDied:
            return fail(one.song, _DIED)

    def _finish(self, batch: _Batch) -> tuple[int, list[Failure]]:
        """Describe a batch and write it down."""
        records: list[Record] = []
        songs, failures = batch.songs, batch.failures
        heard: list[HeardSong] = []
        if songs:
            try:
                heard = batch.hearing.result() if batch.hearing else self._captioner.hear(songs)
            except WorkerDied:
                failures.extend(fail(song.song, _DIED) for song in songs)
        if heard:
            listened = self._captioner.listen(songs, heard)
            config = self._captioner.encoder_config
            measuring = [
                self._workers.submit(measure_song, s.heard, one.heard, s.loudness_lufs, config)
                for s, one in zip(songs, listened, strict=True)
            ]
            said = self._captioner.speak(songs, listened)
            for song, one, words, work in zip(songs, listened, said, measuring, strict=True):
                maker = self._captioner.maker
                try:
                    records.append(make_record(song, one, work.result(), words, maker))
                except WorkerDied:
                    failures.append(fail(song.song, _DIED))
                except Exception as error:  # the border of a batch: no song stops the others
                    _log.exception("measuring %s failed", song.song.path)
                    reason = f"measuring failed: {type(error).__name__}: {error}"
                    failures.append(fail(song.song, reason))
        self._ledger.add(records, failures)
        return len(records), failures


def make_record(
    song: Decoded, listened: Listened, measured: Measured, said: Said, maker: Maker
) -> Record:
    """Put together what the stages found out about a song."""
    facts, unknown = measured.facts, dict(measured.unknown)
    if said.mood is None:
        is_music = facts.style is not None
        unknown["mood"] = _UNKNOWN_MOOD if is_music else _NOT_MUSIC
    return Record(
        path=song.song.path,
        content_hash=song.content_hash,
        size_bytes=song.song.size_bytes,
        modified_ns=song.song.modified_ns,
        duration_s=round(song.duration_s, 3),
        captions=said.captions,
        facts=facts.model_copy(update={"mood": said.mood}),
        unknown=unknown,
        asked=said.asked,
        embedding=listened.embedding,
        model=maker,
    )


def share_processors() -> int:
    """Give how many workers there are to be: they compute most, and this process waits for them."""
    import torch

    n_processors = len(os.sched_getaffinity(0))
    torch.set_num_threads(max(1, n_processors // OWN_SHARE))
    return n_processors
