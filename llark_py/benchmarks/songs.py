"""Whole songs: where their sections meet and when who comes in, asked in words and of the ear."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from llark_py.track import Instrument, Track

from .answers import Piece, Row, answered, rows_of
from .clips import FIRST_SEED, Clip, other_than, sound_of
from .manner import Manner
from .questions import HEADS, Ear
from .sections import EVEN, OTHER_TRUTH, evenly_spaced

CONDITIONS = ("audio", "noise", "other clip")
WITH_TOOLS = "with tools"
"""As in a chat, where the model may call its tools; under the other conditions it listens."""
_SEED = FIRST_SEED + 40_000_000
_SECONDS = (90.0, 240.0)
_LATE_S = 5.0  # who plays from the start is no question of when


def compose_songs(n: int, soundfont: str, skip: int = 0) -> list[Clip]:
    """Compose `n` whole songs with a form, of one and a half to four minutes."""
    from llark_py.compose.clip import make_song

    songs = []
    for seed in range(_SEED + skip, _SEED + skip + n):
        seconds = random.Random(f"song {seed}").uniform(*_SECONDS)
        songs.append(Clip(*make_song(seed, seconds, soundfont)))
    return songs


def boundaries_of(track: Track) -> list[float]:
    """Where the sections of a song meet, without its start and end."""
    return [round(s.start_s, 3) for s in track.sections if s.start_s > 0]


def late_entrance(track: Track) -> Instrument | None:
    """Draw an instrument that comes in after the start and is alone of its family, if any."""
    families = [i.family for i in track.instruments]
    late = [
        i
        for i in track.instruments
        if i.activity and i.activity[0][0] > _LATE_S and families.count(i.family) == 1
    ]
    return random.Random(track.id).choice(late) if late else None


def ask_songs(ear: Ear, songs: Sequence[Clip]) -> Iterator[Row]:
    """Ask how every song is built and when an instrument enters; see `ask_songs_by_condition`."""
    yield from rows_of(ask_songs_by_condition(ear, songs))


def ask_songs_by_condition(
    ear: Ear, songs: Sequence[Clip], conditions: Sequence[str] = CONDITIONS
) -> Iterator[Piece]:
    """Ask how every song is built and when an instrument enters, with controls.

    Yields:
        Pieces with rows as `questions.ask` gives them, of the facts `form` (also `duration_s`) and
        `entrance`; both also as a chat answers, with tools, and as the ear finds it; `form` also
        evenly spaced, and as in another song.
    """
    items = [_Asked(song, boundaries_of(song.track), late_entrance(song.track)) for song in songs]
    for condition in conditions:
        yield condition, partial(_ask_condition, ear, songs, items, condition)
    if ear.manner.has_tools:
        yield WITH_TOOLS, partial(_consult, ear, items)
    yield HEADS, partial(_ask_heads, ear, items)


def _ask_condition(
    ear: Ear, songs: Sequence[Clip], items: Sequence[_Asked], condition: str
) -> Iterator[Row]:
    sounds = [sound_of(songs, i, condition) for i in range(len(songs))]
    for row in _ask_spoken(ear, items, ear.hear(sounds)):
        yield {"set": "songs", "condition": condition, **row}


def _consult(ear: Ear, items: Sequence[_Asked]) -> Iterator[Row]:
    for i, question, row in _questions(ear.manner, items):
        answer = ear.consult(items[i].song.audio, question)
        yield {"set": "songs", "condition": WITH_TOOLS, **row, "answer": answer}


def _ask_heads(ear: Ear, items: Sequence[_Asked]) -> Iterator[Row]:
    """Ask the ear how songs are built, and guess without it."""
    mean_n = round(sum(len(item.boundaries_s) for item in items) / len(items))
    for i, item in enumerate(items):
        base, length = item.row("form", item.boundaries_s), item.song.track.duration_s
        other = items[other_than(i, len(items))]
        scale = length / other.song.track.duration_s
        guesses = {
            EVEN: evenly_spaced(mean_n, length),
            OTHER_TRUTH: [t * scale for t in other.boundaries_s],
        }
        form = ear.form(item.song.audio)
        if form is not None:
            guesses[HEADS] = form.boundaries_s
            if item.late is not None:
                row = item.row("entrance", item.late.activity[0][0])
                row |= {"value": form.entrances_s.get(item.late.family)}
                yield {"set": "songs", "condition": HEADS, **row}
        for condition, value in guesses.items():
            yield {"set": "songs", "condition": condition, **base, "value": value}


class _Asked(NamedTuple):
    song: Clip
    boundaries_s: list[float]
    late: Instrument | None

    def row(self, fact: str, truth: Any) -> Row:
        track = self.song.track
        return {"id": track.id, "fact": fact, "truth": truth, "duration_s": track.duration_s}


def _questions(manner: Manner, items: Sequence[_Asked]) -> Iterator[tuple[int, str, Row]]:
    """Write the questions: of which item each is, its words, and its row without an answer."""
    for i, item in enumerate(items):
        question = manner.word("form")
        yield i, question, {**item.row("form", item.boundaries_s), "question": question}
    for i, item in enumerate(items):
        if item.late is not None:
            question = manner.word("entrance", thing=item.late.name)
            row = item.row("entrance", item.late.activity[0][0])
            yield i, question, {**row, "question": question}


def _ask_spoken(ear: Ear, items: Sequence[_Asked], heard: Sequence[Any]) -> Iterator[Row]:
    asked = list(_questions(ear.manner, items))
    answers = ear.answer([heard[i] for i, _, _ in asked], [question for _, question, _ in asked])
    for (_, _, row), answer in zip(asked, answers, strict=True):
        yield answered(row, answer)
