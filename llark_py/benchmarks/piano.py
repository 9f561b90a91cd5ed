"""Composed piano, with and without pedal: what transcription of notes is measured on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count

import numpy as np

from llark_py.audio import Audio
from llark_py.compose.clip import score_track
from llark_py.compose.render import render
from llark_py.compose.room import augment
from llark_py.compose.score import Part, Score, ScoreNote, compose
from llark_py.track import Note

from .clips import FIRST_SEED

_PIANO_SEED = FIRST_SEED + 40_000_000
_RATE = 22_050
_ROLES = ("melody", "chords", "bass")
_LOWEST, _HIGHEST = 28, 103
_LEAST_PER_S = 2.0
_ONSET_S = 0.05


def compose_piano(
    n: int, soundfont: str, seconds: float, skip: int = 0, first_seed: int = _PIANO_SEED
) -> Iterator[tuple[str, tuple[Note, ...], Audio]]:
    """Compose pieces for piano alone; in every second one the pedal is held for each chord.

    Melody, chords and bass of composed pieces are all played by a piano, in some room. Under the
    pedal a note sounds until the chord changes or its key is struck again.

    Yields:
        `plain` or `pedal`, the notes, and the sound.
    """
    made = 0
    for seed in count(first_seed):
        score = compose(seed, seconds, sung=False)
        notes = _for_piano(score)
        if len(notes) < _LEAST_PER_S * seconds:
            continue
        made += 1
        if made <= skip:
            continue
        kind = "pedal" if made % 2 == 0 else "plain"
        if kind == "pedal":
            notes = _held(notes, [c.end_s for c in score.chords], score.duration_s)
        part = Part("piano", "melody", 0, 100, 64, notes)
        score = replace(score, parts=(part,))
        sound = render(score, soundfont, sample_rate=_RATE).samples
        audio = Audio(augment(sound, np.random.default_rng(seed), _RATE), _RATE)
        yield kind, score_track(score, 0.0, seconds).notes, audio
        if made == skip + n:
            return


def _for_piano(score: Score) -> tuple[ScoreNote, ...]:
    """Gather the notes of all pitched parts; a key that two of them strike is struck once."""
    struck: dict[tuple[int, int], ScoreNote] = {}
    for part in score.parts:
        if part.instrument != "drums" and part.role in _ROLES:
            for note in part.notes:
                if _LOWEST <= note.pitch <= _HIGHEST:
                    struck.setdefault((note.pitch, round(note.start_s / _ONSET_S)), note)
    return _held(tuple(sorted(struck.values())), (), score.duration_s)


def _held(
    notes: Sequence[ScoreNote], changes_s: Sequence[float], duration_s: float
) -> tuple[ScoreNote, ...]:
    """Let notes end where their key is struck again; hold them until the next change, if any."""
    later: dict[int, float] = {}
    held = []
    for note in sorted(notes, reverse=True):
        end_s = note.end_s
        if changes_s:
            end_s = max(end_s, min((t for t in changes_s if t > note.start_s), default=duration_s))
        again_s = later.get(note.pitch, duration_s)
        if again_s - note.start_s > _ONSET_S:
            held.append(note._replace(end_s=min(end_s, again_s)))
            later[note.pitch] = note.start_s
    return tuple(sorted(held))


def onset_scores(true: Sequence[Note], found: Sequence[Note]) -> tuple[float, float, float]:
    """Precision, recall and F1 of notes with the right pitch that begin within 50 ms (mir_eval)."""
    from mir_eval.transcription import precision_recall_f1_overlap

    if not true or not found:
        return 0.0, 0.0, 0.0
    arrays = []
    for notes in (true, found):
        spans = np.array([(n.start_s, max(n.end_s, n.start_s + 0.01)) for n in notes])
        arrays += [spans, 440.0 * 2.0 ** ((np.array([n.pitch for n in notes]) - 69) / 12)]
    precision, recall, f1, _ = precision_recall_f1_overlap(
        *arrays, onset_tolerance=_ONSET_S, offset_ratio=None
    )
    return float(precision), float(recall), float(f1)
