"""Lets anybody who answers be asked by ear: an endpoint, another model, our own without tools."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from llark_py.audio import Audio
from llark_py.errors import EndpointError, LlarkError

from .manner import in_words
from .qa.asking import MOST_FAILURES, TOLD_EVERY_S, Answerer
from .qa.hashes import sha256
from .qa.ledger import Asked, Ledger


class AnsweringEar:
    """Asks an answerer one question after the other, each a conversation of its own.

    Every answer is on the disk before the next question is asked, and none that is there is asked
    for again: a question is known by its words and by the samples that are heard with it.

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
        return [self._answer(*pair) for pair in zip(heard, questions, strict=True)]

    def _answer(self, sound: Audio | None, question: str) -> str | None:
        content = None if sound is None else sound.content_hash
        name = sha256([question, content])
        asked = Asked(name, "", name)
        kept = self._ledger.answer(asked)
        if kept is not None:
            return str(kept["answer"])
        start = time.monotonic()
        try:
            said = self._answerer.answer(question, sound)
        except LlarkError as error:
            self._fail(asked, question, error)
            return None
        self._failed_in_a_row = 0
        calls = {"calls": [list(call) for call in said.calls]} if said.calls else {}
        line = {"question": question, "answer": said.text, **calls}
        self._ledger.add(asked, {**line, "seconds": round(time.monotonic() - start, 3)})
        self._tell()
        return said.text

    def _fail(self, asked: Asked, question: str, error: LlarkError) -> None:
        self.failed += 1
        is_endpoint = isinstance(error, EndpointError)
        self._failed_in_a_row = self._failed_in_a_row + 1 if is_endpoint else 0
        sys.stderr.write(f"'{question}': {' '.join(str(error).split())}\n")
        if self._failed_in_a_row == MOST_FAILURES:
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
        return self._answer(sound, question) or ""

    def measure(self, tool: str, sound: Audio) -> dict[str, Any]:
        """Measure nothing: only words count."""
        return {}

    def heads(self, sound: Audio) -> Mapping[str, Any]:
        """Give nothing: there are no heads to look at."""
        return {}

    def form(self, sound: Audio) -> None:
        """Give nothing, as `heads` does."""
