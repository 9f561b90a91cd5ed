"""A tone that is held: wave tables from dull to bright, read by one or more unsteady players."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .effects import Effect, unchanged
from .oscillators import (
    HIGHEST,
    coloured_noise,
    drawn_out,
    phase_of,
    scan,
    steps,
    to_hz,
    wave_tables,
)

Spectrum = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(harmonic numbers (k,), their Hz (k,)) -> gains (tables, k), from dull to bright."""

_NOISE_S = 3.0
_HARMONICS = 320


@dataclass
class Held:
    """A bowed, blown, sung or keyed sound.

    Times are seconds, detuning and vibrato cents. `brightness` is where between the dull and the
    bright table (0..1) a loud steady tone lies; it moves by `by_level` with the envelope and the
    touch and by `sweep` (dying away in `sweep_s`) like the filter of a synthesizer. `below` says
    how many octaves under the note the tables sound. `scoop` is how far under its pitch a note
    begins. `breath` is the loudness of noise that lasts, `chiff` of noise at the start.
    `width_hz` above 0 takes the wave minus itself, later by a moving share: pulse width.
    """

    spectrum: Spectrum
    rate: int
    rng: np.random.Generator
    attack_s: float = 0.05
    curve: float = 1.0
    sustain: float = 1.0
    decay_s: float = 0.3
    release_s: float = 0.15
    touch: float = 1.2
    brightness: float = 0.7
    by_level: float = 0.0
    sweep: float = 0.0
    sweep_s: float = 0.3
    voices: int = 1
    detune: float = 0.0
    vibrato_hz: float = 5.5
    vibrato: float = 0.0
    vibrato_after_s: float = 0.2
    shimmer: float = 0.0
    scoop: float = 0.0
    scoop_s: float = 0.04
    stroke_hz: float = 0.0
    below: int = 0
    width_hz: float = 0.0
    breath: float = 0.0
    chiff: float = 0.0
    chiff_s: float = 0.03
    noise_band: tuple[float, float] = (1000.0, 6000.0)
    effect: Effect = unchanged
    _phases: np.ndarray = field(init=False, repr=False)
    _cents: np.ndarray = field(init=False, repr=False)
    _noise: np.ndarray | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self._phases = self.rng.uniform(0.0, 2 * np.pi, _HARMONICS)
        spread = np.linspace(-1.0, 1.0, self.voices) if self.voices > 1 else np.zeros(1)
        self._cents = self.detune * (
            spread + self.rng.normal(0.0, 0.15, self.voices) * (spread != 0)
        )
        self._cents -= self._cents.mean()

    def play(self, pitch: float, length_s: float, loudness: float) -> np.ndarray:
        """Play a note: MIDI pitch, seconds until its release, loudness 0..1 -> float32 (n,)."""
        rng, hz = self.rng, to_hz(pitch)
        t = steps(length_s + self.release_s, self.rate)
        attack_s = min(self.attack_s, 0.02 + 0.5 * length_s)  # a short note speaks sooner
        level = np.minimum(1.0, (t + 1e-3) / attack_s) ** self.curve
        level *= self.sustain + (1 - self.sustain) * np.exp(
            -np.maximum(0.0, t - attack_s) / self.decay_s
        )
        level *= 10 ** (-2.5 * np.maximum(0.0, t - length_s) / self.release_s)
        level *= np.minimum(1.0, (t[-1] - t) / 0.005)
        if self.stroke_hz:
            stroke_hz = self.stroke_hz * rng.uniform(0.92, 1.08)
            strokes = np.abs(np.sin(np.pi * stroke_hz * t + rng.uniform(0, np.pi)))
            level *= 0.25 + 0.75 * strokes

        # 1. pitch of every player
        starts = rng.random((3, self.voices, 1))
        speed = self.vibrato_hz * rng.uniform(0.94, 1.06, (self.voices, 1))
        swing = np.sin(2 * np.pi * (speed * t + starts[0]))
        ramp = np.clip((t - self.vibrato_after_s) / 0.25, 0.0, 1.0)
        cents = self._cents[:, None] + self.vibrato * ramp * swing
        cents -= self.scoop * np.exp(-t / self.scoop_s)
        if self.voices > 1:  # no two players stay together
            cents += 2.0 * np.sin(2 * np.pi * (0.7 * t + starts[1]))
        bottom = hz / 2**self.below
        phase = phase_of(bottom * 2 ** (cents / 1200), starts[2, :, 0], self.rate)

        # 2. waves
        highest = hz * 2 ** ((np.abs(self._cents).max() + self.vibrato) / 1200) / 2**self.below
        k = np.arange(1, min(_HARMONICS, max(1, int(HIGHEST * self.rate / highest))) + 1)
        gains = self.spectrum(k, k * bottom)
        tables = wave_tables(gains, self._phases)
        light = self.brightness + self.by_level * (level * (0.4 + 0.6 * loudness) - 0.8)
        light += self.sweep * np.exp(-t / self.sweep_s)
        if self.shimmer:
            light += self.shimmer * ramp * swing[0]
            level = level * (1 + self.shimmer * ramp * swing[0])
        position = drawn_out(np.clip(light, 0.0, 1.0) * (len(tables) - 1))
        wave = scan(tables, phase, position)
        if self.width_hz:
            width = 0.5 + 0.35 * np.sin(2 * np.pi * (self.width_hz * t + starts[1, 0]))
            wave -= scan(tables, phase + drawn_out(width), position)
        strength = float(np.sqrt(0.5 * np.sum(gains[len(gains) // 2] ** 2) * self.voices)) + 1e-9
        out = wave.sum(axis=0) * np.float32(1 / strength)

        # 3. noise and loudness
        out *= drawn_out(level)
        if self.breath or self.chiff:
            if self._noise is None:
                n = round(_NOISE_S * self.rate)
                self._noise = coloured_noise(rng, n, self.rate, *self.noise_band)
            start = int(rng.integers(len(self._noise)))
            noise = np.take(self._noise, np.arange(start, start + len(out)), mode="wrap")
            out += noise * drawn_out(
                self.breath * level
                + self.chiff * np.minimum(1.0, t / 0.005) * np.exp(-t / self.chiff_s)
            )
        return out * np.float32(loudness**self.touch)
