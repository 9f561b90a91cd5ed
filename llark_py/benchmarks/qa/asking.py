"""Puts the questions of a task to whoever answers, those that have no answer yet."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from llark_py.audio import Audio
from llark_py.errors import EndpointError

from .at_once import ask_each
from .ledger import Asked, Ledger
from .sounds import AUDIO, Sounds
from .task import Question

TOLD_EVERY_S = 15.0
MOST_FAILURES = 3
"""An endpoint that fails so often in a row is down: asking on would only burn questions."""


@dataclass(frozen=True)
class Said:
    """An answer, and the tools that were called for it: names and arguments."""

    text: str
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()


class Answerer(Protocol):
    """Whoever answers questions.

    Attributes:
        settings: What its answers depend on, as JSON holds it; `model` names it.
        at_once: How many questions it takes at once.
    """

    settings: dict[str, Any]
    at_once: int

    def answer(self, prompt: str, audio: Audio | None) -> Said:
        """Answer a question about a recording, or one without.

        Raises:
            LlarkError: This question cannot be answered.
        """
        ...

    def stop(self) -> None:
        """Give up questions that are open in other threads."""
        ...


class InTurn:
    """What those have in common who are asked one question after the other."""

    at_once = 1

    def stop(self) -> None:
        """Do nothing: no question is open in another thread."""


@dataclass
class _Progress:
    """Tells now and then how far the work is and how long it may take, on stderr."""

    name: str
    n: int
    done: int = 0
    start: float = field(default_factory=time.monotonic)
    told: float = field(default_factory=time.monotonic)

    def step(self) -> None:
        self.done += 1
        now = time.monotonic()
        if now - self.told < TOLD_EVERY_S and self.done < self.n:
            return
        self.told = now
        left_s = (now - self.start) / self.done * (self.n - self.done)
        sys.stderr.write(f"{self.name}: {self.done} of {self.n}, {left_s / 60:.0f} min left\n")


def ask_all(
    name: str,
    questions: Sequence[Question],
    answerer: Answerer,
    ledger: Ledger,
    *,
    blind: bool,
) -> int:
    """Ask every question with its recording, then with noise, silence, another one and without.

    Args:
        name: Of the task, for people who watch.
        questions: All have excerpts.
        answerer: Who is asked.
        ledger: Keeps the answers; what it holds is not asked again, failures are.
        blind: Whether to ask the blind rows too.

    Returns:
        How many questions failed.

    Raises:
        EndpointError: An endpoint fails several times in a row.
    """
    sounds = Sounds(questions)
    conditions = (AUDIO, *sounds.conditions) if blind else (AUDIO,)
    failed = 0
    for condition in conditions:
        asked = {q.id: sounds.asked(q, condition) for q in questions}
        _tell_kept(f"{name}, {condition}", ledger, asked.values())
        open_ = [q for q in questions if ledger.answer(asked[q.id]) is None]
        progress, in_a_row = _Progress(f"{name}, {condition}", len(open_)), 0
        asks = ((q, partial(_ask, answerer, sounds, q, condition)) for q in open_)
        with closing(ask_each(asks, answerer.at_once, answerer.stop)) as replies:
            for reply in replies:
                question, said = reply.name, reply.answer
                if said is None:
                    failed += 1
                    in_a_row = in_a_row + 1 if isinstance(reply.error, EndpointError) else 0
                    told = " ".join(str(reply.error).split())
                    sys.stderr.write(f"{name}, {question.id}: {told}\n")
                    if reply.error is not None and in_a_row == MOST_FAILURES:
                        raise reply.error
                    ledger.add(asked[question.id], {"error": str(reply.error)})
                else:
                    in_a_row = 0
                    calls = {"calls": [list(call) for call in said.calls]} if said.calls else {}
                    answer = {"answer": said.text, **calls, "seconds": reply.seconds}
                    ledger.add(asked[question.id], answer)
                progress.step()
    return failed


def _ask(answerer: Answerer, sounds: Sounds, question: Question, condition: str) -> Said:
    return answerer.answer(question.prompt, sounds.sound(question, condition))


def _tell_kept(name: str, ledger: Ledger, asked: Collection[Asked]) -> None:
    """Say what became of answers of earlier runs that cannot be taken without a word."""
    if outdated := sum(ledger.is_outdated(one) for one in asked):
        sys.stderr.write(
            f"{name}: {outdated} questions are asked anew; their words or their sound are others "
            "than those that were answered\n"
        )
    if old := sum(ledger.is_old(one) for one in asked):
        sys.stderr.write(
            f"{name}: {old} answers are of a version before 0.13, which knew recordings by their "
            "names; they are kept. Delete the answers_*.jsonl to ask again\n"
        )
