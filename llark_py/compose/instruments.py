"""The instruments the composer knows: names, families, General MIDI programs and registers."""

from __future__ import annotations

from typing import NamedTuple

from llark_py.errors import UnknownNameError

FAMILIES = (
    "piano",
    "guitar",
    "bass",
    "strings",
    "brass",
    "woodwind",
    "organ",
    "synth",
    "drums",
    "choir",
    "mallet",
    "voice",
)


class Voice(NamedTuple):
    """How an instrument is called, sounded and written for.

    `programs` are General MIDI programs counted from 0; `low` and `high` are the MIDI pitches it
    is written in; `polyphonic` tells whether one player sounds chords; `decays` whether a held
    note dies away (plucked and struck instruments). `like` names the instrument whose timbre our
    own synthesizer draws for it (empty: it has one of its own).
    """

    name: str
    family: str
    programs: tuple[int, ...]
    low: int
    high: int
    polyphonic: bool
    decays: bool
    like: str = ""


_TABLE = (
    Voice("piano", "piano", (0, 1), 33, 96, True, True),
    Voice("electric piano", "piano", (4, 5), 36, 88, True, True),
    Voice("harpsichord", "piano", (6,), 36, 86, True, True),
    Voice("nylon guitar", "guitar", (24,), 40, 79, True, True),
    Voice("acoustic guitar", "guitar", (25,), 40, 79, True, True),
    Voice("jazz guitar", "guitar", (26,), 40, 81, True, True),
    Voice("clean electric guitar", "guitar", (27,), 40, 83, True, True),
    Voice("muted guitar", "guitar", (28,), 40, 76, True, True),
    Voice("overdriven guitar", "guitar", (29,), 40, 84, True, False),
    Voice("distorted guitar", "guitar", (30,), 38, 84, True, False),
    Voice("banjo", "guitar", (105,), 48, 81, True, True),
    Voice("acoustic bass", "bass", (32,), 28, 55, False, True),
    Voice("electric bass", "bass", (33, 34), 28, 57, False, True),
    Voice("fretless bass", "bass", (35,), 28, 57, False, True),
    Voice("slap bass", "bass", (36, 37), 28, 57, False, True),
    Voice("synth bass", "bass", (38, 39), 26, 55, False, False),
    Voice("violin", "strings", (40,), 56, 93, False, False),
    Voice("viola", "strings", (41,), 49, 81, False, False),
    Voice("cello", "strings", (42,), 37, 69, False, False),
    Voice("string ensemble", "strings", (48, 49), 38, 86, True, False),
    Voice("tremolo strings", "strings", (44,), 40, 84, True, False),
    Voice("pizzicato strings", "strings", (45,), 40, 84, True, True),
    Voice("harp", "strings", (46,), 36, 91, True, True),
    Voice("trumpet", "brass", (56,), 55, 82, False, False),
    Voice("trombone", "brass", (57,), 41, 70, False, False),
    Voice("tuba", "brass", (58,), 29, 55, False, False),
    Voice("muted trumpet", "brass", (59,), 55, 82, False, False),
    Voice("french horn", "brass", (60,), 41, 74, False, False),
    Voice("brass section", "brass", (61,), 41, 79, True, False),
    Voice("saxophone", "woodwind", (64, 66), 49, 80, False, False),
    Voice("oboe", "woodwind", (68,), 58, 88, False, False),
    Voice("bassoon", "woodwind", (70,), 35, 69, False, False),
    Voice("clarinet", "woodwind", (71,), 50, 86, False, False),
    Voice("flute", "woodwind", (73,), 60, 94, False, False),
    Voice("piccolo", "woodwind", (72,), 72, 100, False, False),
    Voice("pan flute", "woodwind", (75,), 60, 91, False, False),
    Voice("recorder", "woodwind", (74,), 60, 93, False, False),
    Voice("organ", "organ", (16, 17), 36, 91, True, False),
    Voice("rock organ", "organ", (18,), 36, 91, True, False),
    Voice("church organ", "organ", (19,), 36, 91, True, False),
    Voice("accordion", "organ", (21,), 41, 86, True, False),
    Voice("synth strings", "synth", (50, 51), 38, 86, True, False),
    Voice("synth lead", "synth", (80, 81, 82), 43, 91, True, False),
    Voice("synth pad", "synth", (88, 90, 94), 40, 86, True, False),
    Voice("choir", "choir", (52,), 43, 81, True, False),
    Voice("vocal oohs", "choir", (53,), 43, 81, True, False),
    Voice("synth choir", "choir", (54,), 43, 81, True, False),
    Voice("celesta", "mallet", (8,), 60, 98, True, True),
    Voice("glockenspiel", "mallet", (9,), 67, 100, True, True),
    Voice("vibraphone", "mallet", (11,), 53, 89, True, True),
    Voice("marimba", "mallet", (12,), 45, 89, True, True),
    Voice("xylophone", "mallet", (13,), 60, 96, True, True),
    Voice("drums", "drums", (0,), 35, 81, True, True),
    Voice("clavinet", "piano", (7,), 36, 86, True, True, "harpsichord"),
    Voice("honky-tonk piano", "piano", (3,), 33, 93, True, True, "piano"),
    Voice("sitar", "guitar", (104,), 45, 79, True, True, "banjo"),
    Voice("shamisen", "guitar", (106,), 50, 79, True, True, "banjo"),
    Voice("koto", "guitar", (107,), 48, 84, True, True, "nylon guitar"),
    Voice("fiddle", "strings", (110,), 55, 88, False, False, "violin"),
    Voice("double bass", "strings", (43,), 28, 55, False, False, "cello"),
    Voice("synth brass", "brass", (62, 63), 41, 79, True, False, "brass section"),
    Voice("soprano saxophone", "woodwind", (64,), 56, 87, False, False, "saxophone"),
    Voice("baritone saxophone", "woodwind", (67,), 37, 68, False, False, "saxophone"),
    Voice("english horn", "woodwind", (69,), 52, 81, False, False, "oboe"),
    Voice("shakuhachi", "woodwind", (77,), 55, 84, False, False, "pan flute"),
    Voice("ocarina", "woodwind", (79,), 60, 89, False, False, "recorder"),
    Voice("bagpipe", "woodwind", (109,), 55, 81, False, False, "oboe"),
    Voice("shehnai", "woodwind", (111,), 57, 84, False, False, "oboe"),
    Voice("reed organ", "organ", (20,), 36, 91, True, False, "accordion"),
    Voice("harmonica", "organ", (22,), 55, 88, True, False, "accordion"),
    Voice("bandoneon", "organ", (23,), 41, 86, True, False, "accordion"),
    Voice("music box", "mallet", (10,), 60, 96, True, True, "celesta"),
    Voice("tubular bells", "mallet", (14,), 55, 79, True, True, "vibraphone"),
    Voice("dulcimer", "mallet", (15,), 50, 88, True, True, "xylophone"),
    Voice("kalimba", "mallet", (108,), 53, 84, True, True, "marimba"),
    Voice("steel drums", "mallet", (114,), 52, 86, True, True, "vibraphone"),
    # Sings words, and is played by `vocals.py`, not by a soundfont.
    Voice("singer", "voice", (53,), 41, 80, False, False),
)
VOICES = {v.name: v for v in _TABLE}
SINGER = VOICES["singer"]
INSTRUMENTS = tuple(VOICES)
"""Every instrument, `drums` and `singer` included; the order of the first 53 is kept for ever."""

