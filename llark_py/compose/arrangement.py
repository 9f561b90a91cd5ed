"""Who plays what: draws the instruments and writes their parts on the bar line grid."""

from __future__ import annotations

import random
from typing import NamedTuple

from . import instruments
from .accompaniment import QuarterNote, write_bass, write_chords
from .drums import GROOVES, write_drums
from .harmony import Harmony, fit
from .melody import write_figuration, write_melody
from .patterns import CHORD_PATTERNS
from .styles import Style

P_SOLO = 0.08
P_DUO = 0.06
_P_FREE_DRUMS = 0.45
_P_FREE_BASS = 0.55
_P_FREE_BASS_VOICE = 0.3

_CHORD_CENTRES = (55, 59, 62, 65)
_LOW_PATTERNS = ("power", "chug")


class Frame(NamedTuple):
    """What every part of a piece shares."""

    metre: str
    chords: list[Harmony]
    n_bars: int
    quarter_bpm: float
    key: tuple[int, str]


class WrittenPart(NamedTuple):
    """A part before it is played: its instrument, role, program and notes in quarters."""

    instrument: str
    role: str
    program: int
    notes: list[QuarterNote]


def _register(name: str, centre: int) -> tuple[int, int, int]:
    """The register of a part: the centre moved into the instrument's range, and the range."""
    voice = instruments.voice(name)
    inside = fit(centre, voice.low + 5, voice.high - 7)
    return inside, voice.low, voice.high


def _melody_centre(name: str, rng: random.Random) -> int:
    voice = instruments.voice(name)
    middle = (voice.low + voice.high) // 2
    return max(min(middle + 4, 79 if voice.low >= 60 else 74), 45) + rng.choice((-2, 0, 2))


def _part(name: str, role: str, notes: list[QuarterNote], rng: random.Random) -> WrittenPart:
    return WrittenPart(name, role, rng.choice(instruments.voice(name).programs), notes)


def chords_part(
    name: str, pattern: str, role: str, frame: Frame, rng: random.Random
) -> WrittenPart:
    """Write an accompaniment for an instrument; one that plays one note at a time breaks chords."""
    voice = instruments.voice(name)
    if not voice.polyphonic and pattern not in ("arpeggio", "alberti"):
        pattern = "arpeggio"
    if voice.decays and pattern == "held" and rng.random() < 0.6:
        pattern = rng.choice(("block", "arpeggio"))
    centre = 45 if pattern in _LOW_PATTERNS else rng.choice(_CHORD_CENTRES)
    velocity = rng.randint(56, 72) if role == "pad" else rng.randint(64, 92)
    register = _register(name, centre)
    notes = write_chords(pattern, *frame[:4], register, velocity, rng)
    return _part(name, role, notes, rng)


def bass_part(name: str, pattern: str, frame: Frame, rng: random.Random) -> WrittenPart:
    """Write a bass line for an instrument."""
    voice = instruments.voice(name)
    centre = min(rng.choice((36, 38, 40)), voice.high - 7)
    low = max(voice.low, 28)
    register = (max(centre, low + 5), low, min(voice.high, low + 26))
    notes = write_bass(pattern, *frame[:4], register, rng.randint(78, 104), rng)
    return _part(name, "bass", notes, rng)


def melody_part(name: str, frame: Frame, rng: random.Random) -> WrittenPart:
    """Write a melody for an instrument."""
    register = _register(name, _melody_centre(name, rng))
    velocity = rng.randint(84, 110)
    notes = write_melody(*frame[:4], register, velocity, frame.key, rng)
    return _part(name, "melody", notes, rng)


def drums_part(style: Style, frame: Frame, rng: random.Random) -> WrittenPart:
    """Write the drums of a style; one without a kit borrows another style's."""
    kit = style.kit or rng.choice(sorted(GROOVES))
    notes = write_drums(
        kit, frame.metre, frame.n_bars, frame.quarter_bpm, rng.randint(86, 114), rng
    )
    return WrittenPart("drums", "drums", rng.choice(style.kits or (0,)), notes)


