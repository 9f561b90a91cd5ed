"""Beats, bars and tempo over time: on beliefs that are made up, and on composed music."""

from __future__ import annotations

import json
from dataclasses import replace

import mir_eval
import numpy as np
import pytest
from assistant_parts import clicks

from llark_py.analysis import listening, metre
from llark_py.analysis.beats import FRAME_RATE, follow_beats
from llark_py.analysis.clicks import mix_clicks
from llark_py.audio import Audio, load_audio
from llark_py.compose.clip import make_clip
from llark_py.tools import Workspace, run_tool

BINS = np.exp(np.linspace(np.log(40), np.log(220), 96))
CHORD_CLASSES = 25


def believe(beats_s, per_bar, bpm, seconds=20.0, metres=(0.34, 0.33, 0.33), missed=()):
    """Make what the encoder might believe of beats `beats_s`, every `per_bar`-th a downbeat."""
    n = int(seconds * 10)
    frames = np.tile([0.98, 0.01, 0.01], (n, 1))
    for number, time_s in enumerate(beats_s):
        if round(time_s * 10) < n and number not in missed:
            down = number % per_bar == 0
            frames[round(time_s * 10)] = [0.1, 0.2, 0.7] if down else [0.1, 0.8, 0.1]
    tempo = sum(w * np.exp(-0.5 * (np.log(BINS / b) / 0.02) ** 2) for b, w in bpm.items())
    heads = {
        "beat_frames": frames,
        "chord_frames": np.full((n, CHORD_CLASSES), 1 / CHORD_CLASSES),
        "time_signature": np.array(metres),
    }
    keys = np.full(24, 1 / 24)
    return listening.Posteriors(tempo / tempo.sum(), BINS, keys, heads, 0.0, 0.0)


@pytest.fixture
def heard(monkeypatch):
    def heard(audio, posteriors):
        monkeypatch.setattr(metre, "listen", lambda audio: posteriors)
        return metre.measure_metre(audio)

    return heard


@pytest.mark.parametrize(("per_bar", "signature"), [(4, "4/4"), (3, "3/4"), (2, "6/8")])
def test_downbeats_tell_the_metre(heard, per_bar, signature):
    beats = np.arange(0, 19.5, 0.6)
    found = heard(clicks(100, 20.0), believe(beats, per_bar, {100: 1.0}))
    assert found.time_signature == signature
    assert found.tempo_bpm == pytest.approx(100, rel=0.004)
    np.testing.assert_allclose(found.beats_s, beats[: len(found.beats_s)], atol=0.02)
    assert len(found.beats_s) >= len(beats) - 1
    assert found.downbeats_s == found.beats_s[::per_bar]
    assert 0.8 < found.confidence <= 1.0


def test_a_beat_that_was_not_heard_moves_no_bar_line(heard):
    beats = np.arange(0, 19.5, 0.6)
    found = heard(clicks(100, 20.0), believe(beats, 4, {100: 1.0}, missed=(5, 12, 20)))
    assert found.downbeats_s == found.beats_s[::4]


@pytest.mark.parametrize("wrong", [200, 50, 150])
def test_beats_decide_between_a_tempo_and_its_double(heard, wrong):
    beats = np.arange(0, 19.5, 0.6)
    found = heard(clicks(100, 20.0), believe(beats, 4, {100: 0.4, wrong: 0.6}))
    assert found.tempo_bpm == pytest.approx(100, rel=0.01)


def test_a_sure_tempo_outweighs_an_accent_on_every_third_sixteenth(heard):
    unsure = believe((), 4, {150: 0.995, 200: 0.005})
    for every_s in (0.4, 0.3):
        at = np.round(np.arange(0, 19.5, every_s) * 10).astype(int)
        unsure.heads["beat_frames"][at] = [0.2, 0.6, 0.2]
    assert heard(clicks(150, 20.0), unsure).tempo_bpm == pytest.approx(150, rel=0.01)


def test_the_metre_that_was_heard_counts_where_the_beats_are_alike(heard):
    alike = believe(np.arange(0, 19.5, 0.6), 1, {100: 1.0}, metres=(0.1, 0.8, 0.1))
    alike.heads["beat_frames"][alike.heads["beat_frames"][:, 2] > 0.5] = [0.1, 0.6, 0.3]
    assert heard(clicks(100, 20.0), alike).time_signature == "3/4"


def test_loud_notes_between_the_beats_do_not_draw_them_away():
    strength = np.zeros(2000)
    strength[25::50] = 10.0
    strength[::50] = 1.0
    p_beat = np.zeros(2000)
    for beat in range(0, 2000, 50):
        p_beat[max(0, beat - 4) : beat + 5] = 0.6
    beats = follow_beats(strength, p_beat, 60 * FRAME_RATE / 50)
    away = (beats * FRAME_RATE + 25) % 50 - 25
    assert len(beats) >= 38 and np.abs(away).max() < 5


def hear_beats(frames, level, n_frames):
    """Make onsets and beliefs in beats at some frames, of some level each."""
    strength, p_beat = np.zeros(n_frames), np.zeros(n_frames)
    for frame, heard in zip(np.round(frames).astype(int), level, strict=True):
        strength[frame] = heard
        p_beat[max(0, frame - 4) : frame + 5] = heard
    return strength, p_beat


