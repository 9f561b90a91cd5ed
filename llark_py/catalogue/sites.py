"""Where the stages run: on this machine, or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from llark_py.errors import ConfigError, UnknownNameError

from .ledger import Ledger
from .record import Failure, Maker
from .scan import Song

LOCAL, RAY = "local", "ray"
Batches = Iterator[tuple[int, list[Failure]]]


class Site(NamedTuple):
    """What describes songs there, and how it is told to: see `engine.Engine.run`."""

    maker: Maker
    run: Callable[[Ledger, Sequence[Song]], Batches]


def check_site(name: str, address: str | None) -> None:
    """Refuse a place that there is not, before anything is loaded.

    Raises:
        UnknownNameError: There is no such engine.
        ConfigError: An address is given, but not for Ray.
    """
    if name not in (LOCAL, RAY):
        raise UnknownNameError("engine", name, (LOCAL, RAY))
    if address is not None and name != RAY:
        raise ConfigError("--address is of a Ray cluster; give --engine ray too")


@contextmanager
def open_site(
    name: str, address: str | None, model: str | None, questions: Sequence[str], memory_mib: int
) -> Iterator[Site]:
    """Get a place ready, for as long as the context lasts.

    Args:
        name: `local` or `ray`.
        address: Of a Ray cluster; None starts one on this machine.
        model: A folder or a Hub name; None for the embedded model.
        questions: What to ask about each song besides.
        memory_mib: As in `Engine`.
    """
    from .captioner import load_captioner

    load = partial(load_captioner, model, questions)
    if name == RAY:
        from .cluster import Cluster

        with Cluster(load, address, memory_mib) as cluster:
            yield Site(cluster.maker, cluster.run)
        return
    from .engine import Engine, share_processors
    from .workers import Workers

    captioner = load()
    with Workers(share_processors()) as workers:

        def run(ledger: Ledger, songs: Sequence[Song]) -> Batches:
            return Engine(captioner, ledger, workers, memory_mib).run(songs)

        yield Site(captioner.maker, run)
