"""What a dialogue knows while it is being made, and one turn of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from .balance import Rates
from .facts import Facts
from .phrases import Template, fill, grammar, pick, sentence
from .simulate import LOW_CONFIDENCE, Ids, simulate
from .timeline import Timeline, clock

TOOL_OF = {
    "tempo": "estimate_tempo",
    "key": "estimate_key",
    "notes": "transcribe_notes",
    "bars": "track_beats",
    "progression": "recognize_chords",
    "players": "detect_instruments",
    "singing": "detect_vocals",
    "form": "find_sections",
    "loudness": "measure_loudness",
    "stems": "separate_stems",
    "alike": "separate_like",
    "hits": "transcribe_drums",
    "excerpt": "cut_clip",
    "comparison": "compare_songs",
}
"""Which tool measures what."""
_P_PAST_END = 0.1
_MOST_ARTEFACTS = 30
_RECORDINGS = ("audio", "first", "second")
"""Arguments that name a recording."""


@dataclass(frozen=True)
class Call:
    """A call of a tool.

    Attributes:
        name: Of the tool.
        arguments: What it is given; the recording only where it is not the dialogue's.
    """

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def given(self, audio_id: str) -> dict[str, Any]:
        """Write the arguments out, with the recording that is meant unless one is named."""
        if any(name in self.arguments for name in _RECORDINGS):
            return self.arguments
        return {"audio": audio_id, **self.arguments}


@dataclass(frozen=True)
class Turn:
    """A question, the calls that its answer needs, and the answer once the tools have run.

    Attributes:
        question: As a tidy person would write it.
        calls: Tools to call before answering, in order. A call that takes what another makes is
            written once that one has been `Scene.run`.
        answer: Makes the answer; called after the tools.
        at_once: Whether several calls are asked for in one message.
    """

    question: str
    answer: Callable[[], str]
    calls: tuple[Call, ...] = ()
    at_once: bool = True


Asker = Callable[["Scene"], Turn | None]
"""Makes a turn of a family; None when the facts (or the dialogue so far) do not allow it."""


@dataclass
class Scene:
    """The state of a dialogue.

    Attributes:
        facts: What there is to hear; None when no recording was given.
        rng: Source of chance.
        tools: Tools that the assistant has.
        rates: How often things occur, for balanced questions.
        faithful: Whether tool results follow the facts.
        duration_s: Length of the recording that tools count in.
        may_fail: Whether tools now and then fail.
        audio_id: Name under which tools know the recording.
        other_id: Name of a second recording; empty where there is none.
        results: Tool -> its result on the recording as a whole.
        last: What the answer before was about: a key of `TOOL_OF`, "ear" or "" (talk).
        asked: Things that yes/no questions have named already.
        turns: How many turns are over.
        unsure: Slots of which the listener is not sure; what is said of them is hedged. Families
            too, which may play though `facts` have none of them.
        topic: The family that was asked before.
        thing: The instrument that was talked about before, for pronouns.
        said: The answer before.
        hedged: Whether the answer before was a guess.
        that: Id of the sound that a tool made last.
        rest: Id of what was left when a tool took a sound out.
        stems: Stem -> id of its sound, of those that tools have made.
        lengths_s: Id -> length of a recording that a tool cut out.
        compared: In which aspects two recordings have been compared.
    """

    facts: Facts | None
    rng: Random
    tools: frozenset[str]
    rates: Rates
    faithful: bool
    duration_s: float
    audio_id: str = "audio_1"
    other_id: str = ""
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    last: str = ""
    asked: set[str] = field(default_factory=set)
    turns: int = 0
    unsure: frozenset[str] = frozenset()
    topic: str = ""
    thing: str = ""
    said: str = ""
    hedged: bool = False
    that: str = ""
    rest: str = ""
    stems: dict[str, str] = field(default_factory=dict)
    lengths_s: dict[str, float] = field(default_factory=dict)
    compared: set[str] = field(default_factory=set)
    may_fail: bool = True

    def __post_init__(self) -> None:
        self.timeline = Timeline(self.facts.track) if self.facts else None
        # Small numbers are the most frequent; after a long talk there are great ones.
        first = 1 + int(self.rng.random() * self.rng.random() * _MOST_ARTEFACTS)
        self.ids = Ids(first, self.other_id or self.audio_id)
        self._answered: dict[str, dict[str, Any]] = {}

    @property
    def words(self) -> dict[str, str]:
        """The known facts by slot; empty without a recording."""
        return self.facts.words if self.facts else {}

    def is_unsure(self, topic: str) -> bool:
        """Tell whether the listener is not sure of what a topic of `ear_pair` tells."""
        return ("meter" if topic == "time_signature" else topic) in self.unsure

    @property
    def is_music(self) -> bool:
        """Whether there is a recording and it is music."""
        return self.facts is not None and self.facts.is_music

    def say(self, family: str, case: str, **values: str) -> str:
        """Make a sentence of one of the family's phrasings for a case."""
        return self.fill(pick(grammar()[family][case], self.rng), **values)

    def fill(self, template: Template, **values: str) -> str:
        """Make a sentence of a phrasing, with the facts for its slots."""
        return fill(template, {**self.words, **values}, self.rng)

    def ask(self, family: str, case: str = "questions", **values: str) -> str:
        """Make a question; in later turns sometimes one that leans on the turn before."""
        follow = self.turns > 0 and "follow" in grammar()[family] and self.rng.random() < 0.3
        return self.say(family, "follow" if follow else case, **values)

    def answer(self, family: str, case: str = "answers", **values: str) -> str:
        """Make an answer that is ready to be said."""
        return sentence(self.say(family, case, **values))

    def detail(self, name: str, **values: str) -> str:
        """Make one sentence of a description about a single fact."""
        return self.fill(pick(grammar()["caption"]["details"][name], self.rng), **values)

    def hedge(self, text: str, about: Iterable[str]) -> str:
        """Say a sentence as a guess when it is about something that is not sure."""
        self.hedged = not self.unsure.isdisjoint(about)
        if not self.hedged:
            return text
        return self.say("hedge", "answers", text=text, clause=text.rstrip("."))

    def not_music(self, *, as_no: bool = False) -> str:
        """Say that there is nothing to judge: no recording, or no music in it."""
        if self.facts is None:
            return self.answer("no_recording")
        sound = self.facts.track.sound
        what = self.answer("not_music", sound if sound in grammar()["not_music"] else "other")
        return self.answer("not_music", "no", what=what) if as_no else what

    def tell(self, call: Call, result: dict[str, Any]) -> None:
        """Say what the result of a call is, where that follows from another's; once for all."""
        self._answered.setdefault(_key_of(call), result)

    def run(self, call: Call) -> dict[str, Any]:
        """Return the result of a call, the same each time in one dialogue."""
        key = _key_of(call)
        if key not in self._answered:
            self._answered[key] = simulate(
                call.name,
                self.facts.track if self.facts else None,
                self.rng,
                faithful=self.faithful,
                may_fail=self.may_fail,
                duration_s=self.lengths_s.get(call.arguments.get("audio", ""), self.duration_s),
                ids=self.ids,
                arguments=call.arguments,
            )
        if not call.arguments:
            self.results[call.name] = self._answered[key]
        return self._answered[key]


