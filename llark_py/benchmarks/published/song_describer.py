"""Song Describer (Manco et al., 2023): captions of two-minute songs, several people a song.

Only the valid subset is asked about.
"""

from __future__ import annotations

from pathlib import Path

from llark_py.prompting import read_prompt_data

from ..qa.captions import SEEDS, guess_captions, read_caption, score_caption, total_bleu
from ..qa.files import audio_by_stem, need, read_table
from ..qa.task import Excerpt, Question, Task, check_unique

SOURCE = (
    "Get song_describer.csv and audio.zip (zenodo.org/records/10072001), unpacked as"
    " audio/NN/ID.2min.mp3."
)
_COLUMNS = ("track_id", "caption", "is_valid_subset", "path")


def read(folder: Path) -> list[Question]:
    """Read `song_describer.csv`; a song is one question, all its captions are right."""
    table = need(folder, SOURCE, "song_describer.csv", "song_describer*.csv")
    audio = audio_by_stem(folder)
    captions: dict[str, list[str]] = {}
    paths: dict[str, Path] = {}
    for row in read_table(table, _COLUMNS):
        if row["is_valid_subset"] == "True":
            name = row["track_id"]
            captions.setdefault(name, []).append(row["caption"])
            here = folder / "audio" / row["path"].replace(".mp3", ".2min.mp3")
            paths[name] = audio.get(f"{name}.2min") or audio.get(name) or here
    prompt = read_prompt_data("published")["song_describer"]
    questions = [
        Question(name, prompt, tuple(said), (), Excerpt(paths[name]), name)
        for name, said in captions.items()
    ]
    return check_unique(questions, str(table))


TASK = Task(
    name="song_describer",
    version=1,
    source=SOURCE,
    read=read,
    readers={"none": read_caption},
    score=score_caption,
    primary="rouge_l",
    blind=guess_captions,
    totals=total_bleu,
    has_captions=True,
    seeds=SEEDS,
)
