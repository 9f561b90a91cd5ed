"""`llark caption`, the command with its workers, stopped anywhere, goes on where it was."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from functools import partial

import psutil
import pytest
from catalogue_parts import run

from llark_py.audio import save_audio
from llark_py.catalogue.captioner import load_captioner
from llark_py.compose.clip import make_clip

N_SONGS = 4
# Batches of one song, so that there are moments between them.
COMMAND = """
import sys
from llark_py.catalogue import engine
engine.BATCH_SONGS = 1
from llark_py.cli import main
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Give the command for a folder of short songs and a bad file, and its catalogue."""
    folder = tmp_path_factory.mktemp("songs")
    for seed in range(N_SONGS):
        save_audio(make_clip(seed, 3.0)[1], folder / f"{seed}.wav")
    (folder / "bad.wav").write_text("")
    script = folder.parent / "command.py"
    script.write_text(COMMAND)
    whole = folder.parent / "whole.jsonl"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("llark_py.catalogue.engine.BATCH_SONGS", 1)
        run([folder], whole, load_captioner(None))
    return [sys.executable, script, "caption", folder, "--out"], whole


def start(command):
    """Start a command that listens to Ctrl-C, even where a shell in the background does not."""
    return subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )


def finish(command, out, whole):
    """Give the command again: the catalogue is the one of a run that nobody stopped."""
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 1 and "1 files have no record" in again.stderr
    assert again.stdout.strip() == str(out)
    for name in (out, out.with_name(f"{out.stem}.errors.jsonl")):
        twin = whole.with_name(name.name.replace(out.stem, whole.stem))
        assert name.read_bytes() == twin.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_the_command_stopped_with_its_workers_goes_on_where_it_was(how, songs, tmp_path):
    command, whole = songs
    out = tmp_path / "c.jsonl"
    process = start([*command, out])
    while process.poll() is None and not (out.exists() and out.stat().st_size):
        time.sleep(0.02)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(how)
    _, told = process.communicate()
    psutil.wait_procs(children, timeout=60)
    assert children and not any(child.is_running() for child in children)
    if how == signal.SIGINT:
        assert process.returncode == 130 and "goes on from here" in told
        assert "Traceback" not in told
    finish([*command, out], out, whole)


@pytest.mark.slow
@pytest.mark.skipif(
    "LLARK_TEST_KILLS" not in os.environ,
    reason="kills a command again and again, which takes minutes: LLARK_TEST_KILLS=20 runs it",
)
@pytest.mark.timeout(3600)
def test_the_command_is_killed_at_many_random_moments(songs, tmp_path):
    command, whole = songs
    out, rng = tmp_path / "c.jsonl", random.Random(7)
    begin = time.monotonic()
    process = start([*command, out])
    process.communicate()
    takes_s = time.monotonic() - begin
    finish([*command, out], out, whole)
    n_killed = 0
    for number in range(10 * int(os.environ["LLARK_TEST_KILLS"])):
        if n_killed == int(os.environ["LLARK_TEST_KILLS"]):
            break
        if not number % 5:  # a run gets about so far
            for path in tmp_path.glob("c.*"):
                path.unlink()
        process = start([*command, out])
        try:
            process.communicate(timeout=rng.uniform(0.0, takes_s))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            n_killed += 1
            if rng.random() < 0.5:
                finish([*command, out], out, whole)
    assert n_killed == int(os.environ["LLARK_TEST_KILLS"])
    finish([*command, out], out, whole)
