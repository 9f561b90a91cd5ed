"""Worker processes: work that outlives a worker that dies, and ends when its caller does."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from threading import Thread
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")


class WorkerDied(Exception):
    """A piece of work took its process down with it, twice."""


class Work(Generic[T]):
    """A piece of work that was handed out."""

    def __init__(self, workers: Workers, call: Callable[..., T], arguments: tuple[Any, ...]):
        self._workers, self._call, self._arguments = workers, call, arguments
        self._future: Future[T] | None = workers.begin(call, arguments)

    def result(self) -> T:
        """Wait for it.

        Raises:
            WorkerDied: Its process died, also when it worked at nothing else.
        """
        try:
            if self._future is not None:
                return self._future.result()
        except BrokenProcessPool:
            pass  # this piece of work may have been its end, or another one
        return self._workers.do_alone(self._call, self._arguments)


class Workers:
    """A pool of processes.

    Args:
        n_workers: How many.
    """

    def __init__(self, n_workers: int):
        self._n_workers = n_workers
        self._pool: ProcessPoolExecutor | None = None
        self._alone: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for pool in (self._pool, self._alone):
            if pool is not None:
                pool.shutdown(wait=exception[0] is None, cancel_futures=True)

    def submit(self, call: Callable[..., T], *arguments: Any) -> Work[T]:
        """Hand out a call of a function of a module, with arguments that can be pickled."""
        return Work(self, call, arguments)

    def begin(self, call: Callable[..., T], arguments: tuple[Any, ...]) -> Future[T] | None:
        """Give a call to the pool; None where the pool has just died."""
        if self._pool is None:
            self._pool = _new_pool(self._n_workers)
        try:
            return self._pool.submit(call, *arguments)
        except BrokenProcessPool:
            self._pool = _new_pool(self._n_workers)
            return self._pool.submit(call, *arguments)

    def do_alone(self, call: Callable[..., T], arguments: tuple[Any, ...]) -> T:
        """Do work again that a pool died of, in a process that does nothing else meanwhile."""
        if self._alone is None:
            self._alone = _new_pool(1)
        try:
            return self._alone.submit(call, *arguments).result()
        except BrokenProcessPool as error:
            self._alone = None
            raise WorkerDied from error


def _new_pool(n_workers: int) -> ProcessPoolExecutor:
    # A forked child of a process with threads may hang, and torch has threads.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(n_workers, mp_context=context, initializer=_prepare)


def _prepare() -> None:
    """Make a new worker one thread strong, deaf to Ctrl-C, and mortal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller hears it and ends the pool
    Thread(target=_die_with_parent, daemon=True).start()
    os.environ["OMP_NUM_THREADS"] = "1"  # read by torch when it is imported
    if torch := sys.modules.get("torch"):  # a caller's script may have imported it
        torch.set_num_threads(1)


def _die_with_parent() -> None:
    """A caller that is killed cannot end its pool, and the workers would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
