"""Processes that first import librosa at the same time do not break each other's compiled code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import llark_py
from llark_py import librosa_import

USE = """
import numpy as np
from llark_py.librosa_import import load_librosa
librosa = load_librosa()
assert librosa.util.localmax(np.array([1.0, 2.0, 1.0])).tolist() == [False, True, False]
assert len(librosa.beat.beat_track(onset_envelope=np.random.default_rng(0).random(300))) == 2
"""


def test_processes_may_begin_together_in_a_new_environment(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "OMP_NUM_THREADS": "1"}
    # One after the other, so that each finds a part of what those before it have compiled.
    late = [f"import time; time.sleep({0.7 * i})\n{USE}" for i in range(3)]
    begun = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE)
        for code in late
    ]
    told = [process.communicate(timeout=200)[1].decode() for process in begun]
    assert [process.returncode for process in begun] == [0, 0, 0], told
    last = subprocess.run([sys.executable, "-c", USE], env=environment, timeout=200, check=False)
    assert last.returncode == 0


def test_nobody_imports_librosa_by_itself():
    package = Path(llark_py.__file__).parent
    alone = re.compile(r"^\s*(?:import librosa|from librosa\S* import)", re.MULTILINE)
    found = [path.name for path in package.rglob("*.py") if alone.search(path.read_text("utf-8"))]
    assert found == []


def test_the_lock_lies_where_it_can_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(librosa_import, "user_cache_path", lambda *_, **__: tmp_path / "cache")
    assert librosa_import._lock_path() == tmp_path / "cache" / "librosa.lock"
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(librosa_import, "user_cache_path", lambda *_, **__: tmp_path / "file/in")
    assert librosa_import._lock_path() == Path(tempfile.gettempdir()) / "librosa.lock"