PITCHED_FAMILIES = tuple(f for f in FAMILIES if f not in ("drums", "bass", "voice"))
"""The families that can play chords and melodies."""

BASS_VOICES = (
    "cello",
    "tuba",
    "bassoon",
    "trombone",
    "double bass",
    "baritone saxophone",
    "string ensemble",
    "organ",
    "church organ",
    "piano",
    "marimba",
    "synth lead",
    "choir",
    "nylon guitar",
)
"""Instruments of other families that can carry a bass line."""

_BY_FAMILY = {f: tuple(v.name for v in _TABLE if v.family == f) for f in FAMILIES}


def voice(name: str) -> Voice:
    """Return what is known about an instrument.

    Raises:
        UnknownNameError: No instrument has that name.
    """
    if name not in VOICES:
        raise UnknownNameError("instrument", name, INSTRUMENTS)
    return VOICES[name]


def family_of(name: str) -> str:
    """Name the family of an instrument, one of `FAMILIES`.

    Raises:
        UnknownNameError: No instrument has that name.
    """
    return voice(name).family


def members(family: str) -> tuple[str, ...]:
    """List the instruments of a family.

    Raises:
        UnknownNameError: No family has that name.
    """
    if family not in _BY_FAMILY:
        raise UnknownNameError("instrument family", family, FAMILIES)
    return _BY_FAMILY[family]
