"""Waiting that can be called off: an asynchronous stream read from plain code."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from queue import Queue
from threading import Event as Flag
from threading import Thread
from typing import TypeVar

Item = TypeVar("Item")

_POLL_S = 0.05
_END = object()


def interruptible(begin: Callable[[], AsyncIterator[Item]], stop: Flag) -> Iterator[Item]:
    """Read an asynchronous stream in a thread of its own, until it ends or `stop` is set.

    A thread, because the caller's may run an event loop already, as that of a notebook does.

    Args:
        begin: Makes the stream.
        stop: Set it to leave the stream at once, even while it waits for the network. Leaving the
            iterator sets it.

    Yields:
        The items; what the stream raises is raised here.
    """
    # Items are wrapped: the end mark must differ from all of them.
    queue: Queue[tuple[Item] | object] = Queue()
    failures: list[BaseException] = []

    async def read() -> None:
        async for item in begin():
            queue.put((item,))

    async def read_until_stopped() -> None:
        task = asyncio.create_task(read())
        while not task.done():
            await asyncio.wait({task}, timeout=_POLL_S)
            if stop.is_set():
                task.cancel()
        if not task.cancelled():
            task.result()

    def work() -> None:
        try:
            asyncio.run(read_until_stopped())
        except BaseException as error:  # handed to the thread that reads the queue
            failures.append(error)
        finally:
            queue.put(_END)

    thread = Thread(target=work, name="llark-endpoint", daemon=True)
    thread.start()
    try:
        while isinstance(message := queue.get(), tuple):
            yield message[0]
    except GeneratorExit:
        stop.set()
        raise
    finally:
        thread.join()
    if failures:
        raise failures[0]
