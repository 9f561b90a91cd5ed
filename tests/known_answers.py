"""What is right in the made-up data of `published_data.py`, by hand, and how answers are scored."""

from __future__ import annotations

import itertools
from dataclasses import replace

from published_data import say
from scipy.stats import binomtest

from llark_py.benchmarks.qa.scoring import score_task

# As `published_data.py` makes them, in the order of the questions.
RIGHT = {
    "giantsteps_key": ["F minor", "F minor", "C major", "Eb minor"],
    "giantsteps_tempo": [127.0, 128.0, 174.0, 64.0],
    "gtzan_genre": ["blues", "blues", "hiphop", "rock"],
    "jamendo_tags": [{"punkrock", "drums"}, {"drums", "happy"}, {"rock"}],
    "medleydb_instruments": [{"guitar", "drums", "voice"}, {"violin", "bass"}, {"guitar"}],
    "musicnet_instruments": [{"piano"}, {"piano", "violin"}, {"clarinet"}],
    "mmau_music": ["Male", "Slow blues"] * 2 + ["Male"],
    "muchomusic": [f"A flute {i}" for i in range(8)],
    "musiccaps": [("A calm piano piece for rain.",), ("Loud metal drums.",)],
    "rul_muchomusic": ["Flute"] * 4 + ["A very loud brass band"] * 4,
    "song_describer": [
        ("A slow blues about rain on the roof.", "Blues guitar and a deep voice, slowly."),
        ("Cheerful ukulele with bells and claps.",),
    ],
}


def score(task, questions, values):
    """Say values in words; the scores of every reader, all of which must agree."""
    words = {q.id: say(q, v, task.name) for q, v in zip(questions, values, strict=True)}
    columns = score_task(task, questions, {"audio": words}, 0)["audio"]
    found = [{n: e.value for n, e in column.scores.items()} for column in columns.values()]
    assert all(one == found[0] for one in found) and len(found) == len(task.readers)
    assert all(column.unparsed == 0 for column in columns.values())
    return found[0]


def blind(task, questions, row):
    """Values and scores of a row without a model."""
    column = score_task(task, questions, {"audio": {}}, 0)[row]["none"]
    return column.values, {name: estimate.value for name, estimate in column.scores.items()}


def many(questions, n):
    """So many questions as there are, again and again."""
    repeated = itertools.islice(itertools.cycle(questions), n)
    return [replace(q, id=f"{q.id} {i}", group=f"{q.group} {i}") for i, q in enumerate(repeated)]


def assert_share(share, n, p):
    """A share of n draws is one that draws of probability p give."""
    assert binomtest(round(share * n), n, p).pvalue > 1e-3, (share, p)
