"""Songs an hour of `llark caption` beside a loop that asks and measures song by song.

Both use the same embedded model and all processors, and both are timed with everything loaded.
`--songs N` composes so many (default 200, of 10 to 150 s, every other one an mp3 in stereo); of
fewer the first and the last batch, beside which nothing else is worked on, are a larger share.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ["LLARK_CACHE"] = "off"

import numpy as np
import psutil
from song import machine

from llark_py.assistant.core import Assistant, load_assistant
from llark_py.audio import Audio, load_audio, save_audio
from llark_py.catalogue.captioner import load_captioner
from llark_py.catalogue.engine import Engine, share_processors
from llark_py.catalogue.ledger import Ledger
from llark_py.catalogue.scan import scan
from llark_py.catalogue.workers import Workers
from llark_py.compose.clip import make_clip
from llark_py.prompting import read_prompt_data
from llark_py.tools import Workspace, run_tool

LENGTHS_S = (10, 15, 20, 25, 30, 45, 60, 90, 120, 150)
TOOLS = (
    "estimate_tempo",
    "track_beats",
    "estimate_key",
    "recognize_chords",
    "detect_instruments",
    "detect_vocals",
    "find_sections",
    "measure_loudness",
)
TARGET = 3.0
_FIRST_SEED = 5000


def compose(seed: int, folder: str) -> None:
    """Write one song; runs in a worker."""
    _, audio = make_clip(_FIRST_SEED + seed, LENGTHS_S[seed % len(LENGTHS_S)], sample_rate=22_050)
    if seed % 2:
        audio = Audio(np.tile(audio.samples, (2, 1)), audio.sample_rate).resample(44_100)
    save_audio(audio, Path(folder) / f"{seed:04d}.{('wav', 'mp3')[seed % 2]}")


@contextmanager
def timed(times: dict[str, tuple[float, ...]], name: str) -> Iterator[None]:
    """Note the seconds by the clock, those that this process computed, and those of others."""
    start, before, others = time.perf_counter(), time.process_time(), others_s()
    yield
    here = time.process_time() - before
    times[name] = time.perf_counter() - start, here, others_s() - others


def others_s() -> float:
    """Count the seconds that child processes have computed so far."""
    children = psutil.Process().children(recursive=True)
    return sum(sum(child.cpu_times()[:2]) for child in children)


def loop(assistant: Assistant, paths: list[str]) -> None:
    """Do song by song what the catalogue does."""
    for path in paths:
        audio = load_audio(path)
        for question in read_prompt_data("catalogue").values():
            assistant.ask(audio, question)
        for tool in TOOLS:
            run_tool(tool, {}, {"audio_1": audio}, Workspace())


def main() -> None:
    """Print both, and how many times faster the catalogue is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=200)
    n_songs = parser.parse_args().songs
    times: dict[str, tuple[float, ...]] = {}
    with tempfile.TemporaryDirectory() as folder, Workers(os.cpu_count() or 1) as workers:
        for work in [workers.submit(compose, seed, folder) for seed in range(n_songs)]:
            work.result()
        songs = scan([folder]).songs
        assistant = load_assistant()
        loop(assistant, [songs[0].path])  # the first of everything
        with timed(times, "song by song"):
            loop(assistant, [song.path for song in songs])
        captioner = load_captioner(None)
        out = Path(folder) / "catalogue.jsonl"
        with Ledger(out, captioner.maker, ()) as ledger, Workers(share_processors()) as workers:
            with Ledger(out.with_name("first.jsonl"), captioner.maker, ()) as other:
                list(Engine(captioner, other, workers).run(songs[:2]))
            with timed(times, "llark caption"):
                list(Engine(captioner, ledger, workers).run(songs))
        n_records = out.read_text().count("\n")
    print(f"\n{n_records} of {n_songs} composed songs of 10 to 150 s ({machine()})")
    print(f"{'':16}{'songs/hour':>12}{'seconds':>10}{'computed here':>16}{'by workers':>12}")
    for name, (clock_s, here_s, workers_s) in times.items():
        rate = 3600 * n_songs / clock_s
        print(f"{name:16}{rate:12.0f}{clock_s:10.1f}{here_s:16.1f}{workers_s:12.1f}")
    gain = times["song by song"][0] / times["llark caption"][0]
    print(f"{gain:.1f} times as many (target {TARGET:g})")


if __name__ == "__main__":
    main()
