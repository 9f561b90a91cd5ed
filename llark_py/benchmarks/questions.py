"""Puts every question about a set of recordings, also with other sounds in their places."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from llark_py.audio import Audio
from llark_py.compose.instruments import FAMILIES
from llark_py.instruct.facts import FAMILY_WORDS

from .answers import Piece, Row, answered, rows_of
from .baselines import librosa_answers
from .clips import CONDITIONS, Clip, is_sung, other_than, sound_of
from .manner import MEASURED, Manner

HEADS, LIBROSA, LIBROSA_BEATS = "head", "librosa", "librosa beats"
_YES_NO_EACH = 8


class Ear(Protocol):
    """Whoever is asked; `asking.Listener` is a model, `answering_ear.AnsweringEar` anybody.

    Attributes:
        manner: How it is asked.
    """

    manner: Manner

    def hear(self, sounds: Sequence[Audio | None]) -> Sequence[Any]:
        """Take in recordings; None stands for none (`text only`)."""
        ...

    def answer(self, heard: Sequence[Any], questions: Sequence[str]) -> Sequence[str | None]:
        """Answer one question about each of what was heard; None where that failed."""
        ...

    def consult(self, sound: Audio, question: str) -> str: ...

    def measure(self, tool: str, sound: Audio) -> dict[str, Any]: ...

    def heads(self, sound: Audio) -> Mapping[str, Any]: ...

    def form(self, sound: Audio) -> Any: ...


@dataclass(frozen=True)
class Item:
    """A recording with what is known of it: fact -> truth; what is not known is not asked."""

    id: str
    audio: Audio
    facts: dict[str, Any] = field(default_factory=dict)


def clip_item(clip: Clip) -> Item:
    """Name the facts of a composed clip that are asked of all of them."""
    track = clip.track
    known = {
        "style": track.genre,
        "instruments": sorted(track.families),
        "time_signature": track.time_signature,
        "tempo": track.tempo_bpm,
        "key": track.key,
    }
    return Item(track.id, clip.audio, {k: v for k, v in known.items() if v is not None})


def voice_item(clip: Clip, index: int) -> Item:
    """Name only whether somebody sings; of a pair of clips both have the same id."""
    return Item(f"voices-{index // 2}", clip.audio, {"vocals": is_sung(clip.track)})


def sound_item(clip: Clip) -> Item:
    """Name only whether it is music."""
    facts = {"not_music": clip.track.sound != "music", "kind": clip.track.sound}
    return Item(clip.track.id, clip.audio, facts)


def balanced_families(items: Sequence[Item], seed: int) -> list[tuple[int, str, bool]]:
    """Draw yes/no questions: every family as often where it plays as where it does not.

    Returns:
        (index of the item, family, whether it plays).
    """
    rng = random.Random(f"yes/no {seed}")
    drawn = []
    for family in FAMILIES:
        sides: dict[bool, list[int]] = {True: [], False: []}
        for i, item in enumerate(items):
            sides[family in item.facts["instruments"]].append(i)
        n = min(_YES_NO_EACH, *map(len, sides.values()))
        drawn += [(i, family, side) for side, of in sides.items() for i in rng.sample(of, n)]
    return drawn


def ask(ear: Ear, set_name: str, items: Sequence[Item], **how: Any) -> Iterator[Row]:
    """Put every question under every condition; see `ask_by_condition`."""
    yield from rows_of(ask_by_condition(ear, set_name, items, **how))


def ask_by_condition(
    ear: Ear,
    set_name: str,
    items: Sequence[Item],
    *,
    conditions: Sequence[str] = CONDITIONS,
    yes_no: Sequence[tuple[int, str, bool]] = (),
    baselines: bool = False,
) -> Iterator[Piece]:
    """Put every question under every condition, a piece a condition, the heads the last.

    Conditions, not items, are the pieces: another cut would give other batches, and of the drawn
    questions others.

    Yields:
        Pieces with rows `{"set", "id", "condition", "fact", "truth"}` and either `question` and
        `answer` (words) or `value` (what a tool, a head or librosa says; None when it declined),
        where known with its `confidence`.
    """
    tools = _Measured(ear, items)
    for condition in conditions:
        yield condition, partial(_ask_condition, ear, set_name, items, condition, tools, yes_no)
    yield HEADS, partial(_ask_heads, ear, set_name, items, yes_no, baselines)


class _Measured:
    """What the tools say of items under conditions; of no item's own sound are they asked twice."""

    def __init__(self, ear: Ear, items: Sequence[Item]):
        self._ear, self._items = ear, items
        # Every sound may stand in for another one, that is asked for something else.
        of = ear.manner.measured
        self._tools = sorted({of[f][0] for i in items for f in i.facts if f in of})
        self._own: dict[int, dict[str, dict[str, Any]]] = {}

    def say(self, index: int, condition: str, sound: Audio) -> dict[str, dict[str, Any]]:
        """Measure the sound that stands for an item under a condition."""
        whose = {"audio": index, "other clip": other_than(index, len(self._items))}.get(condition)
        if whose is None:
            return self._measure(sound)
        if whose not in self._own:
            self._own[whose] = self._measure(sound)
        return self._own[whose]

    def _measure(self, sound: Audio) -> dict[str, dict[str, Any]]:
        return {tool: self._ear.measure(tool, sound) for tool in self._tools}