def _free_instrument(rng: random.Random) -> str:
    """Draw an instrument with every pitched family equally likely."""
    return rng.choice(instruments.members(rng.choice(instruments.PITCHED_FAMILIES)))


def arrange(
    style: Style, frame: Frame, *, free_instruments: bool, rng: random.Random
) -> list[WrittenPart]:
    """Draw the ensemble of a piece and write every part.

    Args:
        style: The style; its patterns are kept even when its instruments are not.
        frame: Metre, chords and key.
        free_instruments: Draw instruments independently of the style.
        rng: Source of the choices.
    """
    texture = rng.random()
    if texture < P_SOLO:
        return _solo(style, frame, free_instruments, rng)
    if texture < P_SOLO + P_DUO:
        return _duo(style, frame, free_instruments, rng)
    parts: list[WrittenPart] = []
    chosen = rng.sample(style.chords, min(len(style.chords), rng.randint(*style.n_chords)))
    for names, pattern in chosen:
        name = _free_instrument(rng) if free_instruments else rng.choice(names)
        parts.append(chords_part(name, pattern, "chords", frame, rng))
    if rng.random() < (_P_FREE_BASS if free_instruments else style.p_bass):
        if free_instruments:
            other = rng.random() < _P_FREE_BASS_VOICE
            pool = instruments.BASS_VOICES if other else instruments.members("bass")
        else:
            pool = style.bass
        parts.append(bass_part(rng.choice(pool), rng.choice(style.bass_patterns), frame, rng))
    if style.pads and rng.random() < style.p_pad:
        name = _free_instrument(rng) if free_instruments else rng.choice(style.pads)
        parts.append(chords_part(name, "held", "pad", frame, rng))
    if rng.random() < (0.7 if free_instruments else style.p_melody):
        name = _free_instrument(rng) if free_instruments else rng.choice(style.melody)
        parts.append(melody_part(name, frame, rng))
    if rng.random() < (_P_FREE_DRUMS if free_instruments else style.p_drums):
        parts.append(drums_part(style, frame, rng))
    return parts


def _solo(
    style: Style, frame: Frame, free_instruments: bool, rng: random.Random
) -> list[WrittenPart]:
    """One instrument alone: two hands where it can, else a line that spells out the chords."""
    if free_instruments:
        name = _free_instrument(rng)
    else:
        name = rng.choice((*style.melody, *(n for names, _ in style.chords for n in names)))
    voice = instruments.voice(name)
    if not voice.polyphonic:
        register = _register(name, (voice.low + voice.high) // 2)
        velocity = rng.randint(78, 104)
        notes = write_figuration(*frame[:4], register, velocity, frame.key, rng)
        return [_part(name, "melody", notes, rng)]
    accompaniment = chords_part(name, _solo_pattern(style, rng), "chords", frame, rng)
    if rng.random() < 0.35:
        return [accompaniment]
    melody = melody_part(name, frame, rng)
    # Two hands of one player: the same sound.
    return [accompaniment, melody._replace(program=accompaniment.program)]


def _duo(
    style: Style, frame: Frame, free_instruments: bool, rng: random.Random
) -> list[WrittenPart]:
    """A melody and one accompanist."""
    names, pattern = rng.choice(style.chords)
    accompanist = rng.choice(names)
    soloist = rng.choice(style.melody)
    if free_instruments:
        soloist, accompanist = _free_instrument(rng), _free_instrument(rng)
    return [
        chords_part(accompanist, pattern, "chords", frame, rng),
        melody_part(soloist, frame, rng),
    ]


def _solo_pattern(style: Style, rng: random.Random) -> str:
    """A pattern with its own bass, so that the chords are clear without one."""
    own = [pattern for _, pattern in style.chords if pattern in CHORD_PATTERNS]
    return rng.choice((*own, "arpeggio", "block", "oompah"))
