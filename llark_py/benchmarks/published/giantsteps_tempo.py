"""GiantSteps tempo: 664 previews, with the second edition of the tempi (Schreiber, Müller, 2018).

Three of them have no tempo (0) and are left out.
"""

from __future__ import annotations

from pathlib import Path

from llark_py.errors import ConfigError
from llark_py.prompting import read_prompt_data

from ..qa.files import audio_by_stem
from ..qa.task import Excerpt, Question, Task, check_unique
from ..qa.values import (
    GUESS_SEEDS,
    guess_tempi,
    read_first_number,
    read_tempo_leniently,
    read_tempo_strictly,
    score_tempo,
)
from .giantsteps_key import read_annotations

SOURCE = (
    "Get github.com/GiantSteps/giantsteps-tempo-dataset (annotations_v2/tempo/ID.LOFI.bpm) and let"
    " its audio_dl.sh fetch the sound (audio/ID.LOFI.mp3); a table giantsteps_tempo_v2.tsv"
    " (ID.LOFI, tab, BPM) does too."
)


def read(folder: Path) -> list[Question]:
    """Read `annotations_v2/tempo/*.bpm` or `giantsteps_tempo*.tsv`."""
    audio = audio_by_stem(folder)
    prompt = read_prompt_data("published")["giantsteps_tempo"]
    questions = []
    for name, text in read_annotations(folder, "tempo", SOURCE).items():
        try:
            tempo_bpm = float(text)
        except ValueError as error:
            raise ConfigError(f"{folder}, {name}: '{text}' is no tempo") from error
        if tempo_bpm > 0:
            path = audio.get(name, folder / "audio" / f"{name}.mp3")
            questions.append(Question(name, prompt, tempo_bpm, excerpt=Excerpt(path), group=name))
    return check_unique(questions, str(folder))


TASK = Task(
    name="giantsteps_tempo",
    version=1,
    source=SOURCE,
    read=read,
    readers={
        "strict": read_tempo_strictly,
        "lenient": read_tempo_leniently,
        "first number": read_first_number,
    },
    score=score_tempo,
    primary="acc1",
    blind=guess_tempi,
    seeds=GUESS_SEEDS,
)