def _ask_condition(
    ear: Ear,
    set_name: str,
    items: Sequence[Item],
    condition: str,
    tools: _Measured,
    yes_no: Sequence[tuple[int, str, bool]],
) -> Iterator[Row]:
    clips = [Clip(None, item.audio) for item in items]  # type: ignore[arg-type]
    sounds = [sound_of(clips, i, condition) for i in range(len(items))]
    heard = list(ear.hear(sounds))
    for row in _ask_spoken(ear, items, heard, yes_no):
        yield {"set": set_name, "condition": condition, **row}
    for i, (item, sound) in enumerate(zip(items, sounds, strict=True)):
        if sound is None:  # a tool has nothing to measure then
            continue
        results = tools.say(i, condition, sound)
        for fact, (tool, name) in ear.manner.measured.items():
            if fact in item.facts:
                result = results.get(tool, {})
                row = {"id": item.id, "fact": fact, "truth": item.facts[fact]}
                row |= {"value": result.get(name), "confidence": result.get("confidence")}
                yield {"set": set_name, "condition": condition, **row}


def _ask_heads(
    ear: Ear,
    set_name: str,
    items: Sequence[Item],
    yes_no: Sequence[tuple[int, str, bool]],
    baselines: bool,
) -> Iterator[Row]:
    """Ask the heads of the encoder, and librosa where `baselines` are wanted."""
    by_head = [ear.heads(item.audio) for item in items]
    for item, said in zip(items, by_head, strict=True):
        for row in _head_rows(item, said):
            yield {"set": set_name, "condition": HEADS, **row}
        asked = baselines and not item.facts.keys().isdisjoint(MEASURED)
        for condition, answers in librosa_answers(item.audio).items() if asked else ():
            for fact in item.facts.keys() & answers.keys():
                row = {"id": item.id, "fact": fact, "truth": item.facts[fact]}
                yield {"set": set_name, "condition": condition, **row, "value": answers[fact]}
    for i, family, present in yes_no:
        families = by_head[i].get("instruments")
        if families is not None and family in families.probabilities:
            row = {"id": items[i].id, "fact": "yes_no", "truth": present, "asked": family}
            row |= {"set": set_name, "condition": HEADS, "value": family in families.value}
            yield row


def _ask_spoken(
    ear: Ear, items: Sequence[Item], heard: Sequence[Any], yes_no: Sequence[tuple[int, str, bool]]
) -> Iterator[Row]:
    manner = ear.manner
    styles = [item.facts["style"] for item in items if "style" in item.facts]
    asked: list[tuple[int, str, Row]] = [
        (i, words, {"fact": fact, "truth": item.facts[fact], "asked": name})
        for fact, questions in manner.spoken.items()
        for name in questions
        for words in (manner.word(name, styles=styles),)
        for i, item in enumerate(items)
        if fact in item.facts
    ]
    for i, family, present in yes_no:
        question = manner.word("yes_no", thing=FAMILY_WORDS.get(family, family))
        asked.append((i, question, {"fact": "yes_no", "truth": present, "asked": family}))
    answers = ear.answer([heard[i] for i, _, _ in asked], [question for _, question, _ in asked])
    for (i, question, row), answer in zip(asked, answers, strict=True):
        kind = {"kind": items[i].facts["kind"]} if "kind" in items[i].facts else {}
        yield answered({"id": items[i].id, **row, **kind, "question": question}, answer)


def _head_rows(item: Item, answers: Mapping[str, Any]) -> Iterator[Row]:
    for fact, said in answers.items():
        if fact not in item.facts:
            continue
        row = {"id": item.id, "fact": fact, "truth": item.facts[fact], "value": said.value}
        if said.probabilities is not None:
            row["probabilities"] = said.probabilities
        if said.confidence is not None:
            row["confidence"] = round(said.confidence, 4)
        if "kind" in item.facts:
            row["kind"] = item.facts["kind"]
        yield row
