"""How long a person waits: from a 3-minute mp3 to the first word of the answer, and the next.

A third question asks for a long description, to see how fast the words come then.

Every row of the table is a fresh process, timed from before it is started, so that imports and
loading the model count.
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

COLD_TARGET_S, NEXT_TARGET_S, MEMORY_TARGET_GB, RATE_TARGET = 4.0, 1.0, 2.5, 40
COLUMNS = ("loaded", "cold", "next", "tokens", "peak")
LONG_ANSWER = "Write a long description of this track."
# First question, and the one that follows in the same conversation.
DIALOGUES = (
    ("What do you hear?", "Which instruments play?"),
    ("How fast is it?", "What style is it?"),
    ("Which key is it in?", "How fast is it?"),
)


def wait_for_words(assistant, messages) -> tuple[float, float, str, tuple]:
    """Ask, and time the first word and the whole answer in seconds."""
    from llark_py.assistant.events import Done, TextDelta

    start, first_s, text, new = time.time(), 0.0, "", ()
    for event in assistant.stream(messages):
        if isinstance(event, TextDelta) and event.text.strip() and not first_s:
            first_s = time.time() - start
        if isinstance(event, Done):
            text, new = event.text, event.messages
    return first_s, time.time() - start, text, new


def measure(song: str, started_at: float, first: str, second: str, model: str | None) -> None:
    """Be the fresh process: answer two questions and print the times as JSON."""
    from llark_py import load_assistant, load_audio
    from llark_py.messages import AudioPart, user

    assistant = load_assistant(model)
    audio = load_audio(song)
    ready_s = time.time() - started_at
    messages = [user(first, AudioPart("audio_1", audio, "song.mp3"))]
    first_s, _, text, new = wait_for_words(assistant, messages)
    messages += [*new, user(second)]
    next_s, _, next_text, new = wait_for_words(assistant, messages)
    first_word_s, whole_s, long_text, _ = wait_for_words(
        assistant, [*messages, *new, user(LONG_ANSWER)]
    )
    n_tokens = len(assistant._decoder.tokenizer(long_text)["input_ids"])
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    result = {
        "ready_s": ready_s,
        "cold_s": ready_s + first_s,
        "next_s": next_s,
        "tokens_per_s": n_tokens / (whole_s - first_word_s),
        "peak_gb": peak_gb,
        "texts": [text, next_text, long_text],
    }
    print(json.dumps(result))


def main(model: str | None) -> None:
    """Make the song, run every dialogue in a process of its own, print the table."""
    from song import machine, make_song

    from llark_py.audio import save_audio

    print(f"\nFirst word of an answer about a 3-minute mp3 ({machine()})")
    columns = "".join(f"{c:>{n}}" for c, n in zip(COLUMNS, (8, 8, 8, 9, 9), strict=True))
    print(f"{'first question -> next question':48}{columns}")
    with tempfile.TemporaryDirectory() as folder:
        song = Path(folder) / "song.mp3"
        save_audio(make_song(44100), song)
        for first, second in DIALOGUES:
            command = [sys.executable, __file__, "--child", str(song), str(time.time())]
            run = subprocess.run(
                [*command, first, second, model or ""],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            r = json.loads(run.stdout.splitlines()[-1])
            print(
                f"{first + ' -> ' + second:48}{r['ready_s']:>6.1f} s{r['cold_s']:>6.1f} s"
                f"{r['next_s']:>6.2f} s{r['tokens_per_s']:>7.0f}/s{r['peak_gb']:>6.2f} GB"
            )
            if os.environ.get("LLARK_SHOW_ANSWERS"):
                print(*(f"    {text}" for text in r["texts"]), sep="\n")
    target = f"{COLD_TARGET_S:>6.1f} s{NEXT_TARGET_S:>6.2f} s"
    print(f"{'target':56}{target}{RATE_TARGET:>7.0f}/s{MEMORY_TARGET_GB:>6.2f} GB")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments[:1] == ["--child"]:
        measure(arguments[1], float(arguments[2]), arguments[3], arguments[4], arguments[5] or None)
    else:
        main(arguments[0] if arguments else None)
