"""Free answers with one value: keys, tempi and labels; how they are read, scored and guessed."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from llark_py.theory import KEYS, key_index

from ..baselines import best_tempo
from ..scores import tempo_hits
from ..spoken_values import keys_named, tempi_named, tempi_or_numbers, tonics_named
from .task import Question, Scores

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_OTHERS, _ANY_KEY = "others", "any key"
GUESS_SEEDS = {"random": _OTHERS}
"""What guesses are drawn by, by the row that they are."""
KEY_SEEDS = {**GUESS_SEEDS, "any key": _ANY_KEY}


# --- keys ---------------------------------------------------------------------------------------


def read_key_strictly(question: Question, text: str) -> str | None:
    """Read the one key of an answer; None where it names none or several (`C minor or G minor`).

    The tonic is a capital letter: `a minor` may be the article.
    """
    keys = set(keys_named(text))
    return keys.pop() if len(keys) == 1 else None


def read_key_leniently(question: Question, text: str) -> str | None:
    """Read the first key of an answer; where none is named, the first tonic, as major."""
    return next(iter(keys_named(text) or tonics_named(text)), None)


def score_key(question: Question, value: Any) -> Scores:
    """Score a key: `acc` is exact, `mirex` mir_eval's weighted score (fifths, relatives count)."""
    import mir_eval

    if value is None:
        return {"mirex": 0.0, "acc": 0.0}
    weighted = mir_eval.key.weighted_score(question.target, value)
    return {
        "mirex": float(weighted),
        "acc": float(key_index(question.target) == key_index(value)),
    }


def guess_keys(questions: Sequence[Question]) -> dict[str, list[Any]]:
    """Guess the commonest key, another recording's, and any of the 24."""
    targets = [KEYS[key_index(question.target)] for question in questions]
    rng = random.Random(_ANY_KEY)
    return {
        "most frequent": [commonest(targets)] * len(targets),
        "random": others(targets),
        "any key": [rng.choice(KEYS) for _ in targets],
    }


# --- tempi --------------------------------------------------------------------------------------


def read_first_number(question: Question, text: str) -> float | None:
    """Read the first number of an answer, whatever it is: the way of LLark's own notebooks."""
    found = _NUMBER.search(text)
    return float(found[0]) if found else None


def read_tempo_strictly(question: Question, text: str) -> float | None:
    """Read the one tempo that an answer gives in BPM; None where it gives none or several."""
    found = set(tempi_named(text))
    return found.pop() if len(found) == 1 else None


def read_tempo_leniently(question: Question, text: str) -> float | None:
    """Read the first tempo in BPM, else the first number between 30 and 300."""
    return next(iter(tempi_or_numbers(text)), None)


def score_tempo(question: Question, value: Any) -> Scores:
    """Score a tempo: within 4 % (`acc1`), also at 2, 3, 1/2, 1/3 of it (`acc2`)."""
    acc1, acc2 = tempo_hits(value or 0.0, question.target)
    return {"acc1": float(acc1), "acc2": float(acc2)}


def guess_tempi(questions: Sequence[Question]) -> dict[str, list[Any]]:
    """Guess the tempo that is near most tempi, and another recording's."""
    targets = [question.target for question in questions]
    return {"most frequent": [best_tempo(targets)] * len(targets), "random": others(targets)}


# --- labels -------------------------------------------------------------------------------------


def label_readers(labels: Mapping[str, Sequence[str]]) -> dict[str, Callable[..., str | None]]:
    """Make readers of one label of a closed set.

    Args:
        labels: Further ways to write each label.

    Returns:
        `strict`: the label, and no other, stands in the answer (the rule of CMI-Bench, but by whole
        words: there `popular` is `pop`). `lenient`: the first label that stands in it, also written
        otherwise.
    """

    def strict(question: Question, text: str) -> str | None:
        named = {label for _, label in find_labels(text, dict.fromkeys(labels, ()))}
        return named.pop() if len(named) == 1 else None

    def lenient(question: Question, text: str) -> str | None:
        named = sorted(find_labels(text, labels))
        return named[0][1] if named else None

    return {"strict": strict, "lenient": lenient}


def find_labels(text: str, labels: Mapping[str, Sequence[str]]) -> list[tuple[int, str]]:
    """Find labels in a text: where, and which.

    From the left, longer names first (`acoustic guitar` is no `guitar`), plural or not; hyphens and
    capitals do not count.
    """
    pattern, label_of = _names(tuple((label, tuple(also)) for label, also in labels.items()))
    return [(m.start(), label_of[m[1]]) for m in pattern.finditer(_spaced(text))]


@lru_cache(maxsize=8)
def _names(
    labels: tuple[tuple[str, tuple[str, ...]], ...],
) -> tuple[re.Pattern[str], dict[str, str]]:
    label_of = {_spaced(name): label for label, also in reversed(labels) for name in also}
    label_of |= {_spaced(label): label for label, _ in labels}
    ordered = sorted(label_of, key=lambda name: (-len(name), name))
    any_name = "|".join(re.escape(name) for name in ordered)
    return re.compile(rf"(?<!\w)({any_name})(?:e?s)?(?!\w)"), label_of


def _spaced(text: str) -> str:
    return re.sub(r"[-_/]", " ", text.lower())


def score_label(question: Question, value: Any) -> Scores:
    """Score a label: right or wrong."""
    return {"acc": float(value == question.target)}


def guess_labels(questions: Sequence[Question]) -> dict[str, list[Any]]:
    """Guess the commonest label, and another recording's."""
    targets = [question.target for question in questions]
    return {"most frequent": [commonest(targets)] * len(targets), "random": others(targets)}


# --- guesses ------------------------------------------------------------------------------------


def commonest(targets: Sequence[Any]) -> Any:
    """The commonest of some targets, the first of several."""
    return Counter(targets).most_common(1)[0][0]


def others(targets: Sequence[Any]) -> list[Any]:
    """Give every question the target of another one, drawn by a fixed seed."""
    order = list(range(len(targets)))
    random.Random(_OTHERS).shuffle(order)
    given = dict(zip(order, order[1:] + order[:1], strict=True))
    return [targets[given[i]] for i in range(len(targets))]
