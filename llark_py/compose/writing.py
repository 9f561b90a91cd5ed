"""Writes a piece section by section: chords, parts and dynamics on one bar line grid."""

from __future__ import annotations

import random
from typing import NamedTuple

from llark_py.theory import MAJOR_TONICS

from .accompaniment import QuarterNote
from .arrangement import Frame, choose_players, doubled, write_last_chord, write_part
from .drums import last_stroke
from .ensemble import Ensemble, Player
from .form import Passage
from .harmony import Harmony, draw_harmony
from .patterns import BAR_QUARTERS, BEAT_QUARTERS
from .style import Style

# Chords change at least this often in slow music, so that an excerpt holds a whole progression.
_MAX_CYCLE_S = 9.5
_MIN_CHORD_S = 0.75
_P_ROTATED = 0.5
# Velocity between the softest and the loudest section, and where none is added.
_DYNAMICS = 34.0
_MIDDLE_LEVEL = 0.72
_STOP_QUARTERS = 0.5
NO_CHORD = "N"


class Plan(NamedTuple):
    """All that is settled before the first note is written."""

    style: Style
    metre: str
    tonic: int
    mode: str
    tempo_bpm: float
    passages: list[Passage]
    ensemble: Ensemble
    half_time: bool
    whole: bool

    @property
    def quarter_bpm(self) -> float:
        """Quarter notes a minute."""
        return self.tempo_bpm * BEAT_QUARTERS[self.metre]


class Span(NamedTuple):
    """A fact over a stretch of the grid, in quarters."""

    start: float
    end: float
    label: str


class WrittenPart(NamedTuple):
    """A part before it is played: its instrument, role, program and notes in quarters."""

    instrument: str
    role: str
    program: int
    notes: list[QuarterNote]


class Piece(NamedTuple):
    """A piece on the grid; the last chord of one that ends begins at `end` and lasts a bar."""

    parts: list[WrittenPart]
    chords: list[Span]
    sections: list[Span]
    rises: list[tuple[float, float, int]]
    end: float
    ending: str


def write_piece(plan: Plan, seed: int, rng: random.Random) -> Piece:
    """Write every part of a piece.

    Args:
        plan: What is settled.
        seed: Of the piece; with a material's number it fixes chords and tune of a section.
        rng: Source of what sections share.
    """
    bar = BAR_QUARTERS[plan.metre]
    chord_quarters = draw_chord_length(plan, rng)
    sevenths = rng.random() < plan.style.p_sevenths
    players = plan.ensemble.players
    notes: list[list[QuarterNote]] = [[] for _ in players]
    chords: list[Span] = []
    sections: list[Span] = []
    rises: list[tuple[float, float, int]] = []
    start = 0.0
    playing: list[int] = []
    for passage in plan.passages:
        length = passage.n_bars * bar
        harmony = _harmony(plan, passage, chord_quarters, sevenths, seed)
        key = (plan.tonic, plan.mode)
        frame = Frame(plan.metre, harmony, passage.n_bars, plan.quarter_bpm, key, plan.half_time)
        playing = choose_players(plan.ensemble, passage, seed)
        section = _write_section(players, playing, frame, passage, seed)
        for i, part in section.items():
            notes[i] += [_placed(n, start, length, passage) for n in part]
        heard = any(players[i].role != "drums" for i in playing)
        for chord in harmony:
            moved = chord._replace(root=(chord.root + passage.rise) % 12)
            label = moved.label if heard else NO_CHORD
            chords.append(Span(start + chord.start, start + chord.end, label))
        sections.append(Span(start, start + length, passage.label))
        rises.append((start, start + length, passage.rise))
        start += length
    last = plan.passages[-1]
    if last.ending and last.ending != "fade":
        label = _write_end(plan, last, playing, notes, start)
        chords.append(Span(start, start + bar, label))
    parts = [
        WrittenPart(p.instrument, p.role, p.program, part)
        for p, part in zip(players, notes, strict=True)
        if part
    ]
    return Piece(parts, chords, sections, rises, start, last.ending)


