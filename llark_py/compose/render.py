"""Plays a score with soundfonts, our own synthesizer or blends of them: score -> audio, stems."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import soxr

from llark_py.audio import Audio

from .instruments import SINGER, voice
from .sampler import can_play, play_samples
from .score import Score
from .score_parts import Part
from .soundfonts import DEFAULT, SYNTH, Source, split_blend
from .synthesis import synthesise
from .vocals import render_singers

SAMPLE_RATE = 16000
# How far a soundfont named with "~" moves the formants of a clip, in semitones.
_MAX_FORMANT_SHIFT = 4.0
# In blends some parts are doubled: by another soundfont or program, fainter and out of tune.
_P_DOUBLED = 0.15
_DOUBLE_CENTS = (3.0, 14.0)
_DOUBLE_VOLUME = (0.6, 0.9)


def render(
    score: Score,
    soundfont: str | Path = DEFAULT,
    *,
    sample_rate: int = SAMPLE_RATE,
    formant_shift: float = 0.0,
) -> Audio:
    """Play a score.

    Args:
        score: The piece; its seed draws everything that is left to chance.
        soundfont: A name of `soundfonts.SOUNDFONTS`, a path to an .sf2 or .sf3 file, or a blend:
            names joined by `+`, one of which (that has its program) is drawn for every part; some
            parts are doubled by a second one, some cents away. A name that ends in `~` has its
            formants shifted by up to 4 semitones.
        sample_rate: Rate of the result in Hz.
        formant_shift: Semitones by which formants move while pitches and times stay. The samples
            of lower or higher keys are played at other speeds, so an instrument moves in the steps
            in which it was sampled, and one with a single sample not at all; drums move whole.

    Returns:
        Mono audio of exactly the score's duration; the level is that of the synthesizer.

    Raises:
        ConfigError: The file is not a soundfont or lacks a program, or the score has too many
            parts.
        MissingExtraError: The soundfont is known but not installed.
        UnknownNameError: There is no such soundfont.
    """
    total = np.zeros(round(score.duration_s * sample_rate), np.float32)
    sung = tuple(p for p in score.parts if p.instrument == SINGER.name)
    if any(p.notes for p in sung):
        total += render_singers(score, sample_rate)
    band = replace(score, parts=tuple(p for p in score.parts if p.instrument != SINGER.name))
    if any(p.notes for p in band.parts):
        total += _play_band(band, soundfont, sample_rate, formant_shift)
    return Audio(total, sample_rate)


def render_stems(
    score: Score, soundfont: str | Path = DEFAULT, *, sample_rate: int = SAMPLE_RATE
) -> dict[str, Audio]:
    """Play a score instrument by instrument.

    Args:
        score: The piece.
        soundfont: As for `render`.
        sample_rate: Rate of the result in Hz.

    Returns:
        Instrument -> what it plays. The sum is what `render` returns, up to rounding (float32).

    Raises:
        As for `render`.
    """
    names = dict.fromkeys(p.instrument for p in score.parts)
    return {name: render(_alone(score, name), soundfont, sample_rate=sample_rate) for name in names}


def _alone(score: Score, name: str) -> Score:
    """Take the notes from all parts but one instrument's; the parts stay, and so do all draws."""
    parts = (p if p.instrument == name else replace(p, notes=(), words=()) for p in score.parts)
    return replace(score, parts=tuple(parts))


def _play_band(
    score: Score, soundfont: str | Path, sample_rate: int, formant_shift: float
) -> np.ndarray:
    """Play all that is not sung: (n_samples,)."""
    sources = split_blend(soundfont)
    if len(sources) == 1:
        return _play(score, sources[0], sample_rate, formant_shift)
    rng = random.Random(f"blend {score.seed}")
    able = [_able(part, sources, sample_rate) for part in score.parts]
    drawn = [rng.choice(indices) for indices in able]
    total = np.zeros(round(score.duration_s * sample_rate), np.float32)
    for index, source in enumerate(sources):
        parts = [p if i == index else _muted(p) for p, i in zip(score.parts, drawn, strict=True)]
        if any(p.notes for p in parts):
            share = replace(score, parts=tuple(parts))
            total += _play(share, source, sample_rate, formant_shift)
    return total + _play_doubles(score, sources, able, sample_rate, formant_shift)


