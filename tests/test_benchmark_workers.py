"""Several processes share a run: every part is made once, and the answers are those of one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llark_py.benchmarks import running
from llark_py.benchmarks.answers import AnswerBook
from llark_py.benchmarks.running import Run, run_benchmark
from llark_py.benchmarks.trial import Trial
from llark_py.errors import ConfigError


def test_a_part_that_another_process_has_claimed_is_left_to_it(tmp_path):
    run, claims = tmp_path / "run", tmp_path / "claims"
    claims.mkdir()
    first, second = (AnswerBook(run, {}, claims) for _ in range(2))
    made = []

    def make(name, who):
        def rows():
            made.append((name, who))
            return [{"by": who}]

        return rows

    assert first.part("a", make("a", 1)) == [{"part": "a", "by": 1}]
    assert second.part("a", make("a", 2)) == []
    second.part("b", make("b", 2))
    first.part("b", make("b", 1))
    assert made == [("a", 1), ("b", 2)]
    assert [row["by"] for row in AnswerBook(run, {}).rows] == [1, 2]


def test_two_processes_answer_like_one(tmp_path, monkeypatch, no_network):
    def trial(name):
        return Trial(2, seconds=2.0, out=tmp_path / name)

    report = run_benchmark(Run("transcription", trial("one"), workers=1))

    def parts_are_there(self, name, make):
        assert name in self._rows, f"{name} was left to the one who reports"
        return self._rows[name]

    monkeypatch.setattr(AnswerBook, "part", parts_are_there)
    assert run_benchmark(Run("transcription", trial("two"), workers=2)) == report
    rows = [
        [json.loads(line) for line in (tmp_path / name / "answers.jsonl").read_text().splitlines()]
        for name in ("one", "two")
    ]
    assert rows[0] == rows[1] and len(rows[0]) == 8


def end_at_once(*arguments):
    os._exit(3)


def test_an_ended_process_is_told_without_a_traceback(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "_make_share", end_at_once)
    with pytest.raises(ConfigError, match="Give the command again"):
        running._share(Run("tools", Trial(2, out=tmp_path)), {}, 2)


def test_processes_are_for_long_runs(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    counts = [
        running._count_workers(Run("tools", Trial(n), workers=w))
        for n, w in ((10, 0), (100, 0), (10, 3))
    ]
    assert counts == [1, 4, 3]
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert running._count_workers(Run("tools", Trial(100))) == 1


_POOL = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor
from llark_py.benchmarks.running import leave_with_parent

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(1, context, initializer=leave_with_parent)
    print(pool.submit(os.getpid).result(), flush=True)
    pool.submit(time.sleep, 60)
    time.sleep(60)
"""


def test_processes_end_with_the_one_that_started_them(tmp_path):
    script = tmp_path / "pool.py"
    script.write_text(_POOL)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        worker = int(parent.stdout.readline())
        assert is_running(worker)
        parent.kill()
    until = time.monotonic() + 20
    while is_running(worker) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_running(worker)


def is_running(process: int) -> bool:
    """Tell whether there is such a process that is not just waiting to be buried."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
