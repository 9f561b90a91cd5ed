"""Whole songs: where their sections meet and when who comes in, asked in words and of the ear."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from llark_py.audio import Audio
from llark_py.track import Track

from .answers import Row
from .clips import FIRST_SEED, Clip, sound_of
from .questions import HEADS, Ear, wording
from .sections import EVEN, OTHER_TRUTH, evenly_spaced

CONDITIONS = ("audio", "noise", "other clip")
_SEED = FIRST_SEED + 40_000_000
_SECONDS = (90.0, 240.0)
_LATE_S = 5.0  # who plays from the start is no question of when


def compose_songs(n: int, soundfont: str, skip: int = 0) -> list[Clip]:
    """Compose `n` whole songs with a form, of one and a half to four minutes."""
    from llark_py.compose.song import make_song

    songs = []
    for seed in range(_SEED + skip, _SEED + skip + n):
        seconds = random.Random(f"song {seed}").uniform(*_SECONDS)
        songs.append(Clip(*make_song(seed, seconds, soundfont)))
    return songs


def found_boundaries(audio: Audio) -> list[float]:
    """Find where sections meet with the analysis that listens with the encoder."""
    from llark_py.analysis.structure import find_boundaries

    return [float(t) for t in find_boundaries(audio)]


def boundaries_of(track: Track) -> list[float]:
    """Where the sections of a song meet, without its start and end."""
    return [round(s.start_s, 3) for s in track.sections if s.start_s > 0]


def late_entrance(track: Track) -> tuple[str, float] | None:
    """Draw an instrument that comes in after the start: its name and when; None without one."""
    late = [
        (i.name, i.activity[0][0])
        for i in track.instruments
        if i.activity and i.activity[0][0] > _LATE_S
    ]
    return random.Random(track.id).choice(late) if late else None


def ask_songs(ear: Ear, songs: Sequence[Clip]) -> Iterator[Row]:
    """Ask how every song is built and when an instrument enters, with controls.

    Yields:
        Rows as `questions.ask` gives them, of the facts `form` (also `duration_s`) and
        `entrance`; `form` also as the ear finds it, evenly spaced, and as in another song.
    """
    forms = [boundaries_of(song.track) for song in songs]
    entrances = [late_entrance(song.track) for song in songs]
    base = [{"set": "songs", "id": s.track.id} for s in songs]
    form_rows = [
        {**b, "fact": "form", "truth": f, "duration_s": s.track.duration_s}
        for b, f, s in zip(base, forms, songs, strict=True)
    ]
    for condition in CONDITIONS:
        heard = ear.hear([sound_of(songs, i, condition) for i in range(len(songs))])
        question = wording()["form"]
        for row, answer in zip(form_rows, ear.answer(heard, [question] * len(songs)), strict=True):
            yield {**row, "condition": condition, "question": question, "answer": answer}
        asked = [(i, e) for i, e in enumerate(entrances) if e is not None]
        questions = [wording()["entrance"].format(thing=name) for _, (name, _) in asked]
        answers = ear.answer([heard[i] for i, _ in asked], questions)
        for (i, (_, time_s)), question, answer in zip(asked, questions, answers, strict=True):
            row = {**base[i], "condition": condition, "fact": "entrance", "truth": time_s}
            yield {**row, "question": question, "answer": answer}
    mean_n = round(sum(map(len, forms)) / len(forms))
    for i, (row, song) in enumerate(zip(form_rows, songs, strict=True)):
        length = song.track.duration_s
        other = (i + 1) % len(songs)
        scale = length / songs[other].track.duration_s
        yield {**row, "condition": HEADS, "value": found_boundaries(song.audio)}
        yield {**row, "condition": EVEN, "value": evenly_spaced(mean_n, length)}
        yield {**row, "condition": OTHER_TRUTH, "value": [t * scale for t in forms[other]]}
