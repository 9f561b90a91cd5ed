"""Chords over time: the likeliest path through what the encoder says, beat by beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from llark_py.audio import Audio
from llark_py.encoders.mini_path import equal_runs, likeliest_path
from llark_py.errors import ToolError
from llark_py.theory import parse_key, pitch_class, spell
from llark_py.track import Chord

from .excerpt import check_span
from .keys import key_spans
from .listening import ENCODER_RATE, check_music, check_sounding, listen
from .metre import MIN_DURATION_S as _METRE_MIN_S
from .metre import Metre, measure_metre

MIN_DURATION_S = 2.0
NO_CHORD = "N"
_STAY = 0.15
"""Probability that a chord lasts for another beat; the others share the rest, so that a change has
to be four times as likely as none."""
_SURE_BEATS, _FEWEST_BEATS = 0.35, 4
_GRID_S = 0.5
_LONGEST_BEAT_S = 0.8
_MIDI_OCTAVE, _MIDI_VELOCITY = 48, 80
_TRIADS = {"maj": (0, 4, 7), "min": (0, 3, 7)}


@dataclass(frozen=True)
class Progression:
    """The chords of a part of a recording.

    Attributes:
        chords: In order and without gaps; `N` is none, or one that is neither major nor minor.
        key: The key of most of the part; the chords are spelled in it.
        bars_s: Where bars begin; empty where no beats were heard.
        confidence: Mean posterior of the chosen chords, 0..1.
    """

    chords: tuple[Chord, ...]
    key: str
    bars_s: tuple[float, ...]
    confidence: float


def measure_chords(audio: Audio, start_s: float = 0.0, end_s: float | None = None) -> Progression:
    """Recognise the chords of a recording or of a part of it.

    Args:
        audio: Any rate, mono or stereo.
        start_s: Where to begin, in seconds.
        end_s: Where to end; None is the end of the recording.

    Raises:
        ToolError: The span is not in the recording, is silent or shorter than 2 s, is not music,
            or holds no chords.
    """
    check_sounding(audio, MIN_DURATION_S)
    end_s = check_span(audio, start_s, end_s)
    check_sounding(audio.slice(start_s, end_s), MIN_DURATION_S)
    posteriors = listen(audio)
    check_music(posteriors)
    metre = measure_metre(audio) if audio.duration_s >= _METRE_MIN_S else None
    if metre and (metre.confidence < _SURE_BEATS or len(metre.beats_s) < _FEWEST_BEATS):
        metre = None
    edges = chord_edges(metre, start_s, end_s)
    path, probability = follow_chords(posteriors.heads["chord_frames"], edges)
    lengths: dict[str, float] = {}
    for span in key_spans(posteriors):
        shared = min(span.end_s, end_s) - max(span.start_s, start_s)
        lengths[span.key] = lengths.get(span.key, 0.0) + max(shared, 0.0)
    key = max(lengths, key=lambda k: lengths[k])
    chords = name_chords(path, edges, key)
    if all(c.label == NO_CHORD for c in chords):
        raise ToolError("no chords were found")
    bars = metre.downbeats_s if metre else ()
    return Progression(
        chords,
        key,
        tuple(t for t in bars if start_s <= t < end_s),
        float(np.average(probability, weights=np.diff(edges))),
    )


def chord_edges(metre: Metre | None, start_s: float, end_s: float) -> np.ndarray:
    """Give the times between which a chord does not change, `(n + 1,)` seconds, ends included.

    Beats, and the middles of slow ones; every half second where there are none.
    """
    if metre is None:
        inner = np.arange(start_s, end_s, _GRID_S)
    else:
        beats = np.array(metre.beats_s)
        lead_in = np.arange(beats[0], start_s, -_GRID_S)[1:]
        ring_out = np.arange(beats[-1], end_s, _GRID_S)[1:]
        slow = np.flatnonzero(np.diff(beats) > _LONGEST_BEAT_S)
        halves = (beats[slow] + beats[slow + 1]) / 2
        inner = np.concatenate([lead_in, beats, halves, ring_out])
    # What is shorter than a frame of the encoder holds nothing to tell a chord by.
    least = 1.5 / ENCODER_RATE
    inner = np.sort(inner[(inner > start_s + least) & (inner < end_s - least)])
    return np.concatenate([[start_s], inner, [end_s]])


def follow_chords(frames: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the likeliest chord between each two edges, where changes are rare.

    Args:
        frames: (T, 25) posteriors at 10 Hz: major on C ... B, minor on C ... B, other.
        edges: (n + 1,) seconds.

    Returns:
        (n,) class numbers, and (n,) the mean posterior of each.
    """
    until = np.concatenate([np.zeros((1, frames.shape[1])), frames.cumsum(0)])
    last = len(frames) - 1
    first = np.minimum(np.ceil(edges[:-1] * ENCODER_RATE - 1e-6).astype(int), last)
    stop = np.ceil(edges[1:] * ENCODER_RATE - 1e-6).astype(int)
    stop = np.clip(stop, first + 1, last + 1)
    means = (until[stop] - until[first]) / (stop - first)[:, None]
    change = np.log(_STAY / (1 - _STAY) * (frames.shape[1] - 1))
    path = likeliest_path(np.log(np.clip(means, 1e-4, 1.0)), change)
    return path, means[np.arange(len(path)), path]


def name_chords(path: Sequence[int] | np.ndarray, edges: np.ndarray, key: str) -> tuple[Chord, ...]:
    """Join equal neighbours and write them as Harte labels, spelled in a key."""
    return tuple(
        Chord(float(edges[first]), float(edges[stop]), _label(int(path[first]), key))
        for first, stop in equal_runs(path)
    )


def _label(chord: int, key: str) -> str:
    if chord >= 24:
        return NO_CHORD
    return f"{spell(chord % 12, key)}:{'maj' if chord < 12 else 'min'}"


def write_chord_midi(chords: Sequence[Chord], key: str, path: Path) -> None:
    """Write chords as a standard MIDI file: triads in close position above C3, and the key."""
    import pretty_midi

    midi = pretty_midi.PrettyMIDI(resolution=480, initial_tempo=120.0)
    tonic, mode = parse_key(key)
    number = tonic + (12 if mode == "minor" else 0)
    midi.key_signature_changes.append(pretty_midi.KeySignature(number, 0.0))
    piano = pretty_midi.Instrument(program=0, name="chords")
    for chord in chords:
        if chord.label == NO_CHORD:
            continue
        root, quality = chord.label.split(":")
        for step in _TRIADS[quality]:
            pitch = _MIDI_OCTAVE + pitch_class(root) + step
            piano.notes.append(pretty_midi.Note(_MIDI_VELOCITY, pitch, chord.start_s, chord.end_s))
    midi.instruments.append(piano)
    midi.write(str(path))
