"""What a style is: how fast, in which metre and mode, on which chords, and who plays what.

A style names instruments per role and patterns per role; what the patterns sound like is written
in `patterns.py`, `patterns_popular.py` and the files of grooves. Tempo ranges are of the beat (the
dotted quarter in 6/8).
"""

from __future__ import annotations

from typing import NamedTuple

TIME_SIGNATURES = ("4/4", "3/4", "6/8")
FEELS = ("straight", "swung", "half-time", "rubato")
"""How a piece moves: even eighths, long-short eighths, the backbeat at half the speed, or a beat
that gives way. Rubato is said before swing, swing before half-time."""

BALANCED = {"4/4": 0.45, "3/4": 0.26, "6/8": 0.29}
MOSTLY_FOUR = {"4/4": 0.86, "3/4": 0.1, "6/8": 0.04}
GUITARS = ("clean electric guitar", "overdriven guitar", "distorted guitar")
BASSES = ("electric bass", "fretless bass", "slap bass")


def names(text: str) -> tuple[str, ...]:
    """Split names that are joined by a comma and a space."""
    return tuple(text.split(", "))


class Style(NamedTuple):
    """What makes music of one genre, for the composer.

    `chords` are (instruments, pattern) pairs, of which between `n_chords` are played;
    probabilities are per piece. `signature` holds families of which one must play for the genre
    to be recognisable (empty: the rhythm and harmony alone tell). `major` and `minor` are the
    progressions of the style (empty: those of everybody). `form` is a name in `form.FORMS`;
    `pedal` how often the bass stays on the tonic while chords change; `percussion` how often
    hands drum where no kit plays; `articulation` the share of its time that a note of the melody
    sounds, from shortest to longest; `busy` are the motions of its tunes (0 calm to 3 busy, one is
    drawn), `syncopation` how often their weight lies between the beats, `ornaments` how often a
    long note is adorned.
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
    major: tuple[str, ...] = ()
    minor: tuple[str, ...] = ()
    form: str = "song"
    half_time: float = 0.0
    rubato: float = 0.0
    p_sung: float = 0.0
    pedal: float = 0.0
    percussion: float = 0.0
    articulation: tuple[float, float] = (0.75, 1.0)
    busy: tuple[int, ...] = (0, 1, 1, 2, 2, 3)
    syncopation: float = 0.1
    ornaments: float = 0.05

    def progressions(self, mode: str) -> tuple[str, ...]:
        """The style's own progressions in a mode."""
        return self.major if mode == "major" else self.minor
