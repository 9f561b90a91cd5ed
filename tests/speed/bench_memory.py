"""Memory of `llark caption` over many short songs: it should not grow with their number.

`--songs N` captions so many (default 400) of 4 s each: a few dozen composed ones, over and over at
other levels, so that every file is another one.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

os.environ["LLARK_CACHE"] = "off"

import numpy as np
import psutil
from song import machine

from llark_py.audio import Audio, save_audio
from llark_py.catalogue.captioner import load_captioner
from llark_py.catalogue.engine import Engine, share_processors
from llark_py.catalogue.ledger import Ledger
from llark_py.catalogue.scan import scan
from llark_py.catalogue.workers import Workers
from llark_py.compose.clip import make_clip

N_COMPOSED, SECONDS = 40, 4.0
ROWS = 8
_FIRST_SEED = 6000


def write_songs(folder: Path, n: int) -> None:
    """Write n songs, no two of which are the same file."""
    clips = [make_clip(_FIRST_SEED + seed, SECONDS)[1] for seed in range(min(n, N_COMPOSED))]
    for number in range(n):
        audio = clips[number % len(clips)]
        gain = np.float32(0.5 + 0.5 * number / n)
        save_audio(Audio(audio.samples * gain, audio.sample_rate), folder / f"{number:05d}.wav")


def resident_mib() -> tuple[float, float]:
    """Measure the memory of this process, and of the largest of its workers, in MiB."""
    workers = [child.memory_info().rss for child in psutil.Process().children(recursive=True)]
    return psutil.Process().memory_info().rss / 2**20, max(workers, default=0) / 2**20


def main() -> None:
    """Print a row after each eighth of the songs, and by how much memory grew after the second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=400)
    n_songs = parser.parse_args().songs
    captioner = load_captioner(None)
    rows: list[tuple[int, float, float]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_songs(folder, n_songs)
        out, done = folder / "catalogue.jsonl", 0
        with Ledger(out, captioner.maker, ()) as ledger, Workers(share_processors()) as workers:
            for described, _ in Engine(captioner, ledger, workers).run(scan([name]).songs):
                done += described
                if done >= n_songs * (len(rows) + 1) / ROWS:
                    rows.append((done, *resident_mib()))
        n_records = out.read_text().count("\n")
    print(f"\nMemory of llark caption, {n_records} songs of {SECONDS:g} s ({machine()})")
    print(f"{'songs':>8}{'this process':>16}{'largest worker':>18}")
    for done, here, worker in rows:
        print(f"{done:8}{here:12.0f} MiB{worker:14.0f} MiB")
    (_, early, early_worker), (_, late, late_worker) = rows[1], rows[-1]
    print(f"grew by {late - early:+.0f} and {late_worker - early_worker:+.0f} MiB since the second")


if __name__ == "__main__":
    main()
