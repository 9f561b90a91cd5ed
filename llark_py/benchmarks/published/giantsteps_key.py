"""GiantSteps key (Knees et al., ISMIR 2015): 604 two-minute previews of electronic dance music."""

from __future__ import annotations

from pathlib import Path

from llark_py.errors import ConfigError
from llark_py.prompting import read_prompt_data
from llark_py.theory import parse_key

from ..qa.files import audio_by_stem, need, read_text
from ..qa.task import Excerpt, Question, Task, check_unique
from ..qa.values import KEY_SEEDS, guess_keys, read_key_leniently, read_key_strictly, score_key

SOURCE = (
    "Get github.com/GiantSteps/giantsteps-key-dataset (annotations/key/ID.LOFI.key) and let its"
    " audio_dl.sh fetch the sound (audio/ID.LOFI.mp3); a table giantsteps_key.tsv"
    " (ID.LOFI, tab, key) does too."
)


def read(folder: Path) -> list[Question]:
    """Read `annotations/key/*.key` or `giantsteps_key.tsv`."""
    audio = audio_by_stem(folder)
    prompt = read_prompt_data("published")["giantsteps_key"]
    questions = []
    for name, key in read_annotations(folder, "key", SOURCE).items():
        try:
            parse_key(key)
        except ConfigError as error:
            raise ConfigError(f"{folder}, {name}: {error}") from error
        path = audio.get(name, folder / "audio" / f"{name}.mp3")
        questions.append(Question(name, prompt, key, excerpt=Excerpt(path), group=name))
    return check_unique(questions, str(folder))


def read_annotations(folder: Path, kind: str, source: str) -> dict[str, str]:
    """Read the annotations of GiantSteps, by track.

    Args:
        folder: The data.
        kind: `key` or `tempo`.
        source: What to get where.

    Raises:
        ConfigError: There are none.
    """
    patterns = {
        "key": ("annotations/key", "key"),
        "tempo": ("annotations_v2/tempo", "tempo"),
    }[kind]
    place = need(folder, source, f"giantsteps_{kind}*.tsv", *patterns)
    if place.is_file():
        lines = [line.split("\t") for line in read_text(place).splitlines()]
        if any(len(line) != 2 for line in lines):
            raise ConfigError(f"{place}: every line must be a name, a tab and the {kind}")
        return {name: value.strip() for name, value in lines}
    files = sorted(path for path in place.iterdir() if path.suffix in (".key", ".bpm"))
    return {path.stem: read_text(path).strip() for path in files}


TASK = Task(
    name="giantsteps_key",
    version=1,
    source=SOURCE,
    read=read,
    readers={"strict": read_key_strictly, "lenient": read_key_leniently},
    score=score_key,
    primary="mirex",
    blind=guess_keys,
    seeds=KEY_SEEDS,
)
