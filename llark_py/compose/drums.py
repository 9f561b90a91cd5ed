"""What drums play: grooves for each kind of kit and metre, with fills and crashes."""

from __future__ import annotations

import random

from .accompaniment import QuarterNote
from .grooves_popular import GROOVES
from .patterns import BAR_QUARTERS, BEAT_QUARTERS

PIECES = {
    36: "kick",
    37: "rim shot",
    38: "snare",
    39: "clap",
    42: "closed hi-hat",
    44: "pedal hi-hat",
    45: "low tom",
    46: "open hi-hat",
    47: "mid tom",
    49: "crash cymbal",
    50: "high tom",
    51: "ride cymbal",
    63: "conga",
    70: "maracas",
    75: "claves",
    53: "ride bell",
    54: "tambourine",
    56: "cowbell",
    60: "high bongo",
    61: "low bongo",
    64: "low conga",
    65: "timbale",
    81: "triangle",
    82: "shaker",
}
"""General MIDI key -> name of the piece."""

_KEYS = {name: key for key, name in PIECES.items()}
KICK = _KEYS["kick"]
TICKS = tuple(key for key, name in PIECES.items() if "hi-hat" in name or "ride" in name)
"""What marks time."""
SOFTER_BETWEEN = 9
"""How much softer strokes between the beats are."""
_LENGTH = 0.2

_UNFILLED = {"brush", "swing", "bossa", "hand drums", "celtic", "latin"}
_TOMS = ("snare", "high tom", "mid tom", "low tom")
_HANDS = ("high bongo", "low bongo", "conga", "low conga")
_BACKBEAT = ("snare", "clap", "rim shot")
_LOUD_LEVEL = -6


def write_drums(
    kit: str,
    metre: str,
    n_bars: int,
    quarter_bpm: float,
    velocity: int,
    rng: random.Random,
    *,
    fill: bool = False,
    half_time: bool = False,
) -> list[QuarterNote]:
    """Write a drum part; pitches are General MIDI keys of `PIECES`.

    Args:
        kit: A name in `GROOVES`.
        metre: The time signature.
        n_bars: How many bars to write.
        quarter_bpm: Quarter notes a minute; nothing faster than ~14 strokes a second is written.
        velocity: Middle velocity of the kit.
        rng: Source of the choices.
        fill: The last bar leads into another section.
        half_time: The backbeat falls on the third beat of four.
    """
    bar = BAR_QUARTERS[metre]
    step = 60.0 / quarter_bpm
    groove = {
        piece: (level, rng.choice(options))
        for piece, (level, options) in GROOVES[kit][metre].items()
    }
    if "closed hi-hat" in groove and rng.random() < 0.25:
        groove["ride cymbal"] = groove.pop("closed hi-hat")
    if half_time and metre == "4/4":
        groove = {piece: _slowed(piece, *stroke) for piece, stroke in groove.items()}
    filled = kit not in _UNFILLED
    fill_every = rng.choice((0, 4, 4, 8)) if filled else 0
    crash_every = rng.choice((0, 4, 8)) if filled else 0
    notes: list[QuarterNote] = []
    for number in range(n_bars):
        start = number * bar
        filling = fill_every and number % fill_every == fill_every - 1
        closing = fill and number == n_bars - 1
        # A fill takes the last beat (of two or more) away from the groove, a closing one two.
        beat = BEAT_QUARTERS[metre]
        taken = min(bar / 2, 2 * beat) if closing else beat
        end = bar - taken if filling or closing else bar
        for piece, (level, times) in groove.items():
            last = -1.0
            for at in times:
                if at >= end or (last >= 0 and (at - last) * step < 0.07):
                    continue
                last = at
                weak = at % beat > 1e-6
                if weak and rng.random() < 0.04:
                    continue
                loud = velocity + level - (SOFTER_BETWEEN if weak else 0)
                notes.append(QuarterNote(start + at, _LENGTH, _KEYS[piece], loud))
        if filling or closing:
            strokes = 4 if beat * step > 0.4 else 2
            if metre == "6/8":
                strokes = 3
            strokes = round(strokes * taken / beat)
            skins = _TOMS if filled else [p for p in _HANDS if p in groove] or ("snare",)
            for i in range(strokes):
                at = end + i * taken / strokes
                piece = rng.choice(skins)
                notes.append(QuarterNote(start + at, _LENGTH, _KEYS[piece], velocity + 2 * i - 6))
        if crash_every and number % crash_every == 0:
            notes.append(QuarterNote(start, _LENGTH, _KEYS["crash cymbal"], velocity))
    return notes


def has_backbeat(kit: str) -> bool:
    """Tell whether a kit strikes the second and fourth beat loudly enough to halve their speed."""
    groove = GROOVES[kit]["4/4"]
    return any(groove[p][0] >= _LOUD_LEVEL for p in _BACKBEAT if p in groove)


def _slowed(piece: str, level: int, times: tuple[float, ...]) -> tuple[int, tuple[float, ...]]:
    """Move a piece of a groove to half-time."""
    if piece in _BACKBEAT:
        return level, (2.0,)
    return level, (0.0, 3.5)[: 1 + (len(times) > 2)] if piece == "kick" else times


def last_stroke(velocity: int) -> list[QuarterNote]:
    """Write how the drums end a piece: kick and crash together."""
    return [QuarterNote(0.0, _LENGTH, _KEYS[piece], velocity) for piece in ("kick", "crash cymbal")]
