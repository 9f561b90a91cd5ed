"""How long `llark search` takes over 100,000 records: the index once, then questions.

Every time is that of a whole process, from its start to its end; in brackets that of its
processor, which says more on a machine that has other work to do. The records are simulated.
"""

from __future__ import annotations

import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from record_parts import random_record
from song import machine

RECORDS, MORE = 100_000, 1000
_DIFFERENT = 2000
QUESTIONS = (
    "calm piano in a minor key under 90 bpm",
    "jazz or blues without vocals between 100 and 120 bpm, louder than -20 lufs, with guitar",
    "something dusty for a rainy evening",
    "no drums",
    "fast music under 40 bpm",
)


def lines(first: int, last: int) -> Iterator[str]:
    """Write records as lines; from some number on they repeat under other names."""
    drawn = [random_record(number).model_dump() for number in range(_DIFFERENT)]
    for number in range(first, last):
        record = drawn[number % _DIFFERENT]
        record["path"] = f"/music/song {number:06}.wav"
        record["content_hash"] = hashlib.sha256(record["path"].encode()).hexdigest()
        yield json.dumps(record) + "\n"


def run_s(catalogue: Path, *arguments: str) -> tuple[float, float]:
    """Time one search in seconds: by the clock, and of the processor."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "llark_py", "search", str(catalogue), *arguments]
    subprocess.run(command, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, used


def main(records: int) -> None:
    """Print the table."""
    print(f"\nllark search over {records:,} simulated records ({machine()})")
    with tempfile.TemporaryDirectory() as folder:
        catalogue = Path(folder) / "catalogue.jsonl"
        with catalogue.open("w") as file:
            file.writelines(lines(0, records))
        show("the first search, which makes the index", *run_s(catalogue, QUESTIONS[0]))
        with catalogue.open("a") as file:
            file.writelines(lines(records, records + MORE))
        show(f"the next, after {MORE:,} more records", *run_s(catalogue, QUESTIONS[0]))
        for question in QUESTIONS:
            show(question, *run_s(catalogue, question))
        known = Path(folder) / "known.wav"
        known.write_bytes(b"a song that the catalogue knows")
        record = random_record(0).model_dump()
        record |= {"path": str(known)}
        record["content_hash"] = hashlib.sha256(known.read_bytes()).hexdigest()
        with catalogue.open("a") as file:
            file.write(json.dumps(record) + "\n")
        run_s(catalogue, "piano")
        show("--like a song of the catalogue", *run_s(catalogue, "--like", str(known)))
        show("the same, slow piano", *run_s(catalogue, "slow piano", "--like", str(known)))


def show(what: str, clock_s: float, used_s: float) -> None:
    """Print a row."""
    print(f"{what:90}{clock_s:6.2f} s ({used_s:5.2f} s)", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else RECORDS)