def _harmony(
    plan: Plan, passage: Passage, chord_quarters: float, sevenths: bool, seed: int
) -> list[Harmony]:
    """Write the chords of a section in the home key; sections of one material share them."""
    rng = random.Random(f"{seed} harmony {passage.material}")
    pool = plan.style.progressions(plan.mode)
    if plan.whole and plan.style.form == "blues":
        pool = tuple(p for p in pool if len(p.split()) == 12)
    length = passage.n_bars * BAR_QUARTERS[plan.metre]
    # An excerpt may begin in the middle of a long progression.
    skipped = 0
    if not plan.whole and rng.random() < _P_ROTATED:
        skipped = rng.choice((0, 4, 8))
    chords = draw_harmony(
        rng,
        plan.tonic,
        plan.mode,
        sevenths,
        chord_quarters,
        length + skipped * chord_quarters,
        pool,
    )[skipped:]
    late = skipped * chord_quarters
    moved = [c._replace(start=c.start - late, end=c.end - late) for c in chords]
    moved[-1] = moved[-1]._replace(end=min(moved[-1].end, length))
    return moved


def _write_section(
    players: list[Player], playing: list[int], frame: Frame, passage: Passage, seed: int
) -> dict[int, list[QuarterNote]]:
    """Write what everybody plays in a section; who doubles the tune follows who has it."""
    section: dict[int, list[QuarterNote]] = {}
    tune: list[QuarterNote] = []
    for i in playing:
        if players[i].when == "double":
            continue
        section[i] = write_part(players[i], frame, passage, f"{seed} player {i}")
        if players[i].role == "melody":
            tune = section[i]
    for i in playing:
        if players[i].when == "double" and tune:
            section[i] = doubled(tune, players[i])
    return section


def _placed(note: QuarterNote, start: float, length: float, passage: Passage) -> QuarterNote:
    """Put a note of a section into the piece, as loud as the section is there."""
    level = passage.level + passage.growth * note.start / length
    velocity = note.velocity + round(_DYNAMICS * (level - _MIDDLE_LEVEL))
    return note._replace(
        start=start + note.start,
        length=min(note.length, length - note.start),
        velocity=max(24, min(127, velocity)),
    )


def _write_end(
    plan: Plan, last: Passage, playing: list[int], notes: list[list[QuarterNote]], at: float
) -> str:
    """Write the last chord, and name it."""
    bar = BAR_QUARTERS[plan.metre]
    length = _STOP_QUARTERS if last.ending == "stop" else bar
    tonic = (plan.tonic + last.rise) % 12
    heard = False
    for i in playing:
        player = plan.ensemble.players[i]
        loud = max(40, min(120, player.velocity + round(_DYNAMICS * (last.level - 0.6))))
        if player.role == "drums":
            final = last_stroke(loud)
        else:
            final = write_last_chord(player, tonic, plan.mode, length, loud)
            heard = True
        notes[i] += [n._replace(start=at + n.start) for n in final]
    return f"{MAJOR_TONICS[tonic]}:{plan.mode[:3]}" if heard else NO_CHORD


def draw_chord_length(plan: Plan, rng: random.Random) -> float:
    """Choose how long chords last, in quarters: half a bar, a bar or two bars."""
    bar = BAR_QUARTERS[plan.metre]
    bar_s = bar * 60.0 / plan.quarter_bpm
    half = plan.metre in ("4/4", "6/8")
    if plan.whole and plan.style.form == "blues":
        return bar
    if half and 4 * bar_s > _MAX_CYCLE_S:
        return bar / 2
    if half and bar_s / 2 > 2 * _MIN_CHORD_S and rng.random() < 0.15:
        return bar / 2
    if 8 * bar_s < _MAX_CYCLE_S and rng.random() < (0.7 if bar_s < _MIN_CHORD_S else 0.3):
        return 2 * bar
    return bar
