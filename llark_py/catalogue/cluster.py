"""Runs the stages over a catalogue on a Ray cluster: Ray Data with a pool of actors.

Only names of files and finished records travel. Each actor is a `Station`: a model, worker
processes and the engine of one machine, so that the records are those of the local engine. The
files must lie under the same names on every machine.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from llark_py.errors import ConfigError, LlarkError, MissingExtraError

from .engine import BATCH_SONGS, OWN_SHARE, Engine, Speaker
from .ledger import Ledger
from .record import Failure, Maker, Record
from .scan import Song
from .workers import Workers

_CPUS = 2
"""Processors of a station without GPU."""
_MOST_BATCHES = 4
_STRETCHES_PER_STATION = 4
_PATIENCE_S = 5.0
_OBJECT_STORE_BYTES = 200 << 20
T = TypeVar("T")


class _Shape(NamedTuple):
    """How a cluster is divided: stations, and processors and GPUs of each."""

    stations: int
    cpus: int
    gpus: int


class _Sink:
    """Takes the place of the ledger at a station: what is done goes to the driver."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.failures: list[Failure] = []

    def add(self, records: Iterable[Record], failures: Iterable[Failure]) -> None:
        self.records, self.failures = list(records), list(failures)

    def pack(self) -> str:
        """Write what came last as one line."""
        lines = {
            "records": [record.model_dump_json() for record in self.records],
            "failures": [failure.model_dump_json() for failure in self.failures],
        }
        return json.dumps(lines)


