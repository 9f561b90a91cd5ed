"""Timbres of what is struck or plucked: strings and bars as sums of modes that die away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .effects import Effect, chain, distortion, modulation, unchanged
from .oscillators import HIGHEST, STEP, Body, coloured_noise, drawn_out, ring, steps, to_hz

_MAX_RING_S = 4.0
_NOISE_S = 0.4


@dataclass
class Struck:
    """A string or bar that rings when it is struck or plucked.

    `modes(hz, loudness)` gives (frequencies, gains, decays in nepers a second). `release_s` is how
    long the damper takes for 60 dB; `knock` is the loudness of the stroke's own noise.
    """

    modes: Callable[[float, float], tuple[np.ndarray, np.ndarray, np.ndarray]]
    rate: int
    rng: np.random.Generator
    release_s: float = 0.15
    attack_s: float = 0.002
    touch: float = 1.2
    knock: float = 0.0
    knock_band: tuple[float, float] = (150.0, 2500.0)
    knock_s: float = 0.02
    effect: Effect = unchanged
    _noise: np.ndarray | None = field(default=None, repr=False)

    def play(self, pitch: float, length_s: float, loudness: float) -> np.ndarray:
        """Play a note: MIDI pitch, seconds until it is damped, loudness 0..1 -> float32 (n,)."""
        hz, gain, decay = self.modes(to_hz(pitch), loudness)
        gain = gain / (np.sqrt(np.sum(gain**2)) + 1e-9)
        heard_s = min(length_s + self.release_s, _MAX_RING_S, 7.0 / float(decay.min()) + 0.05)
        t = steps(heard_s, self.rate)
        out = ring(hz, gain, decay, (len(t) - 1) * STEP, self.rate)
        if self.knock > 0:
            if self._noise is None:
                n = round(_NOISE_S * self.rate)
                self._noise = coloured_noise(self.rng, n, self.rate, *self.knock_band)
            start = int(self.rng.integers(len(self._noise) // 2))
            burst = self._noise[start : start + len(out)]
            fall = np.exp(-np.arange(len(burst), dtype=np.float32) / (self.knock_s * self.rate))
            out[: len(burst)] += burst * fall * (self.knock * loudness)
        level = np.minimum(1.0, (t + 5e-4) / self.attack_s)
        level *= 10 ** (-3 * np.maximum(0.0, t - length_s) / self.release_s)
        level *= np.minimum(1.0, (t[-1] - t) / 0.01) * loudness**self.touch
        return out * drawn_out(level)


def _string(
    rng: np.random.Generator,
    rate: int,
    body: Body,
    *,
    at: tuple[float, float],
    slope: tuple[float, float],
    ring_s: tuple[float, float],
    damping: tuple[float, float] = (0.3, 1.5),
    stiffness: tuple[float, float] = (-5.0, -4.0),
    top_hz: tuple[float, float] = (2500.0, 9000.0),
    touch_hz: float = 1.5,
    courses: tuple[float, ...] = (0.0,),
    octave: float = 0.0,
    double: float = 0.0,
) -> Callable[[float, float], tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Draw a string: where it is struck, how fast its partials fall off and how long they ring.

    Args:
        rng: Source of the choices.
        rate: Sample rate in Hz.
        body: What radiates the sound.
        at: Range of the point where it is struck, as a share of its length.
        slope: Range of the power of the harmonic number by which partials are weaker.
        ring_s: Range of the time constant at 200 Hz.
        damping: Range of extra nepers a second at 1 kHz; high partials die first.
        stiffness: Range of log10 of inharmonicity at 200 Hz.
        top_hz: Range of the frequency above which the hammer or finger is too soft.
        touch_hz: How many times higher that is for the loudest stroke than for the softest.
        courses: Detuning in cents of strings struck together.
        octave: Gain of a second rank of strings an octave higher.
        double: Share that is left after a fast first decay (piano); 0 for one decay.
    """
    point, power = rng.uniform(*at), rng.uniform(*slope)
    time_s, high = rng.uniform(*ring_s), rng.uniform(*damping)
    inharmonic = 10 ** rng.uniform(*stiffness)
    top, tracking = np.exp(rng.uniform(*np.log(top_hz))), rng.uniform(0.2, 0.6)
    uneven = rng.normal(0.0, 2.0, 512)
    hurry = rng.uniform(4.0, 9.0)

    def modes(hz: float, loudness: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        k = np.arange(1, min(90, int(HIGHEST * rate / hz)) + 1)
        stretch = inharmonic * (hz / 200.0) ** 1.4
        f = hz * k * np.sqrt((1 + stretch * k**2) / (1 + stretch))
        gain = np.abs(np.sin(np.pi * k * point)) + 0.03
        soft = top * (hz / 200.0) ** tracking * touch_hz ** (2 * loudness - 1)
        gain = gain * k**-power / (1 + (f / soft) ** 2)
        gain = gain * body(f) * 10 ** (uneven[: len(k)] / 20)
        decay = (hz / 200.0) ** 0.5 / time_s + high * (f / 1000.0) ** 1.3
        if octave:
            f = np.concatenate([f, 2.001 * f])
            gain, decay = np.concatenate([gain, octave * gain]), np.tile(decay, 2)
        f = np.concatenate([f * 2 ** (c / 1200) for c in courses])
        gain, decay = np.tile(gain, len(courses)), np.tile(decay, len(courses))
        if double:
            f = np.concatenate([f, f * 1.0003])
            gain = np.concatenate([(1 - double) * gain, double * gain])
            decay = np.concatenate([hurry * decay, decay])
        return f, gain, decay

    return modes


def _bar(
    rng: np.random.Generator,
    ratios: tuple[float, ...],
    gains: tuple[float, ...],
    ring_s: tuple[float, float],
    fall: tuple[float, float],
) -> Callable[[float, float], tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Draw a tuned bar: few inharmonic modes, the higher the shorter, harder strokes brighter."""
    ratio = np.array(ratios) * np.array([1.0, *rng.normal(1.0, 0.015, len(ratios) - 1)])
    loud = np.array(gains) * 10 ** (rng.normal(0.0, 4.0, len(gains)) / 20)
    loud[0] = max(loud[0], 1.2 * loud[1:].max())
    time_s, power, hardness = rng.uniform(*ring_s), rng.uniform(*fall), rng.uniform(0.3, 1.2)

    def modes(hz: float, loudness: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        decay = ratio**power / time_s * (hz / 400.0) ** 0.5
        above = np.array([0.0, *np.ones(len(ratio) - 1)])
        return hz * ratio, loud * (0.4 + loudness) ** (above * hardness * 2), decay

    return modes


def draw_piano(name: str, rng: np.random.Generator, rate: int) -> Struck:
    """Draw a piano, an electric piano (tines and bars) or a harpsichord."""
    if name == "electric piano":
        tine, growl = rng.uniform(5.5, 15.5), rng.uniform(0.0, 1.0)
        ratios = (1.0, 2.0, 3.0, 4.0, 5.0, tine, rng.uniform(1.0, 1.004))
        gains = (1.0, *(rng.uniform(0.05, 0.6) * growl**i for i in range(4)), 0.25, 0.5)
        effect = modulation(
            rng.uniform(0.6, 6.5),
            rng.uniform(0.0005, 0.002),
            rng.choice([0.0, 0.4]),
            rng.uniform(0.0, 0.6),
            rng.random(),
            rate,
        )
        modes = _bar(rng, ratios, gains, (0.7, 2.2), (0.5, 1.2))
        return Struck(modes, rate, rng, rng.uniform(0.1, 0.3), 0.003, 1.3, effect=effect)
    if name == "harpsichord":
        modes = _string(
            rng, rate, Body(rng, 5.0, tilt_db=rng.uniform(0.0, 3.0)), at=(0.08, 0.22),
            slope=(0.5, 1.0), ring_s=(0.6, 1.6), top_hz=(5000, 9000), touch_hz=1.1,
            courses=(0.0, rng.uniform(1, 3)), octave=rng.choice([0.0, 0.5, 0.8]),
        )  # fmt: skip
        knock = rng.uniform(0.03, 0.15)
        return Struck(modes, rate, rng, 0.12, 0.001, 0.4, knock, (1500, 6000), 0.006)
    spread = rng.uniform(0.3, 1.6) if rng.random() < 0.8 else rng.uniform(4, 9)  # honky-tonk
    modes = _string(
        rng, rate, Body(rng, 3.5, tilt_db=rng.uniform(-2.0, 1.0)), at=(0.09, 0.16),
        slope=(0.4, 1.2), ring_s=(1.2, 3.5), damping=(0.2, 0.9), stiffness=(-4.1, -3.3),
        top_hz=(900, 4500), touch_hz=2.2, courses=(0.0, spread), double=rng.uniform(0.15, 0.45),
    )  # fmt: skip
    return Struck(
        modes, rate, rng, rng.uniform(0.12, 0.4), rng.uniform(0.001, 0.004), rng.uniform(1.0, 1.6),
        rng.uniform(0.03, 0.2), (80, rng.uniform(800, 4000)), rng.uniform(0.008, 0.03),
    )  # fmt: skip


_GUITARS: dict[str, dict[str, Any]] = {
    "nylon guitar": {"at": (0.15, 0.4), "slope": (1.1, 1.8), "ring_s": (0.5, 1.2)},
    "acoustic guitar": {"at": (0.06, 0.25), "slope": (0.3, 1.1), "ring_s": (0.8, 2.0)},
    "jazz guitar": {"at": (0.2, 0.4), "slope": (1.2, 1.9), "ring_s": (0.8, 1.8)},
    "clean electric guitar": {"at": (0.06, 0.3), "slope": (0.2, 1.1), "ring_s": (1.2, 3.0)},
    "muted guitar": {"at": (0.08, 0.25), "slope": (1.0, 1.6), "ring_s": (0.06, 0.16)},
    "overdriven guitar": {"at": (0.08, 0.3), "slope": (0.2, 0.9), "ring_s": (2.5, 6.0)},
    "distorted guitar": {"at": (0.08, 0.3), "slope": (0.2, 0.9), "ring_s": (3.0, 8.0)},
    "banjo": {"at": (0.06, 0.16), "slope": (0.4, 0.9), "ring_s": (0.15, 0.4)},
}
_WOODEN = ("nylon guitar", "acoustic guitar")


def draw_guitar(name: str, rng: np.random.Generator, rate: int) -> Struck:
    """Draw a guitar: plucked strings, a wooden body or a pickup, an amplifier that may clip."""
    effect: Effect = unchanged
    peaks: list[tuple[float, float, float]] = []
    tilt = rng.uniform(-2.0, 1.0)
    if name in _WOODEN:
        size = rng.uniform(0.85, 1.2)
        peaks = [(105 * size, 0.15, 6.0), (210 * size, 0.2, 7.0), (420 * size, 0.3, 4.0)]
    elif name == "banjo":
        peaks = [(rng.uniform(500, 1000), 0.5, 9.0)]
        tilt = rng.uniform(0.0, 3.0)
    elif name == "clean electric guitar":
        peaks = [(rng.uniform(2200, 4500), 0.4, 8.0)]
        if rng.random() < 0.6:
            wave = (rng.uniform(0.3, 1.2), rng.uniform(0.001, 0.004), 0.45, 0.0)
            effect = modulation(*wave, rng.random(), rate)
    elif name in ("overdriven guitar", "distorted guitar"):
        hard = name == "distorted guitar"
        drive = np.exp(rng.uniform(*np.log((12, 80) if hard else (3.0, 12.0))))
        speaker = Body(rng, 3.0, [(rng.uniform(1500, 3200), 0.6, rng.uniform(6, 16))])
        effect = distortion(drive, rng.uniform(0.0, 0.4), speaker, rng.uniform(3500, 6000), rate)
        if rng.random() < 0.3:
            wave = (rng.uniform(0.2, 1.0), rng.uniform(0.001, 0.003), 0.4, 0.0)
            effect = chain(effect, modulation(*wave, rng.random(), rate))
    top = (900.0, 2200.0) if name == "jazz guitar" else (2500.0, 8000.0)
    if name == "nylon guitar":
        top = (1200.0, 3500.0)
    modes = _string(
        rng, rate, Body(rng, 4.0, peaks, tilt), **_GUITARS[name], top_hz=top,
        damping=(3.0, 12.0) if name in ("muted guitar", "banjo") else (0.3, 1.8), touch_hz=1.8,
    )  # fmt: skip
    knock = rng.uniform(0.02, 0.2) if name in (*_WOODEN, "muted guitar", "banjo") else 0.02
    return Struck(
        modes, rate, rng, rng.uniform(0.06, 0.25), rng.uniform(0.001, 0.004),
        rng.uniform(0.9, 1.5), knock, (200, rng.uniform(1500, 5000)), rng.uniform(0.004, 0.015),
        effect,
    )  # fmt: skip


_BASSES: dict[str, dict[str, Any]] = {
    "acoustic bass": {"at": (0.2, 0.4), "slope": (1.1, 1.8), "top_hz": (350, 1100)},
    "electric bass": {"at": (0.1, 0.35), "slope": (0.5, 1.4), "top_hz": (600, 4000)},
    "fretless bass": {"at": (0.15, 0.3), "slope": (0.8, 1.3), "top_hz": (450, 1200)},
    "slap bass": {"at": (0.05, 0.14), "slope": (0.4, 0.9), "top_hz": (3000, 7000)},
}


def draw_bass(name: str, rng: np.random.Generator, rate: int) -> Struck:
    """Draw a plucked bass; the fretless one speaks slowly, the slapped one snaps."""
    ring_s = (0.35, 1.0) if name == "acoustic bass" else (0.9, 2.5)
    body = Body(rng, 3.0, [(rng.uniform(80, 160), 0.4, 5.0)])
    modes = _string(rng, rate, body, ring_s=ring_s, damping=(0.8, 4.0), **_BASSES[name])
    slap = name == "slap bass"
    knock = rng.uniform(0.15, 0.5) if slap else rng.uniform(0.02, 0.12)
    band = (1200.0, 6000.0) if slap else (80.0, 900.0)
    attack_s = rng.uniform(0.02, 0.06) if name == "fretless bass" else rng.uniform(0.002, 0.008)
    release_s = rng.uniform(0.06, 0.2)
    return Struck(modes, rate, rng, release_s, attack_s, 1.2, knock, band, rng.uniform(0.005, 0.02))


def draw_plucked(name: str, rng: np.random.Generator, rate: int) -> Struck:
    """Draw a harp, or bowed strings plucked with the finger."""
    if name == "harp":
        modes = _string(
            rng, rate, Body(rng, 3.0), at=(0.3, 0.5), slope=(1.2, 2.0), ring_s=(1.0, 2.8),
            top_hz=(1500, 5000),
        )  # fmt: skip
        return Struck(modes, rate, rng, rng.uniform(0.4, 1.5), 0.003, 1.2, 0.02)
    modes = _string(
        rng, rate, Body(rng, 5.0, [(rng.uniform(250, 550), 0.4, 6.0)]), at=(0.1, 0.35),
        slope=(1.0, 1.7), ring_s=(0.07, 0.22), damping=(3.0, 10.0), top_hz=(1500, 5000),
        courses=(0.0, rng.uniform(3, 10), -rng.uniform(3, 10)),
    )  # fmt: skip
    return Struck(modes, rate, rng, 0.2, rng.uniform(0.002, 0.01), 1.2, rng.uniform(0.03, 0.15))


_BARS: dict[str, tuple[tuple[float, ...], tuple[float, ...], tuple[float, float]]] = {
    "celesta": ((1, 2.01, 4.0, 6.3), (1, 0.2, 0.25, 0.06), (0.5, 1.4)),
    "glockenspiel": ((1, 2.76, 5.4, 8.93), (1, 0.4, 0.3, 0.15), (0.7, 2.0)),
    "vibraphone": ((1, 3.98, 9.9, 17.0), (1, 0.25, 0.08, 0.02), (1.2, 3.5)),
    "marimba": ((1, 3.95, 9.6, 16.5), (1, 0.25, 0.08, 0.03), (0.15, 0.5)),
    "xylophone": ((1, 3.0, 6.1, 10.2), (1, 0.5, 0.35, 0.2), (0.06, 0.22)),
}


def draw_mallet(name: str, rng: np.random.Generator, rate: int) -> Struck:
    """Draw a tuned bar: marimba 1:4:10, xylophone 1:3:6, free bar for the glockenspiel."""
    modes = _bar(rng, *_BARS[name], fall=(0.8, 1.4))
    effect: Effect = unchanged
    if name == "vibraphone" and rng.random() < 0.8:
        effect = modulation(
            rng.uniform(3.0, 8.0), 0.0, 0.0, rng.uniform(0.3, 0.8), rng.random(), rate
        )
    knock = rng.uniform(0.05, 0.35) if name in ("marimba", "xylophone") else rng.uniform(0, 0.08)
    low = rng.uniform(300, 1500)
    release_s = 1.0 if name != "vibraphone" else rng.uniform(0.2, 0.8)
    return Struck(
        modes, rate, rng, release_s, rng.uniform(0.001, 0.003), rng.uniform(1.0, 1.5), knock,
        (low, 4 * low), rng.uniform(0.004, 0.012), effect,
    )  # fmt: skip
