"""Notes: one line of text that tells a language model what the heads of `mini` hear.

A small language model follows words more surely than embeddings. Tempo and key are left out: the
tools measure them. Names are classes of the configuration, the words around them a prompt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from llark_py.prompting import read_prompt_data

from .mini_chords import Chords, read_chords
from .mini_config import MiniEncoderConfig
from .mini_form import Form
from .mini_songs import Hearing, read_form, to_numpy

if TYPE_CHECKING:
    from .mini import Heard

SURE = 0.6
"""What is less probable gets a question mark."""
_PERHAPS, _MOST_PERHAPS = 0.6, 3
"""Which families may play as well: from so much of the probability on of one that is told."""
_NEVER_PERHAPS = ("drums", "voice")
"""The heads tell them nearly always rightly."""
_LEAST_CHORD = 0.35
_BRIEF_S, _METRE_S, _COURSE_S, _SONG_S = 1.0, 3.0, 6.0, 30.0
# Of a clip, of a song: about 90 and 160 tokens then, of which a moment takes six.
_MOST_PLAYERS, _MOST_FAMILIES, _MOST_SECTIONS = (5, 7), (5, 7), (3, 7)
_MOST_EVENTS = {"enters": (2, 3), "leaves": (2, 2)}
_LEAST_SOUNDING_S = (0.0, 4.0)


def write_notes(
    hearing: Hearing,
    config: MiniEncoderConfig,
    *,
    number: int | None = None,
    offset_s: float = 0.0,
) -> str:
    """Write down what is heard in a recording.

    Args:
        hearing: Of the encoder.
        config: Of the encoder; holds the names of all classes.
        number: Of the recording, where its place does not tell which one is meant.
        offset_s: Where the recording begins, added to all times that are told.

    Returns:
        One line such as `heard: 2:41; style funk; metre 4/4; players drums, singer?; music`.
    """
    words, heads = _words(), _Heads(hearing.heard, config)
    form = hearing.form
    length = _clock(form.duration_s)
    opening = (
        words["opening"].format(length=length)
        if number is None
        else words["numbered"].format(length=length, number=number)
    )
    sound, probability = heads.best("sound")
    if hearing.silent and "silence" in config.sounds:
        sound, probability = "silence", 1.0
    parts = [opening]
    if form.duration_s < _BRIEF_S:
        parts.append(words["brief"])
    elif sound == "music":
        parts += _describe(heads, form, offset_s)
    return words["between"].join([*parts, _doubt(sound, probability)])


def notes_of(heard: Heard, config: MiniEncoderConfig) -> list[str]:
    """Write down what is heard in each of some windows, as `write_notes` would.

    For training: the language model then reads of a clip what it reads of a recording in use.
    """
    notes = []
    for item in range(len(heard.tokens)):
        one = slice(item, item + 1)
        alone = replace(
            heard,
            tokens=heard.tokens[one],
            posteriors={head: p[one] for head, p in heard.posteriors.items()},
            frame_posteriors={head: p[one] for head, p in heard.frame_posteriors.items()},
        )
        notes.append(write_notes(Hearing(alone, read_form(alone, 0, config)), config))
    return notes


def perhaps_there(chances: Sequence[float], config: MiniEncoderConfig) -> list[str]:
    """List the families that may play though they are not told, the likeliest first.

    To list who plays, a family is told from the probability on that gives the best F1. Asked for
    one, half of the time rightly, a listener errs least from a lower one on.

    Args:
        chances: Probability of each family, in the order of the configuration.
        config: Of the encoder.
    """
    rows = zip(chances, config.families, config.present_from("families").tolist(), strict=True)
    doubtful = [
        (-chance, name)
        for chance, name, least in rows
        if _PERHAPS * least < chance <= least and name not in _NEVER_PERHAPS
    ]
    return [name for _, name in sorted(doubtful)][:_MOST_PERHAPS]


class _Heads:
    """What the heads say of one recording, by name of class."""

    def __init__(self, heard: Heard, config: MiniEncoderConfig):
        self.config, self.labels = config, config.labels
        self.posteriors = {head: to_numpy(p[0]) for head, p in heard.posteriors.items()}
        self.frames = {head: to_numpy(p[0]) for head, p in heard.frame_posteriors.items()}

    def best(self, head: str) -> tuple[str, float]:
        """The likeliest class of a head and its probability."""
        posterior = self.posteriors[head]
        return self.labels[head][int(posterior.argmax())], float(posterior.max())

    def present(self, head: str) -> list[tuple[str, float]]:
        """The classes of a head that are there, the likeliest first."""
        posterior = self.posteriors[head]
        order = np.argsort(-posterior, kind="stable")
        there = posterior > self.config.present_from(head)
        return [(self.labels[head][i], float(posterior[i])) for i in order if there[i]]

    def perhaps(self) -> list[str]:
        """Families that are not told, but too likely to be denied, the likeliest first."""
        return perhaps_there(self.posteriors["families"].tolist(), self.config)

    def chords(self) -> Chords | None:
        """The chords, where they are likely enough to be told."""
        found = read_chords(self.frames["chord"], self.frames["beat"])
        return found if found and found.probability >= _LEAST_CHORD else None


def _describe(heads: _Heads, form: Form, offset_s: float) -> Iterator[str]:
    words, long = _words(), int(form.duration_s >= _SONG_S)
    skipped = () if form.duration_s >= _METRE_S else ("feel", "time_signature")
    for head in ("style", "feel", "time_signature", "density", "players"):
        if head in heads.posteriors and head not in skipped:
            yield words[head].format(_doubt(*heads.best(head)))
    for head, most in (("families", _MOST_FAMILIES), ("instruments", _MOST_PLAYERS)):
        if there := heads.present(head)[: most[long]]:
            yield words[head].format(words["among"].join(_doubt(*item) for item in there))
    if perhaps := heads.perhaps():
        yield words["perhaps"].format(words["among"].join(perhaps))
    yield words["lead"].format(_doubt(*heads.best("lead")))
    if form.duration_s >= _METRE_S and (chords := heads.chords()):
        sure = chords.probability >= SURE
        yield words["chords" if sure else "doubtful_chords"].format(_write_chords(chords))
    if sections := noted_sections(form):
        yield words["sections"].format(_write_events(sections, offset_s))
    if form.duration_s >= _COURSE_S:
        for kind, most in _MOST_EVENTS.items():
            if events := _main_events(form, kind, most[long], _LEAST_SOUNDING_S[long]):
                yield words[kind].format(_write_events(events, offset_s))


def noted_sections(form: Form) -> list[tuple[float, str]]:
    """When the longest sections begin, in order; neighbours of one name are one section."""
    most = _MOST_SECTIONS[form.duration_s >= _SONG_S]
    runs: list[tuple[float, float, str]] = []
    for section in form.sections:
        if runs and runs[-1][2] == section.label:
            runs[-1] = (runs[-1][0], section.end_s, section.label)
        else:
            runs.append((section.start_s, section.end_s, section.label))
    if len(runs) < 2:
        return []
    kept = sorted(runs, key=lambda run: run[0] - run[1])[:most]
    return sorted((start_s, label) for start_s, _, label in kept)


def _main_events(form: Form, kind: str, most: int, least_s: float) -> list[tuple[float, str]]:
    """When families enter first or leave for good, in order; those that sound longest."""
    sounding = {name: sum(s.end_s - s.start_s for s in form.spans[name]) for name in form.spans}
    if kind == "enters":
        edge = {name: spans[0].start_s for name, spans in form.spans.items()}
        events = [event for event in form.entrances if event[0] == edge[event[1]]]
    else:
        edge = {name: spans[-1].end_s for name, spans in form.spans.items()}
        events = [event for event in form.exits if event[0] == edge[event[1]]]
    events = [event for event in events if sounding[event[1]] >= least_s]
    return sorted(sorted(events, key=lambda event: -sounding[event[1]])[:most])


def _write_events(events: Sequence[tuple[float, str]], offset_s: float) -> str:
    words = _words()
    return words["among"].join(
        words["event"].format(name=name, time=_clock(t + offset_s)) for t, name in events
    )


def _write_chords(chords: Chords) -> str:
    words = _words()
    text = words["chord_link"].join(chords.names)
    return words["repeated"].format(chords=text, times=chords.times) if chords.times > 1 else text


def _doubt(name: str, probability: float) -> str:
    return name if probability >= SURE else _words()["doubt"].format(name=name)


def _clock(seconds: float) -> str:
    whole = int(seconds + 1e-6)
    return f"{whole // 60}:{whole % 60:02d}"


@cache
def _words() -> dict[str, Any]:
    return read_prompt_data("notes")
