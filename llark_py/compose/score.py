"""A composed piece: its parts as notes in seconds and every fact about it.

`compose` is the whole way from a seed to a score: draw the style, the metre, the key, the form and
the ensemble, write every section, and play the parts with human timing.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from llark_py.errors import ConfigError
from llark_py.theory import key_name
from llark_py.track import Chord, KeySpan, Section

from .emphasis import emphasise
from .ensemble import draw_ensemble
from .form import draw_excerpt, draw_form
from .instruments import family_of
from .patterns import BAR_QUARTERS, BEAT_QUARTERS
from .performance import draw_manner, feel_of, perform
from .score_parts import Part, ScoreNote
from .style import Style
from .styles import STYLES, TIME_SIGNATURES, style_named
from .timing import TempoMap
from .vocals import with_words
from .writing import NO_CHORD, Piece, Plan, write_piece

_P_FREE = 0.5
# Of pieces whose instruments are not their style's: the metre need not be its own either.
_P_ANY_METRE = 0.45
_P_DETUNED = 0.7
_MAX_DETUNE_CENTS = 30.0
WHOLE_S = 45.0
"""Pieces at least this long have a form from beginning to end; shorter ones are excerpts."""
_RING_S = (1.6, 3.2)
# How far the tempo gives way so that the sections fill the time asked for.
_MOST_NUDGE = 1.15
# Of pieces in styles that are sung by everybody.
_P_SUNG = 0.5
# A style that has drums this often is known by them.
_BY_DRUMS = 0.8
_FADE_S = 8.0

__all__ = ["Part", "Score", "ScoreNote", "compose"]


@dataclass(frozen=True)
class Score:
    """A piece and everything known about it; times are seconds from its start.

    `tempo_bpm` counts beats (dotted quarters in 6/8) where the tempo does not move; `tonic` and
    `mode` are the home key; `detune_semitones` is how far the whole piece is from A4 = 440 Hz;
    `genre` is None when the instruments are not the style's own.
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
    feel: str | None = None
    """One of `styles.FEELS`; None when nothing that plays tells."""
    sections: tuple[Section, ...] = ()
    keys: tuple[KeySpan, ...] = ()
    """Every key with its time, the first included."""
    fade_s: float = 0.0
    """Over how many seconds before its end the piece fades away."""

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
    sung: bool | None = None,
    whole: bool | None = None,
) -> Score:
    """Compose a piece with a beginning and an end, or an excerpt of one.

    Args:
        seed: The same seed and arguments always give the same piece.
        duration_s: Length in seconds.
        style: One of `styles.STYLES`; drawn when None.
        free_instruments: Draw the instruments independently of the style; drawn when None.
        sung: Whether a singer has the melody; drawn when None.
        whole: Give the piece a form from beginning to end; when None, from `WHOLE_S` on.

    Raises:
        UnknownNameError: There is no such style.
        ConfigError: The duration is not positive.
    """
    if not duration_s > 0:
        raise ConfigError(f"duration must be positive, got {duration_s} s")
    rng = random.Random(seed)
    # Always drawn, so that fixing an argument changes nothing else.
    drawn_style, drawn_free, sung_chance = rng.choice(STYLES), rng.random() < _P_FREE, rng.random()
    name = style if style is not None else drawn_style
    free = free_instruments if free_instruments is not None else drawn_free
    data = style_named(name)
    if sung is None:
        sung = sung_chance < _P_SUNG * data.p_sung

    # 1. metre, tempo, key
    own_metre = rng.choices(list(data.metres), list(data.metres.values()))[0]
    any_metre, evenly = rng.choice(TIME_SIGNATURES), rng.random() < _P_ANY_METRE
    metre = any_metre if free and evenly else own_metre
    tempo_bpm = _draw_tempo(data, metre, rng)
    tonic = rng.randrange(12)
    mode = "minor" if rng.random() < data.p_minor else "major"

    # 2. form
    beats_per_bar = BAR_QUARTERS[metre] / BEAT_QUARTERS[metre]
    form_rng = random.Random(f"form {seed}")
    ring_s = form_rng.uniform(*_RING_S)
    if whole is None:
        whole = duration_s >= WHOLE_S
    if whole:
        n_bars = max(4, round((duration_s - ring_s) * tempo_bpm / 60.0 / beats_per_bar))
        passages = draw_form(data.form, n_bars, form_rng)
        if passages[-1].ending == "fade":  # it goes on until nothing is heard
            more = math.ceil(ring_s * tempo_bpm / 60.0 / beats_per_bar)
            passages[-1] = passages[-1]._replace(n_bars=passages[-1].n_bars + more)
    else:
        n_bars = math.ceil(duration_s * tempo_bpm / 60.0 / beats_per_bar) + 1
        passages = draw_excerpt(data.form, n_bars, form_rng, sung=sung)

    # 3. players, then what they play, then how
    ensemble = draw_ensemble(data, free=free, sung=sung, rng=rng)
    manner = draw_manner(data, metre, passages, ensemble, tempo_bpm, free, form_rng)
    if whole:  # the tempo gives way so that the sections fill the time
        music_s = duration_s if passages[-1].ending == "fade" else duration_s - ring_s
        bars_end = BAR_QUARTERS[metre] * sum(p.n_bars for p in passages)
        factor = music_s / manner.tempo_map(bars_end)
        factor = min(max(factor, 1 / _MOST_NUDGE), _MOST_NUDGE)
        manner = manner._replace(tempo_map=manner.tempo_map.scaled(factor))
        tempo_bpm /= factor
    plan = Plan(data, metre, tonic, mode, tempo_bpm, passages, ensemble, manner.half_time, whole)
    written = write_piece(plan, seed, rng)
    written = emphasise(written, data, metre, random.Random(f"emphasis {seed}"))
    parts = perform(written, manner, duration_s, rng)
    if sung:
        parts = with_words(parts, random.Random(f"words {seed}"))
    detune = 0.0
    if rng.random() < _P_DETUNED:
        detune = rng.uniform(-_MAX_DETUNE_CENTS, _MAX_DETUNE_CENTS) / 100.0

    # 4. facts
    when = manner.tempo_map
    families = {family_of(p.instrument) for p in parts}
    # What lives by its drums is not known by one or two players.
    known = ("band",) if data.p_drums >= _BY_DRUMS else ("band", "solo", "duo")
    own = not free and ensemble.texture in known
    beats, downbeats = _beats(written, metre, when, duration_s)
    melody_s = {
        p.instrument: sum(n.end_s - n.start_s for n in p.notes) for p in parts if p.role == "melody"
    }
    return Score(
        seed=seed,
        duration_s=duration_s,
        style=name,
        genre=name if own and families.intersection(data.signature or families) else None,
        tempo_bpm=tempo_bpm,
        time_signature=metre,
        tonic=tonic,
        mode=mode,
        chords=_chords(written, when, duration_s),
        beats_s=beats,
        downbeats_s=downbeats,
        parts=parts,
        lead=max(melody_s, key=lambda p: melody_s[p]) if melody_s else None,
        detune_semitones=detune,
        feel=feel_of(written, manner, metre),
        sections=_sections(written, when, duration_s),
        keys=_keys(written, when, duration_s, tonic, mode),
        fade_s=_FADE_S if written.ending == "fade" else 0.0,
    )


