"""A run that is killed loses no more than a piece of a part, and asks nothing twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from llark_py.audio import Audio
from llark_py.benchmarks import tools
from llark_py.benchmarks.answers import AnswerBook
from llark_py.benchmarks.manner import ours
from llark_py.benchmarks.questions import Item, ask, ask_by_condition
from llark_py.benchmarks.trial import Trial


def tone(number):
    return Audio(np.sin(np.arange(800) * (0.1 + 0.01 * number)).astype(np.float32), 16_000)


ITEMS = [Item(str(i), tone(i), {"tempo": 100.0 + i, "style": "jazz"}) for i in range(4)]


class Ear:
    """Says jazz and measures 100 BPM; counts what it is asked."""

    sample_rate = 16_000
    manner = ours()

    def __init__(self):
        self.answered = self.measured = 0

    def hear(self, sounds):
        return sounds

    def answer(self, heard, questions):
        self.answered += len(questions)
        return ["Jazz." for _ in questions]

    def measure(self, tool, sound):
        self.measured += 1
        return {"tempo_bpm": 100.0, "confidence": 0.5}

    def heads(self, sound):
        return {}


def pieces(ear):
    return lambda: ask_by_condition(ear, "clips", ITEMS)


def whole(folder):
    return (folder / "parts" / "clips-000000.jsonl").read_bytes()


_KILLED = """
import os, signal, sys
from pathlib import Path

sys.path.insert(0, {tests!r})
from test_kept_pieces import Ear, pieces
from llark_py.benchmarks.answers import AnswerBook

class Killed(Ear):
    def answer(self, heard, questions):
        if self.answered == 8:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().answer(heard, questions)

AnswerBook(Path({folder!r}), {{}}).pieces("clips-000000", pieces(Killed()))
"""


def test_a_killed_run_keeps_every_condition_that_was_answered(tmp_path):
    cut, plain = tmp_path / "cut", tmp_path / "plain"
    code = _KILLED.format(tests=os.path.dirname(__file__), folder=str(cut))
    assert subprocess.run([sys.executable, "-c", code]).returncode == -9
    kept = cut / "parts" / "clips-000000"
    assert sorted(path.name for path in kept.iterdir()) == ["audio.jsonl", "noise.jsonl"]
    assert AnswerBook(cut, {}).rows == []  # what is no whole part is not scored

    ear = Ear()
    AnswerBook(cut, {}).pieces("clips-000000", pieces(ear))
    assert ear.answered == 2 * len(ITEMS)  # silence and other clip
    AnswerBook(plain, {}).pieces("clips-000000", pieces(Ear()))
    assert whole(cut) == whole(plain)
    assert [path.name for path in (cut / "parts").iterdir()] == ["clips-000000.jsonl"]


def test_the_parts_of_older_versions_are_taken_as_they_are(tmp_path):
    older = AnswerBook(tmp_path, {})
    older.part("clips-000000", lambda: ask(Ear(), "clips", ITEMS))
    ear = Ear()
    rows = AnswerBook(tmp_path, {}).pieces("clips-000000", pieces(ear))
    assert ear.answered == ear.measured == 0 and rows == older.rows


def test_no_sound_is_measured_twice():
    ear = Ear()
    rows = list(ask(ear, "clips", ITEMS))
    assert ear.measured == 3 * len(ITEMS)  # audio, noise, silence; other clips are known
    assert [r["condition"] for r in rows if r["fact"] == "tempo"] == [
        c for c in ("audio", "noise", "silence", "other clip") for _ in ITEMS
    ]


def test_tools_are_kept_clip_by_clip(tmp_path, monkeypatch):
    def ask_clip(clip, notes):
        if clip == "clip 12":
            raise KeyboardInterrupt
        asked.append(clip)
        return [{"id": clip}]

    asked = []
    monkeypatch.setattr(tools, "ask_clip", ask_clip)
    monkeypatch.setattr(
        tools, "compose_clips", lambda n, font, s, kind, i: [f"clip {i + j}" for j in range(n)]
    )
    with pytest.raises(KeyboardInterrupt):
        tools.ask_tools(Trial(20), AnswerBook(tmp_path, {}))
    assert len(list((tmp_path / "parts" / "clips-000000").iterdir())) == 12
    monkeypatch.setattr(tools, "ask_clip", lambda clip, notes: asked.append(clip) or [{"id": clip}])
    monkeypatch.setattr(tools, "_PIANOS", 0)  # what comes next is not tried here
    monkeypatch.setattr(tools, "_ask_pianos", None)
    with pytest.raises(TypeError):
        tools.ask_tools(Trial(20), AnswerBook(tmp_path, {}))
    assert asked == [f"clip {i}" for i in range(20)]
    lines = (tmp_path / "parts" / "clips-000000.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == asked
