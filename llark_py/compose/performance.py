"""Plays a written piece: tempo that moves, swing, uneven hands, seconds instead of quarters."""

from __future__ import annotations

import random
from typing import NamedTuple

from .drums import has_backbeat
from .ensemble import Ensemble
from .form import Passage
from .patterns import BAR_QUARTERS, BEAT_QUARTERS
from .score_parts import Part, ScoreNote
from .style import Style
from .timing import TempoMap, draw_tempo_map, swing_place
from .writing import Piece

_VOLUMES = {"melody": (92, 122), "bass": (80, 114), "drums": (72, 112)}
_ACCOMPANIMENT_VOLUME = (80, 110)
_SHORTEST_S = 0.06
STRAIGHT = 0.5
_FAST_BPM = 170.0
_P_FREE_HALF_TIME = 0.2
# A feel is heard when so many of the onsets lie between the beats.
_HEARD_SHARE = 0.08


class Manner(NamedTuple):
    """How a piece is played; `swing` is the share of a beat that its first half takes."""

    tempo_map: TempoMap
    swing: float
    half_time: bool
    rubato: bool
    late_s: float
    uneven: float


def draw_manner(
    style: Style,
    metre: str,
    passages: list[Passage],
    ensemble: Ensemble,
    tempo_bpm: float,
    free: bool,
    rng: random.Random,
) -> Manner:
    """Draw how a piece is played; `free` as in `score.compose`."""
    drums = any(p.role == "drums" for p in ensemble.players)
    quarter_bpm = tempo_bpm * BEAT_QUARTERS[metre]
    bar = BAR_QUARTERS[metre]
    swung, rubato = rng.random() < style.swing, rng.random() < style.rubato
    p_half = max(style.half_time, _P_FREE_HALF_TIME if free else 0.0)
    can_halve = any(p.role == "drums" and has_backbeat(p.patterns[0]) for p in ensemble.players)
    half_time = rng.random() < p_half and can_halve and metre == "4/4"
    rubato = rubato and not drums
    swing = rng.uniform(0.59, 0.68)
    if quarter_bpm > _FAST_BPM:  # fast swing is straighter than slow swing
        swing -= 0.04
    slowing = passages[-1].ending == "ritardando"
    tempo_map = draw_tempo_map(
        quarter_bpm,
        BEAT_QUARTERS[metre],
        sum(p.n_bars for p in passages) * bar,
        rng,
        rubato=rubato,
        ritardando=bar * rng.choice((1, 1, 2)) if slowing else 0.0,
    )
    return Manner(
        tempo_map,
        swing if swung and metre != "6/8" else STRAIGHT,
        half_time,
        rubato,
        rng.uniform(0.0, 0.007),
        rng.uniform(2.0, 9.0),
    )


def perform(
    piece: Piece, manner: Manner, duration_s: float, rng: random.Random
) -> tuple[Part, ...]:
    """Play the parts of a piece until `duration_s`."""
    parts = []
    for part in piece.parts:
        notes = []
        for note in part.notes:
            start, end = note.start, note.start + note.length
            if manner.swing != STRAIGHT:
                start, end = swing_place(start, manner.swing), swing_place(end, manner.swing)
            late_s = note.delay_s + rng.gauss(0.0, manner.late_s)
            start_s = max(0.0, manner.tempo_map(start) + late_s)
            if start_s >= duration_s:
                continue
            end_s = max(manner.tempo_map(end) + late_s, start_s + _SHORTEST_S)
            velocity = round(note.velocity + rng.gauss(0.0, manner.uneven))
            notes.append(
                ScoreNote(start_s, min(end_s, duration_s), note.pitch, max(20, min(127, velocity)))
            )
        volume = rng.randint(*_VOLUMES.get(part.role, _ACCOMPANIMENT_VOLUME))
        pan = rng.randint(30, 98)
        if notes:
            notes.sort(key=lambda n: n.start_s)
            parts.append(Part(part.instrument, part.role, part.program, volume, pan, tuple(notes)))
    return tuple(parts)


def feel_of(piece: Piece, manner: Manner, metre: str) -> str | None:
    """Tell how a piece moves, one of `style.FEELS`, or None when nothing that plays tells."""
    if manner.rubato:
        return "rubato"
    onsets = {round(n.start, 2) for part in piece.parts for n in part.notes}
    between = sum(abs(onset % 1.0 - 0.5) < 0.02 for onset in onsets)
    heard = metre != "6/8" and between >= _HEARD_SHARE * len(onsets)
    if manner.swing != STRAIGHT:
        return "swung" if heard else None
    if manner.half_time:
        return "half-time"
    return "straight" if heard else None
