"""Plays a score with soundfonts or our own synthesizer: score -> audio."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from llark_py.audio import Audio
from llark_py.errors import ConfigError

from . import instruments
from .banks import playable
from .instruments import SINGER
from .score import Part, Score
from .soundfonts import DEFAULT, DRUMS, LEFT_OUT, SYNTH, Source, soundfont_path, split_blend
from .synthesis import synthesise
from .vocals import render_singers

SAMPLE_RATE = 16000
# The synthesizer does not filter what lies above half its rate, so it runs at twice the rate
# that is wanted and the resampler filters.
_OVERSAMPLING = 2
_DRUM_CHANNEL = 9
_DRUM_BANK = 128
_MAX_CHANNELS = 16
_MAX_VOICES = 128
# Events are moved to this grid (samples at the synthesizer's rate), so that fewer blocks are made.
_GRID = 64
_PAN = 10

# Soundfonts differ by tens of decibels from program to program; a part that the facts name must
# be heard, so every program is brought near one level (dB RMS of a quarter second of a note).
_LEVEL_DB = -33.0
_MAX_CUT_DB, _MAX_BOOST_DB = 12.0, 24.0
_PROBE_S = 0.25
_PROBE_VELOCITY = 85
# Where a program is fainter than this the synthesizer cannot play it (the pianos of
# MuseScore_General rely on modulators it does not have) and a relative plays instead.
_UNPLAYABLE_DB = -62.0
_RELATIVES = {0: 2, 1: 2}
# How far a soundfont named with "~" moves the formants of a clip, in semitones.
_MAX_FORMANT_SHIFT = 4.0


@lru_cache(maxsize=8)
def _synth(path: Path, rate: int) -> tuple[Any, int]:
    """Load a soundfont once per process; loading takes seconds, playing milliseconds."""
    import tinysoundfont

    synth = tinysoundfont.Synth(samplerate=rate, gain=-6)
    try:
        source = playable(path)
        source = source if isinstance(source, bytes) else str(source)
        return synth, synth.sfload(source, max_voices=_MAX_VOICES)
    except Exception as error:
        raise ConfigError(f"{path} is not a soundfont that can be read: {error}") from error


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
            names joined by `+`, one of which (that has its program) is drawn for every part. A
            name that ends in `~` has its formants shifted by up to 4 semitones.
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
    if any(p.instrument == SINGER.name for p in score.parts):
        band = tuple(p for p in score.parts if p.instrument != SINGER.name)
        total = render_singers(score, sample_rate)
        if band:
            played = render(
                replace(score, parts=band),
                soundfont,
                sample_rate=sample_rate,
                formant_shift=formant_shift,
            )
            total += _fitted(played.samples, len(total))
        return Audio(total, sample_rate)
    sources = split_blend(soundfont)
    if len(sources) == 1:
        return _play(score, sources[0], sample_rate, formant_shift)
    rng = random.Random(f"blend {score.seed}")
    rate = sample_rate * _OVERSAMPLING
    able = [[i for i, s in enumerate(sources) if _has(s, p, rate)] for p in score.parts]
    drawn = [rng.choice(indices or [0]) for indices in able]
    total = np.zeros(round(score.duration_s * sample_rate), np.float32)
    for index, source in enumerate(sources):
        parts = tuple(p for p, i in zip(score.parts, drawn, strict=True) if i == index)
        if parts:
            share = _play(replace(score, parts=parts), source, sample_rate, formant_shift)
            total += _fitted(share.samples, len(total))
    return Audio(total, sample_rate)


def _has(source: Source, part: Part, rate: int) -> bool:
    """Tell whether a source can play a part."""
    if source.name == SYNTH:
        return True
    if (DRUMS if part.instrument == "drums" else part.program) in LEFT_OUT.get(source.name, ()):
        return False
    synth, sfid = _synth(soundfont_path(source.name), rate)
    bank, program = (_DRUM_BANK, 0) if part.instrument == "drums" else (0, part.program)
    return synth.sfpreset_name(sfid, bank, program) is not None


def _play(score: Score, source: Source, sample_rate: int, shift: float) -> Audio:
    """Play a score with one source, its formants moved by some semitones."""
    if source.shifted:
        rng = random.Random(f"formants {source.name} {score.seed}")
        shift += rng.uniform(-_MAX_FORMANT_SHIFT, _MAX_FORMANT_SHIFT)
    play = _synthesise if source.name == SYNTH else _sample
    if shift == 0:
        return play(score, source.name, sample_rate)
    # Played lower and slower, then sped up: pitch and time come back, formants are higher.
    speed = 2 ** (shift / 12)
    audio = play(_lowered(score, shift, speed), source.name, sample_rate)
    samples = soxr.resample(audio.samples, sample_rate * speed, sample_rate)
    return Audio(_fitted(samples, round(score.duration_s * sample_rate)), sample_rate)


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


def _synthesise(score: Score, _name: str, sample_rate: int) -> Audio:
    """Play a score with our own synthesizer."""
    return Audio(synthesise(score, sample_rate), sample_rate)


def _sample(score: Score, soundfont: str, sample_rate: int) -> Audio:
    """Play a score with the samples of one soundfont."""
    rate = sample_rate * _OVERSAMPLING
    path = soundfont_path(soundfont)
    synth, sfid = _synth(path, rate)
    sounds = [
        (0, 1.0) if p.instrument == "drums" else _levelled(path, rate, p) for p in score.parts
    ]
    _reset(synth, sfid)
    events = _prepare(score, sounds, synth, sfid, rate)
    total = round(score.duration_s * rate)
    stereo = np.zeros((total, 2), np.float32)
    buffer = stereo.data.cast("B")  # the synthesizer writes interleaved float32
    frame_bytes = 8
    position = 0
    for at, is_on, channel, pitch, velocity in events:
        if at >= total:
            break
        if at > position:
            synth.generate_simple(at - position, buffer[position * frame_bytes : at * frame_bytes])
            position = at
        if is_on:
            synth.noteon(channel, pitch, velocity)
        else:
            synth.noteoff(channel, pitch)
    if position < total:
        synth.generate_simple(total - position, buffer[position * frame_bytes :])
    mono = np.ascontiguousarray(stereo.mean(axis=1))
    return Audio(mono, rate).resample(sample_rate)


@lru_cache(maxsize=1024)
def _level_db(path: Path, rate: int, program: int, pitch: int) -> float:
    """Measure how loud a program is at a pitch, in dB RMS, at full channel volume."""
    synth, sfid = _synth(path, rate)
    _reset(synth, sfid)
    if synth.sfpreset_name(sfid, 0, program) is None:
        raise ConfigError(f"the soundfont {path} has no program {program}; blend it with another")
    synth.program_select(0, sfid, 0, program)
    synth.soundfonts[sfid].channel_set_volume(0, 1.0)
    synth.noteon(0, pitch, _PROBE_VELOCITY)
    block = np.frombuffer(synth.generate_simple(round(_PROBE_S * rate)), np.float32)
    return float(10 * np.log10(np.mean(np.square(block)) + 1e-12))


def _levelled(path: Path, rate: int, part: Part) -> tuple[int, float]:
    """Choose the program that plays a part, and the linear gain that makes it heard."""
    voice = instruments.voice(part.instrument)
    pitches = [voice.low + (voice.high - voice.low) * i // 4 for i in (1, 2, 3)]
    for program in (part.program, _RELATIVES.get(part.program, part.program)):
        level = float(np.median([_level_db(path, rate, program, p) for p in pitches]))
        if level > _UNPLAYABLE_DB:
            break
    trim_db = min(max(_LEVEL_DB - level, -_MAX_CUT_DB), _MAX_BOOST_DB)
    return program, 10 ** (trim_db / 20)


def _reset(synth: Any, sfid: int) -> None:
    """Silence the synthesizer and forget its controllers, so that a clip never hears the last."""
    synth.soundfonts[sfid].reset()
    # The last voices fade for some milliseconds even after a reset.
    for _ in range(100):
        block = np.frombuffer(synth.generate_simple(1024), np.float32)
        if not block.any():
            return


def _prepare(
    score: Score, sounds: list[tuple[int, float]], synth: Any, sfid: int, rate: int
) -> list[tuple[int, bool, int, int, int]]:
    """Choose the sounds and list the events in order: (sample, on or off, channel, pitch, ...)."""
    free = [c for c in range(_MAX_CHANNELS) if c != _DRUM_CHANNEL]
    pitched = [p for p in score.parts if p.instrument != "drums"]
    if len(pitched) > len(free):
        raise ConfigError(f"a score has at most {len(free)} pitched parts, got {len(pitched)}")
    channels = dict(zip((id(p) for p in pitched), free, strict=False))
    events = []
    for part, (program, gain) in zip(score.parts, sounds, strict=True):
        channel = channels.get(id(part), _DRUM_CHANNEL)
        if channel == _DRUM_CHANNEL:
            known = synth.sfpreset_name(sfid, _DRUM_BANK, part.program) is not None
            kit = part.program if known else 0
            synth.program_select(channel, sfid, _DRUM_BANK, kit, True)
        else:
            synth.program_select(channel, sfid, 0, program)
            synth.set_tuning(channel, score.detune_semitones)
        synth.control_change(channel, _PAN, part.pan)
        # MIDI volume is a cube law.
        volume = gain * (part.volume / 127) ** 3
        synth.soundfonts[sfid].channel_set_volume(channel, volume)
        for note in part.notes:
            start = round(note.start_s * rate / _GRID) * _GRID
            end = max(round(note.end_s * rate / _GRID) * _GRID, start + _GRID)
            events.append((start, True, channel, note.pitch, note.velocity))
            events.append((end, False, channel, note.pitch, 0))
    events.sort()  # at the same sample offs come before ons: a repeated note is struck again
    return events
