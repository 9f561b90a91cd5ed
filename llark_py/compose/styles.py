"""The ten styles as data: how fast, in which metre and mode, and who plays what.

A style names instruments per role and patterns per role; what the patterns sound like is written
in `patterns.py` and `drums.py`. Tempo ranges are of the beat (the dotted quarter in 6/8).
"""

from __future__ import annotations

from typing import NamedTuple

from llark_py.errors import UnknownNameError

TIME_SIGNATURES = ("4/4", "3/4", "6/8")

_BALANCED = {"4/4": 0.45, "3/4": 0.26, "6/8": 0.29}
_MOSTLY_FOUR = {"4/4": 0.86, "3/4": 0.1, "6/8": 0.04}


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(", "))


class Style(NamedTuple):
    """What makes music of one genre, for the composer.

    `chords` are (instruments, pattern) pairs, of which between `n_chords` are played;
    probabilities are per clip. `signature` holds families of which one must play for the genre
    to be recognisable (empty: the rhythm and harmony alone tell).
    """

    tempo_bpm: tuple[float, float]
    compound_bpm: tuple[float, float]
    metres: dict[str, float]
    p_minor: float
    p_sevenths: float
    chords: tuple[tuple[tuple[str, ...], str], ...]
    n_chords: tuple[int, int]
    bass: tuple[str, ...]
    bass_patterns: tuple[str, ...]
    p_bass: float
    melody: tuple[str, ...]
    p_melody: float
    kit: str | None = None
    kits: tuple[int, ...] = ()
    p_drums: float = 0.0
    pads: tuple[str, ...] = ()
    p_pad: float = 0.0
    swing: float = 0.0
    signature: tuple[str, ...] = ()


_GUITARS = ("clean electric guitar", "overdriven guitar", "distorted guitar")
_BASSES = ("electric bass", "fretless bass", "slap bass")

