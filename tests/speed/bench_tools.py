"""How long the tools take on a 3-minute song, and how much memory on one of 15 minutes.

Every row is a process of its own that keeps nothing on disk. Five tools are timed together, with
the encoder loaded before, since they share what it hears; notes as a command line, beside that of
Basic Pitch; stems as times faster than the song plays. In brackets the time of the processors,
which says more on a machine that has other work to do.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from song import DURATION_S, machine, make_song

from llark_py.audio import Audio, save_audio

TOGETHER = (
    "estimate_tempo",
    "estimate_key",
    "recognize_chords",
    "detect_instruments",
    "find_sections",
)
SEPARATE, DRUMS, NOTES = "separate_stems", "transcribe_drums", "transcribe_notes"
TOGETHER_S, STEMS_REAL_TIME, MEMORY_GB = 6.0, 4.0, 2.5
LONG_REPEATS = 5  # three minutes to fifteen
QUIET = {**os.environ, "LLARK_CACHE": "off"}


def measure(song: str, names: list[str]) -> None:
    """Be the fresh process: run tools on a song one after the other and print times and memory."""
    from llark_py.audio import load_audio
    from llark_py.tools import Workspace, run_tool

    audio = load_audio(song)
    # Three seconds of it load the networks, which a conversation does once.
    for name in names:
        run_tool(name, {}, {"audio_1": audio.slice(0.0, 3.0)}, Workspace())
    start, before = time.perf_counter(), time.process_time()
    for name in names:
        error = run_tool(name, {}, {"audio_1": audio}, Workspace()).error
        if error:
            sys.exit(f"{name}: {error}")
    found = {
        "seconds": time.perf_counter() - start,
        "processor_s": time.process_time() - before,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }
    print(json.dumps(found))


def run(song: Path, *names: str) -> dict[str, float]:
    """Run tools in a process of their own."""
    words = [sys.executable, __file__, "--child", str(song), *names]
    output = subprocess.run(words, env=QUIET, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(output.stdout.splitlines()[-1])


def command(*words: str) -> dict[str, float]:
    """Time a command line."""
    start, before = time.perf_counter(), children_s()
    subprocess.run(words, env=QUIET, capture_output=True, check=True)
    return {"seconds": time.perf_counter() - start, "processor_s": children_s() - before}


def children_s() -> float:
    """Count the seconds that finished child processes have computed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def write_notes(song: Path, folder: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Time writing down the notes: our command line, and Basic Pitch's own."""
    (folder / "theirs").mkdir()
    basic_pitch = Path(sys.executable).with_name("basic-pitch")
    ours = [sys.executable, "-m", "llark_py", "tools", NOTES, str(song), "--out"]
    theirs = [str(basic_pitch), "--model-serialization", "onnx", str(folder / "theirs"), str(song)]
    return command(*ours, str(folder / "ours")), command(*theirs)


def show(what: str, found: str, target: str, ratio: float) -> None:
    """Print a row; the ratio is how much better than the target it is (above 1: it holds)."""
    print(f"{what:44}{found:>22}{target:>22}{ratio:>8.2f}", flush=True)


def seconds(timed: dict[str, float]) -> str:
    """Write a time by the clock, and of the processors."""
    return f"{timed['seconds']:.1f} s ({timed['processor_s']:.1f} s)"


def main() -> None:
    """Print the table."""
    print(f"\nTools on a 3-minute mp3 ({machine()})")
    print(f"{'':44}{'here':>22}{'target':>22}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        song, long_song = folder / "song.mp3", folder / "long.mp3"
        piece = make_song(44_100)
        save_audio(piece, song)
        save_audio(Audio(np.tile(piece.samples, LONG_REPEATS), piece.sample_rate), long_song)
        five = run(song, *TOGETHER)
        ratio = TOGETHER_S / five["seconds"]
        show("tempo, key, chords, instruments, sections", seconds(five), f"{TOGETHER_S} s", ratio)
        ours, theirs = write_notes(song, folder)
        ratio = theirs["seconds"] / ours["seconds"]
        show("notes (llark tools; basic-pitch)", seconds(ours), seconds(theirs), ratio)
        times = DURATION_S / run(song, DRUMS)["seconds"]
        show("drums", f"{times:.1f} x real time", "-", times)
        times = DURATION_S / run(song, SEPARATE)["seconds"]
        target = f"{STEMS_REAL_TIME} x real time"
        show("four stems", f"{times:.1f} x real time", target, times / STEMS_REAL_TIME)
        for names in ((*TOGETHER, NOTES, DRUMS), (SEPARATE,)):
            peak = run(long_song, *names)["peak_gb"]
            what = "stems" if names == (SEPARATE,) else "all the others"
            ratio = MEMORY_GB / peak
            show(f"memory, 15 minutes: {what}", f"{peak:.2f} GB", f"{MEMORY_GB} GB", ratio)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        measure(sys.argv[2], sys.argv[3:])
    else:
        main()
