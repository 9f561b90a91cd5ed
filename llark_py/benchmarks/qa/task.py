"""What a benchmark is made of: questions, readers of answers, scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from llark_py.audio import Audio, load_audio
from llark_py.errors import ConfigError

from ..estimates import Draws, Estimate
from .hashes import sha256


@dataclass(frozen=True)
class Excerpt:
    """A recording, or a part of one, that a question is about.

    Attributes:
        path: The file.
        start_s, end_s: The part, in seconds; `end_s` None is the end of the file.
    """

    path: Path
    start_s: float = 0.0
    end_s: float | None = None

    def load(self) -> Audio:
        """Read it.

        Raises:
            AudioError: The file cannot be read, or is shorter than `start_s`.
        """
        audio = load_audio(self.path)
        if self.start_s or self.end_s is not None:
            return audio.slice(self.start_s, self.end_s or audio.duration_s)
        return audio

    @property
    def label(self) -> str:
        """Its name, wherever the folder lies."""
        end = "" if self.end_s is None else f"{self.end_s:g}"
        part = f"#{self.start_s:g}-{end}" if self.start_s or end else ""
        return f"{self.path.name}{part}"


@dataclass(frozen=True)
class Question:
    """A question with its answer.

    Attributes:
        id: Unique in the task.
        prompt: What the model is asked, options included.
        target: What is right: the number of an option, else a label, number, set or list of texts.
        options: What may be chosen; empty where the answer is free.
        excerpt: What it is about; None where an answer file brought the question along.
        group: Questions that are drawn together by the bootstrap; the recording, mostly.
        categories: What the question belongs to, by dimension: `{"genre": ("Reggae",)}`.
    """

    id: str
    prompt: str
    target: Any
    options: tuple[str, ...] = ()
    excerpt: Excerpt | None = None
    group: str = ""
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def doc(self) -> dict[str, Any]:
        """The question as JSON holds it."""
        target = sorted(self.target) if isinstance(self.target, frozenset) else self.target
        return {
            "id": self.id,
            "prompt": self.prompt,
            "target": target,
            "options": list(self.options),
            "audio": self.excerpt.label if self.excerpt else None,
            "group": self.group or self.id,
            "categories": {name: list(values) for name, values in self.categories.items()},
        }

    @cached_property
    def doc_hash(self) -> str:
        """SHA-256: another text, option or answer, or another file name, is another question."""
        return sha256(self.doc)

    @cached_property
    def name_hash(self) -> str:
        """SHA-256 of the words and the recording's name, by which 0.12 and before kept answers."""
        return sha256([self.prompt, self.excerpt.label if self.excerpt else None])


Reader = Callable[[Question, str], Any]
"""Reads an answer: the value that it names, None where it names none."""
Scores = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Card:
    """What results tell of a benchmark, whoever asks and scores it.

    Attributes:
        name: What it is called in results.
        version: Grows with every change that changes scores.
        source: What to get where, for people who have no data yet.
        readers: Ways to read an answer by name. The first counts in comparisons and plots.
        primary: The score that plots show.
        group: The benchmark that it is a part of; empty where it stands for itself.
        seeds: What is drawn by which seed, such as options and guesses.
    """

    name: str
    version: int
    source: str
    readers: Mapping[str, Any]
    primary: str
    group: str = ""
    seeds: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Task(Card):
    """A published benchmark; its name is that of its file.

    Attributes:
        read: Reads the official files in a folder. Raises `ConfigError` where they are missing.
        readers: `official` (the authors' own), `strict`, `lenient`.
        score: Scores the value that was read, from 0 to 1 each; None is what could not be read.
        blind: Answers without a model by row: a value a question.
        totals: Scores that are not means over answers, such as macro F1.
        has_captions: Whether targets are people's captions, which a judge may compare.
        read_answers: Reads an answer file of the benchmark's own kind, which brings the questions
            along: None where a file is of another kind.
    """

    read: Callable[[Path], list[Question]]
    readers: Mapping[str, Reader]
    score: Callable[[Question, Any], Scores]
    blind: Callable[[Sequence[Question]], dict[str, list[Any]]]
    totals: Callable[[Sequence[Question], Sequence[Any], Draws], dict[str, Estimate]] | None = None
    has_captions: bool = False
    read_answers: Callable[[Path], list[tuple[Question, str]] | None] | None = None


def task_hash(questions: Sequence[Question]) -> str:
    """Hash all questions of a task, in their order."""
    return sha256([question.doc_hash for question in questions])


def check_unique(questions: Sequence[Question], name: str) -> list[Question]:
    """Refuse a task without questions, or with two of one id.

    Raises:
        ConfigError: It has none, or two of one id.
    """
    seen: set[str] = set()
    for question in questions:
        if question.id in seen:
            raise ConfigError(f"{name}: the id '{question.id}' occurs twice")
        seen.add(question.id)
    if not questions:
        raise ConfigError(f"{name}: the files hold no question")
    return list(questions)
