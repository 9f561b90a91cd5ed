"""What it costs to write and to resume catalogues of up to a million simulated records.

Batches are of a thousand records, so that the disk is not kept busy with confirming them.

`--records N` sets the largest (default 200,000). Both times a record should not grow with N.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import psutil
from song import machine

from llark_py.catalogue.ledger import Ledger
from llark_py.catalogue.record import Captions, Facts, Maker, Record
from llark_py.catalogue.scan import Song

BATCH = 1000
SIZES = 100, 10, 1
"""The largest catalogue is divided by these."""
MAKER = Maker(name="simulated", version="0", weights="0" * 32)


def make_songs(n: int) -> list[Song]:
    """Name n files that are not there."""
    return [Song(f"/music/artist {i // 1000:04d}/song {i:07d}.mp3", i + 1, i) for i in range(n)]


def describe(song: Song) -> Record:
    """Make a record of usual length, 2 kB."""
    return Record(
        path=song.path,
        content_hash="0" * 64,
        size_bytes=song.size_bytes,
        modified_ns=song.modified_ns,
        duration_s=180.0,
        captions=Captions(line="A song.", paragraph="A long song. " * 40, tags=("long", "slow")),
        facts=Facts(),
        embedding="A" * 684,
        model=MAKER,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=200_000)
    largest = parser.parse_args().records
    print(f"\nLedger of llark caption, batches of {BATCH} ({machine()}; seconds of the processor)")
    print(f"{'records':>10}{'writing each':>16}{'resuming each':>16}{'resuming':>12}{'memory':>12}")
    for divisor in SIZES:
        n = largest // divisor
        songs = make_songs(n)
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "catalogue.jsonl"
            start = time.process_time()
            with Ledger(out, MAKER, ()) as ledger:
                for first in range(0, n, BATCH):
                    ledger.add([describe(song) for song in songs[first : first + BATCH]], [])
            wrote_s = time.process_time() - start
            start = time.process_time()
            with Ledger(out, MAKER, ()) as ledger:
                left = ledger.plan(songs)
            read_s = time.process_time() - start
        if left:
            raise SystemExit(f"{len(left)} of {n} songs were forgotten")
        memory = psutil.Process().memory_info().rss / 2**20
        print(
            f"{n:10,}{1e6 * wrote_s / n:13.0f} µs{1e6 * read_s / n:13.0f} µs"
            f"{read_s:10.1f} s{memory:8.0f} MiB"
        )


if __name__ == "__main__":
    main()
