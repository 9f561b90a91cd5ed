"""Mixtures to learn separation from: stems of one clip, or of many, at all levels and colours.

Half of the mixtures keep what one clip plays together; in the others every stem comes from
another clip. Each holds one question more than the four stems: an example of one instrument of
the mixture, taken elsewhere from the same clip (or of one that does not play, to be answered with
silence).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from llark_py.analysis.separator_network import FFT, HOP, N_BINS, SAMPLE_RATE, STEMS, spectrum

from .stem_clips import StemClips, stem_of

FRAMES = 128
EXAMPLE_FRAMES = 88
_N = (FRAMES - 1) * HOP
_N_EXAMPLE = (EXAMPLE_FRAMES - 1) * HOP
_P_TOGETHER = 0.5
_P_STEM = {"vocals": 0.75, "drums": 0.75, "bass": 0.75, "other": 0.9}
_P_ADDED = 0.4
"""That a clip without a stem is given one of another clip."""
_MOST_OTHERS = 3
_LEVELS_DB = {
    "vocals": (-2.0, 4.0),
    "drums": (-1.0, 4.0),
    "bass": (-2.0, 4.0),
    "other": (-3.0, 5.0),
}
"""Mean and deviation of the level of a stem taken from elsewhere."""
_GAIN_DB = 4.0
_P_COLOURED, _COLOUR_DB = 0.5, 3.0
_P_REVERB, _REVERB_S, _REVERB_DB = 0.25, (0.15, 0.8), (-18.0, -4.0)
_P_SPEED, _SPEED = 0.4, (0.8, 1.25)
_P_DULL, _DULL_HZ = 0.2, (5000.0, 15000.0)
_P_ABSENT = 0.12
_P_BLEED, _BLEED_DB = 0.3, (-25.0, -10.0)
_RMS_DB = (-20.0, 5.0)
_QUIET = 1e-5
_TRIES = 4
_TINY = 1e-9

Wave = NDArray[np.float32]


@dataclass(frozen=True)
class _Player:
    """An instrument of a clip, with all that is drawn for it."""

    clip: int
    instrument: str
    gain: float
    speed: float
    echo: Wave | None


def _decibels(value: float) -> float:
    return float(10 ** (value / 20))


def _level(samples: Wave) -> float:
    return float(np.sqrt(np.mean(np.square(samples)) + _TINY**2))


def _cartesian(samples: Wave, colours: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Real and imaginary part of coloured spectra; arithmetic with complex numbers is slow."""
    bins = torch.view_as_real(spectrum(torch.from_numpy(samples))[..., :N_BINS])
    return bins[..., 0] * colours, bins[..., 1] * colours


