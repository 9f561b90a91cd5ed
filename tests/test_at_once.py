"""Questions that are asked some at once: each once, no more at a time, and given up together."""

from __future__ import annotations

import importlib
import threading
import time
from contextlib import closing

import pytest
from chat_server import WAIT, ChatServer, words

from llark_py.__main__ import main
from llark_py.audio import Audio
from llark_py.benchmarks.answering_ear import AnsweringEar
from llark_py.benchmarks.qa.answerers import HearingEndpoint, open_answerer
from llark_py.benchmarks.qa.asking import Said
from llark_py.benchmarks.qa.at_once import ask_each
from llark_py.benchmarks.qa.ledger import Ledger
from llark_py.errors import AudioError, EndpointError


def never():
    raise AssertionError("nobody stops here")


class Crowd:
    """Counts how many questions are open; answers when `at_once` are, or nothing else comes."""

    settings: dict = {"model": "crowd"}

    def __init__(self, at_once, n):
        self.at_once, self.lock = at_once, threading.Lock()
        self.open = self.most = self.asked = 0
        self.together = threading.Barrier(at_once) if n % at_once == 0 else None

    def answer(self, prompt, audio):
        with self.lock:
            self.open, self.asked = self.open + 1, self.asked + 1
            self.most = max(self.most, self.open)
        if self.together is not None:
            self.together.wait(10)
        with self.lock:
            self.open -= 1
        return Said(prompt.upper())

    def stop(self):
        raise AssertionError("nobody stops here")


@pytest.mark.parametrize("at_once", [1, 3])
def test_each_question_is_asked_once_and_so_many_at_a_time(at_once):
    crowd = Crowd(at_once, 12)
    ear = AnsweringEar(crowd, Ledger(None), with_choices=False)
    questions = [f"question {i}" for i in range(12)]
    said = ear.answer([None] * 24, [*questions, *reversed(questions)])
    assert said == [q.upper() for q in (*questions, *reversed(questions))]
    assert (crowd.asked, crowd.most) == (12, at_once)


def test_failures_are_given_like_answers():
    def fail():
        raise AudioError("too short")

    asks = [("a", lambda: 1), ("b", fail), ("c", lambda: 3)]
    for at_once in (1, 2):
        found = {reply.name: reply for reply in ask_each(asks, at_once, never)}
        assert (found["a"].answer, found["c"].answer, found["b"].answer) == (1, 3, None)
        assert str(found["b"].error) == "too short" and found["a"].error is None


def test_who_leaves_begins_no_more_and_stops_what_is_open():
    begun, stopped = [], threading.Event()

    def ask(number):
        begun.append(number)
        if number:
            stopped.wait(10)
            raise EndpointError("stopped")
        return number

    asks = ((i, lambda i=i: ask(i)) for i in range(100))
    start = time.monotonic()
    with closing(ask_each(asks, 4, stopped.set)) as replies:
        assert next(replies).answer == 0
    assert stopped.is_set() and len(begun) <= 5 and time.monotonic() - start < 5


def test_an_error_of_ours_is_no_answer():
    def broken():
        raise KeyError("a bug")

    stopped = threading.Event()
    with pytest.raises(KeyError, match="a bug"):
        list(ask_each([("a", broken)], 2, stopped.set))
    assert stopped.is_set()


def test_an_endpoint_hangs_up_when_it_is_stopped():
    with ChatServer().running() as server:
        server.replies += [WAIT, words("never read")]
        endpoint = open_answerer(None, server.url, "slow", None, 2)
        assert isinstance(endpoint, HearingEndpoint) and endpoint.at_once == 2
        # What loads late would count as waiting.
        importlib.import_module("llark_py.assistant.chat_words")
        threading.Timer(0.3, endpoint.stop).start()
        start = time.monotonic()
        with pytest.raises(EndpointError):
            endpoint.answer("How fast?", Audio([0.1] * 100, 16_000))
        assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    "arguments",
    [["listening", "--parallel", "2"], ["muchomusic", "--parallel", "2", "--model", "folder"]],
)
def test_only_endpoints_take_several_questions(arguments, capsys):
    assert main(["evaluate", *arguments]) == 2
    told = capsys.readouterr().err
    assert "--parallel is for --endpoint without --tools" in told and told.count("\n") == 1
