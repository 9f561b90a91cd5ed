"""Names of pitches, keys and chords, and the arithmetic between them.

Pitch classes are 0..11 with C = 0; MIDI numbers have C4 = 60 (scientific pitch notation).
Chord labels follow Harte et al. (ISMIR 2005): `A:min`, `G:7`, `N` for no chord.
"""

from __future__ import annotations

import re
from typing import Literal

from .errors import ConfigError

KeyRelation = Literal["same", "relative", "neighbours", "distant"]
Order = Literal["first", "second", "neither"]
_UNHEARD = 0.5

SHARP_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
# The spelling with the fewest accidentals in the key signature of each tonic.
MAJOR_TONICS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MINOR_TONICS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
KEYS = tuple(f"{t} major" for t in MAJOR_TONICS) + tuple(f"{t} minor" for t in MINOR_TONICS)
"""All 24 keys: index = tonic pitch class, + 12 for minor."""

_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_FIFTHS = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}
_FLATTEST, _SHARPEST = -8, 11  # Fb and E#; beyond them are only B# and double signs
_NOTE = re.compile(r"^([A-Ga-g])([#b♯♭]*)(-?\d+)?$")


def pitch_class(name: str) -> int:
    """Read a note name such as `F#` or `Bb` as a pitch class 0..11.

    Raises:
        ConfigError: The text is not a note name.
    """
    match = _NOTE.match(name.strip())
    if not match:
        raise ConfigError(f"'{name}' is not a note name; expected a letter A-G with # or b")
    accidentals = match.group(2).replace("♯", "#").replace("♭", "b")
    return (_LETTERS[match.group(1).upper()] + accidentals.count("#") - accidentals.count("b")) % 12


def key_name(tonic: int, mode: str) -> str:
    """Name the key of a tonic pitch class and a mode (`major` or `minor`): `C# minor`."""
    return KEYS[tonic % 12 + (12 if mode == "minor" else 0)]


def parse_key(key: str) -> tuple[int, str]:
    """Split a key such as `F# minor` into its tonic pitch class and mode.

    Raises:
        ConfigError: The text is not `<tonic> major` or `<tonic> minor`.
    """
    parts = key.split()
    if len(parts) != 2 or parts[1].lower() not in ("major", "minor"):
        raise ConfigError(f"'{key}' is not a key; expected for example 'F# minor'")
    return pitch_class(parts[0]), parts[1].lower()


def key_index(key: str) -> int:
    """Return the place of a key in `KEYS`, whatever its enharmonic spelling."""
    tonic, mode = parse_key(key)
    return tonic + (12 if mode == "minor" else 0)


def transpose_key(key: str, semitones: int) -> str:
    """Move a key up by a number of semitones, respelled."""
    tonic, mode = parse_key(key)
    return key_name(tonic + semitones, mode)


def transpose_chord(label: str, semitones: int) -> str:
    """Move a Harte chord label up by a number of semitones (roots as in `MAJOR_TONICS`)."""
    if label in ("N", "X"):
        return label
    root, _, quality = label.partition(":")
    moved = MAJOR_TONICS[(pitch_class(root) + semitones) % 12]
    return f"{moved}:{quality}" if quality else moved


def camelot_code(key: str) -> str:
    """Name a key as DJs do: `8B` is C major, `8A` its relative minor, 9 a fifth above 8.

    The Camelot wheel (Mark Davis, Mixed In Key) numbers the circle of fifths like a clock.
    """
    tonic, mode = parse_key(key)
    major = tonic if mode == "major" else tonic + 3
    return f"{(7 * major + 7) % 12 + 1}{'B' if mode == 'major' else 'A'}"


def key_relation(first: str, second: str) -> KeyRelation:
    """Say how two keys lie to each other on the Camelot wheel.

    Returns:
        `same`; `relative` (the same notes: C major and A minor); `neighbours` (a fifth apart, of
        the same mode); or `distant`, which clashes when mixed.
    """
    one, other = camelot_code(first), camelot_code(second)
    steps = (int(one[:-1]) - int(other[:-1])) % 12
    if one[-1] != other[-1]:
        return "relative" if steps == 0 else "distant"
    if steps == 0:
        return "same"
    return "neighbours" if steps in (1, 11) else "distant"


def which_is_more(first: float, second: float) -> Order:
    """Say which of two tempi in BPM, or of two levels in dB, is the higher one.

    Returns:
        `neither` where they are less than half a unit apart, which nobody hears.
    """
    if abs(first - second) < _UNHEARD:
        return "neither"
    return "first" if first > second else "second"


def spell(pitch: int, key: str, *, raised: bool = False) -> str:
    """Name a pitch class by the letter that it has in a key: in F minor 8 is Ab, 4 is E.

    Args:
        pitch: Pitch class 0..11.
        key: Such as `F minor`.
        raised: Lean towards sharps, as roots of diminished chords do (they lead upwards).
    """
    tonic, mode = parse_key(key)
    name = key_name(tonic, mode).split()[0]
    # Places on the line of fifths (C = 0, G = 1, F = -1), along which a key is a stretch.
    place = _FIFTHS[name[0]] + 7 * (name.count("#") - name.count("b"))
    lowest = place - (6 if mode == "minor" else 5) + 3 * raised
    lowest = min(max(lowest, _FLATTEST), _SHARPEST - 11)
    at = lowest + (7 * pitch - lowest) % 12
    letter, accidentals = "FCGDAEB"[(at + 1) % 7], (at + 1) // 7
    return letter + ("#" * accidentals if accidentals > 0 else "b" * -accidentals)


_NUMERALS = {
    "major": ["I", "bII", "II", "bIII", "III", "IV", "#IV", "V", "bVI", "VI", "bVII", "VII"],
    "minor": ["I", "bII", "II", "III", "#III", "IV", "#IV", "V", "VI", "#VI", "VII", "#VII"],
}
"""Degrees by semitones above the tonic; plain where they belong to the (natural minor) scale."""


def roman_numeral(label: str, key: str) -> str:
    """Name a Harte chord label by its degree in a key: `E:maj` in A minor is `V`, `D:min` `iv`.

    Upper case is major, lower case minor, `o` diminished; sevenths and bass notes are left out.

    Raises:
        ConfigError: The label is `N` or `X`, or no chord.
    """
    root, _, quality = label.partition(":")
    tonic, mode = parse_key(key)
    numeral = _NUMERALS[mode][(pitch_class(root.partition("/")[0]) - tonic) % 12]
    if quality.startswith(("min", "dim", "hdim")):
        numeral = numeral.lower()
    return numeral + "o" if quality.startswith(("dim", "hdim")) else numeral


def note_name(midi: int) -> str:
    """Name a MIDI number in scientific pitch notation: 60 -> `C4`."""
    return f"{SHARP_NAMES[midi % 12]}{midi // 12 - 1}"