class Station:
    """One actor.

    Args:
        load: Loads what hears and speaks.
        maker: The model that all stations must have.
        memory_mib: As in `Engine`.
        n_cpus: Processors that it may use.
    """

    def __init__(self, load: Callable[[], Speaker], maker: Maker, memory_mib: int, n_cpus: int):
        import torch

        torch.set_num_threads(max(1, n_cpus // OWN_SHARE))
        self._captioner = _load(load)
        if self._captioner.maker != maker:
            raise ConfigError(
                f"machines of the cluster have different models or versions of llark: {maker}, "
                f"{self._captioner.maker}; install the same everywhere"
            )
        self._workers = Workers(n_cpus)
        self._memory_mib = memory_mib

    def __call__(self, rows: dict[str, Any]) -> Iterator[dict[str, list[str]]]:
        """Describe stretches of songs; yields each batch as soon as it is done."""
        for stretch in rows["songs"]:
            sink = _Sink()
            engine = Engine(self._captioner, sink, self._workers, self._memory_mib)
            for _ in engine.run([Song(*song) for song in json.loads(stretch)]):
                yield {"done": [sink.pack()]}


class Cluster:
    """A Ray cluster that describes songs as `Engine` does.

    Args:
        load: Loads what hears and speaks; called at every station.
        address: Of a running cluster; None starts one on this machine, for as long as this lasts.
        memory_mib: The most that the songs in work may take together at a station, in MiB.

    Attributes:
        maker: The model that describes, as the first station to load it has it.
    """

    maker: Maker

    def __init__(self, load: Callable[[], Speaker], address: str | None, memory_mib: int):
        self._load, self._address, self._memory_mib = load, address, memory_mib

    def __enter__(self) -> Self:
        """Connect, and find out what the cluster has.

        Raises:
            MissingExtraError: Ray is not installed.
            ConfigError: There is no such cluster, or it has no processor to spare.
            LlarkError: The model cannot be loaded there.
        """
        # Nobody counts users, and little but our own words goes to the terminal.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_DATA_DISABLE_PROGRESS_BARS", "1")
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
        try:
            import ray
            import ray.data
        except ImportError as error:
            raise MissingExtraError("Ray", "pip install 'llark_py[scale]'") from error
        _check_address(self._address)
        own: dict[str, Any] = {} if self._address else {"object_store_memory": _OBJECT_STORE_BYTES}
        try:
            ray.init(
                address=self._address or "local",
                include_dashboard=None if self._address else False,
                logging_level=logging.ERROR,
                log_to_driver=False,
                **own,
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise _no_cluster(self._address, error) from error
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        # What daemons have to say Ray prints to stdout, where results go.
        self._elsewhere = redirect_stdout(sys.stderr)
        self._elsewhere.__enter__()
        try:
            self._shape = _divide(ray.nodes())
            first = ray.remote(num_cpus=self._shape.cpus, num_gpus=self._shape.gpus)(_name)
            self.maker = _asked(lambda: ray.get(first.remote(self._load)))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        import ray

        ray.shutdown()
        self._elsewhere.__exit__(kind, error, trace)

    def run(self, ledger: Ledger, songs: Sequence[Song]) -> Iterator[tuple[int, list[Failure]]]:
        """Do songs and write them down in their order.

        A station that dies begins its stretch of songs again, wherever there is room.

        Yields:
            After each batch is on the disk, how many songs it has described, and which failed.
        """
        import ray.data

        if not songs:
            return
        stations, cpus, gpus = self._shape
        batches = -(-len(songs) // (BATCH_SONGS * stations * _STRETCHES_PER_STATION))
        length = BATCH_SONGS * min(max(batches, 1), _MOST_BATCHES)
        stretches = [songs[i : i + length] for i in range(0, len(songs), length)]
        data = ray.data.from_items(
            [{"songs": json.dumps(stretch)} for stretch in stretches],
            override_num_blocks=len(stretches),
        )
        # Each batch is a block of its own, so that it comes as soon as it is done, and in order.
        data.context.target_max_block_size = 1
        data.context.execution_options.preserve_order = True
        done = data.map_batches(
            Station,
            fn_constructor_args=[self._load, self.maker, self._memory_mib, cpus],
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=min(stations, len(stretches))),
            num_cpus=cpus,
            num_gpus=gpus,
        )
        rows = iter(done.iter_rows())
        while (row := _asked(lambda: next(rows, None))) is not None:
            lines = json.loads(row["done"])
            records = [Record.model_validate_json(line) for line in lines["records"]]
            failures = [Failure.model_validate_json(line) for line in lines["failures"]]
            ledger.add(records, failures)
            yield len(records), failures


def _check_address(address: str | None) -> None:
    """Knock at the door: Ray itself tries for minutes."""
    host, colon, port = (address or "").rpartition(":")
    if not colon or not port.isdigit():
        return
    try:
        socket.create_connection((host.rpartition("/")[2], int(port)), _PATIENCE_S).close()
    except OSError as error:
        raise _no_cluster(address, error) from error


def _no_cluster(address: str | None, error: Exception) -> ConfigError:
    return ConfigError(
        f"there is no Ray cluster at '{address}': {error}; give host:port of the head, or no "
        "--address to start one on this machine. A cluster that asks for a token needs "
        "RAY_AUTH_MODE=token and RAY_AUTH_TOKEN here too"
    )


def _divide(nodes: Sequence[dict[str, Any]]) -> _Shape:
    """Make one station a GPU where there are some, else one for every two processors.

    Args:
        nodes: As `ray.nodes()` lists them.

    Raises:
        ConfigError: There is neither.
    """
    alive = [node["Resources"] for node in nodes if node["Alive"]]
    if with_gpus := [have for have in alive if have.get("GPU", 0) >= 1 <= have.get("CPU", 0)]:
        cpus = min(max(1, int(have["CPU"] // have["GPU"])) for have in with_gpus)
        return _Shape(sum(int(have["GPU"]) for have in with_gpus), cpus, 1)
    counts = [int(have.get("CPU", 0)) for have in alive if have.get("CPU", 0) >= 1]
    if not counts:
        raise ConfigError("the cluster has no processor to spare; start Ray with --num-cpus")
    cpus = min(_CPUS, *counts)
    return _Shape(sum(count // cpus for count in counts), cpus, 0)


def _name(load: Callable[[], Speaker]) -> Maker:
    return _load(load).maker


def _load(load: Callable[[], Speaker]) -> Speaker:
    """Load a model far away; what is wrong comes back as an error that can travel."""
    try:
        return load()
    except LlarkError as error:
        raise ConfigError(str(error)) from None


def _asked(ask: Callable[[], T]) -> T:
    """Ask the cluster, and raise what was wrong there as if it had been wrong here."""
    from ray.exceptions import RayError

    try:
        return ask()
    except RayError as error:
        cause: BaseException | None = error
        while cause is not None and (
            isinstance(cause, RayError) or not isinstance(cause, LlarkError)
        ):
            cause = getattr(cause, "cause", None) or cause.__cause__
        if cause is None:
            raise
        raise cause from None
