"""Conditions on the facts of a record, as a search understood them: pure values and their words."""

from __future__ import annotations

from dataclasses import dataclass

SURE = 0.5
"""From this confidence on a fact is taken for true; what is less sure counts as unknown."""
DOUBTED = ("tempo_bpm", "key", "time_signature", "style", "mood", "vocals")
"""Facts that carry a confidence, by which records can be ranked."""
UNITS = {"tempo_bpm": "BPM", "duration_s": "s", "loudness_lufs": "LUFS"}
"""Facts that are numbers, and their units."""
_NAMES = {
    "tempo_bpm": "tempo",
    "duration_s": "length",
    "loudness_lufs": "loudness",
    "speed": "tempo",
    "level": "loudness",
    "mode": "key",
    "time_signature": "metre",
}
INSTRUMENTS, VOCALS, WORDS = "instruments", "vocals", "words"


@dataclass(frozen=True)
class Range:
    """A number lies between two others.

    Attributes:
        fact: One of `UNITS`, in its unit.
        low, high: The ends; None is no end.
        includes_ends: Whether the ends themselves will do.
        wanted: False: it must lie outside.
    """

    fact: str
    low: float | None
    high: float | None
    includes_ends: bool = True
    wanted: bool = True

    def __str__(self) -> str:
        name, unit = _NAMES[self.fact], UNITS[self.fact]
        equal = "=" if self.includes_ends else ""
        if self.low is not None and self.high is not None:
            text = f"{name} {self.low:g} to {self.high:g} {unit}"
        elif self.low is not None:
            text = f"{name} >{equal} {self.low:g} {unit}"
        else:
            text = f"{name} <{equal} {self.high:g} {unit}"
        return text if self.wanted else f"not ({text})"


@dataclass(frozen=True)
class OneOf:
    """A fact has one of some values; of instruments: one of them plays.

    Attributes:
        fact: `key`, `mode`, `speed`, `level`, `time_signature`, `style`, `mood`, `instruments`,
            `vocals` (`yes` or `no`), or `words` (one of them stands in captions or tags).
        values: As records have them.
        wanted: False: none of them.
        typed: The words of the query it was read from.
    """

    fact: str
    values: tuple[str, ...]
    wanted: bool = True
    typed: str = ""

    def __str__(self) -> str:
        listed = " or ".join(self.values)
        if self.fact == VOCALS:
            return "vocals" if ("yes" in self.values) == self.wanted else "no vocals"
        if self.fact == INSTRUMENTS:
            return f"with {listed}" if self.wanted else f"without {listed}"
        return f"{_NAMES.get(self.fact, self.fact)}: {'' if self.wanted else 'not '}{listed}"


Condition = Range | OneOf


@dataclass(frozen=True)
class Query:
    """What was understood of the words of a search.

    Attributes:
        conditions: What a record must fulfil, all of them.
        words: What nothing else was read from; records that say it come first.
        ranking: `words`, and those that moods, styles and instruments were read from.
        corrected: Misspelt word -> as what it was read.
    """

    conditions: tuple[Condition, ...]
    words: tuple[str, ...]
    ranking: tuple[str, ...]
    corrected: dict[str, str]

    def told(self) -> list[str]:
        """Say it in words, condition by condition."""
        return [str(c) for c in self.conditions] + (
            [f"words: {' '.join(self.words)}"] if self.words else []
        )
