"""Lets anybody who answers be asked by ear: an endpoint, another model, our own without tools."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import partial
from textwrap import shorten
from typing import Any

from llark_py.audio import Audio
from llark_py.errors import EndpointError

from .manner import in_words
from .qa.asking import MOST_FAILURES, TOLD_EVERY_S, Answerer, Said
from .qa.at_once import Reply, ask_each
from .qa.hashes import sha256
from .qa.ledger import Asked, Ledger

_SHOWN = 60


class AnsweringEar:
    """Asks an answerer question by question, each a conversation of its own.

    Every answer is on the disk as soon as it is there, and none is asked for again: a question is
    known by its words and by the samples that are heard with it.

    Args:
        answerer: Who is asked.
        ledger: Keeps the answers.
        with_choices: Whether to say what to choose from; see `manner.in_words`.

    Attributes:
        manner: Everything is asked in words.
        failed: How many questions could not be answered.
    """

    def __init__(self, answerer: Answerer, ledger: Ledger, *, with_choices: bool):
        self._answerer, self._ledger = answerer, ledger
        self.manner = in_words(with_choices=with_choices)
        self.failed = 0
        self._failed_in_a_row = self._asked = 0
        self._told = time.monotonic()
        self._start = time.monotonic()

    def hear(self, sounds: Sequence[Audio | None]) -> Sequence[Audio | None]:
        """Keep the recordings: who answers hears for itself."""
        return sounds

    def answer(
        self, heard: Sequence[Audio | None], questions: Sequence[str]
    ) -> Sequence[str | None]:
        """Answer one question a recording; None where that failed, which is told on stderr.

        Raises:
            EndpointError: An endpoint fails several times in a row.
        """
        pairs = list(zip(heard, questions, strict=True))
        wanted = {_name(sound, question): (question, sound) for sound, question in pairs}
        open_ = {name: pair for name, pair in wanted.items() if self._kept(name) is None}
        asks = ((name, partial(self._answerer.answer, *pair)) for name, pair in open_.items())
        with closing(ask_each(asks, self._answerer.at_once, self._answerer.stop)) as replies:
            for reply in replies:
                self._note(reply, open_[reply.name][0])
        return [self._kept(_name(*pair)) for pair in pairs]

    def _kept(self, name: str) -> str | None:
        line = self._ledger.answer(Asked(name, "", name))
        return None if line is None else str(line["answer"])

    def _note(self, reply: Reply[str, Said], question: str) -> None:
        """Keep what came of a question."""
        asked, said, error = Asked(reply.name, "", reply.name), reply.answer, reply.error
        if said is not None:
            self._failed_in_a_row = 0
            calls = {"calls": [list(call) for call in said.calls]} if said.calls else {}
            line = {"question": question, "answer": said.text, **calls, "seconds": reply.seconds}
            self._ledger.add(asked, line)
            self._tell()
            return
        self.failed += 1
        is_endpoint = isinstance(error, EndpointError)
        self._failed_in_a_row = self._failed_in_a_row + 1 if is_endpoint else 0
        short = shorten(question, _SHOWN, placeholder=" ...")  # choices make some long
        sys.stderr.write(f"'{short}': {' '.join(str(error).split())}\n")
        if error is not None and self._failed_in_a_row == MOST_FAILURES:
            raise error
        self._ledger.add(asked, {"question": question, "error": str(error)})

    def _tell(self) -> None:
        self._asked += 1
        now = time.monotonic()
        if now - self._told >= TOLD_EVERY_S:
            self._told = now
            each_s = (now - self._start) / self._asked
            sys.stderr.write(f"{self._asked} questions answered, {each_s:.1f} s each\n")

    def consult(self, sound: Audio, question: str) -> str:
        """Answer as in a chat; who may call tools does so here too."""
        return self.answer([sound], [question])[0] or ""

    def measure(self, tool: str, sound: Audio) -> dict[str, Any]:
        """Measure nothing: only words count."""
        return {}

    def heads(self, sound: Audio) -> Mapping[str, Any]:
        """Give nothing: there are no heads to look at."""
        return {}

    def form(self, sound: Audio) -> None:
        """Give nothing, as `heads` does."""


def _name(sound: Audio | None, question: str) -> str:
    return sha256([question, None if sound is None else sound.content_hash])