_STYLES = {
    "rock": Style(
        tempo_bpm=(76, 178),
        compound_bpm=(50, 92),
        metres=_BALANCED,
        p_minor=0.4,
        p_sevenths=0.05,
        chords=(
            (("clean electric guitar", "overdriven guitar"), "strum"),
            (("distorted guitar", "overdriven guitar"), "power"),
            (("piano", "rock organ"), "block"),
            (("acoustic guitar",), "strum"),
        ),
        n_chords=(1, 2),
        bass=_BASSES,
        bass_patterns=("eighths", "root fifth"),
        p_bass=0.93,
        kit="rock",
        kits=(0, 8, 16),
        p_drums=0.93,
        melody=(*_GUITARS, "rock organ", "synth lead", "piano"),
        p_melody=0.6,
        pads=("organ", "string ensemble", "synth strings"),
        p_pad=0.25,
        signature=("guitar", "drums"),
    ),
    "jazz": Style(
        tempo_bpm=(62, 220),
        compound_bpm=(50, 84),
        metres={"4/4": 0.6, "3/4": 0.28, "6/8": 0.12},
        p_minor=0.42,
        p_sevenths=0.95,
        chords=(
            (("piano",), "comp"),
            (("jazz guitar",), "comp"),
            (("electric piano", "organ", "vibraphone"), "comp"),
        ),
        n_chords=(1, 1),
        bass=("acoustic bass", "acoustic bass", "electric bass"),
        bass_patterns=("walking",),
        p_bass=0.93,
        kit="swing",
        kits=(32, 40, 0),
        p_drums=0.8,
        melody=_names(
            "saxophone, saxophone, trumpet, muted trumpet, trombone, vibraphone, "
            "jazz guitar, clarinet"
        ),
        p_melody=0.8,
        swing=0.95,
    ),
    "classical piano": Style(
        tempo_bpm=(44, 190),
        compound_bpm=(40, 110),
        metres={"4/4": 0.45, "3/4": 0.3, "6/8": 0.25},
        p_minor=0.5,
        p_sevenths=0.1,
        chords=((("piano",), "alberti"), (("piano",), "arpeggio"), (("piano",), "block")),
        n_chords=(1, 1),
        bass=("piano",),
        bass_patterns=("sustained", "octaves"),
        p_bass=0.6,
        melody=("piano",),
        p_melody=0.95,
        signature=("piano",),
    ),
    "electronic dance": Style(
        tempo_bpm=(100, 178),
        compound_bpm=(60, 100),
        metres=_MOSTLY_FOUR,
        p_minor=0.62,
        p_sevenths=0.12,
        chords=(
            (("synth pad",), "offbeat"),
            (("synth lead",), "fast arpeggio"),
            (("synth strings",), "held"),
            (("synth lead", "piano"), "stab"),
        ),
        n_chords=(1, 2),
        bass=("synth bass",),
        bass_patterns=("eighths", "offbeat", "sixteenths"),
        p_bass=0.93,
        kit="dance",
        kits=(24, 25, 0),
        p_drums=0.95,
        melody=("synth lead", "synth lead", "synth lead", "marimba", "synth choir"),
        p_melody=0.6,
        pads=("synth pad", "synth strings"),
        p_pad=0.5,
        signature=("synth", "drums"),
    ),
    "folk": Style(
        tempo_bpm=(60, 176),
        compound_bpm=(48, 124),
        metres={"4/4": 0.46, "3/4": 0.27, "6/8": 0.27},
        p_minor=0.35,
        p_sevenths=0.05,
        chords=(
            (("acoustic guitar", "nylon guitar", "banjo"), "strum"),
            (("acoustic guitar", "nylon guitar", "harp"), "arpeggio"),
            (("accordion", "acoustic guitar"), "oompah"),
        ),
        n_chords=(1, 2),
        bass=("acoustic bass",),
        bass_patterns=("root fifth", "sustained"),
        p_bass=0.5,
        kit="brush",
        kits=(40, 0),
        p_drums=0.22,
        melody=_names(
            "flute, pan flute, recorder, violin, acoustic guitar, banjo, accordion, oboe, clarinet"
        ),
        p_melody=0.75,
        swing=0.1,
        signature=("guitar", "strings", "woodwind", "organ"),
    ),
    "ambient": Style(
        tempo_bpm=(40, 100),
        compound_bpm=(40, 66),
        metres=_BALANCED,
        p_minor=0.5,
        p_sevenths=0.5,
        chords=(
            (("synth pad",), "held"),
            (("synth strings", "string ensemble"), "held"),
            (("choir", "vocal oohs", "synth choir"), "held"),
            (("electric piano", "harp", "piano"), "arpeggio"),
        ),
        n_chords=(1, 2),
        bass=("synth bass", "fretless bass"),
        bass_patterns=("sustained",),
        p_bass=0.4,
        melody=("vibraphone", "celesta", "piano", "pan flute", "flute", "glockenspiel"),
        p_melody=0.4,
        pads=("synth pad", "choir", "vocal oohs"),
        p_pad=0.7,
    ),
    "hip-hop": Style(
        tempo_bpm=(62, 112),
        compound_bpm=(50, 80),
        metres=_MOSTLY_FOUR,
        p_minor=0.72,
        p_sevenths=0.5,
        chords=(
            (("electric piano", "piano"), "block"),
            (("synth strings", "synth choir"), "held"),
            (("pizzicato strings", "harp", "muted guitar"), "stab"),
        ),
        n_chords=(1, 1),
        bass=("synth bass", "synth bass", "electric bass"),
        bass_patterns=("syncopated", "sustained"),
        p_bass=0.95,
        kit="hip-hop",
        kits=(25, 24, 0),
        p_drums=1.0,
        melody=("vibraphone", "glockenspiel", "synth lead", "flute", "piano", "brass section"),
        p_melody=0.45,
        pads=("synth pad", "string ensemble", "choir"),
        p_pad=0.3,
        swing=0.3,
        signature=("drums",),
    ),
    "latin": Style(
        tempo_bpm=(80, 200),
        compound_bpm=(60, 110),
        metres=_MOSTLY_FOUR,
        p_minor=0.45,
        p_sevenths=0.65,
        chords=(
            (("nylon guitar", "acoustic guitar"), "bossa"),
            (("piano",), "montuno"),
            (("piano", "marimba"), "bossa"),
        ),
        n_chords=(1, 1),
        bass=("acoustic bass", "electric bass"),
        bass_patterns=("bossa",),
        p_bass=0.95,
        kit="latin",
        kits=(0, 8, 32),
        p_drums=0.9,
        melody=_names(
            "flute, pan flute, trumpet, trombone, saxophone, marimba, brass section, nylon guitar"
        ),
        p_melody=0.7,
    ),
    "metal": Style(
        tempo_bpm=(88, 220),
        compound_bpm=(56, 110),
        metres={"4/4": 0.84, "3/4": 0.08, "6/8": 0.08},
        p_minor=0.92,
        p_sevenths=0.0,
        chords=(
            (("distorted guitar",), "chug"),
            (("distorted guitar", "overdriven guitar"), "power"),
        ),
        n_chords=(1, 2),
        bass=("electric bass",),
        bass_patterns=("eighths",),
        p_bass=0.95,
        kit="metal",
        kits=(16, 8, 0),
        p_drums=1.0,
        melody=("distorted guitar", "overdriven guitar"),
        p_melody=0.4,
        pads=("choir", "string ensemble", "church organ"),
        p_pad=0.15,
        signature=("guitar",),
    ),
    "orchestral": Style(
        tempo_bpm=(44, 180),
        compound_bpm=(42, 110),
        metres={"4/4": 0.46, "3/4": 0.3, "6/8": 0.24},
        p_minor=0.5,
        p_sevenths=0.1,
        chords=(
            (("string ensemble",), "held"),
            (("string ensemble", "tremolo strings"), "block"),
            (("pizzicato strings", "harp"), "arpeggio"),
            (("brass section", "french horn"), "block"),
        ),
        n_chords=(1, 2),
        bass=("cello", "string ensemble", "tuba", "bassoon", "trombone"),
        bass_patterns=("sustained", "octaves"),
        p_bass=0.75,
        melody=_names(
            "violin, viola, cello, flute, oboe, clarinet, french horn, trumpet, bassoon, piccolo"
        ),
        p_melody=0.9,
        pads=("string ensemble", "choir", "brass section", "french horn"),
        p_pad=0.5,
        signature=("strings", "brass", "woodwind"),
    ),
}
STYLES = tuple(_STYLES)


def style_named(name: str) -> Style:
    """Return the data of a style.

    Raises:
        UnknownNameError: There is no such style; the message suggests the nearest.
    """
    if name not in _STYLES:
        raise UnknownNameError("style", name, STYLES)
    return _STYLES[name]
