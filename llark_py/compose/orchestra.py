"""Timbres that breath or a bow holds: strings, brass, woodwind and voices."""

from __future__ import annotations

from typing import Any

import numpy as np

from .held import Held, Spectrum
from .oscillators import Body

_Range = tuple[float, float]
_Formants = tuple[tuple[float, float, float], ...]
_TABLES = 3


def _voiced(
    body: Body,
    slope: _Range,
    *,
    odd_db: float = 0.0,
    top_hz: _Range = (0.0, 0.0),
    steep: float = 4.0,
) -> Spectrum:
    """Make the spectra of a source, from dull to bright, behind a body.

    Args:
        body: Resonances or formants.
        slope: Power of the harmonic number by which the dull and the bright source fall.
        odd_db: How much weaker the even harmonics are at the bottom (clarinet).
        top_hz: Where the dull and the bright source stop; zeros for nowhere.
        steep: Power with which they stop.
    """

    def spectrum(k: np.ndarray, hz: np.ndarray) -> np.ndarray:
        even = np.where(k % 2 == 0, 10 ** (-odd_db / 20 / (1 + (k / 12.0) ** 2)), 1.0)
        rows = []
        for share in np.linspace(0.0, 1.0, _TABLES):
            row = k ** -(slope[0] + share * (slope[1] - slope[0])) * even
            if top_hz[1]:
                top = top_hz[0] * (top_hz[1] / top_hz[0]) ** share
                row = row / np.sqrt(1 + (hz / top) ** (2 * steep))
            rows.append(row)
        return np.array(rows) * body(hz)

    return spectrum


# Lowest air and wood resonances in Hz, and the bridge hill.
_BODIES: dict[str, tuple[float, float, float]] = {
    "violin": (280.0, 480.0, 2600.0),
    "viola": (220.0, 380.0, 2000.0),
    "cello": (105.0, 190.0, 1500.0),
}


def draw_bowed(name: str, rng: np.random.Generator, rate: int) -> Held:
    """Draw a bowed instrument or an ensemble: a sawtooth through a body, with vibrato."""
    air, wood, bridge = _BODIES.get(name, (200.0, 420.0, 2200.0))
    size = rng.uniform(0.88, 1.14)
    many = name not in _BODIES
    peaks = [
        (air * size, 0.15, rng.uniform(2, 7)),
        (wood * size, 0.2, rng.uniform(2, 7)),
        (bridge * size, 0.45, rng.uniform(2, 10)),
    ]
    body = Body(rng, 3.5 if many else 5.5, peaks, rng.uniform(-2.5, 0.5))
    top = rng.uniform(3000, 7000)
    held = Held(
        _voiced(body, (1.5, rng.uniform(0.7, 1.1)), top_hz=(0.4 * top, top), steep=2.0),
        rate,
        rng,
        attack_s=rng.uniform(0.03, 0.14),
        curve=rng.uniform(0.7, 1.5),
        release_s=rng.uniform(0.08, 0.3),
        brightness=rng.uniform(0.4, 0.9),
        by_level=rng.uniform(0.2, 0.8),
        vibrato_hz=rng.uniform(4.8, 6.8),
        vibrato=rng.uniform(8, 28),
        vibrato_after_s=rng.uniform(0.05, 0.35),
        shimmer=rng.uniform(0.02, 0.1),
        scoop=rng.uniform(0, 15),
        breath=rng.uniform(0.0, 0.05),
        chiff=rng.uniform(0.0, 0.15),
        noise_band=(rng.uniform(800, 2500), 6000.0),
    )
    if many:
        held = _many(held, rng, (4, 6), (5, 16))
        held.attack_s = rng.uniform(0.06, 0.3)
        held.release_s = rng.uniform(0.2, 0.6)
    if name == "tremolo strings":
        held.stroke_hz = rng.uniform(9, 15)
        held.attack_s = rng.uniform(0.02, 0.08)
    return held


def _many(held: Held, rng: np.random.Generator, players: tuple[int, int], cents: _Range) -> Held:
    """Let several players play together, none quite in tune."""
    fields: dict[str, Any] = {
        name: value for name, value in vars(held).items() if not name.startswith("_")
    }
    fields["voices"] = int(rng.integers(players[0], players[1] + 1))
    fields["detune"] = rng.uniform(*cents)
    return Held(**fields)


