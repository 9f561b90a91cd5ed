"""MusicNet (Thickstun et al., 2017): which instruments play in each full 30 s of the test set."""

from __future__ import annotations

from pathlib import Path

from llark_py.errors import ConfigError
from llark_py.prompting import read_prompt_data

from ..qa.files import audio_by_stem, need, read_table
from ..qa.sets import guess_sets, score_set, set_readers, total_f1
from ..qa.task import Excerpt, Question, Task, check_unique
from ..qa.values import GUESS_SEEDS

SOURCE = (
    "Get musicnet.tar.gz (zenodo.org/records/5120004) with test_data/ID.wav and test_labels/ID.csv."
)
_LABEL_RATE = 44_100  # Hz; the labels count samples
_PART_S = 30.0
# MusicNet names instruments by MIDI programs that begin with 1.
_PROGRAMS = {
    1: "piano",
    7: "harpsichord",
    41: "violin",
    42: "viola",
    43: "cello",
    44: "double bass",
    61: "horn",
    69: "oboe",
    71: "bassoon",
    72: "clarinet",
    74: "flute",
}
_ALSO = {
    "cello": ("violoncello",),
    "double bass": ("contrabass", "upright bass", "bass"),
    "horn": ("french horn",),
}


def read(folder: Path) -> list[Question]:
    """Read `test_labels/*.csv`: start and end in samples, MIDI program, note, ..."""
    tables = need(folder, SOURCE, "test_labels", "musicnet/test_labels")
    audio = audio_by_stem(tables.parent / "test_data")
    prompt = read_prompt_data("published")["musicnet_instruments"]
    labels = tuple(_PROGRAMS.values())
    questions = []
    for table in sorted(tables.glob("*.csv")):
        path = audio.get(table.stem, tables.parent / "test_data" / f"{table.stem}.wav")
        for part, playing in enumerate(_parts(table)):
            excerpt = Excerpt(path, part * _PART_S, (part + 1) * _PART_S)
            if playing:
                name = f"{table.stem}/{part}"
                questions.append(Question(name, prompt, playing, labels, excerpt, table.stem))
    return check_unique(questions, str(folder))


def _parts(table: Path) -> list[frozenset[str]]:
    """The instruments of every full part of a piece, as long as its labels go on."""
    try:
        notes = [
            (int(row["start_time"]), int(row["end_time"]), _PROGRAMS[int(row["instrument"])])
            for row in read_table(table, ("start_time", "end_time", "instrument"))
        ]
    except (ValueError, KeyError) as error:
        raise ConfigError(f"{table}: {error} is no time or instrument of MusicNet") from error
    length = round(_PART_S * _LABEL_RATE)
    n_parts = max((end for _, end, _ in notes), default=0) // length
    return [
        frozenset(
            name for start, end, name in notes if start < (i + 1) * length and end > i * length
        )
        for i in range(n_parts)
    ]


TASK = Task(
    name="musicnet_instruments",
    version=1,
    source=SOURCE,
    read=read,
    readers=set_readers(_ALSO),
    score=score_set,
    primary="micro_f1",
    blind=guess_sets,
    totals=total_f1,
    seeds=GUESS_SEEDS,
)
