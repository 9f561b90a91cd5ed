"""Track facts as the numbers that the heads of the `mini` encoder are fitted to."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from llark_py.encoders.mini_config import MiniEncoderConfig
from llark_py.encoders.mini_network import CHORD_CLASSES
from llark_py.encoders.mini_parts import LOWEST_MIDI, PART_PITCHES, PART_STEP
from llark_py.instruct.facts import Facts
from llark_py.theory import key_index, pitch_class
from llark_py.track import Track

IGNORE = -100
FRAME_S = 0.1
_BEAT_TOLERANCE_S = 0.05
BOUNDARY_TOLERANCE_S = 0.5
_MAJOR_LIKE, _MINOR_LIKE = ("", "maj", "7", "maj7", "maj6", "9"), ("min", "min7", "min6", "minmaj7")


def chord_class(label: str) -> tuple[int, int]:
    """Return the chord class (0..11 major, 12..23 minor, 24 other) and the root (or IGNORE)."""
    if label in ("N", "X"):
        return CHORD_CLASSES - 1, IGNORE
    root_name, _, quality = label.partition(":")
    quality = quality.split("/")[0].split("(")[0]
    root = pitch_class(root_name.split("/")[0])
    if quality in _MAJOR_LIKE:
        return root, root
    return (12 + root if quality in _MINOR_LIKE else CHORD_CLASSES - 1), root


def boundary_labels(track: Track, times: np.ndarray) -> np.ndarray:
    """Mark the times within half a second of a change of section; IGNORE where none are known.

    What begins with the excerpt is no change that could be heard. The composer writes sections down
    wherever one ends, so that music of its own without any stays in one.
    """
    if not track.sections:
        return np.full(len(times), 0 if _is_composed(track, "sections") else IGNORE, np.int64)
    starts = np.array([s.start_s for s in track.sections if s.start_s > 0])
    away = np.abs(times[:, None] - starts)
    return (away < BOUNDARY_TOLERANCE_S).any(1).astype(np.int64)


def _is_composed(track: Track, field: str) -> bool:
    """Tell whether a fact is the composer's, who leaves out only what is not there."""
    source = track.sources.get(field, track.sources.get("*"))
    return source is not None and source.name == "composer" and track.sound == "music"


def frame_labels(track: Track, n_frames: int, families: list[str]) -> dict[str, Any]:
    """Label each 0.1 s frame (centred on multiples of 0.1 s), whatever the encoder's heads."""
    times = np.arange(n_frames) * FRAME_S
    chord = np.full(n_frames, CHORD_CLASSES - 1 if track.chords else IGNORE, np.int64)
    root = np.full(n_frames, IGNORE, np.int64)
    for item in track.chords:
        sounding = (times >= item.start_s) & (times < item.end_s)
        chord[sounding], root[sounding] = chord_class(item.label)
    beat = np.full(n_frames, 0 if track.beats_s else IGNORE, np.int64)
    for value, moments in ((1, track.beats_s), (2, track.downbeats_s)):
        for moment in moments:
            beat[np.abs(times - moment) < _BEAT_TOLERANCE_S] = value
    activity = np.zeros((n_frames, len(families)), np.float32)
    for instrument in track.instruments:
        if instrument.family in families:
            column = activity[:, families.index(instrument.family)]
            for start_s, end_s in instrument.activity:
                column[(times >= start_s) & (times < end_s)] = 1.0
    return {
        "chord": chord,
        "root": root,
        "beat": beat,
        "activity": activity,
        "boundary": boundary_labels(track, times),
    }


def part_labels(track: Track, n_frames: int, families: list[str]) -> np.ndarray:
    """Mark the pitches that each family sounds, at every other frame.

    Returns:
        `(ceil(n_frames / 2), 84, families)` float32, 0 or 1; NaN all over where instruments play
        that have pitches, but no notes are known.
    """
    shape = (-(-n_frames // PART_STEP), PART_PITCHES, len(families))
    if not track.notes and set(track.families) - {"drums"}:
        return np.full(shape, np.nan, np.float32)
    sounding = np.zeros(shape, np.float32)
    column = {i.name: families.index(i.family) for i in track.instruments if i.family in families}
    for note in track.notes:
        pitch = note.pitch - LOWEST_MIDI
        if note.instrument in column and 0 <= pitch < PART_PITCHES:
            first, stop = (_frames_before(t) for t in (note.start_s, note.end_s))
            sounding[first : max(stop, first + 1), pitch, column[note.instrument]] = 1.0
    return sounding


def _frames_before(time_s: float) -> int:
    """Count the frames of parts (centred on multiples of 0.2 s) before a time."""
    return max(0, math.ceil(time_s / (FRAME_S * PART_STEP)))


def clip_labels(track: Track, config: MiniEncoderConfig) -> dict[str, Any]:
    """Label a whole window; what is unknown or does not apply is IGNORE (tempo: NaN)."""

    def index(names: list[str], value: str | None) -> int:
        return names.index(value) if value in names else IGNORE

    music = track.sound == "music"
    tempo = np.nan
    if track.tempo_bpm and config.lowest_bpm <= track.tempo_bpm <= config.highest_bpm:
        span = np.log(config.highest_bpm / config.lowest_bpm)
        tempo = np.log(track.tempo_bpm / config.lowest_bpm) / span * (config.tempo_bins - 1)
    playing = {i.name for i in track.instruments}
    without_lead = "none" if _is_composed(track, "lead") else None
    players = min(len(playing), len(config.players)) - 1
    return {
        "tempo": tempo,
        "key": key_index(track.key) if track.key else IGNORE,
        "time_signature": index(config.time_signatures, track.time_signature),
        "style": index(config.styles, track.genre),
        "families": np.array([f in track.families for f in config.families], np.float32),
        "instruments": np.array([i in playing for i in config.instruments], np.float32),
        "lead": index(config.labels["lead"], track.lead or without_lead),
        "density": index(config.densities, Facts(track).density) if music else IGNORE,
        "sound": config.sounds.index(track.sound),
        "feel": index(config.feels, track.feel),
        "players": players if music and playing else IGNORE,
    }


def batch_labels(
    tracks: list[Track], n_frames: int, config: MiniEncoderConfig
) -> dict[str, Tensor]:
    """Stack the labels of windows of `n_frames` frames.

    Returns:
        By head a tensor `(batch, ...)`: floats for `tempo` (bin position), `families` and
        `instruments` (0 or 1), class numbers for the rest, `(batch, n_frames)` for `chord`,
        `root`, `beat` and `boundary`, `(batch, n_frames, families)` for `activity`, and where the
        encoder tells who plays what `(batch, ceil(n_frames / 2), 84, families)` for `parts`.
    """
    rows = [clip_labels(t, config) | frame_labels(t, n_frames, config.families) for t in tracks]
    if config.parts:
        for row, track in zip(rows, tracks, strict=True):
            row["parts"] = part_labels(track, n_frames, config.families)
    batch = {}
    for head in rows[0]:
        values = torch.from_numpy(np.stack([np.asarray(row[head]) for row in rows]))
        batch[head] = values.float() if values.is_floating_point() else values.long()
    return batch
