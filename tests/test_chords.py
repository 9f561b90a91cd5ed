"""Chords and keys over time: on beliefs that are made up, and on composed music."""

from __future__ import annotations

import json

import mir_eval
import numpy as np
import pytest
from assistant_parts import noise

from llark_py.analysis import chords, keys
from llark_py.analysis.listening import Posteriors
from llark_py.analysis.metre import Metre
from llark_py.audio import Audio
from llark_py.compose.clip import make_clip
from llark_py.errors import ConfigError
from llark_py.instruct.facts import chord_symbol
from llark_py.theory import KEYS, key_index, roman_numeral
from llark_py.tools import Workspace, run_tool
from llark_py.tools._chord_sheet import write_sheet
from llark_py.track import Chord

NONE = 24
RATE = 16_000


def frames(classes, frames_each=20, sure=0.7):
    """Make chord posteriors at 10 Hz: each class for some frames, what is left to the others."""
    rows = np.full((len(classes) * frames_each, 25), (1 - sure) / 24)
    for number, chord in enumerate(classes):
        rows[number * frames_each : (number + 1) * frames_each, chord] = sure
    return rows


def believe(chord_frames, *in_keys):
    p_key = np.full(24, 0.01)
    p_key[[key_index(key) for key in in_keys]] = 0.77 / len(in_keys)
    heads = {"chord_frames": chord_frames}
    return Posteriors(np.ones(96) / 96, np.linspace(40, 220, 96), p_key, heads, 0.0, 0.0)


@pytest.fixture
def measure(monkeypatch):
    """Measure made-up chord frames over beats of half a second, four a bar."""

    def measure(chord_frames, key="A minor", confidence=0.9, start_s=0.0, end_s=None):
        seconds = len(chord_frames) / 10
        beats = tuple(np.arange(0, seconds, 0.5).tolist())
        metre = Metre(120.0, "4/4", beats, beats[::4], (), confidence)
        monkeypatch.setattr(chords, "listen", lambda audio: believe(chord_frames, key))
        monkeypatch.setattr(chords, "measure_metre", lambda audio: metre)
        return chords.measure_chords(noise(seconds, rate=RATE), start_s, end_s)

    return measure


def labels(found):
    return [c.label for c in found.chords]


def test_chords_are_found_where_they_change(measure):
    found = measure(frames([21, 17, 12, 19]))  # Am Fm Cm Gm
    assert [(c.start_s, c.end_s) for c in found.chords] == [(0, 2), (2, 4), (4, 6), (6, 8)]
    assert labels(found) == ["A:min", "F:min", "C:min", "G:min"]
    assert found.bars_s == (0.0, 2.0, 4.0, 6.0)
    assert found.confidence == pytest.approx(0.7)


def test_a_frame_of_doubt_is_no_chord(measure):
    rows = frames([21, 21])
    rows[7], rows[25:27] = np.eye(25)[3], np.eye(25)[14]
    assert labels(measure(rows)) == ["A:min"]


def test_roots_are_spelled_as_the_key_has_them(measure):
    assert labels(measure(frames([8, 5, 8]), "F minor")) == ["Ab:maj", "F:maj", "Ab:maj"]
    assert labels(measure(frames([8, 4, 8]), "C# minor")) == ["G#:maj", "E:maj", "G#:maj"]


def test_transposed_beliefs_give_transposed_chords(measure):
    classes = [0, 21, 5, 7]
    for steps in range(12):
        moved = [(c + steps) % 12 + 12 * (c >= 12) for c in classes]
        found = measure(frames(moved), KEYS[steps])
        numerals = [roman_numeral(label, KEYS[steps]) for label in labels(found)]
        assert numerals == ["I", "vi", "IV", "V"]


@pytest.mark.parametrize("confidence", [0.9, 0.1])
def test_spans_are_kept_whether_there_are_beats_or_not(measure, confidence):
    found = measure(frames([0, 5, 7, 0]), "C major", confidence, start_s=1.2, end_s=5.1)
    assert (found.chords[0].start_s, found.chords[-1].end_s) == (1.2, 5.1)
    for one, other in zip(found.chords, found.chords[1:], strict=False):
        assert one.end_s == other.start_s and one.start_s < one.end_s
    assert labels(found) == ["C:maj", "F:maj", "G:maj"]
    assert (found.bars_s == ()) == (confidence < 0.3)


def test_no_chord_is_n_and_nothing_but_that_is_an_error(measure):
    assert labels(measure(frames([0, NONE, 0]), "C major")) == ["C:maj", "N", "C:maj"]
    with pytest.raises(Exception, match="no chords were found"):
        measure(frames([NONE, NONE]))


@pytest.mark.parametrize(
    ("label", "key", "numeral"),
    [
        ("E:maj", "A minor", "V"),
        ("D:min", "A minor", "iv"),
        ("G:maj", "A minor", "VII"),
        ("A#:maj", "C major", "bVII"),
        ("Bb:7/5", "C major", "bVII"),
        ("F#:min7", "D major", "iii"),
        ("B:dim", "C major", "viio"),
        ("B:hdim7", "A minor", "iio"),
        ("C", "G major", "IV"),
    ],
)
def test_roman_numerals(label, key, numeral):
    assert roman_numeral(label, key) == numeral