def test_a_stretch_of_off_beats_does_not_move_the_beat():
    # For 10 s out of 60 only what lies between the beats is heard.
    eighths = np.arange(0, 6000, 25)
    off, stretch = np.arange(len(eighths)) % 2 == 1, (eighths >= 2500) & (eighths < 3500)
    beats = follow_beats(*hear_beats(eighths, np.where(off == stretch, 0.7, 0.0), 6000), 120.0)
    away = (beats * FRAME_RATE + 25) % 50 - 25
    assert len(beats) >= 118 and np.abs(away).max() < 5


def test_beats_follow_a_tempo_that_moves():
    # From 100 to 120 BPM in 60 s; the tempo that is told is the middle one.
    true = np.cumsum(np.linspace(0.6, 0.5, 109))
    strength, p_beat = hear_beats(true * FRAME_RATE, np.full(109, 0.7), 6000)
    beats = follow_beats(strength, p_beat, 109.0)
    assert mir_eval.beat.f_measure(true, beats) > 0.97


def test_no_beat_lies_past_the_end():
    strength, p_beat = np.zeros(1001), np.zeros(1001)
    for beat in range(0, 1001, 50):
        strength[beat], p_beat[beat] = 1.0, 1.0
    assert follow_beats(strength, p_beat, 120.0).max() < 10.0


def test_beats_end_with_the_music(heard):
    audio = clicks(100, 12.0)
    rest = np.zeros(8 * audio.sample_rate, np.float32)
    rung_out = Audio(np.concatenate([audio.samples, rest]), audio.sample_rate)
    found = heard(rung_out, believe(np.arange(0, 11.5, 0.6), 4, {100: 1.0}))
    assert found.beats_s[-1] < 12.5


def test_the_curve_follows_a_tempo_that_rises():
    beats = np.cumsum(np.linspace(0.6, 0.5, 64))
    curve = metre.tempo_curve(beats)
    tempi = [point.tempo_bpm for point in curve]
    assert tempi == sorted(tempi)
    assert (tempi[0], tempi[-1]) == (pytest.approx(101, abs=1), pytest.approx(119, abs=1))
    assert len(curve) == 64 - 8 and curve[0].time_s == pytest.approx(beats[4], abs=0.02)
    assert metre.tempo_curve(beats[:1]) == ()


def test_clicks_are_on_the_beats_and_higher_on_downbeats():
    rate, beats = 16_000, (0.5, 1.0, 1.5, 2.0)
    quiet = Audio(np.full((2, 3 * rate), 1e-3, np.float32), rate)
    mixed = mix_clicks(quiet, beats, (0.5, 1.5))
    assert mixed.samples.shape == quiet.samples.shape
    assert np.abs(mixed.samples).max() <= 1.0
    pitches = []
    for beat in beats:
        click = mixed.samples[0, round(beat * rate) : round((beat + 0.05) * rate)]
        pitches.append(np.abs(np.fft.rfft(click - click.mean())).argmax() * 20)
    assert pitches == [2000, 1000, 2000, 1000]


@pytest.fixture(scope="module")
def clip():
    return make_clip(910_040, 16.0, augment=False, style="disco", free_instruments=False)


def test_composed_music_is_counted_as_it_was_written(clip, tmp_path):
    track, audio = clip
    result = run_tool("track_beats", {}, {"audio_1": audio}, Workspace(tmp_path))
    said, details = result.content, result.details
    assert mir_eval.beat.f_measure(np.array(track.beats_s), np.array(details["beats_s"])) > 0.9
    downbeats = np.array(track.downbeats_s), np.array(details["downbeats_s"])
    assert mir_eval.beat.f_measure(*downbeats) > 0.8
    assert said["time_signature"] == track.time_signature
    assert said["tempo_bpm"] == pytest.approx(track.tempo_bpm, rel=0.04)
    assert said["slowest_bpm"] <= said["tempo_bpm"] <= said["fastest_bpm"]
    assert said["beat_count"] == len(details["beats_s"])
    assert said["bar_count"] == len(details["downbeats_s"])
    assert set(details["downbeats_s"]) <= set(details["beats_s"])
    assert said["click_track"] is None and result.artefacts == ()
    assert json.loads(json.dumps(details)) == details
    assert "beats_s" not in said and "tempo_curve" not in said


def test_the_click_track_is_made_when_asked_for(clip, tmp_path):
    _, audio = clip
    workspace = Workspace(tmp_path)
    result = run_tool("track_beats", {"click_track": True}, {"audio_1": audio}, workspace)
    [made] = workspace.artefacts
    assert result.artefacts == (made.id,) == (result.content["click_track"],)
    assert (made.kind, made.media_type) == ("audio", "audio/wav")
    assert load_audio(made.path).duration_s == pytest.approx(audio.duration_s)


def test_hostile_arguments_are_answered_with_a_sentence(clip):
    _, audio = clip
    for wrong in ("x" * 10_000, {}, None, 7):
        result = run_tool("track_beats", {"click_track": wrong}, {"audio_1": audio}, Workspace())
        assert "argument 'click_track' of track_beats" in result.error


def test_music_without_a_beat_is_an_error(monkeypatch):
    beats = np.arange(0, 3.5, 0.6)
    found = believe(beats, 4, {100: 1.0}, seconds=4.0)
    empty = replace(found, tempo=np.eye(96)[0])
    monkeypatch.setattr(metre, "listen", lambda audio: empty)
    monkeypatch.setattr(metre, "follow_beats", lambda *arguments: np.zeros(0))
    result = run_tool("track_beats", {}, {"audio_1": clicks(100, 4.0)}, Workspace())
    assert result.error == "no steady beat was found"
