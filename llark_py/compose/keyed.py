"""Timbres that a key switches on and off: organs, accordions and synthesizers."""

from __future__ import annotations

import numpy as np

from .effects import Effect, chain, distortion, modulation, unchanged
from .held import Held, Spectrum
from .oscillators import Body

# Harmonics of the note an octave below (the 16' pipe) that the drawbars sound.
_DRAWBARS = (1, 3, 2, 4, 6, 8, 10, 12, 16)
# 16' and the fifth of 5 1/3' stay below the note itself.
_MOST = (0.7, 0.35, 1.0, 0.9, 0.5, 0.7, 0.35, 0.4, 0.5)
_TABLES = 4


def draw_organ(name: str, rng: np.random.Generator, rate: int) -> Held:
    """Draw an organ: drawbars and a rotating loudspeaker, ranks of pipes, or beating reeds."""
    if name == "accordion":
        peaks = [(rng.uniform(700, 1600), 0.6, 6.0), (rng.uniform(2200, 3500), 0.4, 6.0)]
        return Held(
            _reeds(Body(rng, 4.0, peaks), rng.uniform(0.7, 1.3)),
            rate,
            rng,
            attack_s=rng.uniform(0.02, 0.08),
            release_s=rng.uniform(0.05, 0.12),
            touch=0.6,
            voices=int(rng.integers(2, 4)),
            detune=rng.uniform(2, 16),
            chiff=rng.uniform(0.0, 0.05),
        )
    if name == "church organ":
        slope = rng.uniform(0.8, 1.8)
        stops = np.array([rng.uniform(0.0, 0.5), 1.0, *rng.uniform(0.0, 0.9, 3)])
        return Held(
            _pipes(Body(rng, 3.0, tilt_db=rng.uniform(-2, 1)), stops, slope),
            rate,
            rng,
            attack_s=rng.uniform(0.03, 0.1),
            release_s=rng.uniform(0.15, 0.6),
            touch=0.3,
            voices=int(rng.integers(1, 4)),
            detune=rng.uniform(1, 5),
            below=1,
            breath=rng.uniform(0.0, 0.02),
            chiff=rng.uniform(0.0, 0.25),
            chiff_s=rng.uniform(0.015, 0.05),
        )
    rock = name == "rock organ"
    bars = rng.uniform(0.0, 1.0, len(_DRAWBARS)) * np.array(_MOST) * (rng.random(9) < 0.7)
    bars[2] = 1.0
    speed = rng.uniform(5.5, 7.2) if rock or rng.random() < 0.4 else rng.uniform(0.6, 1.2)
    wave = (rng.uniform(0.0004, 0.0011), rng.uniform(0.3, 0.8), rng.uniform(0.05, 0.4))
    effect: Effect = modulation(speed, *wave, rng.random(), rate)
    if rock or rng.random() < 0.3:
        drive = rng.uniform(1.5, 6.0) if rock else rng.uniform(0.6, 1.8)
        amplifier = distortion(drive, rng.uniform(0, 0.3), Body(rng, 2.0), 5500.0, rate)
        effect = chain(amplifier, effect)
    return Held(
        _drawn(bars, rng.uniform(0.0, 0.02)),
        rate,
        rng,
        attack_s=rng.uniform(0.003, 0.01),
        release_s=rng.uniform(0.01, 0.04),
        touch=0.3,
        sustain=rng.choice([1.0, rng.uniform(0.6, 0.9)]),
        decay_s=0.15,
        below=1,
        chiff=rng.uniform(0.05, 0.4),
        chiff_s=rng.uniform(0.002, 0.006),
        effect=effect,
    )


def _drawn(bars: np.ndarray, leak: float) -> Spectrum:
    """Sum the sines that the drawbars let through, with a little of everything else."""

    def spectrum(k: np.ndarray, hz: np.ndarray) -> np.ndarray:
        gains = leak / k
        for harmonic, gain in zip(_DRAWBARS, bars, strict=True):
            if harmonic <= len(k):
                gains[harmonic - 1] += gain
        return gains[None]

    return spectrum


def _pipes(body: Body, stops: np.ndarray, slope: float) -> Spectrum:
    """Sum ranks of pipes at 16', 8', 4', 2 2/3' and 2', each with its harmonics."""

    def spectrum(k: np.ndarray, hz: np.ndarray) -> np.ndarray:
        gains = np.zeros(len(k))
        for first, gain in zip((1, 2, 4, 6, 8), stops, strict=True):
            rank = k % first == 0
            gains[rank] += gain * (k[rank] / first) ** -slope / np.sqrt(first)
        return (gains * body(hz))[None]

    return spectrum


def _reeds(body: Body, slope: float) -> Spectrum:
    """Make the bright spectrum of a free reed."""
    return lambda k, hz: (k**-slope * body(hz))[None]


