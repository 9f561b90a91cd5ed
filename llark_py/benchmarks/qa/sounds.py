"""The sounds a question is asked with: its own, and those from which nothing can be heard."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from llark_py.audio import Audio

from ..clips import NOISE_LEVEL, other_than
from .task import Excerpt, Question

AUDIO, TEXT_ONLY, OTHER = "audio", "text only", "other recording"
BLIND = ("noise", "silence", OTHER, TEXT_ONLY)
"""Rows for which the model is asked with another sound, or none."""


class Sounds:
    """Gives the sound of a question under a condition; what was loaded last is kept.

    Args:
        questions: All of a task.
    """

    def __init__(self, questions: Sequence[Question]):
        found = {q.group: q.excerpt for q in questions if q.excerpt is not None}
        self._groups = list(found)
        self._place = {group: i for i, group in enumerate(self._groups)}
        self._firsts = found

    @property
    def conditions(self) -> tuple[str, ...]:
        """The blind conditions that these questions can be asked under."""
        return tuple(c for c in BLIND if c != OTHER or len(self._groups) > 1)

    def sound(self, question: Question, condition: str) -> Audio | None:
        """Give the sound; None for `text only`.

        Args:
            question: With an excerpt.
            condition: `audio`, or one of `BLIND`. Noise is Gaussian, as long as the recording and
                drawn by the question's id; the other recording lies half of the set away.

        Raises:
            AudioError: The file cannot be read.
        """
        if condition == TEXT_ONLY or question.excerpt is None:
            return None
        if condition == OTHER:
            other = self._groups[other_than(self._place[question.group], len(self._groups))]
            excerpt = self._firsts[other]
            return None if excerpt is None else _load(excerpt)
        audio = _load(question.excerpt)
        if condition == AUDIO:
            return audio
        level = NOISE_LEVEL if condition == "noise" else 0.0
        rng = np.random.default_rng(zlib.crc32(question.id.encode()))
        return Audio(rng.normal(0, level, audio.n_samples), audio.sample_rate)


@lru_cache(maxsize=2)
def _load(excerpt: Excerpt) -> Audio:
    return excerpt.load()
