"""Timbres of drums: swept sines, ringing skins, filtered noise and inharmonic metal."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .drums import PIECES
from .effects import Effect, unchanged
from .oscillators import Body, coloured_noise, ring

_TAKES = 2
"""How often a piece is recorded: repeated strokes take turns."""

_BALANCE_DB = 3.0
_FADE_S = 0.03

# Level of a stroke of full loudness against a pitched part at full volume, in dB RMS of its
# loudest quarter second.
_LEVELS_DB = {
    "kick": 6.0,
    "snare": 6.0,
    "clap": 4.0,
    "rim shot": -3.0,
    "closed hi-hat": -13.0,
    "pedal hi-hat": -15.0,
    "open hi-hat": -7.0,
    "crash cymbal": 0.0,
    "ride cymbal": -13.0,
    "low tom": 6.0,
    "mid tom": 6.0,
    "high tom": 6.0,
    "conga": 3.0,
    "maracas": -11.0,
    "claves": 1.0,
    "ride bell": -9.0,
    "tambourine": -7.0,
    "cowbell": -3.0,
    "high bongo": 2.0,
    "low bongo": 3.0,
    "low conga": 4.0,
    "timbale": 4.0,
    "triangle": -9.0,
    "shaker": -11.0,
}
# First mode in Hz of what has a skin or a bar.
_SKINS_HZ = {
    "low tom": (75.0, 110.0),
    "mid tom": (105.0, 150.0),
    "high tom": (140.0, 210.0),
    "conga": (180.0, 330.0),
    "snare": (150.0, 260.0),
    "low conga": (140.0, 240.0),
    "high bongo": (340.0, 520.0),
    "low bongo": (240.0, 380.0),
    "timbale": (280.0, 480.0),
}
_DRY_SKINS = ("conga", "low conga", "high bongo", "low bongo")
# Modes (Hz, ratio, gain) and ringing time of metal that is no cymbal.
_BELLS = {
    "cowbell": (560.0, (1.0, 1.48, 2.6, 3.9), (1.0, 0.9, 0.3, 0.2), 0.06),
    "triangle": (1500.0, (1.0, 2.76, 3.4, 4.6), (0.4, 1.0, 0.7, 0.5), 0.6),
}
_MEMBRANE = np.array([1.0, 1.59, 2.14, 2.3, 2.65, 2.92])


@dataclass
class Kit:
    """A drum kit; `play` takes the General MIDI key of a piece as its pitch."""

    rate: int
    rng: np.random.Generator
    effect: Effect = unchanged
    _takes: dict[tuple[int, int], np.ndarray] = field(default_factory=dict, repr=False)
    _strokes: int = 0
    _balance_db: dict[int, float] = field(init=False, repr=False)
    _style: dict[str, float] = field(init=False, repr=False)
    _metal: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        u = self.rng.uniform
        self._balance_db = {key: self.rng.normal(0.0, _BALANCE_DB) for key in PIECES}
        electronic = self.rng.random() < 0.35
        self._style = {
            "size": u(0.8, 1.25),
            "damping": np.exp(u(-0.7, 0.7)),
            "kick_hz": u(42, 65),
            "kick_sweep": u(2.5, 6.0) if electronic else u(1.2, 3.0),
            "kick_fall_s": u(0.015, 0.06) if electronic else u(0.008, 0.03),
            "kick_s": u(0.1, 0.4) if electronic else u(0.06, 0.18),
            "kick_click": u(0.03, 0.5),
            "kick_click_s": u(0.003, 0.02),
            "snare_noise": np.exp(u(-3.4, -0.9)),
            "snare_s": u(0.05, 0.2),
            "stick": u(0.2, 1.0),
            "stick_s": u(0.005, 0.025),
            "snare_low_hz": u(400, 1800),
            "metal_hz": u(300, 550),
            "metal_low_hz": u(2500, 6000),
            "metal_noise": u(0.3, 1.0),
            "hat_s": u(0.012, 0.05),
            "open_s": u(0.12, 0.4),
            "crash_s": u(0.4, 1.2),
            "ride_s": u(0.3, 1.0),
            "clap_hz": u(800, 1600),
            "clap_s": u(0.04, 0.15),
            "rim_hz": u(500, 1900),
            "claves_hz": u(1900, 2900),
            "shaker_hz": u(3000, 5500),
            "shaker_s": u(0.02, 0.06),
        }

    def play(self, pitch: float, length_s: float, loudness: float) -> np.ndarray:
        """Play a stroke; how long its note is written does not matter."""
        self._strokes += 1
        key = (round(pitch), self._strokes % _TAKES)
        if key not in self._takes:
            name = PIECES[key[0]]
            sound = self._record(name)
            window = min(len(sound), self.rate // 4)
            power = float(np.sum(sound[:window] ** 2)) / (self.rate // 4)
            level_db = _LEVELS_DB[name] + self._balance_db[key[0]]
            gain = 10 ** (level_db / 20) / np.sqrt(power + 1e-12)
            fade = np.minimum(1.0, np.arange(len(sound), 0, -1) / (_FADE_S * self.rate))
            self._takes[key] = np.asarray(sound * (gain * fade), np.float32)
        return self._takes[key] * np.float32(loudness)

    def _record(self, name: str) -> np.ndarray:
        style = self._style
        if name == "kick":
            return self._kick()
        if name == "snare":
            n = self._n(0.45)
            band = (style["snare_low_hz"], 7000.0)
            wires = self._burst(n, *band, style["snare_s"]) * style["snare_noise"]
            return self._skin(name, n, 0.06) + wires
        if name in _SKINS_HZ:
            n = self._n(0.8)
            length_s = 0.12 if name in _DRY_SKINS else 0.2
            knock = self._burst(n, 300.0, 5000.0, style["stick_s"])
            return self._skin(name, n, length_s) + style["stick"] * knock
        if name == "clap":
            return self._clap()
        if name in ("rim shot", "claves"):
            hz = style["rim_hz" if name == "rim shot" else "claves_hz"]
            ratio = np.array([1.0, 1.47, 2.09, 2.9])
            gain = (
                np.array([1.0, 0.5, 0.4, 0.2])
                if name == "rim shot"
                else np.array([1, 0.1, 0.05, 0])
            )
            n = self._n(0.2)
            tone = ring(hz * ratio, gain, np.full(4, 1 / 0.018), n, self.rate)
            share = 0.6 if name == "rim shot" else 0.1
            return tone + share * self._burst(n, 800.0, 5000.0, 0.006)
        if name in _BELLS:
            lowest_hz, ratios, gains, fall_s = _BELLS[name]
            modes = lowest_hz * style["size"] * np.array(ratios)
            n = self._n(min(5 * fall_s, 2.0))
            return ring(modes, np.array(gains), np.full(4, 1 / fall_s), n, self.rate)
        if name in ("maracas", "shaker", "tambourine"):
            n = self._n(0.25)
            jingles = name == "tambourine"  # they ring, grains do not
            low_hz = style["shaker_hz"] * (1.2 if jingles else 1.0)
            fall_s = style["shaker_s"] * (1.8 if jingles else 1.0)
            grain = self._burst(n, low_hz, 7500.0, fall_s)
            swell = np.minimum(1.0, np.arange(n) / (0.012 * self.rate))
            return np.asarray(grain * swell, np.float32)
        return self._cymbal(name)

    def _n(self, seconds: float) -> int:
        return round(seconds * self.rate)

    def _burst(self, n: int, low_hz: float, high_hz: float, fall_s: float) -> np.ndarray:
        """Make noise that dies away."""
        noise = coloured_noise(self.rng, n, self.rate, low_hz, high_hz)
        return noise * np.exp(-np.arange(n, dtype=np.float32) / np.float32(fall_s * self.rate))

    def _skin(self, name: str, n: int, length_s: float) -> np.ndarray:
        """Strike a membrane, whose pitch falls a little."""
        low, high = _SKINS_HZ[name]
        hz = (low + (high - low) * (self._style["size"] - 0.8) / 0.45) * _MEMBRANE
        gain = np.array([1.0, 0.5, 0.3, 0.2, 0.2, 0.1]) * self.rng.uniform(0.7, 1.3, 6)
        decay = (0.7 + 0.3 * _MEMBRANE**1.5) / (length_s * self._style["damping"])
        sound = ring(hz, gain, decay, n, self.rate)
        at = np.arange(n) + 0.01 * self.rate * (1 - np.exp(-np.arange(n) / (0.03 * self.rate)))
        index = np.minimum(at.astype(np.int64), n - 2)
        return sound[index] + (at - index) * (sound[index + 1] - sound[index])

    def _kick(self) -> np.ndarray:
        style, n = self._style, self._n(0.7)
        t = np.arange(n) / self.rate
        fall = style["kick_fall_s"]
        cycles = style["kick_hz"] * (t + (style["kick_sweep"] - 1) * fall * (1 - np.exp(-t / fall)))
        sweep = np.sin(2 * np.pi * (cycles % 1.0)) * np.exp(-t / style["kick_s"])
        click = self._burst(n, 500.0, 5000.0, style["kick_click_s"]) * style["kick_click"]
        return np.asarray(np.tanh(1.5 * sweep) + click, np.float32)

    def _clap(self) -> np.ndarray:
        n = self._n(0.5)
        hz = self._style["clap_hz"]
        noise = coloured_noise(self.rng, n, self.rate, 0.8 * hz, 1.8 * hz)
        t = np.arange(n) / self.rate
        level = 0.6 * np.exp(-np.maximum(t - 0.03, 0) / self._style["clap_s"]) * (t > 0.03)
        for hand in (0.0, 0.01, 0.021):
            at = t - hand - self.rng.uniform(0, 0.002)
            level += np.exp(-np.maximum(at, 0) / 0.006) * (at >= 0)
        return np.asarray(noise * level, np.float32)

    def _cymbal(self, name: str) -> np.ndarray:
        """Strike metal: dozens of inharmonic modes and noise, the high ones longest in a hat."""
        style = self._style
        hat = name.endswith("hi-hat")
        if name == "open hi-hat":
            fall_s = style["open_s"]
        elif hat:
            fall_s = style["hat_s"] * (0.7 if name == "pedal hi-hat" else 1.0)
        else:
            fall_s = style["crash_s" if name == "crash cymbal" else "ride_s"]
        n = self._n(min(5 * fall_s, 2.5))
        kind = "hat" if hat else name
        if kind not in self._metal:
            count = 80 if hat else 140
            low = style["metal_hz"] if name != "ride cymbal" else 1.2 * style["metal_hz"]
            hz = np.exp(self.rng.uniform(np.log(low), np.log(7800.0), count))
            self._metal[kind] = hz, self.rng.normal(0.0, 1.0, count)
        hz, gain = self._metal[kind]
        low = style["metal_low_hz"] * (1.0 if hat else 0.5)
        body = Body(self.rng, 1.0)
        gain = gain * body(hz) / np.sqrt(1 + (low / hz) ** 6)
        if name.startswith("ride"):  # the bell speaks
            gain = gain + (2.0 if name == "ride bell" else 0.6) * (np.arange(len(gain)) < 3)
        decay = np.full(len(hz), 1 / fall_s) * (1 + 0.5 * hz / 8000.0)
        tone = ring(hz, gain, decay, n, self.rate)
        tone /= np.std(tone[: n // 2]) + 1e-9
        stroke = self._burst(n, low, 7500.0, fall_s * (0.25 if name == "ride cymbal" else 0.8))
        return tone + style["metal_noise"] * 1.5 * stroke