def _muted(part: Part) -> Part:
    return replace(part, notes=())


def _able(part: Part, sources: tuple[Source, ...], sample_rate: int) -> list[int]:
    """List who of a blend can play a part; the first when nobody can, which then says why."""
    able = [
        i for i, s in enumerate(sources) if s.name == SYNTH or can_play(s.name, part, sample_rate)
    ]
    return able or [0]


def _play_doubles(
    score: Score,
    sources: tuple[Source, ...],
    able: list[list[int]],
    sample_rate: int,
    formant_shift: float,
) -> np.ndarray:
    """Play what doubles the parts: another soundfont or program of the same instrument."""
    rng = random.Random(f"doubles {score.seed}")
    cents = rng.uniform(*_DOUBLE_CENTS) * rng.choice((-1, 1))
    total = np.zeros(round(score.duration_s * sample_rate), np.float32)
    doubles: dict[int, list[Part]] = {}
    for position, (part, indices) in enumerate(zip(score.parts, able, strict=True)):
        doubled, index = rng.random() < _P_DOUBLED, rng.choice(indices)
        program = rng.choice(voice(part.instrument).programs)
        volume = round(part.volume * rng.uniform(*_DOUBLE_VOLUME))
        if doubled and part.instrument != "drums":
            double = replace(part, program=program, volume=volume)
            if index not in _able(double, sources, sample_rate):
                double = replace(double, program=part.program)
            muted = [_muted(p) for p in score.parts]
            doubles.setdefault(index, muted)[position] = double
    tuned = score.detune_semitones + cents / 100
    for index, parts in doubles.items():
        if any(p.notes for p in parts):
            share = replace(score, parts=tuple(parts), detune_semitones=tuned)
            total += _play(share, sources[index], sample_rate, formant_shift)
    return total


def _play(score: Score, source: Source, sample_rate: int, shift: float) -> np.ndarray:
    """Play a score with one source, its formants moved by some semitones."""
    if source.shifted:
        rng = random.Random(f"formants {source.name} {score.seed}")
        shift += rng.uniform(-_MAX_FORMANT_SHIFT, _MAX_FORMANT_SHIFT)
    n = round(score.duration_s * sample_rate)
    if shift == 0:
        return _fitted(_sound(score, source.name, sample_rate), n)
    # Played lower and slower, then sped up: pitch and time come back, formants are higher.
    speed = 2 ** (shift / 12)
    samples = _sound(_lowered(score, shift, speed), source.name, sample_rate)
    return _fitted(soxr.resample(samples, sample_rate * speed, sample_rate), n)


def _sound(score: Score, name: str, sample_rate: int) -> np.ndarray:
    """Play a score with our synthesizer or with samples."""
    if name == SYNTH:
        return synthesise(score, sample_rate)
    return play_samples(score, name, sample_rate).samples


def _fitted(samples: np.ndarray, n: int) -> np.ndarray:
    """Give sound a length that resampling may have missed by a sample."""
    return np.pad(samples[:n], (0, max(0, n - len(samples))))


def _lowered(score: Score, semitones: float, speed: float) -> Score:
    """Transpose a score down and stretch its times; drums keep their keys."""
    keys = round(semitones)
    parts = []
    for part in score.parts:
        down = 0 if part.instrument == "drums" else keys
        notes = tuple(
            n._replace(start_s=n.start_s * speed, end_s=n.end_s * speed, pitch=n.pitch - down)
            for n in part.notes
        )
        parts.append(replace(part, notes=notes))
    return replace(
        score,
        parts=tuple(parts),
        duration_s=score.duration_s * speed,
        # What is left of the shift: keys are whole semitones.
        detune_semitones=score.detune_semitones + keys - semitones,
    )
