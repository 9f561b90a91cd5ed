"""Measuring on sounds whose truth is known, with a stand-in for what the encoder believes."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from assistant_parts import clicks

from llark_py.analysis import beats, harmony, listening, notes, rhythm
from llark_py.audio import Audio
from llark_py.errors import ToolError
from llark_py.theory import KEYS, key_index

BINS = np.exp(np.linspace(np.log(40), np.log(220), 96))
RATE = 22_050


def tone(frequency_hz, seconds=3.0, level=0.4):
    t = np.arange(int(seconds * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * frequency_hz * k * t) / k**2 for k in range(1, 6))
    # Soft at both ends: a click is a note of its own to a transcriber.
    edges = np.minimum(1.0, np.minimum(t, t[-1] - t) / 0.02)
    return Audio((level * wave * edges * np.exp(-t)).astype(np.float32), RATE)


def silence(seconds=5.0):
    return Audio(np.zeros(int(seconds * RATE), np.float32), RATE)


def posteriors(tempo=(), key="C major", unplayed=0.0):
    """Make what the encoder might believe: bumps at tempi with weights, a key at 0.8."""
    p = np.full(96, 1e-6)
    for bpm, weight in dict(tempo).items():
        p += weight * np.exp(-0.5 * (np.log(BINS / bpm) / 0.018) ** 2)
    keys = np.full(24, 0.1 / 23)
    keys[key_index(key)] += 0.8
    keys[key_index("A minor")] += 0.1
    heads = {"chord_frames": np.full((30, 25), 1 / 25)}
    return listening.Posteriors(p / p.sum(), BINS, keys / keys.sum(), heads, unplayed, unplayed)


@pytest.fixture
def believe(monkeypatch):
    def believe(**beliefs):
        for module in (rhythm, harmony):
            monkeypatch.setattr(module, "listen", lambda audio: posteriors(**beliefs))

    return believe


@pytest.mark.parametrize("bpm", [47.3, 90.0, 121.7, 178.2])
def test_the_tempo_posterior_is_read_between_its_bins(bpm):
    other = bpm * 0.6 if bpm > 80 else bpm * 1.7
    tempo, runner_up, confidence = rhythm.read_tempo(posteriors({bpm: 0.7, other: 0.3}))
    assert tempo == pytest.approx(bpm, rel=0.003)
    assert runner_up == pytest.approx(other, rel=0.01)
    assert confidence == pytest.approx(0.7, abs=0.02)


def test_a_peak_at_the_edge_is_taken_as_it_is():
    assert rhythm.read_tempo(posteriors({40.0: 1.0}))[0] == pytest.approx(40.0, rel=0.01)


@pytest.mark.parametrize("bpm", [74.6, 113.3, 150.0])
def test_beats_give_the_tempo_its_decimals(believe, bpm):
    believe(tempo={bpm * 1.02: 1.0})
    found = rhythm.measure_rhythm(clicks(bpm))
    assert found.tempo_bpm == pytest.approx(bpm, rel=0.004)
    truth = np.arange(0, 11.5, 60 / bpm)
    beats = np.array(found.beats_s)
    near = [np.abs(beats - t).min() < 0.02 for t in truth]
    assert np.mean(near) > 0.9
    assert np.all(np.diff(beats) > 0)


def test_measuring_loads_no_numba():
    program = (
        "import sys\n"
        "from llark_py.analysis import beats, harmony\n"
        "from llark_py.tools import load_tool\n"
        "load_tool('estimate_tempo'), load_tool('estimate_key'), load_tool('transcribe_notes')\n"
        "load_tool('track_beats'), load_tool('recognize_chords')\n"
        "assert not {'numba', 'librosa', 'scipy', 'torch', 'onnxruntime'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_silence_has_no_beats():
    assert len(beats.track_beats(beats.onset_strength(silence()), 100.0)) == 0


def test_beats_at_another_tempo_do_not_move_the_posterior():
    assert rhythm.refine_tempo(100.0, np.arange(20) * 60 / 140) == 100.0
    assert rhythm.refine_tempo(100.0, np.arange(3) * 60 / 101) == 100.0
    assert rhythm.refine_tempo(100.0, np.arange(20) * 60 / 103) == pytest.approx(103.0)


def test_the_key_comes_with_its_rival_and_the_tuning(believe):
    believe(key="F# minor")
    found = harmony.measure_harmony(tone(440 * 2 ** (20 / 1200)))
    assert (found.key, found.runner_up) == ("F# minor", "A minor")
    assert found.confidence == pytest.approx(0.804, abs=0.01)
    assert found.tuning_cents == pytest.approx(20, abs=4)
    assert found.keys == ((0.0, 3.0, "F# minor"),)


def test_a_key_that_several_windows_agree_on_is_surer(believe):
    believe(key="F# minor")
    longer = harmony.measure_harmony(tone(440, 10.0))
    assert (longer.key, longer.runner_up) == ("F# minor", "A minor")
    assert longer.confidence == pytest.approx(0.947, abs=0.01)


@pytest.mark.parametrize(
    "measure", [rhythm.measure_rhythm, harmony.measure_harmony, notes.transcribe]
)
def test_silence_and_scraps_are_refused(believe, measure):
    believe(tempo={100: 1.0})
    with pytest.raises(ToolError, match="silent"):
        measure(silence())
    with pytest.raises(ToolError, match=r"shorter than [0-9.]+ seconds"):
        measure(tone(440, 0.1))


@pytest.mark.parametrize("measure", [rhythm.measure_rhythm, harmony.measure_harmony])
def test_what_is_not_music_is_refused(believe, measure):
    believe(tempo={100: 1.0}, unplayed=0.85)
    with pytest.raises(ToolError, match="does not sound like music"):
        measure(tone(440, 4.0))
    believe(tempo={100: 1.0}, unplayed=0.6)
    assert measure(tone(440, 4.0)).confidence > 0


@pytest.mark.parametrize(("kind", "refused"), [("speech", False), ("tone", True), ("music", False)])
def test_speech_is_measured_since_a_melody_may_sound_like_it(kind, refused):
    sounds = ["music", "silence", "tone", "speech"]
    sound = np.array([0.97 if name == kind else 0.01 for name in sounds])
    heads = {"tempo": BINS, "key": BINS, "sound": sound}
    config = SimpleNamespace(sounds=sounds, tempo_bins_bpm=BINS)
    heard = listening._read_heads(heads, config)
    assert heard.unplayed == pytest.approx(0.98 if refused else 0.02)
    assert heard.not_music == pytest.approx(0.03 if kind == "music" else 0.99)


def test_a_recording_is_listened_to_once(monkeypatch):
    heard = []

    def analyse(samples):
        heard.append(samples)
        p = posteriors({100: 1.0})
        return {"tempo": p.tempo, "key": p.key, "sound": np.array([0.7, 0.1, 0.1, 0.1])}

    config = SimpleNamespace(
        sample_rate=16_000,
        tempo_bins_bpm=BINS,
        sounds=["music", "silence", "noise", "tone"],
        song_frames=False,
    )
    monkeypatch.setattr(
        listening, "_encoder", lambda: SimpleNamespace(analyse=analyse, config=config)
    )
    stereo = Audio(np.stack([tone(300).samples] * 2), RATE)
    first, again = listening.listen(stereo), listening.listen(stereo)
    assert first is again and len(heard) == 1
    assert heard[0].shape == (3 * 16_000,)
    assert first.not_music == pytest.approx(0.3)


def test_notes_are_found_at_their_time_and_pitch():
    melody = [60, 64, 67, 72, 69, 65]
    audio = Audio(
        np.concatenate([tone(440 * 2 ** ((p - 69) / 12), 0.6).samples for p in melody]), RATE
    )
    found = notes.transcribe(audio)
    assert [n.pitch for n in found] == melody
    np.testing.assert_allclose([n.start_s for n in found], 0.6 * np.arange(6), atol=0.05)
    assert all(0.3 < n.end_s - n.start_s < 0.75 and 1 <= n.velocity <= 127 for n in found)

    part = notes.transcribe(audio, start_s=1.2, end_s=2.4)
    assert [n.pitch for n in part] == melody[2:4]
    assert part[0].start_s == pytest.approx(1.2, abs=0.06)


def test_spans_outside_the_recording_and_sounds_without_notes_are_refused(monkeypatch):
    with pytest.raises(ToolError, match=r"no span from 4 s to 3 s; the recording lasts 3\.0 s"):
        notes.transcribe(tone(440), start_s=4.0)
    monkeypatch.setattr(notes, "join_notes", lambda activations, onsets: [])
    with pytest.raises(ToolError, match="no notes were found"):
        notes.transcribe(tone(440))


def test_transcribing_can_be_stopped():
    class Enough(Exception):
        pass

    def stop(fraction, note):
        raise Enough

    with pytest.raises(Enough):
        notes.transcribe(tone(440), progress=stop)


def test_basic_pitch_says_nothing_and_brings_no_tensorflow(tmp_path):
    program = (
        "import logging, sys\n"
        "import numpy as np\n"
        "from llark_py.analysis.notes import transcribe\n"
        "from llark_py.audio import Audio\n"
        "t = np.arange(22050) / 22050\n"
        "transcribe(Audio(np.sin(2 * np.pi * 440 * t).astype(np.float32), 22050))\n"
        "assert 'tensorflow' not in sys.modules\n"
        "assert not logging.root.handlers and logging.root.manager.disable == 0\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_midi_files_hold_the_notes(tmp_path):
    import pretty_midi

    found = notes.transcribe(tone(261.63, 2.0))
    notes.write_midi(found, tmp_path / "x.mid")
    read = pretty_midi.PrettyMIDI(str(tmp_path / "x.mid")).instruments[0].notes
    assert [(n.pitch, n.velocity) for n in read] == [(n.pitch, n.velocity) for n in found]
    np.testing.assert_allclose([n.start for n in read], [n.start_s for n in found], atol=0.002)


def test_keys_of_the_encoder_are_those_of_theory():
    assert len(KEYS) == 24 and KEYS[key_index("A minor")] == "A minor"