# Formant in Hz, dull and bright top in Hz, attack in seconds.
_BRASSES: dict[str, tuple[float, _Range, _Range]] = {
    "trumpet": (1400.0, (1500.0, 7000.0), (0.015, 0.05)),
    "trombone": (600.0, (600.0, 3500.0), (0.02, 0.07)),
    "tuba": (280.0, (250.0, 1100.0), (0.03, 0.08)),
    "muted trumpet": (1700.0, (2500.0, 7000.0), (0.012, 0.04)),
    "french horn": (420.0, (400.0, 1700.0), (0.03, 0.09)),
    "brass section": (1100.0, (1100.0, 7000.0), (0.02, 0.07)),
}


def draw_brass(name: str, rng: np.random.Generator, rate: int) -> Held:
    """Draw a brass instrument: the louder, the brighter, and every note begins from below."""
    formant, tops, attack = _BRASSES[name]
    scale = rng.uniform(0.85, 1.2)
    peaks = [(formant * scale, 0.5, rng.uniform(4, 10))]
    if name == "muted trumpet":
        peaks += [(400.0, 0.8, -8.0), (rng.uniform(1800, 3200), 0.25, 6.0)]
    held = Held(
        _voiced(
            Body(rng, 2.5, peaks),
            (0.9, rng.uniform(0.2, 0.5)),
            top_hz=(
                tops[0] * scale * rng.uniform(0.7, 1.1),
                tops[1] * scale * rng.uniform(0.7, 1.2),
            ),
            steep=rng.uniform(1.5, 3.0),
        ),
        rate,
        rng,
        attack_s=rng.uniform(*attack),
        curve=rng.uniform(0.8, 1.6),
        sustain=rng.uniform(0.65, 0.95),
        decay_s=rng.uniform(0.06, 0.25),
        release_s=rng.uniform(0.06, 0.18),
        touch=rng.uniform(1.0, 1.5),
        brightness=rng.uniform(0.45, 0.8),
        by_level=rng.uniform(0.8, 1.6),
        vibrato_hz=rng.uniform(4.5, 6.2),
        vibrato=rng.choice([0.0, rng.uniform(3, 18)]),
        vibrato_after_s=rng.uniform(0.25, 0.6),
        scoop=rng.uniform(10, 60),
        scoop_s=rng.uniform(0.012, 0.035),
        breath=rng.uniform(0.0, 0.02),
        chiff=rng.uniform(0.0, 0.12),
        chiff_s=0.02,
        noise_band=(formant, 4 * formant),
    )
    return _many(held, rng, (3, 4), (4, 12)) if name == "brass section" else held


# Slopes (dull, bright), even harmonics weaker by dB, formants (Hz, octaves, dB), top in Hz,
# vibrato in cents.
_REEDS: dict[str, tuple[_Range, float, _Formants, float, _Range]] = {
    "saxophone": ((1.3, 0.5), 0.0, ((650, 0.5, 7.0), (1800, 0.5, 5.0)), 5000.0, (4, 25)),
    "oboe": ((0.9, 0.3), 0.0, ((1100, 0.35, 13.0), (2900, 0.4, 9.0)), 6000.0, (3, 18)),
    "bassoon": ((1.2, 0.6), 0.0, ((470, 0.35, 12.0), (1200, 0.4, 5.0)), 2800.0, (2, 12)),
    "clarinet": ((1.4, 0.5), 26.0, ((1500, 0.6, 5.0),), 4000.0, (0, 5)),
    "flute": ((2.8, 1.4), 0.0, ((700, 0.8, 3.0),), 4000.0, (5, 25)),
    "piccolo": ((3.0, 1.6), 0.0, ((1800, 0.8, 3.0),), 6500.0, (5, 22)),
    "pan flute": ((2.8, 1.7), 14.0, ((600, 0.8, 3.0),), 3500.0, (2, 15)),
    "recorder": ((2.6, 1.5), 8.0, ((1200, 0.8, 3.0),), 4000.0, (0, 8)),
}  # fmt: skip
# Instruments whose air is heard: loudness of the breath and of the start.
_AIRY: dict[str, tuple[_Range, _Range]] = {
    "flute": ((0.02, 0.12), (0.05, 0.35)),
    "piccolo": ((0.01, 0.06), (0.03, 0.25)),
    "pan flute": ((0.03, 0.15), (0.2, 0.7)),
    "recorder": ((0.01, 0.06), (0.1, 0.4)),
    "saxophone": ((0.005, 0.05), (0.0, 0.15)),
}


