"""Plays a score with the samples of one soundfont, every part brought near one level."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from llark_py.audio import Audio
from llark_py.errors import ConfigError

from . import instruments
from .banks import playable
from .kits import KIT_KEYS, draw_kit
from .score import Score
from .score_parts import Part
from .sf2 import DRUM_BANK
from .soundfonts import DRUMS, KITS, LEFT_OUT, soundfont_path

# The synthesizer does not filter what lies above half its rate, so it runs at twice the rate
# that is wanted and the resampler filters.
_OVERSAMPLING = 2
_DRUM_CHANNEL = 9
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
_FAINTEST = 1e-4
# Where a program is fainter than this the synthesizer cannot play it (the pianos of
# MuseScore_General rely on modulators it does not have) and a relative plays instead.
_UNPLAYABLE_DB = -62.0
_RELATIVES = {0: 2, 1: 2}


@lru_cache(maxsize=8)
def _synth(path: Path, rate: int) -> tuple[Any, int]:
    """Load a soundfont once per process; loading takes seconds, playing milliseconds."""
    import tinysoundfont

    synth = tinysoundfont.Synth(samplerate=rate, gain=-6)
    try:
        made = playable(path)
        source = made if isinstance(made, bytes) else str(made)
        return synth, synth.sfload(source, max_voices=_MAX_VOICES)
    except Exception as error:
        raise ConfigError(f"{path} is not a soundfont that can be read: {error}") from error


def can_play(soundfont: str, part: Part, sample_rate: int) -> bool:
    """Tell whether a soundfont has the program of a part (of drums: every piece), and may play it.

    Args:
        soundfont: A name or a path, no blend.
        part: What is to be played.
        sample_rate: In Hz.
    """
    drums = part.instrument == "drums"
    if (DRUMS if drums else part.program) in LEFT_OUT.get(soundfont, ()):
        return False
    if soundfont == KITS:
        return drums and all(n.pitch in KIT_KEYS for n in part.notes)
    path, rate = soundfont_path(soundfont), sample_rate * _OVERSAMPLING
    if drums:
        return all(_has_stroke(path, rate, key) for key in {n.pitch for n in part.notes})
    synth, sfid = _synth(path, rate)
    return synth.sfpreset_name(sfid, 0, part.program) is not None


@lru_cache(maxsize=1024)
def _has_stroke(path: Path, rate: int, key: int) -> bool:
    """Tell whether the standard kit of a soundfont sounds at a key."""
    synth, sfid = _synth(path, rate)
    if synth.sfpreset_name(sfid, DRUM_BANK, 0) is None:
        return False
    _reset(synth, sfid)
    synth.program_select(_DRUM_CHANNEL, sfid, DRUM_BANK, 0, True)
    synth.noteon(_DRUM_CHANNEL, key, _PROBE_VELOCITY)
    block = np.frombuffer(synth.generate_simple(round(_PROBE_S * rate)), np.float32)
    return bool(np.abs(block).max() > _FAINTEST)


def play_samples(score: Score, soundfont: str, sample_rate: int) -> Audio:
    """Play a score with the samples of one soundfont; parts without notes are silent.

    Args:
        score: The piece.
        soundfont: A name or a path, no blend.
        sample_rate: In Hz.

    Returns:
        Mono audio of exactly the score's duration.

    Raises:
        ConfigError: The file is not a soundfont or lacks a program, or the score has too many
            parts.
        MissingExtraError: The soundfont is known but not installed.
        UnknownNameError: There is no such soundfont.
    """
    score = replace(score, parts=tuple(p for p in score.parts if p.notes))
    if soundfont == KITS:
        score = _with_kits(score)
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


def _with_kits(score: Score) -> Score:
    """Give each drum part one of the recorded kits, drawn from the seed and the kit it asks for."""
    rng = random.Random(f"kit {score.seed}")
    return replace(
        score, parts=tuple(replace(p, program=draw_kit(p.program, rng)) for p in score.parts)
    )


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
            known = synth.sfpreset_name(sfid, DRUM_BANK, part.program) is not None
            kit = part.program if known else 0
            synth.program_select(channel, sfid, DRUM_BANK, kit, True)
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
