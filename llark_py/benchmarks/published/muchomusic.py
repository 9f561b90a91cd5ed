"""MuChoMusic (Weck, Manco et al., ISMIR 2024): 1,187 multiple-choice questions about 644 tracks.

Not to be mixed up with RUL-MuchoMusic, which has the same questions and harder options.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llark_py.errors import ConfigError
from llark_py.prompting import read_prompt_data

from ..qa.choices import (
    LETTERS,
    guess_choices,
    read_leniently,
    read_strictly,
    score_choice,
    shuffled,
    write_options,
)
from ..qa.files import audio_by_stem, fields, need, read_items, read_table
from ..qa.task import Excerpt, Question, Task, check_unique

SOURCE = (
    "Get muchomusic.csv (zenodo.org/records/12709974) or a list muchomusic.json of audio, question,"
    " choices and answer (a letter), the sound of the Song Describer dataset"
    " (sdd/audio/NN/ID.2min.mp3) and of MusicCaps (musiccaps/audio/[YTID]-[START-END].wav)."
)
OPTIONS = ("correct_answer", "distractor_1_answer", "distractor_2_answer", "distractor_3_answer")
_COLUMNS = ("question", *OPTIONS, "dataset", "dataset_identifier", "genre")
_ITEM = ("id", "prompt", "answers", "answer_orders", "genre", "reasoning", "knowledge")
_LISTED = ("audio", "question", "choices", "answer")
_PREFIX = "The correct answer is:"
_OFFICIAL_LETTERS = "ABCD"
_SEED = "muchomusic {number}"
_YOUTUBE = re.compile(r"\[(.+)\]-\[\d+-\d+\]")


def read(folder: Path) -> list[Question]:
    """Read `muchomusic.csv`; options are mixed by a seed of their own for every question.

    Also read is a list `muchomusic.json` of `audio`, `question`, `choices` and `answer` (a letter),
    as copies of the benchmark have it, with the options in their order.
    """
    table = need(folder, SOURCE, "muchomusic.csv", "data/muchomusic.csv", "muchomusic*.json")
    audio = {_youtube_id(stem): path for stem, path in audio_by_stem(folder).items()}
    if table.suffix == ".json":
        return check_unique(_read_list(table, audio), str(table))
    layout = read_prompt_data("published")["muchomusic"]
    questions = []
    for number, row in enumerate(read_table(table, _COLUMNS)):
        options, order = shuffled([row[name] for name in OPTIONS], _SEED.format(number=number))
        sound = recording_id(row["dataset"], row["dataset_identifier"])
        path = audio.get(f"{sound}.2min") or audio.get(sound) or folder / f"{sound} (sound)"
        questions.append(
            Question(
                id=str(number),
                prompt=layout.format(question=row["question"], options=write_options(options)),
                target=order.index(0),
                options=options,
                excerpt=Excerpt(path),
                group=sound,
                categories={
                    "genre": (row["genre"],) if row["genre"] else (),
                    "knowledge": _listed(row.get("music_knowledge")),
                    "reasoning": _listed(row.get("music_reasoning")),
                },
            )
        )
    return check_unique(questions, str(table))


def _read_list(path: Path, audio: Mapping[str, Path]) -> list[Question]:
    layout = read_prompt_data("published")["muchomusic"]
    questions = []
    for number, item in enumerate(read_items(path)):
        where = f"{path}, item {number}"
        sound, text, options, letter = fields(item, _LISTED, where)
        if letter not in LETTERS[: len(options)]:
            raise ConfigError(f"{where}: the answer '{letter}' is no letter of an option")
        questions.append(
            Question(
                id=str(number),
                prompt=layout.format(question=text, options=write_options(options)),
                target=LETTERS.index(letter),
                options=tuple(options),
                excerpt=Excerpt(audio.get(Path(sound).stem, path.parent / "audio" / sound)),
                group=sound,
            )
        )
    return questions


def recording_id(dataset: str, identifier: str) -> str:
    """The track of Song Describer, or the YouTube id of MusicCaps, that a row is about."""
    name = identifier.removesuffix(".json")
    return name if dataset == "sdd" else name.rpartition("_")[0]


def _youtube_id(stem: str) -> str:
    found = _YOUTUBE.fullmatch(stem)
    return found[1] if found else stem


def _listed(cell: str | None) -> tuple[str, ...]:
    return tuple(ast.literal_eval(cell)) if cell else ()


def read_officially(question: Question, text: str) -> int | None:
    """Read an answer as the authors' script does, with all its quirks.

    Behind the last `The correct answer is:`, one of the *characters* A to D stands in the answer
    and no other of them (so the A of `A guitar` is option A); else the first option whose words
    stand in it. Else it counts as not answered.
    """
    said = text.split(_PREFIX)[-1].strip()
    letters = set(_OFFICIAL_LETTERS) & set(said)
    if len(letters) == 1:
        return _OFFICIAL_LETTERS.index(letters.pop())
    for number, option in enumerate(question.options):
        if option.lower().strip() in said.lower():
            return number
    return None


def read_answers(path: Path) -> list[tuple[Question, str]] | None:
    """Read what the authors' scripts write: a list of items with `model_output`."""
    items = read_items(path)
    if "answer_orders" not in items[0]:
        return None
    found = []
    for number, item in enumerate(items):
        where = f"{path}, item {number}"
        name, prompt, options, order, genre, reasoning, knowledge = fields(item, _ITEM, where)
        (said,) = fields(item, ("model_output",), where)
        if 0 not in order or len(order) != len(options):
            raise ConfigError(f"{where}: answer_orders {order} does not fit the answers")
        categories = {"genre": _one(genre), "knowledge": knowledge, "reasoning": reasoning}
        question = Question(
            id=str(number),
            prompt=prompt,
            target=order.index(0),
            options=tuple(options),
            group=str(name),
            categories={key: tuple(values) for key, values in categories.items()},
        )
        found.append((question, said))
    return found


def _one(genre: Any) -> Sequence[str]:
    return (genre,) if isinstance(genre, str) and genre else ()


TASK = Task(
    name="muchomusic",
    version=1,
    source=SOURCE,
    read=read,
    readers={"official": read_officially, "strict": read_strictly, "lenient": read_leniently},
    score=score_choice,
    primary="acc",
    blind=guess_choices,
    read_answers=read_answers,
    seeds={"options": _SEED},
)
