"""GTZAN (Tzanetakis and Cook, 2002): 1,000 clips of 30 s in ten genres, or a filtered test set.

The set has known faults (Sturm, 2013): repeated clips, wrong labels, one broken file
(`jazz.00054`). A list `test_filtered.txt` (Kereliuk et al., 290 clips) is used where it lies there.
"""

from __future__ import annotations

from pathlib import Path

from llark_py.errors import ConfigError
from llark_py.prompting import read_prompt_data

from ..qa.files import AUDIO_SUFFIXES, need, read_text
from ..qa.task import Excerpt, Question, Task, check_unique
from ..qa.values import GUESS_SEEDS, guess_labels, label_readers, score_label

SOURCE = (
    "Get GTZAN (genres.tar.gz; on the Hub marsyas/gtzan), unpacked as genres/GENRE/GENRE.00000.wav;"
    " with test_filtered.txt (github.com/coreyker/dnn-mgr/tree/master/gtzan) beside, only the clips"
    " of that list are asked about."
)
GENRES = {
    "blues": (),
    "classical": (),
    "country": (),
    "disco": (),
    "hiphop": ("hip hop", "rap"),
    "jazz": (),
    "metal": (),
    "pop": (),
    "reggae": (),
    "rock": (),
}


def read(folder: Path) -> list[Question]:
    """Read `genres/GENRE/*.wav` (or `genres_original`, or the genres themselves)."""
    blues = need(folder, SOURCE, "genres/blues", "genres_original/blues", "blues")
    clips = {
        path.stem: path
        for genre in GENRES
        for path in sorted((blues.parent / genre).glob(f"{genre}.*"))
        if path.suffix in AUDIO_SUFFIXES
    }
    chosen = folder / "test_filtered.txt"
    if chosen.is_file():
        lines = read_text(chosen).split()
        clips = {Path(line).stem: blues.parent / line for line in lines}
    strange = [name for name in clips if name.split(".")[0] not in GENRES]
    if strange:
        raise ConfigError(f"{chosen}: '{strange[0]}' is of no genre of GTZAN")
    prompt = read_prompt_data("published")["gtzan_genre"].format(labels=", ".join(GENRES))
    questions = [
        Question(
            name,
            prompt,
            name.split(".")[0],
            excerpt=Excerpt(path),
            group=name,
            categories={"genre": (name.split(".")[0],)},
        )
        for name, path in clips.items()
    ]
    return check_unique(questions, str(folder))


TASK = Task(
    name="gtzan_genre",
    version=1,
    source=SOURCE,
    read=read,
    readers=label_readers(GENRES),
    score=score_label,
    primary="acc",
    blind=guess_labels,
    seeds=GUESS_SEEDS,
)
