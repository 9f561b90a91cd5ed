"""Notes are joined from activations: repeated, pedalled, sustained, and no overtones."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from llark_py.analysis import notes
from llark_py.analysis.note_joining import join_notes
from llark_py.benchmarks.piano import compose_piano, onset_scores
from llark_py.benchmarks.transcription import plain_basic_pitch
from llark_py.tools import Workspace, run_tool
from llark_py.track import Note

N_FRAMES = 400


def frames():
    return np.zeros((N_FRAMES, 88), np.float32), np.zeros((N_FRAMES, 88), np.float32)


def sound(activations, onsets, row, start, end, level=0.8, onset=0.9):
    activations[start:end, row] = level
    onsets[start, row] = onset


def spans(found):
    return [(note.row, note.start, note.end) for note in found]


def test_a_key_struck_again_under_the_pedal_is_a_note_each_time():
    activations, onsets = frames()
    sound(activations, onsets, 40, 50, 300)
    for again in (58, 100, 200):
        onsets[again, 40] = 0.8
    assert spans(join_notes(activations, onsets)) == [
        (40, 50, 58), (40, 58, 100), (40, 100, 200), (40, 200, 300),
    ]  # fmt: skip


def test_one_stroke_that_shows_twice_is_one_note():
    activations, onsets = frames()
    sound(activations, onsets, 40, 50, 90)
    onsets[53, 40] = 0.7
    assert spans(join_notes(activations, onsets)) == [(40, 50, 90)]


def test_a_note_goes_on_over_a_short_pause_and_not_over_a_long_one():
    activations, onsets = frames()
    sound(activations, onsets, 30, 50, 150)
    activations[90:100, 30] = 0.0
    assert spans(join_notes(activations, onsets)) == [(30, 50, 150)]
    activations[90:101, 30] = 0.0
    assert spans(join_notes(activations, onsets)) == [(30, 50, 90)]


def test_what_rings_on_is_no_new_note_and_a_swelling_voice_is_one():
    activations, onsets = frames()
    sound(activations, onsets, 30, 50, 90)
    activations[90:150, 31] = 0.6  # the strings beside it go on ringing
    assert spans(join_notes(activations, onsets)) == [(30, 50, 90)]
    activations[200:260, 45] = 0.6
    assert len(join_notes(activations, onsets)) == 1
    onsets[203, 45] = 0.45  # a soft attack
    assert (45, 200, 260) in spans(join_notes(activations, onsets))


@pytest.mark.parametrize(("interval", "level", "onset", "kept"), [
    (12, 0.4, 0.65, False), (19, 0.4, 0.65, False), (12, 0.7, 0.65, True),
    (12, 0.4, 0.9, True), (7, 0.4, 0.65, True),
])  # fmt: skip
def test_overtones_are_dropped_and_octaves_kept(interval, level, onset, kept):
    activations, onsets = frames()
    sound(activations, onsets, 30, 50, 120)
    sound(activations, onsets, 30 + interval, 51, 110, level, onset)
    found = join_notes(activations, onsets)
    assert [note.row for note in found] == ([30, 30 + interval] if kept else [30])


def test_nothing_is_found_in_nothing_and_ends_lie_inside():
    assert join_notes(*frames()) == []
    activations, onsets = frames()
    sound(activations, onsets, 87, N_FRAMES - 20, N_FRAMES)
    assert spans(join_notes(activations, onsets)) == [(87, N_FRAMES - 20, N_FRAMES)]


def test_composed_piano_is_read_better_than_by_basic_pitch_alone():
    ours, plain = [], []
    for _, true, audio in compose_piano(12, "timgm", 8.0):
        ours.append(onset_scores(true, notes.transcribe(audio))[2])
        plain.append(onset_scores(true, plain_basic_pitch(audio))[2])
    assert np.mean(ours) > 0.75 and np.mean(ours) > np.mean(plain) + 0.03


def test_scores_of_piano_are_known_for_known_answers():
    true = [Note(0.0, 0.5, 60, 80), Note(0.5, 1.0, 62, 80)]
    assert onset_scores(true, true) == (1.0, 1.0, 1.0)
    assert onset_scores(true, [true[0]._replace(start_s=0.06)]) == (0.0, 0.0, 0.0)
    assert onset_scores(true, true[:1]) == (1.0, 0.5, pytest.approx(2 / 3))
    assert onset_scores(true, []) == (0.0, 0.0, 0.0)


def test_the_pedal_holds_notes_until_the_chord_changes_or_the_key_is_struck_again():
    for kind, true, _ in compose_piano(2, "timgm", 6.0):
        again = sorted(true, key=lambda n: (n.pitch, n.start_s))
        pairs = pairwise(again)
        assert all(a.end_s <= b.start_s + 1e-6 for a, b in pairs if a.pitch == b.pitch)
        lengths = [n.end_s - n.start_s for n in true]
        assert kind in ("plain", "pedal") and min(lengths) > 0


def test_the_piano_roll_is_drawn_when_wanted(monkeypatch, tmp_path):
    from PIL import Image

    _, _, audio = next(compose_piano(1, "timgm", 6.0))
    quiet = run_tool("transcribe_notes", {}, {"audio_1": audio}, Workspace(tmp_path / "a"))
    assert quiet.details["picture"] is None and len(quiet.artefacts) == 1
    drawn = run_tool(
        "transcribe_notes", {"picture": True, "start_s": 2.0}, {"audio_1": audio},
        (workspace := Workspace(tmp_path / "b")),
    )  # fmt: skip
    assert drawn.content.keys() == {"note_count", "lowest_note", "highest_note", "midi"}
    assert drawn.details["picture"] == "artefact_2"
    picture = np.asarray(Image.open(workspace.artefacts[1].path).convert("L"), float)
    assert picture.shape[1] > 900 and picture.std() > 5 and picture.mean() > 180
