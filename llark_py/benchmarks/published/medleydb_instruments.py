"""MedleyDB (Bittner et al., 2014): which instruments play in each mix, by its stems.

Stems are named finely (`clean electric guitar`); here they count by their kind (`guitar`). Effects
and samplers, which say nothing about what sounds, are left out.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from llark_py.errors import ConfigError
from llark_py.prompting import read_prompt_data

from ..qa.files import need, read_text
from ..qa.sets import guess_sets, score_set, set_readers, total_f1
from ..qa.task import Excerpt, Question, Task, check_unique
from ..qa.values import GUESS_SEEDS

SOURCE = (
    "Get MedleyDB (medleydb.weebly.com, on request): Metadata/TITLE_METADATA.yaml (also in"
    " github.com/marl/medleydb) and Audio/TITLE/TITLE_MIX.wav."
)
_SAYS_NOTHING = ("fx/processed sound", "sampler", "unlabeled", "main system", "scratches")
# Kinds that are not the last word of a stem's name.
_KINDS = {
    "bass drum": "drums",
    "bongo": "percussion",
    "castanet": "percussion",
    "claps": "percussion",
    "cymbal": "drums",
    "drum machine": "drums",
    "drum set": "drums",
    "female rapper": "voice",
    "female singer": "voice",
    "gong": "percussion",
    "high hat": "drums",
    "kick drum": "drums",
    "male rapper": "voice",
    "male screamer": "voice",
    "male singer": "voice",
    "male speaker": "voice",
    "maracas": "percussion",
    "shaker": "percussion",
    "snare drum": "drums",
    "string": "strings",
    "tabla": "percussion",
    "tambourine": "percussion",
    "timpani": "percussion",
    "toms": "drums",
    "vocalists": "voice",
}
# Other words that people use for the kinds.
_ALSO = {
    "voice": ("vocal", "vocals", "singer", "singing", "vocalist", "rapper"),
    "drums": ("drum", "drum kit", "drum set", "drum machine"),
    "synthesizer": ("synth",),
    "saxophone": ("sax",),
    "bass": ("bass guitar", "double bass", "upright bass"),
    "percussion": ("tambourine", "shaker", "congas", "bongos"),
    "cello": ("violoncello",),
}


def read(folder: Path) -> list[Question]:
    """Read `Metadata/*_METADATA.yaml`."""
    metadata = need(folder, SOURCE, "Metadata", "medleydb/data/Metadata")
    prompt = read_prompt_data("published")["medleydb_instruments"]
    playing = {
        file.name.removesuffix("_METADATA.yaml"): _instruments(file)
        for file in sorted(metadata.glob("*_METADATA.yaml"))
    }
    labels = tuple(sorted(frozenset().union(*playing.values())))
    questions = [
        Question(
            title,
            prompt,
            kinds,
            labels,
            Excerpt(folder / "Audio" / title / f"{title}_MIX.wav"),
            title,
        )
        for title, kinds in playing.items()
        if kinds
    ]
    return check_unique(questions, str(folder))


def _instruments(file: Path) -> frozenset[str]:
    try:
        stems = yaml.safe_load(read_text(file))["stems"].values()
        named = [stem["instrument"] for stem in stems]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{file} is no metadata of MedleyDB: {error}") from error
    # Later editions name several instruments a stem.
    flat = [n for names in named for n in (names if isinstance(names, list) else [names])]
    return frozenset(kind_of(name) for name in flat if name.lower() not in _SAYS_NOTHING)


def kind_of(name: str) -> str:
    """The kind of an instrument as MedleyDB names it: `distorted electric guitar` is a `guitar`."""
    player = name.lower().removesuffix(" section")
    return _KINDS.get(player, player.split()[-1])


TASK = Task(
    name="medleydb_instruments",
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