def test_no_chord_has_no_numeral():
    with pytest.raises(ConfigError, match="'N' is not a note name"):
        roman_numeral("N", "C major")


# --- keys -----------------------------------------------------------------------------------

IN_C = [0, 5, 7, 0, 21, 5, 7, 0]


def test_a_song_in_one_key_keeps_it():
    spans = keys.key_spans(believe(frames(IN_C * 4), "C major"))
    assert spans == ((0.0, 64.0, "C major"),)
    # A borrowed chord is no modulation.
    spans = keys.key_spans(believe(frames([*IN_C, 8, *IN_C]), "C major"))
    assert [s.key for s in spans] == ["C major"]


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_a_modulation_is_found_where_it_happens(steps):
    classes = IN_C * 2 + [(c + steps) % 12 + 12 * (c >= 12) for c in IN_C * 2]
    first, second = keys.key_spans(believe(frames(classes), "C major", KEYS[steps]))
    assert (first.key, second.key) == ("C major", KEYS[steps])
    assert first.end_s == second.start_s == pytest.approx(32.0, abs=3.0)
    assert (first.start_s, second.end_s) == (0.0, 64.0)


# --- the tool -------------------------------------------------------------------------------


def test_sheets_have_four_bars_a_line():
    played = [
        Chord(60.0, 64.0, "A:min"), Chord(64.0, 66.0, "G#:maj"), Chord(66.0, 67.0, "F:maj"),
        Chord(67.0, 68.0, "G:maj"), Chord(68.0, 69.0, "A:min"), Chord(69.0, 71.0, "N"),
    ]  # fmt: skip
    assert write_sheet(played, (60.0, 62.0, 64.0, 66.0, 68.0, 70.0), "A minor") == (
        "1:00 | Am | Am | G# | F G |\n1:08 | Am N.C. | N.C. |"
    )
    assert write_sheet(played[:2], (), "A minor") == "1:00 | Am | G# |"


@pytest.fixture(scope="module")
def clip():
    return make_clip(910_040, 16.0, augment=False, style="pop", free_instruments=False)


def test_composed_chords_are_recognised_and_written_down(clip, tmp_path):
    import pretty_midi

    track, audio = clip
    workspace = Workspace(tmp_path)
    result = run_tool("recognize_chords", {}, {"audio_1": audio}, workspace)
    said, details = result.content, result.details
    found = details["chords"]
    truth = np.array([c[:2] for c in track.chords]), [c.label for c in track.chords]
    guess = np.array([[c["start_s"], c["end_s"]] for c in found]), [c["label"] for c in found]
    assert mir_eval.chord.evaluate(*truth, *guess)["majmin"] > 0.85
    assert said["key"] == track.key
    assert details["chord_count"] == sum(c["label"] != "N" for c in found)
    assert 0.5 < said["confidence"] < 1.0
    assert details["sheet"].startswith("0:00 | ")
    named = [chord_symbol(c["label"], said["key"]) for c in found if c["label"] != "N"]
    assert (said["first_chord"], said["last_chord"]) == (named[0], named[-1])
    assert said["different_count"] == len(set(named))
    assert set(said["progression"].split(" - ")) <= set(named)
    assert set(said["degrees"].split()) <= {
        roman_numeral(c["label"], said["key"]) for c in found if c["label"] != "N"
    }
    assert json.loads(json.dumps(details)) == details
    assert "chords" not in said and "sheet" not in said
    [made] = workspace.artefacts
    assert result.artefacts == (made.id,) == (said["midi"],)
    notes = pretty_midi.PrettyMIDI(str(made.path)).instruments[0].notes
    assert len(notes) == 3 * details["chord_count"]
    assert {n.pitch % 12 for n in notes if n.start < 0.01} == {n.pitch % 12 for n in notes[:3]}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"start_s": -1}, "there is no span from -1 s to"),
        ({"start_s": 99}, "there is no span from 99 s to"),
        ({"start_s": 5, "end_s": 4}, "there is no span from 5 s to 4 s"),
        ({"start_s": "nan"}, "there is no span from nan s"),
        ({"end_s": float("nan")}, "there is no span from 0 s to nan s"),
        ({"start_s": float("-inf")}, "there is no span from -inf s"),
        ({"start_s": 1, "end_s": 2}, "shorter than 2 seconds"),
        ({"start_s": "x" * 10_000}, "argument 'start_s' of recognize_chords"),
    ],
)
def test_hostile_spans_are_answered_with_a_sentence(clip, arguments, error):
    result = run_tool("recognize_chords", arguments, {"audio_1": clip[1]}, Workspace())
    assert error in result.error and len(result.error) < 200
    assert result.artefacts == ()


def test_a_silent_part_of_a_song_has_no_chords(clip):
    audio = clip[1]
    samples = audio.samples.copy()
    samples[: 4 * audio.sample_rate] = 0.0
    gap = {"audio_1": Audio(samples, audio.sample_rate)}
    result = run_tool("recognize_chords", {"end_s": 4}, gap, Workspace())
    assert result.error == "the recording is silent"