def _filtered(
    wave: str, low_hz: float, high_hz: float, resonance: float, tracking: float, poles: float
) -> Spectrum:
    """Make an oscillator behind a resonant low-pass, from closed to open."""

    def spectrum(k: np.ndarray, hz: np.ndarray) -> np.ndarray:
        source = 1.0 / k
        if wave == "square":
            source = source * (k % 2)
        elif wave == "triangle":
            source = source**2 * (k % 2)
        elif wave == "pulse":
            source = np.abs(np.sin(np.pi * k * 0.18)) / k
        rows = []
        for share in np.linspace(0.0, 1.0, _TABLES):
            cut = low_hz * (high_hz / low_hz) ** share * (hz[0] / 200.0) ** tracking
            x = hz / cut
            peak = 1 + resonance * np.exp(-0.5 * (np.log2(x) / 0.2) ** 2)
            rows.append(source * peak / np.sqrt(1 + x ** (2 * poles)))
        return np.array(rows)

    return spectrum


def draw_synth_bass(rng: np.random.Generator, rate: int) -> Held:
    """Draw a synthesizer's bass: a filter that closes after every stroke."""
    low = rng.uniform(90, 250)
    wave = rng.choice(["saw", "square", "pulse"])
    return Held(
        _filtered(wave, low, low * rng.uniform(5, 25), rng.uniform(0, 4), 0.3, rng.uniform(2, 4)),
        rate,
        rng,
        attack_s=rng.uniform(0.002, 0.01),
        sustain=rng.uniform(0.4, 1.0),
        decay_s=rng.uniform(0.1, 0.5),
        release_s=rng.uniform(0.03, 0.12),
        brightness=rng.uniform(0.05, 0.4),
        sweep=rng.uniform(0.2, 0.8),
        sweep_s=rng.uniform(0.04, 0.3),
        voices=int(rng.integers(1, 3)),
        detune=rng.uniform(0, 8),
    )


def draw_synth(name: str, rng: np.random.Generator, rate: int) -> Held:
    """Draw a synthesizer: a lead, a pad or strings out of detuned waves and a moving filter."""
    wave = str(rng.choice(["saw", "saw", "square", "pulse"]))
    effect: Effect = unchanged
    if name == "synth lead":
        if rng.random() < 0.1:
            wave = "triangle"
        low = rng.uniform(300, 1200)
        return Held(
            _filtered(
                wave, low, rng.uniform(3000, 9000), rng.uniform(0, 3.5), rng.uniform(0.2, 1.0),
                rng.uniform(1, 4),
            ),
            rate,
            rng,
            attack_s=rng.uniform(0.002, 0.02),
            sustain=rng.uniform(0.6, 1.0),
            decay_s=rng.uniform(0.1, 0.5),
            release_s=rng.uniform(0.03, 0.2),
            touch=0.7,
            brightness=rng.uniform(0.3, 0.9),
            sweep=rng.choice([0.0, rng.uniform(0.1, 0.6)]),
            sweep_s=rng.uniform(0.05, 0.4),
            voices=int(rng.integers(1, 4)),
            detune=rng.uniform(2, 14),
            vibrato_hz=rng.uniform(4.5, 7.0),
            vibrato=rng.choice([0.0, rng.uniform(5, 25)]),
            width_hz=rng.choice([0.0, rng.uniform(0.2, 2.0)]) if wave == "saw" else 0.0,
        )  # fmt: skip
    strings = name == "synth strings"
    low = rng.uniform(250, 700)
    if strings:
        wave = "saw"
    if rng.random() < 0.6:
        depth_s = rng.uniform(0.001, 0.004)
        effect = modulation(rng.uniform(0.2, 0.9), depth_s, 0.45, 0.0, rng.random(), rate)
    return Held(
        _filtered(
            wave, low, rng.uniform(2500, 7000), rng.uniform(0, 1.0 if strings else 3.0),
            rng.uniform(0.2, 0.8), rng.uniform(1, 3),
        ),
        rate,
        rng,
        attack_s=rng.uniform(0.04, 0.25) if strings else rng.uniform(0.2, 0.8),
        release_s=rng.uniform(0.2, 0.6) if strings else rng.uniform(0.4, 1.2),
        touch=0.8,
        brightness=rng.uniform(0.4, 0.9) if strings else rng.uniform(0.1, 0.7),
        by_level=rng.uniform(0.0, 0.3) if strings else rng.uniform(0.2, 1.0),
        sweep=0.0 if strings else rng.choice([0.0, rng.uniform(-0.5, 0.4)]),
        sweep_s=rng.uniform(0.5, 2.0),
        voices=int(rng.integers(3, 6)),
        detune=rng.uniform(5, 18),
        vibrato=rng.uniform(0, 5),
        width_hz=rng.choice([0.0, rng.uniform(0.1, 0.7)]) if wave == "saw" else 0.0,
        breath=0.0 if strings else rng.choice([0.0, rng.uniform(0.0, 0.08)]),
        effect=effect,
    )  # fmt: skip