class Mixes:
    """Draws mixtures of the stems of clips.

    Args:
        clips: What is mixed.
        seed: With the number of a batch it decides everything about that batch.
    """

    def __init__(self, clips: StemClips, seed: int):
        self.clips, self.seed = clips, seed
        self.together = [i for i, peaks in enumerate(clips.peaks) if len(peaks) > 1]

    def batch(self, number: int, size: int) -> dict[str, torch.Tensor]:
        """Draw a batch.

        Returns:
            `magnitudes` of the mixtures `(size, FRAMES, N_BINS)` and of the `examples` `(size,
            EXAMPLE_FRAMES, N_BINS)`; `ideal`, the real mask `(size, 5, FRAMES, N_BINS)` that
            comes nearest to the four stems and to what the example asks for; `lost` `(size, 5,
            N_BINS)`, the energy of what no real mask can reach; `energy` `(size, 5)`.
        """
        rng = np.random.default_rng([self.seed, number])
        drawn = [self._draw(rng) for _ in range(size)]
        colours = torch.from_numpy(np.stack([d[2] for d in drawn]))[..., None, :]
        real, imaginary = _cartesian(np.stack([d[0] for d in drawn]), colours)
        mixture_real, mixture_imaginary = real[:, :-1].sum(1), imaginary[:, :-1].sum(1)
        power = mixture_real.square() + mixture_imaginary.square()
        shared = real * mixture_real[:, None] + imaginary * mixture_imaginary[:, None]
        ideal = (shared / (power[:, None] + _TINY**2)).clamp(-0.5, 1.5)
        energy = real.square() + imaginary.square()
        example = _cartesian(np.stack([d[1] for d in drawn]), colours[:, -1])
        return {
            "magnitudes": power.sqrt(),
            "examples": (example[0].square() + example[1].square()).sqrt(),
            "ideal": ideal,
            "lost": (energy - (2 * shared - ideal * power[:, None]) * ideal).sum(2).clamp(min=0),
            "energy": energy.sum((2, 3)),
        }

    def _draw(self, rng: np.random.Generator) -> tuple[Wave, Wave, NDArray[np.float32]]:
        """Draw one mixture: stems and target `(5, n)`, example `(m,)`, colours `(5, N_BINS)`."""
        together = rng.random() < _P_TOGETHER
        players, start = self._players_together(rng) if together else (self._players(rng), None)
        parts = np.zeros((len(STEMS) + 1, _N), np.float32)
        played = [self._play(p, rng, _N, start if p.speed == 1 else None) for p in players]
        if not together:
            played = [self._levelled(x, p, rng) for x, p in zip(played, players, strict=True)]
        for player, samples in zip(players, played, strict=True):
            parts[STEMS.index(stem_of(player.instrument))] += samples
        sounding = [i for i, samples in enumerate(played) if _level(samples) > _QUIET]
        colours = self._colours(rng)
        if sounding and rng.random() >= _P_ABSENT:
            chosen = int(rng.choice(sounding))
            player = players[chosen]
            parts[-1] = played[chosen]
            colours[-1] = colours[STEMS.index(stem_of(player.instrument))]
        else:
            player = self._absent(rng, players)
        example = self._example(player, rng)
        if played and rng.random() < _P_BLEED:
            bleed = np.sum(played, axis=0)[:_N_EXAMPLE]
            share = _decibels(rng.uniform(*_BLEED_DB)) * _level(example)
            example = example + bleed * (share / max(_level(bleed), _QUIET))
        gain = _decibels(rng.normal(*_RMS_DB)) / max(_level(parts[:-1].sum(0)), _QUIET)
        example = example * (_decibels(rng.normal(*_RMS_DB)) / max(_level(example), _QUIET))
        return parts * np.float32(gain), example.astype(np.float32), colours

    def _players_together(self, rng: np.random.Generator) -> tuple[list[_Player], int]:
        """Take what one clip plays, and perhaps a stem more."""
        clip = int(rng.choice(self.together))
        start = int(rng.integers(self.clips.n_samples(clip) - _N))
        players = [
            _Player(clip, name, _decibels(rng.normal(0, _GAIN_DB)), 1.0, self._echo(rng))
            for name in self.clips.peaks[clip]
        ]
        there = {stem_of(name) for name in self.clips.peaks[clip]}
        for stem in STEMS:
            if stem not in there and rng.random() < _P_ADDED:
                # At the level of the others, so that it can be heard.
                player = self._player(stem, rng)
                level = np.mean([self.clips.peaks[clip][n] for n in self.clips.peaks[clip]])
                peak = self.clips.peaks[player.clip][player.instrument]
                gain = player.gain * float(level) / peak
                players.append(
                    _Player(player.clip, player.instrument, gain, player.speed, player.echo)
                )
        return players, start

    def _players(self, rng: np.random.Generator) -> list[_Player]:
        """Take every stem from another clip."""
        players = []
        for stem in STEMS:
            n = int(rng.integers(1, _MOST_OTHERS + 1)) if stem == "other" else 1
            if rng.random() < _P_STEM[stem]:
                players += [self._player(stem, rng) for _ in range(n)]
        return players or [self._player("vocals", rng)]

    def _player(self, stem: str, rng: np.random.Generator) -> _Player:
        choices = self.clips.by_stem[stem]
        clip, name = choices[int(rng.integers(len(choices)))]
        speed = float(rng.uniform(*_SPEED)) if rng.random() < _P_SPEED else 1.0
        return _Player(clip, name, _decibels(rng.normal(0, _GAIN_DB)), speed, self._echo(rng))

    def _absent(self, rng: np.random.Generator, players: list[_Player]) -> _Player:
        """Find an instrument that does not play."""
        playing = {p.instrument for p in players}
        while True:
            stem = STEMS[int(rng.integers(len(STEMS)))]
            player = self._player(stem, rng)
            if player.instrument not in playing:
                return player

    def _play(self, player: _Player, rng: np.random.Generator, n: int, start: int | None) -> Wave:
        length = int(n * player.speed) + 2
        if start is None:
            start = int(rng.integers(max(1, self.clips.n_samples(player.clip) - length)))
        samples = self.clips.read(player.clip, player.instrument, start, length) * player.gain
        if player.speed != 1:
            places = np.arange(n) * player.speed
            samples = np.interp(places, np.arange(len(samples)), samples).astype(np.float32)
        samples = np.pad(samples[:n], (0, max(0, n - len(samples))))
        if player.echo is not None:
            samples = samples + fftconvolve(samples, player.echo)[:n].astype(np.float32)
        return samples.astype(np.float32)

    def _levelled(self, samples: Wave, player: _Player, rng: np.random.Generator) -> Wave:
        level = _level(samples)
        if level < _QUIET * 10:
            return samples
        wanted = _decibels(rng.normal(*_LEVELS_DB[stem_of(player.instrument)]))
        return samples * np.float32(0.1 * wanted / level)

    def _example(self, player: _Player, rng: np.random.Generator) -> Wave:
        """Take the loudest of some excerpts of what a player plays."""
        room = max(1, self.clips.n_samples(player.clip) - int(_N_EXAMPLE * player.speed) - 2)
        starts = [int(rng.integers(room)) for _ in range(_TRIES)]
        clip, name = player.clip, player.instrument
        loudest = max(starts, key=lambda s: _level(self.clips.read(clip, name, s, _N_EXAMPLE)))
        return self._play(player, rng, _N_EXAMPLE, loudest)

    def _echo(self, rng: np.random.Generator) -> Wave | None:
        if rng.random() >= _P_REVERB:
            return None
        length = float(rng.uniform(*_REVERB_S))
        times = np.arange(round(length * SAMPLE_RATE)) / SAMPLE_RATE
        tail = rng.standard_normal(len(times)) * 10 ** (-3 * times / length)
        tail[: round(rng.uniform(0.001, 0.03) * SAMPLE_RATE)] = 0
        gain = _decibels(rng.uniform(*_REVERB_DB))
        return (tail * gain / np.sqrt(np.square(tail).sum())).astype(np.float32)

    def _colours(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw equalisers of the parts, and what the whole loses of its treble: (5, N_BINS)."""
        frequencies = (np.arange(N_BINS) + 1) * SAMPLE_RATE / FFT
        octaves = np.log2(frequencies / 1000.0)
        gains = np.zeros((len(STEMS) + 1, N_BINS))
        for row in range(len(STEMS) + 1):
            if rng.random() < _P_COLOURED:
                for waves in (0.06, 0.12, 0.25):
                    turn = rng.uniform(0, 2 * np.pi)
                    height = rng.normal(0, _COLOUR_DB)
                    gains[row] += height * np.cos(2 * np.pi * waves * octaves + turn)
        if rng.random() < _P_DULL:
            gains -= 80.0 * (frequencies > rng.uniform(*_DULL_HZ))
        return (10 ** (gains / 20)).astype(np.float32)
