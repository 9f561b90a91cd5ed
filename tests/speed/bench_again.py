"""How long `llark tools` takes when it is asked about a 3-minute mp3 for the first time, and again.

Every time is that of a whole process, from its start to its end; in brackets that of its
processor, which says more on a machine that has other work to do.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from song import machine, make_song

from llark_py.audio import save_audio

TOOLS = ("estimate_key", "estimate_tempo", "transcribe_notes")


def run_s(tool: str, song: Path, cache: str) -> tuple[float, float]:
    """Time one call of the command line in seconds: by the clock, and of the processor."""
    command = [sys.executable, "-m", "llark_py", "tools", tool, str(song), "--out"]
    start, before = time.perf_counter(), processor_s()
    subprocess.run(
        [*command, str(song.parent)],
        env={**os.environ, "LLARK_CACHE": cache},
        capture_output=True,
        check=True,
    )
    return time.perf_counter() - start, processor_s() - before


def processor_s() -> float:
    """Count the seconds that finished child processes have computed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(tools: list[str]) -> None:
    """Print the table; each tool begins with an empty cache."""
    print(f"\nllark tools NAME SONG, a process each, for a 3-minute mp3 ({machine()})")
    print(f"{'tool':20}{'no cache':>18}{'first':>18}{'again':>18}")
    with tempfile.TemporaryDirectory() as folder:
        song = Path(folder) / "song.mp3"
        save_audio(make_song(44100), song)
        run_s(TOOLS[0], song, "off")  # read everything into the memory of the system
        for tool in tools:
            cache = str(Path(folder) / f"cache-{tool}")
            times = [run_s(tool, song, place) for place in ("off", cache, cache)]
            print(f"{tool:20}" + "".join(f"{t:>8.1f} s ({cpu:4.1f} s)" for t, cpu in times))


if __name__ == "__main__":
    main(sys.argv[1:] or list(TOOLS))
