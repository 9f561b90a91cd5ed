"""Asks questions some at once, where whoever answers can take several."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from llark_py.errors import LlarkError

Name = TypeVar("Name")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Reply(Generic[Name, Answer]):
    """What came of a question.

    Attributes:
        name: Which it was.
        answer: None where it failed.
        error: Why it failed; None where it did not.
        seconds: How long it took.
    """

    name: Name
    answer: Answer | None
    error: LlarkError | None
    seconds: float


def ask_each(
    asks: Iterable[tuple[Name, Callable[[], Answer]]], at_once: int, stop: Callable[[], None]
) -> Generator[Reply[Name, Answer], None, None]:
    """Ask questions, some at once, and give each answer as soon as it is there.

    Leaving the iterator early begins no further question, and stops those that are open.

    Args:
        asks: Of each question a name, and what asks it.
        at_once: So many are open at a time; 1 asks them here, in their order.
        stop: Stops those that are open in other threads.

    Yields:
        What came of each; a `LlarkError` is a failure, everything else is raised.
    """
    if at_once == 1:
        yield from (_ask(name, ask) for name, ask in asks)
        return
    left = iter(asks)
    with ThreadPoolExecutor(at_once, thread_name_prefix="llark-asking") as pool:
        try:
            # No more than that, so that few are lost when it stops.
            open_ = {pool.submit(_ask, name, ask) for name, ask in islice(left, at_once)}
            while open_:
                done, open_ = wait(open_, return_when=FIRST_COMPLETED)
                open_ |= {pool.submit(_ask, name, ask) for name, ask in islice(left, len(done))}
                yield from [future.result() for future in done]
        except BaseException:
            stop()
            pool.shutdown(cancel_futures=True)
            raise


def _ask(name: Name, ask: Callable[[], Answer]) -> Reply[Name, Answer]:
    start = time.monotonic()
    try:
        answer, error = ask(), None
    except LlarkError as failure:
        answer, error = None, failure
    return Reply(name, answer, error, round(time.monotonic() - start, 3))
