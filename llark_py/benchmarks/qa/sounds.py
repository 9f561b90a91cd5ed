"""The sounds a question is asked with: its own, and those from which nothing can be heard."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from llark_py.audio import Audio
from llark_py.files import hash_file

from ..clips import NOISE_LEVEL, other_than
from .hashes import sha256
from .ledger import Asked
from .task import Excerpt, Question

AUDIO, TEXT_ONLY, OTHER = "audio", "text only", "other recording"
BLIND = ("noise", "silence", OTHER, TEXT_ONLY)
"""Rows for which the model is asked with another sound, or none."""
NOISE = BLIND[0]


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

    def asked(self, question: Question, condition: str) -> Asked:
        """Tell what an answer under a condition depends on.

        That is the words, the bytes of the file that is heard (of noise and silence: of the one
        that they are as long as) and its part, wherever the file lies and whatever its name.
        """
        excerpt = self._excerpt(question, condition)
        heard = None if excerpt is None else _hash(excerpt)
        part = None if excerpt is None else [excerpt.start_s, excerpt.end_s]
        asked_hash = sha256([question.prompt, heard, part])
        return Asked(question.id, condition, asked_hash, question.name_hash, heard)

    def _excerpt(self, question: Question, condition: str) -> Excerpt | None:
        if condition == TEXT_ONLY:
            return None
        if condition != OTHER:
            return question.excerpt
        other = self._groups[other_than(self._place[question.group], len(self._groups))]
        return self._firsts[other]

    def sound(self, question: Question, condition: str) -> Audio | None:
        """Give the sound; None for `text only`.

        Args:
            question: With an excerpt.
            condition: `audio`, or one of `BLIND`. Noise is Gaussian, as long as the recording and
                drawn by the question's id; the other recording lies half of the set away.

        Raises:
            AudioError: The file cannot be read.
        """
        excerpt = self._excerpt(question, condition)
        if excerpt is None:
            return None
        audio = _load(excerpt)
        if condition in (AUDIO, OTHER):
            return audio
        level = NOISE_LEVEL if condition == NOISE else 0.0
        rng = np.random.default_rng(noise_seed(question))
        return Audio(rng.normal(0, level, audio.n_samples), audio.sample_rate)


def noise_seed(question: Question) -> int:
    """The seed of the noise that a question is asked with: the CRC-32 of its id."""
    return zlib.crc32(question.id.encode())


@lru_cache(maxsize=2)
def _load(excerpt: Excerpt) -> Audio:
    return excerpt.load()


def _hash(excerpt: Excerpt) -> str | None:
    try:
        about = excerpt.path.stat()
        return _hash_once(excerpt.path, about.st_size, about.st_mtime_ns)
    except OSError:
        return None  # whoever loads it says why it cannot be read


@lru_cache(maxsize=1 << 14)
def _hash_once(path: Path, size: int, changed_ns: int) -> str:
    # Size and time are arguments only to tell one state of the file from the next.
    return hash_file(path)