def _beats(
    piece: Piece, metre: str, when: TempoMap, duration_s: float
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Time the beats and the downbeats; the bar of the last chord is not counted out."""
    beat = BEAT_QUARTERS[metre]
    per_bar = round(BAR_QUARTERS[metre] / beat)
    count = round(piece.end / beat) + (1 if piece.ending not in ("", "fade") else 0)
    times = [when(i * beat) for i in range(count)]
    beats = tuple(t for t in times if t < duration_s)
    return beats, tuple(t for t in times[::per_bar] if t < duration_s)


def _chords(piece: Piece, when: TempoMap, duration_s: float) -> tuple[Chord, ...]:
    """Time the chords; what follows the last one is none, and drums alone have none at all."""
    chords = [
        Chord(when(c.start), min(when(c.end), duration_s), c.label)
        for c in piece.chords
        if when(c.start) < duration_s - 1e-6
    ]
    if all(c.label == NO_CHORD for c in chords):
        return ()
    if piece.ending not in ("", "fade", "stop"):
        chords[-1] = chords[-1]._replace(end_s=min(chords[-1].end_s + 0.2, duration_s))
    if chords[-1].end_s < duration_s - 1e-6:
        chords.append(Chord(chords[-1].end_s, duration_s, NO_CHORD))
    return tuple(chords)


def _sections(piece: Piece, when: TempoMap, duration_s: float) -> tuple[Section, ...]:
    """Time the sections; the last one lasts until everything has died away."""
    sections = [
        Section(when(s.start), min(when(s.end), duration_s), s.label)
        for s in piece.sections
        if when(s.start) < duration_s - 1e-6
    ]
    sections[-1] = sections[-1]._replace(end_s=duration_s)
    return tuple(sections)


def _keys(
    piece: Piece, when: TempoMap, duration_s: float, tonic: int, mode: str
) -> tuple[KeySpan, ...]:
    """Time the keys; none when nothing has a pitch."""
    if all(c.label == NO_CHORD for c in piece.chords):
        return ()
    spans: list[KeySpan] = []
    for start, end, rise in piece.rises:
        key = key_name(tonic + rise, mode)
        if when(start) >= duration_s - 1e-6:
            break
        if spans and spans[-1].key == key:
            spans[-1] = spans[-1]._replace(end_s=min(when(end), duration_s))
        else:
            spans.append(KeySpan(when(start), min(when(end), duration_s), key))
    spans[-1] = spans[-1]._replace(end_s=duration_s)
    return tuple(spans)


def _draw_tempo(style: Style, metre: str, rng: random.Random) -> float:
    """Draw beats a minute, evenly on a logarithmic scale (as tempo is heard)."""
    low, high = style.compound_bpm if metre == "6/8" else style.tempo_bpm
    return math.exp(rng.uniform(math.log(low), math.log(high)))
