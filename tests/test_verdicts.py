"""The embedded model names the one of two recordings that its tool found faster or louder."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from llark_py.analysis import comparison
from llark_py.analysis.comparison import Song
from llark_py.analysis.harmony import Harmony
from llark_py.analysis.rhythm import Rhythm
from llark_py.assistant.core import load_assistant
from llark_py.benchmarks.call_checks import right_verdict
from llark_py.compose.clip import make_song
from llark_py.messages import AudioPart, user

MINI = Path(__file__).parents[1] / "llark_py" / "assets" / "mini" / "config.json"
pytestmark = pytest.mark.skipif(
    not MINI.is_file(), reason=f"{MINI.parent} holds no embedded model yet; `llark train mini`"
)
N_PAIRS = 8
QUESTIONS = {
    "faster": ("Which of the two is faster?", ["fast", "BPM", "tempo"]),
    "louder": ("which one is louder?", ["loud", "LU"]),
}


def made_up_song(rng: Random) -> Song:
    rhythm = Rhythm(round(rng.uniform(60, 180), 1), 60.0, (), 0.9)
    loudness_lufs = round(rng.uniform(-20, -8), 1)
    return Song(rhythm, Harmony("A minor", "C major", 0.9, 0.0), ("drums", "bass"), loudness_lufs)


@pytest.mark.parametrize("field", QUESTIONS)
def test_the_recording_that_was_found_to_be_more_is_named(field, monkeypatch):
    rng, assistant = Random(1), load_assistant()
    audios = [make_song(seed, 8.0, "synth")[1] for seed in (1, 2)]
    question, about = QUESTIONS[field]
    parts = [AudioPart(f"audio_{i}", audio) for i, audio in enumerate(audios, 1)]
    verdicts, answers = [], []
    for _ in range(N_PAIRS):
        songs = dict(zip(("first", "second"), (made_up_song(rng), made_up_song(rng)), strict=True))
        monkeypatch.setattr(comparison, "_measure", lambda audio, which, made=songs: made[which])
        answer = assistant.ask([user(question, *parts)])
        results = [result.content for result in answer.tool_results]
        verdicts.append(right_verdict(answer.text, {"field": field, "about": about}, results))
        answers.append((results[-1][field], answer.text))
    named = {found for found, _ in answers}
    assert named == {"first", "second"}, "always saying one of them must not pass"
    assert sum(map(bool, verdicts)) >= N_PAIRS - 1, answers
