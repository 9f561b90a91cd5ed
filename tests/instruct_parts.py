"""Invented recordings for the tests of the grammar: clips, and songs with sections."""

from __future__ import annotations

from functools import cache
from random import Random

from llark_py.compose.instruments import INSTRUMENTS, family_of
from llark_py.compose.mood import MOODS
from llark_py.compose.styles import FEELS, STYLES, TIME_SIGNATURES
from llark_py.instruct.grammar import dialogue
from llark_py.instruct.simulate import TOOLS
from llark_py.theory import KEYS
from llark_py.track import Chord, DrumHit, Instrument, KeySpan, Note, Section, Track


def make_track(seed: int, sound: str = "music") -> Track:
    """Invent the facts of a recording; some instruments are far more frequent than others."""
    rng = Random(seed)
    if sound != "music":
        return Track(id=f"{sound}-{seed}", duration_s=10.0, sound=sound)
    names = [n for n in INSTRUMENTS if rng.random() < (0.4 if family_of(n) == "bass" else 0.06)]
    names = names or ["piano"]
    return Track(
        id=str(seed),
        duration_s=10.0,
        tempo_bpm=rng.uniform(50, 180),
        time_signature=rng.choice((*TIME_SIGNATURES, "4/4", "4/4")),
        key=rng.choice(KEYS),
        chords=tuple(
            Chord(2.0 * i, 2.0 * i + 2, rng.choice(("A:min", "F", "C:7", "G", "F#:dim")))
            for i in range(5)
        ),
        instruments=tuple(Instrument(n, family_of(n), "chords", ((0.0, 10.0),)) for n in names),
        lead=rng.choice((None, *names)),
        notes=tuple(
            Note(i / 6, i / 6 + 0.2, rng.randint(40, 80), 80, names[0])
            for i in range(rng.randint(5, 60))
        ),
        drums=(DrumHit(1.0, "kick", 90),) if "drums" in names else (),
        genre=rng.choice(STYLES),
        mood=rng.choice(MOODS),
        feel=rng.choice((*FEELS, "straight", "straight")),
    )


@cache
def tracks() -> tuple[Track, ...]:
    """300 recordings: mostly music."""
    sounds = ("music",) * 8 + ("noise", "silence")
    return tuple(make_track(seed, sounds[seed % 10]) for seed in range(300))


def make_song(seed: int) -> Track:
    """Invent a song of sections, in which instruments come in and stop at their borders."""
    rng = Random(f"song {seed}")
    labels = rng.choice(
        (
            ("intro", "verse", "chorus", "verse", "chorus", "bridge", "chorus", "outro"),
            ("intro", "verse", "pre-chorus", "chorus", "solo", "chorus"),
            ("theme", "solo", "theme"),
            ("verse", "verse", "chorus"),
        )
    )
    borders = [0.0]
    for _ in labels:
        borders.append(borders[-1] + rng.uniform(9.0, 35.0))
    end_s = borders[-1] + rng.choice((0.0, 3.0))
    names = rng.sample(["piano", "drums", "electric bass", "string ensemble", "trumpet"], 3)
    names += ["singer"] * (rng.random() < 0.5)
    instruments = []
    for number, name in enumerate(names):
        on = [rng.random() < (0.9 if number == 0 else 0.6) for _ in labels]
        spans = [
            (a + rng.uniform(0.0, 0.4), b - rng.uniform(0.0, 0.4))
            for a, b, plays in zip(borders, borders[1:], on, strict=False)
            if plays
        ] or [(0.0, borders[1])]
        family = "voice" if name == "singer" else family_of(name)
        role = {"drums": "drums", "bass": "bass", "voice": "melody"}.get(family, "chords")
        instruments.append(Instrument(name, family, role, tuple(spans)))
    key, other = rng.choice(KEYS), rng.choice(KEYS)
    middle = borders[len(borders) // 2]
    changes = rng.random() < 0.4
    keys = (KeySpan(0.0, middle, key), KeySpan(middle, end_s, other if changes else key))
    return make_track(seed).model_copy(
        update={
            "id": f"song-{seed}",
            "duration_s": end_s,
            "key": key,
            "keys": keys,
            "sections": tuple(
                Section(a, b, label)
                for a, b, label in zip(borders, borders[1:], labels, strict=False)
            ),
            "instruments": tuple(instruments),
            "lead": names[0],
            "downbeats_s": tuple(2.0 * i for i in range(int(end_s / 2))),
            "chords": tuple(
                Chord(2.0 * i, 2.0 * i + 2, rng.choice(("A:min", "F", "C:7", "G", "G#")))
                for i in range(int(end_s / 2))
            ),
            "notes": tuple(
                Note(a + i, min(a + i + 0.9, b), rng.randint(50, 75), 80, inst.name)
                for inst in instruments
                for a, b in inst.activity
                for i in range(int(b - a))
            ),
        }
    )


@cache
def songs() -> tuple[Track, ...]:
    """100 songs with sections and instruments that come and go."""
    return tuple(make_song(seed) for seed in range(100))


def one_turn(family: str, track: Track | None, rng: Random, tools=TOOLS, **options):
    return dialogue(track, rng, n_turns=1, tools=tools, families=(family,), **options)