def _key_of(call: Call) -> str:
    return f"{call.name} {json.dumps(call.arguments, sort_keys=True)}"


def heard(
    scene: Scene, family: str, about: Sequence[str], case: str = "answers", /, **values: str
) -> Turn:
    """Ask for something that is heard.

    Args:
        scene: State of the dialogue.
        family: Which phrasings.
        about: Slots that the answer tells of; it is hedged when one of them is unsure.
        case: Which answers.
        **values: Slots of question and answer beside the facts.
    """
    scene.last = "ear"
    question = scene.ask(family, **values)
    return Turn(question, lambda: scene.hedge(scene.answer(family, case, **values), about))


def unheard(scene: Scene, family: str, /, **values: str) -> Turn:
    """Ask for something where there is no recording, or no music in it."""
    scene.last = ""
    return Turn(scene.ask(family, **values), scene.not_music)


def denied(scene: Scene, family: str, /, **values: str) -> Turn:
    """Ask whether something is there, where there is no recording, or no music in it."""
    scene.last = ""
    question = scene.ask(family, **values)
    return Turn(question, lambda: scene.not_music(as_no=scene.facts is not None))


def past_end(scene: Scene, family: str) -> Turn | None:
    """Now and then ask about a time after the end; None most of the time."""
    if scene.timeline is None or scene.rng.random() >= _P_PAST_END:
        return None
    timeline = scene.timeline
    late_s = timeline.track.duration_s * (1.2 + scene.rng.random()) + 5.0
    question = scene.ask(family, at=clock(late_s, late_s))
    scene.last = "ear"
    end = timeline.clock(timeline.track.duration_s)
    return Turn(question, lambda: scene.answer("past_end", end=end))


def case_of(result: dict[str, Any]) -> str:
    """Tell how far a result can be relied on: `measured`, `unsure` or `error`."""
    if "error" in result:
        return "error"
    return "unsure" if result.get("confidence", 1.0) < LOW_CONFIDENCE else "measured"


_SLOTS = {
    "error": "reason",
    "tempo_bpm": "bpm",
    "runner_up_bpm": "runner",
    "runner_up": "runner",
    "beat_count": "beats",
    "note_count": "count",
    "lowest_note": "low",
    "highest_note": "high",
    "level_db": "level",
    "hit_count": "hits",
    "kick_count": "kicks",
    "snare_count": "snares",
    "hihat_count": "hihats",
    "other_count": "others",
}


def words_of(result: dict[str, Any]) -> dict[str, str]:
    """Write the values of a result by slot name, each exactly as its JSON shows it.

    A slot is named like the field, unless `_SLOTS` has a shorter name; lists and objects are none.
    """
    return {
        _SLOTS.get(name, name): str(value)
        for name, value in result.items()
        if isinstance(value, (str, int, float))
    }
