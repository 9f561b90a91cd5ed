"""MTG-Jamendo autotagging (Bogdanov et al., 2019): genres, instruments, moods of a test split."""

from __future__ import annotations

from pathlib import Path

from llark_py.errors import ConfigError
from llark_py.prompting import read_prompt_data

from ..qa.files import need, read_text
from ..qa.sets import guess_sets, score_set, set_readers, total_f1
from ..qa.task import Excerpt, Question, Task, check_unique
from ..qa.values import GUESS_SEEDS

SOURCE = (
    "Get one test list of github.com/MTG/mtg-jamendo-dataset (data/splits/split-0/"
    "autotagging_top50tags-test.tsv, or another autotagging*-test.tsv) and the sound with its"
    " download script, as audio/14/214.mp3 (or 214.low.mp3)."
)
_COLUMNS = 6  # the sixth and all after it are tags
# Tags are written in one word; people are not that strict.
_SPELT = {
    "60s": ("sixties",),
    "70s": ("seventies",),
    "80s": ("eighties",),
    "90s": ("nineties",),
    "acidjazz": ("acid jazz",),
    "acousticbassguitar": ("acoustic bass guitar",),
    "acousticguitar": ("acoustic guitar",),
    "alternativerock": ("alternative rock",),
    "bossanova": ("bossa nova",),
    "classicalguitar": ("classical guitar",),
    "classicrock": ("classic rock",),
    "darkambient": ("dark ambient",),
    "deephouse": ("deep house",),
    "doublebass": ("double bass", "upright bass"),
    "drummachine": ("drum machine",),
    "drumnbass": ("drum and bass", "drum n bass"),
    "easylistening": ("easy listening",),
    "electricguitar": ("electric guitar",),
    "electricpiano": ("electric piano",),
    "hardrock": ("hard rock",),
    "heavymetal": ("heavy metal",),
    "hiphop": ("hip hop",),
    "indierock": ("indie rock",),
    "newage": ("new age",),
    "newwave": ("new wave",),
    "popfolk": ("pop folk", "folk pop"),
    "poprock": ("pop rock",),
    "postrock": ("post rock",),
    "punkrock": ("punk rock",),
    "rnb": ("r&b", "rhythm and blues"),
    "rocknroll": ("rock and roll", "rock n roll"),
    "singersongwriter": ("singer songwriter",),
    "synthpop": ("synth pop",),
    "triphop": ("trip hop",),
    "worldfusion": ("world fusion",),
}


def read(folder: Path) -> list[Question]:
    """Read `autotagging*-test.tsv`: track, artist, album, path, length, and tags to the end."""
    table = need(folder, SOURCE, "autotagging*-test.tsv", "*jamendo*test*.tsv")
    rows = [line.split("\t") for line in read_text(table).splitlines()[1:]]
    for number, row in enumerate(rows, 2):
        if len(row) < _COLUMNS:
            raise ConfigError(f"{table}, line {number}: {len(row)} columns, expected at least 6")
    sets = [frozenset(tag.split("---")[-1] for tag in row[_COLUMNS - 1 :]) for row in rows]
    labels = sorted(frozenset().union(*sets))
    prompt = read_prompt_data("published")["jamendo_tags"].format(labels=", ".join(labels))
    questions = [
        Question(row[0], prompt, tags, tuple(labels), Excerpt(_sound(folder, row[3])), row[0])
        for row, tags in zip(rows, sets, strict=True)
    ]
    return check_unique(questions, str(folder))


def _sound(folder: Path, path: str) -> Path:
    low = folder / "audio" / path.replace(".mp3", ".low.mp3")
    return low if low.is_file() else folder / "audio" / path


TASK = Task(
    name="jamendo_tags",
    version=1,
    source=SOURCE,
    read=read,
    readers=set_readers(_SPELT),
    score=score_set,
    primary="micro_f1",
    blind=guess_sets,
    totals=total_f1,
    seeds=GUESS_SEEDS,
)
