"""Transcription of real recordings, judged by what people wrote down."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path

import mir_eval
import numpy as np
import pytest

from llark_py.analysis.beats import onset_strength, track_beats
from llark_py.analysis.notes import transcribe
from llark_py.analysis.rhythm import refine_tempo
from llark_py.audio import load_audio


def test_a_sung_melody_agrees_with_its_annotators(real_song):
    path = real_song("vocadito_1.flac")
    with (Path(path).parents[1] / "text" / "vocadito_1_notesA1.csv").open() as file:
        rows = [tuple(map(float, row)) for row in csv.reader(file)]
    start, hertz, duration = np.array(rows).T
    notes = transcribe(load_audio(path))
    estimated = np.array([(n.start_s, n.end_s) for n in notes])
    pitches = 440.0 * 2.0 ** ((np.array([n.pitch for n in notes]) - 69) / 12)
    precision, recall, f1, _ = mir_eval.transcription.precision_recall_f1_overlap(
        np.stack([start, start + duration], 1), hertz, estimated, pitches, onset_tolerance=0.1,
        offset_ratio=None,
    )  # fmt: skip
    assert f1 > 0.4, (precision, recall)


def test_a_trumpet_is_one_line_in_its_range(real_song):
    notes = transcribe(load_audio(real_song("trumpet_90bpm_F.ogg")))
    assert len(notes) > 10
    assert 52 <= min(n.pitch for n in notes) <= max(n.pitch for n in notes) <= 87
    overlaps = sum(a.end_s - b.start_s > 0.1 for a, b in pairwise(notes))
    assert overlaps <= 2


@pytest.mark.parametrize(
    ("name", "tempo_bpm"),
    [("sectoid_feelings.mix.ogg", 95), ("muldjord_mutilated_mime.mix.ogg", 180)],
)
def test_beats_of_real_music_mend_a_rough_tempo(real_song, name, tempo_bpm):
    audio = load_audio(real_song(name))
    rough = tempo_bpm * 1.02
    assert refine_tempo(rough, track_beats(onset_strength(audio), rough)) == pytest.approx(
        tempo_bpm, rel=0.005
    )