def draw_woodwind(name: str, rng: np.random.Generator, rate: int) -> Held:
    """Draw a woodwind: odd harmonics for the clarinet, air for flutes, formants for reeds."""
    slope, odd_db, formants, top, vibrato = _REEDS[name]
    breath, chiff = _AIRY.get(name, ((0.0, 0.01), (0.0, 0.06)))
    scale = rng.uniform(0.88, 1.14)
    peaks = [(hz * scale, width, db * rng.uniform(0.7, 1.2)) for hz, width, db in formants]
    low = rng.uniform(600, 1800)
    return Held(
        _voiced(
            Body(rng, 2.5, peaks),
            (slope[0] * rng.uniform(0.9, 1.1), slope[1] * rng.uniform(0.85, 1.15)),
            odd_db=odd_db * rng.uniform(0.8, 1.2),
            top_hz=(0.5 * top * scale, top * scale),
            steep=rng.uniform(2.0, 4.0),
        ),
        rate,
        rng,
        attack_s=rng.uniform(0.015, 0.08),
        curve=rng.uniform(0.8, 1.5),
        sustain=rng.uniform(0.8, 1.0),
        release_s=rng.uniform(0.05, 0.15),
        brightness=rng.uniform(0.35, 0.85),
        by_level=rng.uniform(0.3, 1.0),
        vibrato_hz=rng.uniform(4.2, 6.2),
        vibrato=rng.uniform(*vibrato),
        vibrato_after_s=rng.uniform(0.1, 0.5),
        shimmer=rng.uniform(0.0, 0.15) if vibrato[1] > 10 else 0.0,
        scoop=rng.uniform(0, 25),
        scoop_s=0.03,
        breath=rng.uniform(*breath),
        chiff=rng.uniform(*chiff),
        chiff_s=rng.uniform(0.01, 0.05),
        noise_band=(low, rng.uniform(2, 5) * low),
    )


# The first four formants in Hz of a man's vowels.
_VOWELS: dict[str, tuple[float, float, float, float]] = {
    "ah": (730.0, 1100.0, 2450.0, 3300.0),
    "aw": (570.0, 850.0, 2410.0, 3200.0),
    "oh": (450.0, 800.0, 2500.0, 3200.0),
    "oo": (320.0, 780.0, 2250.0, 3200.0),
}


def draw_choir(name: str, rng: np.random.Generator, rate: int) -> Held:
    """Draw a choir: many glottal sources, each with its vibrato, through a vowel's formants."""
    choices = ("oo", "oo", "oh") if name == "vocal oohs" else ("ah", "ah", "aw", "oh")
    formants = _VOWELS[rng.choice(choices)]
    scale = rng.uniform(0.95, 1.25)  # from men to women
    peaks = [
        (hz * scale, width, rng.uniform(12, 20) - 2.5 * i)
        for i, (hz, width) in enumerate(zip(formants, (0.22, 0.2, 0.15, 0.15), strict=True))
    ]
    artificial = name == "synth choir"
    held = Held(
        _voiced(
            Body(rng, 1.5, peaks),
            (2.2, rng.uniform(1.4, 2.0) if name == "vocal oohs" else rng.uniform(1.0, 1.5)),
            top_hz=(2500, rng.uniform(4000, 6500)),
            steep=2.0,
        ),
        rate,
        rng,
        attack_s=rng.uniform(0.08, 0.4),
        release_s=rng.uniform(0.2, 0.7),
        brightness=rng.uniform(0.4, 0.9),
        by_level=rng.uniform(0.2, 0.6),
        vibrato_hz=rng.uniform(4.8, 6.5),
        vibrato=rng.uniform(2, 10) if artificial else rng.uniform(12, 40),
        vibrato_after_s=rng.uniform(0.05, 0.3),
        scoop=0.0 if artificial else rng.uniform(0, 40),
        scoop_s=0.06,
        breath=rng.uniform(0.01, 0.12),
        noise_band=(rng.uniform(800, 2000), 5000.0),
    )
    return _many(held, rng, (4, 6), (4, 10) if artificial else (8, 22))
