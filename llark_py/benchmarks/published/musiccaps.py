"""MusicCaps (Agostinelli et al., 2023): 2,858 clips of 10 s (AudioSet's evaluation part)."""

from __future__ import annotations

from pathlib import Path

from llark_py.prompting import read_prompt_data

from ..qa.captions import SEEDS, guess_captions, read_caption, score_caption, total_bleu
from ..qa.files import audio_by_stem, need, read_table
from ..qa.task import Excerpt, Question, Task, check_unique

SOURCE = (
    "Get musiccaps-public.csv (huggingface.co/datasets/google/MusicCaps) and the clips as"
    " audio/[YTID]-[START-END].wav or audio/YTID.wav (they come from YouTube; those that are gone"
    " are left out and counted)."
)
_COLUMNS = ("ytid", "start_s", "end_s", "caption", "is_audioset_eval")


def read(folder: Path) -> list[Question]:
    """Read `musiccaps-public.csv`, the rows with `is_audioset_eval`."""
    table = need(folder, SOURCE, "musiccaps-public.csv", "musiccaps*.csv")
    audio = audio_by_stem(folder)
    prompt = read_prompt_data("published")["musiccaps"]
    questions = []
    for row in read_table(table, _COLUMNS):
        if row["is_audioset_eval"] != "True":
            continue
        name = row["ytid"]
        cut = f"[{name}]-[{int(float(row['start_s']))}-{int(float(row['end_s']))}]"
        path = audio.get(cut) or audio.get(name) or folder / "audio" / f"{cut}.wav"
        questions.append(Question(name, prompt, (row["caption"],), (), Excerpt(path), name))
    return check_unique(questions, str(table))


TASK = Task(
    name="musiccaps",
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
