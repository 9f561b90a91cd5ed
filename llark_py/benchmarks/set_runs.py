"""The sets of our own benchmarks as tasks with answers: for results, samples and comparisons.

A set (`clips`, `real`, ...) holds questions of several facts under several conditions. What a
single answer scores is what a set of that one answer scores, so that nothing is computed in two
ways. Scores that only a set has, such as macro F1, stay with the set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .answers import Row
from .clips import FIRST_SEED
from .estimates import Draws, Estimate
from .qa.results import TaskRun
from .qa.scoring import NO_READER, Column, Said, Table, sample_rows
from .qa.sounds import AUDIO
from .qa.task import Card, Question
from .qa.task import Scores as Shares

VERSION = 2
"""Of our own benchmarks: grows with every change that changes questions or scores."""
_SOURCE = "composed by llark_py, or of --real; see docs/evaluation.md"
_UNPARSED = "unparsed"
# Of these the single answer's score is no share of the set's; each has the name of its mean, as in
# scikit-learn (F1 averaged over `samples`).
_NAME_OF_MEAN = {
    "family_f1": "family_f1_samples",
    "activity_f1": "activity_f1_samples",
    "drums_onset_f1": "drums_onset_f1_samples",
    "drums_any_onset_f1": "drums_any_onset_f1_samples",
    "drums_kit_onset_f1": "drums_kit_onset_f1_samples",
    "drums_three_onset_f1": "drums_three_onset_f1_samples",
    "vocals": "vocals_acc",
    "yes_no": "yes_no_acc",
}
_OF_A_SET = ("mode", "not_music_balanced", "family_lowest_f1", _UNPARSED)
_OF_A_SET_ENDINGS = ("_macro", "_macro_f1")
_OF_A_SET_BEGINNINGS = ("f1 ", "drums ", "not music: ")

Scores = Mapping[str, Estimate]


class SetRun(NamedTuple):
    """A set as a task with its answers, and its samples: a line a question and condition."""

    run: TaskRun
    samples: list[dict[str, Any]]


@dataclass(frozen=True)
class OwnSet:
    """How a set of one of our own benchmarks is told as a task.

    Attributes:
        benchmark: Its name.
        name: Of the set.
        own: The condition of what is tried, with the recordings themselves.
        reader: How its answers are read.
        primary: The score that a picture shows.
        read: Reads what a row says.
        score: Scores a single row, as a set of one.
        played: What the recordings depend on besides their names; pairs are of the same sound.
        asked: Other conditions whose answers are read in the same way.
    """

    benchmark: str
    name: str
    own: str
    reader: str
    primary: str
    read: Callable[[Row], Any]
    score: Callable[[Row], Scores]
    played: tuple[str, ...] = ()
    asked: Sequence[str] = ()

    def tell(self, rows: Sequence[Row], columns: Mapping[str, Scores]) -> SetRun:
        """Tell a set as a task.

        Args:
            rows: Of the set, at least one under the own condition.
            columns: Its scores by condition, also of those that nobody was asked under.

        Returns:
            The task, in which the own condition is called `audio` and comes first, and samples of
            its questions under all conditions.
        """
        answers: dict[str, dict[str, Row]] = {}
        for condition in sorted(columns, key=lambda condition: condition != self.own):
            name = AUDIO if condition == self.own else condition
            answers[name] = _by_key([row for row in rows if row["condition"] == condition])
        questions = [self._question(key, row) for key, row in answers[AUDIO].items()]
        table: Table = {}
        for name, of in answers.items():
            reader = self.reader if name in (AUDIO, *self.asked) else NO_READER
            scores = columns[self.own if name == AUDIO else name]
            table[name] = {reader: self._column(questions, of, scores)}
        said: Said = {
            name: {key: _raw(row) for key, row in of.items()} for name, of in answers.items() if of
        }

        def confidence(condition: str, key: str) -> dict[str, Any]:
            sure = answers[condition].get(key, {}).get("confidence")
            return {} if sure is None else {"confidence": sure}

        run = TaskRun(
            task=Card(
                name=f"{self.benchmark}_{self.name}",
                version=VERSION,
                source=_SOURCE,
                readers={self.reader: self.read},
                primary=self.primary,
                group=self.benchmark,
                seeds={"clips": FIRST_SEED, "noise": "number of the clip"},
            ),
            questions=questions,
            n_original=len(questions),
            data={},
            said=said,
            table=table,
            categories={},
            judged={},
            own=self.own,
        )
        return SetRun(run, sample_rows(questions, said, table, confidence))

    def _question(self, key: str, row: Row) -> Question:
        categories = {"fact": (row["fact"],), "played": self.played}
        prompt = row["question"] if "question" in row else row["fact"]
        return Question(key, prompt, row["truth"], group=row["id"], categories=categories)

    def _column(
        self, questions: Sequence[Question], answers: Mapping[str, Row], scores: Scores
    ) -> Column:
        rows = [answers.get(question.id) for question in questions]
        each = [{} if row is None else self._single(row) for row in rows]
        shares = {name: estimate for name, estimate in scores.items() if name != _UNPARSED}
        for name in dict.fromkeys(name for one in each for name in one if name not in shares):
            of = [i for i, one in enumerate(each) if name in one]
            shares[name] = Draws([questions[i].group for i in of]).mean([each[i][name] for i in of])
        unparsed = scores[_UNPARSED].value if _UNPARSED in scores else 0.0
        values = [None if row is None else self.read(row) for row in rows]
        return Column(shares, unparsed, 0, values, each)

    def _single(self, row: Row) -> Shares:
        return {
            _NAME_OF_MEAN.get(name, name): estimate.value
            for name, estimate in self.score(row).items()
            if not (
                name in _OF_A_SET
                or name.endswith(_OF_A_SET_ENDINGS)
                or name.startswith(_OF_A_SET_BEGINNINGS)
            )
        }


def played(settings: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    """Name the settings that the sound of composed music depends on, as far as they are known."""
    return tuple(f"{name} {settings[name]}" for name in names if name in settings)


def _by_key(rows: Sequence[Row]) -> dict[str, Row]:
    """Name each row of one condition by its recording, its fact and what tells it from others."""
    found: dict[str, Row] = {}
    seen: Counter[str] = Counter()
    for row in rows:
        key = f"{row['id']}/{row['fact']}"
        which = row.get("asked") or row.get("what")
        if which and which != row["fact"]:
            key = f"{key}/{which}"
        seen[key] += 1
        found[key if seen[key] == 1 else f"{key}#{seen[key]}"] = row
    return found


def _raw(row: Row) -> Any:
    return row["answer"] if "answer" in row else row.get("value")
