"""A composed piece: its parts as notes in seconds and every fact about it.

`compose` is the whole way from a seed to a score: draw the style, the metre and the key, write
the chords, let the arrangement write the parts, and play them with human timing.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import NamedTuple

from llark_py.errors import ConfigError
from llark_py.theory import key_name
from llark_py.track import Chord

from .arrangement import Frame, WrittenPart, arrange
from .harmony import draw_harmony
from .instruments import family_of
from .lyrics import Sung
from .patterns import BAR_QUARTERS, BEAT_QUARTERS
from .styles import STYLES, Style, style_named
from .vocals import with_singer, with_words

_P_FREE = 0.5
_P_DETUNED = 0.7
_MAX_DETUNE_CENTS = 30.0
# Chords change at least this often in slow music, so that an excerpt holds a whole progression.
_MAX_CYCLE_S = 9.5
_MIN_CHORD_S = 0.75
_VOLUMES = {"melody": (92, 122), "bass": (80, 114), "drums": (72, 112)}
_ACCOMPANIMENT_VOLUME = (80, 110)


class ScoreNote(NamedTuple):
    """A note as played: seconds from the start of the piece, MIDI pitch and velocity."""

    start_s: float
    end_s: float
    pitch: int
    velocity: int


@dataclass(frozen=True)
class Part:
    """What one player plays.

    `program` is the General MIDI program (for drums the kit); `volume` and `pan` are MIDI
    controller values 0..127.
    """

    instrument: str
    role: str
    program: int
    volume: int
    pan: int
    notes: tuple[ScoreNote, ...]
    singer: str = ""
    """The kind of voice (`singer.RANGES`) of a sung part ..."""
    words: tuple[Sung, ...] = ()
    """... and what is sung on each of its notes."""


@dataclass(frozen=True)
class Score:
    """A piece and everything known about it; times are seconds from its start.

    `tempo_bpm` counts beats (dotted quarters in 6/8); `detune_semitones` is how far the whole
    piece is from A4 = 440 Hz; `genre` is None when the instruments are not the
    style's own.
    """

    seed: int
    duration_s: float
    style: str
    genre: str | None
    tempo_bpm: float
    time_signature: str
    tonic: int
    mode: str
    chords: tuple[Chord, ...]
    beats_s: tuple[float, ...]
    downbeats_s: tuple[float, ...]
    parts: tuple[Part, ...]
    lead: str | None
    detune_semitones: float

    @property
    def key(self) -> str:
        """The key, `F# minor`."""
        return key_name(self.tonic, self.mode)

    @property
    def bar_s(self) -> float:
        """Length of a bar in seconds."""
        beats = BAR_QUARTERS[self.time_signature] / BEAT_QUARTERS[self.time_signature]
        return beats * 60.0 / self.tempo_bpm


def compose(
    seed: int,
    duration_s: float,
    *,
    style: str | None = None,
    free_instruments: bool | None = None,
    sung: bool = False,
) -> Score:
    """Compose a piece.

    Args:
        seed: The same seed and arguments always give the same piece.
        duration_s: Length in seconds.
        style: One of `styles.STYLES`; drawn when None.
        free_instruments: Draw the instruments independently of the style; drawn when None.
        sung: A singer has the melody.

    Raises:
        UnknownNameError: There is no such style.
        ConfigError: The duration is not positive.
    """
    if not duration_s > 0:
        raise ConfigError(f"duration must be positive, got {duration_s} s")
    rng = random.Random(seed)
    # Always drawn, so that fixing an argument changes nothing else.
    drawn_style, drawn_free = rng.choice(STYLES), rng.random() < _P_FREE
    name = style if style is not None else drawn_style
    free = free_instruments if free_instruments is not None else drawn_free
    data = style_named(name)

    # 1. metre, tempo, key
    metre = rng.choices(list(data.metres), list(data.metres.values()))[0]
    tempo_bpm = _draw_tempo(data, metre, rng)
    quarter_bpm = tempo_bpm * BEAT_QUARTERS[metre]
    tonic = rng.randrange(12)
    mode = "minor" if rng.random() < data.p_minor else "major"

    # 2. chords
    bar = BAR_QUARTERS[metre]
    n_bars = math.ceil(duration_s * quarter_bpm / 60.0 / bar) + 1
    chord_quarters = _draw_chord_length(metre, quarter_bpm, rng)
    chords = draw_harmony(
        rng, tonic, mode, rng.random() < data.p_sevenths, chord_quarters, n_bars * bar
    )

    # 3. parts, then their performance
    frame = Frame(metre, chords, n_bars, quarter_bpm, (tonic, mode))
    written = arrange(data, frame, free_instruments=free, rng=rng)
    if sung:
        written = with_singer(written, frame, random.Random(f"singer {seed}"))
    swung = metre != "6/8" and rng.random() < data.swing
    parts = _perform(written, 60.0 / quarter_bpm, duration_s, swung, rng)
    if sung:
        parts = with_words(parts, random.Random(f"words {seed}"))
    detune = 0.0
    if rng.random() < _P_DETUNED:
        detune = rng.uniform(-_MAX_DETUNE_CENTS, _MAX_DETUNE_CENTS) / 100.0

    # 4. facts
    quarter_s = 60.0 / quarter_bpm
    beats = [i * 60.0 / tempo_bpm for i in range(math.ceil(duration_s * tempo_bpm / 60.0))]
    per_bar = round(bar / BEAT_QUARTERS[metre])
    families = {family_of(p.instrument) for p in parts}
    return Score(
        seed=seed,
        duration_s=duration_s,
        style=name,
        genre=None if free or not families.intersection(data.signature or families) else name,
        tempo_bpm=tempo_bpm,
        time_signature=metre,
        tonic=tonic,
        mode=mode,
        chords=tuple(
            Chord(c.start * quarter_s, min(c.end * quarter_s, duration_s), c.label)
            for c in chords
            if c.start * quarter_s < duration_s - 1e-6
        ),
        beats_s=tuple(b for b in beats if b < duration_s),
        downbeats_s=tuple(b for b in beats[::per_bar] if b < duration_s),
        parts=parts,
        lead=next((p.instrument for p in parts if p.role == "melody"), None),
        detune_semitones=detune,
    )


def _draw_tempo(style: Style, metre: str, rng: random.Random) -> float:
    """Draw beats a minute, evenly on a logarithmic scale (as tempo is heard)."""
    low, high = style.compound_bpm if metre == "6/8" else style.tempo_bpm
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def _draw_chord_length(metre: str, quarter_bpm: float, rng: random.Random) -> float:
    """Choose how long chords last, in quarters: half a bar, a bar or two bars."""
    bar = BAR_QUARTERS[metre]
    bar_s = bar * 60.0 / quarter_bpm
    half = metre in ("4/4", "6/8")
    if half and 4 * bar_s > _MAX_CYCLE_S:
        return bar / 2
    if half and bar_s / 2 > 2 * _MIN_CHORD_S and rng.random() < 0.15:
        return bar / 2
    if 8 * bar_s < _MAX_CYCLE_S and rng.random() < (0.7 if bar_s < _MIN_CHORD_S else 0.3):
        return 2 * bar
    return bar


def _perform(
    written: list[WrittenPart],
    quarter_s: float,
    duration_s: float,
    swung: bool,
    rng: random.Random,
) -> tuple[Part, ...]:
    """Play the parts: swing, small errors of timing and loudness, seconds instead of quarters."""
    late_s = rng.uniform(0.0, 0.007)
    uneven = rng.uniform(2.0, 9.0)
    # Fast swing is straighter than slow swing.
    swing = rng.uniform(0.55, 0.68) if swung else 0.5
    parts = []
    for part in written:
        notes = []
        for note in part.notes:
            start = note.start
            if swung and abs(start % 1.0 - 0.5) < 1e-3:
                start += swing - 0.5
            start_s = max(0.0, start * quarter_s + note.delay_s + rng.gauss(0.0, late_s))
            if start_s >= duration_s:
                continue
            end_s = min(start_s + max(note.length * quarter_s, 0.06), duration_s)
            velocity = round(note.velocity + rng.gauss(0.0, uneven))
            notes.append(ScoreNote(start_s, end_s, note.pitch, max(20, min(127, velocity))))
        if notes:
            volume = rng.randint(*_VOLUMES.get(part.role, _ACCOMPANIMENT_VOLUME))
            pan = rng.randint(30, 98)
            parts.append(Part(part.instrument, part.role, part.program, volume, pan, tuple(notes)))
    return tuple(parts)
