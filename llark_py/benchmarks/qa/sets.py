"""Free answers with several labels: tags and instruments; how they are read, scored and guessed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..estimates import Draws, Estimate
from .task import Question, Scores
from .values import commonest, find_labels, others

_ABSENT = re.compile(r"\b(?:no|without|not|nor|neither)\b[^.;,]*", re.IGNORECASE)


def set_readers(
    also: Mapping[str, Sequence[str]],
) -> dict[str, Callable[[Question, str], frozenset[str] | None]]:
    """Make readers of those options of a question that an answer names; None where it names none.

    Args:
        also: Further ways to write some of them.

    Returns:
        `strict`: the labels themselves; `lenient`: also written otherwise. What is said not to be
            there (`no drums`, up to the next comma) is read by neither.
    """

    def read(
        question: Question, text: str, also: Mapping[str, Sequence[str]]
    ) -> frozenset[str] | None:
        labels = {label: also.get(label, ()) for label in question.options}
        return frozenset(name for _, name in find_labels(_ABSENT.sub(" ", text), labels)) or None

    return {
        "strict": lambda question, text: read(question, text, {}),
        "lenient": lambda question, text: read(question, text, also),
    }


def score_set(question: Question, value: Any) -> Scores:
    """Score labels against those that are right: F1, precision and recall of one answer."""
    said, true = value or frozenset(), question.target
    hits = len(said & true)
    return {
        "f1": 2 * hits / (len(said) + len(true)),
        "precision": hits / len(said) if said else 0.0,
        "recall": hits / len(true),
    }


def total_f1(
    questions: Sequence[Question], values: Sequence[Any], draws: Draws
) -> dict[str, Estimate]:
    """F1 over all answers: `micro_f1`, and `macro_f1` over the labels that occur."""
    labels = sorted(frozenset().union(*(q.target for q in questions), *(v for v in values if v)))
    said = np.array([[label in (value or ()) for label in labels] for value in values])
    true = np.array([[label in question.target for label in labels] for question in questions])
    found = draws.f1(said, true)
    return {"micro_f1": found["micro"], "macro_f1": found["macro"]}


def guess_sets(questions: Sequence[Question]) -> dict[str, list[Any]]:
    """Guess the labels that more than half have (else the commonest), and another recording's."""
    every = [label for question in questions for label in sorted(question.target)]
    counts = Counter(every)
    usual = frozenset(label for label in counts if counts[label] * 2 > len(questions))
    targets = [question.target for question in questions]
    return {
        "most frequent": [usual or frozenset([commonest(every)])] * len(targets),
        "random": others(targets),
    }
