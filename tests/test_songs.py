"""Whole songs: windows that cover them, posteriors without seams, frames that fit, one hearing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from model_parts import tiny_encoder_config, tiny_model
from song_parts import RATE, heard_of, noise, song_config, song_encoder

from llark_py.assistant.ears import share_hearing
from llark_py.assistant.frames import FrameCache
from llark_py.audio import Audio
from llark_py.encoders import build_encoder, encoder_config
from llark_py.encoders.mini_clock import time_features
from llark_py.encoders.mini_features import extract_features, normalise_level
from llark_py.encoders.mini_form import Form, Span, find_spans
from llark_py.encoders.mini_songs import (
    extract_song_features,
    fade_weights,
    hear_song,
    plan_windows,
    pool_windows,
)
from llark_py.errors import AudioError, ConfigError


@pytest.fixture(scope="module")
def encoder():
    return song_encoder()


# --- windows --------------------------------------------------------------------------------


@pytest.mark.parametrize("n_frames", [1, 2, 41, 84, 85, 126, 127, 500, 9000])
@pytest.mark.parametrize("hop", [42, 84])
def test_windows_cover_every_frame_and_stay_inside(n_frames, hop):
    starts = plan_windows(n_frames, 84, hop)
    window = min(84, n_frames)
    covered = np.zeros(n_frames, int)
    for start in starts:
        covered[start : start + window] += 1
    assert covered.min() >= 1 and starts[0] == 0 and starts[-1] + window == n_frames
    assert starts == sorted(set(starts))


@pytest.mark.parametrize("window", [1, 2, 7, 84])
def test_fading_leaves_no_frame_out(window):
    weights = fade_weights(window)
    assert weights.min() > 0 and torch.equal(weights, weights.flip(0))


@pytest.mark.parametrize("n_frames", [1, 50, 84, 200, 431])
def test_constant_posteriors_stay_constant(encoder, monkeypatch, n_frames):
    config, constant = encoder.config, {"style": {"funk": 0.7}, "sound": {"music": 0.9}}

    def hear(features):
        heard = heard_of(config, features.shape[1], constant, n=len(features))
        level = {head: torch.full_like(p, 0.3) for head, p in heard.frame_posteriors.items()}
        return replace(heard, frame_posteriors=level)

    monkeypatch.setattr(encoder, "hear", hear)
    whole = hear_song(encoder, torch.randn(n_frames, 488)).heard
    for line in whole.frame_posteriors.values():
        torch.testing.assert_close(line, torch.full_like(line, 0.3))
    torch.testing.assert_close(whole.posteriors["style"], torch.tensor([[0.3, 0.7]]))
    assert whole.tokens.shape == (1, 3 + n_frames, config.width)


def test_an_instrument_of_one_window_is_not_averaged_away():
    said = torch.tensor([[0.9, 0.3], [0.0, 0.3], [0.0, 0.3], [0.0, 0.3]])
    weights = torch.full((4,), 0.25)
    assert pool_windows(said, weights, "families").tolist() == pytest.approx([0.45, 0.3])
    assert pool_windows(said, weights, "style").tolist() == pytest.approx([0.225, 0.3])
    assert torch.equal(pool_windows(said[:1], weights[:1] * 4, "instruments"), said[0])


def test_a_quiet_window_is_no_witness():
    said, weights = torch.tensor([[0.9], [0.1]]), torch.tensor([0.02, 0.98])
    assert float(pool_windows(said, weights, "families")) < 0.12


def test_pieces_of_a_song_join_without_a_seam():
    waveform = noise(65.0)
    whole = extract_features(normalise_level(waveform)[None])[0]
    torch.testing.assert_close(extract_song_features(waveform), whole, atol=1e-4, rtol=1e-4)


def test_silent_windows_do_not_count(encoder):
    music = noise(17.0)
    padded = torch.cat([music, torch.zeros(30 * RATE)])
    alone, half = encoder.listen(music).heads(), encoder.listen(padded).heads()
    unweighted = encoder.listen(torch.zeros(30 * RATE)).heads()
    for head in ("style", "key"):
        distance = np.abs(half[head] - alone[head]).max()
        assert distance < 0.3 * np.abs(unweighted[head] - alone[head]).max() + 1e-3


# --- frames ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings", [{}, {"max_frames": 60}, {"frame_pooling": 4}, {"max_frames": None}]
)
def test_frames_are_as_many_as_the_config_says_at_any_length(settings):
    encoder = song_encoder(**settings)
    for seconds in (0.01, 0.05, 0.1, 0.73, 1.0, 8.4, 8.5, 9.0, 29.97, 61.3):
        waveform = noise(seconds)
        with torch.no_grad():
            frames = encoder(waveform[None])[0]
        assert len(frames) == encoder.config.num_frames(len(waveform))
        assert torch.isfinite(frames).all()


def test_a_song_of_any_length_costs_no_more_than_max_frames():
    config = song_config()
    counts = [config.num_frames(s * RATE) for s in range(1, 900)]
    assert max(counts) <= config.max_frames == 300 and min(counts[30:]) > 150
    assert config.num_frames(0) == 0
    with pytest.raises(ConfigError, match="max_frames must be above"):
        song_config(max_frames=5)


@pytest.mark.parametrize("name", ["encodec", "musicgen"])
def test_other_encoders_pool_long_recordings_too(name):
    config = tiny_encoder_config(name, max_frames=40)
    encoder = build_encoder(config).eval()
    plain = tiny_encoder_config(name)
    for n in (1, 100, 799, 800, 801, 1600, 5000):
        with torch.no_grad():
            frames = encoder(torch.randn(1, n) * 0.1)
        assert frames.shape[1] == config.num_frames(n) <= 40
        assert n > 800 or config.num_frames(n) == plain.num_frames(n)


def test_frames_from_disk_pool_too(tmp_path):
    from llark_py.encoders.precomputed import load_frames

    np.save(tmp_path / "frames.npy", np.arange(20.0).reshape(10, 2))
    pooled = load_frames(tmp_path / "frames.npy", max_frames=4)
    assert pooled.tolist() == [[2, 3], [8, 9], [14, 15], [18, 19]]
    assert len(load_frames(tmp_path / "frames.npy", max_frames=10)) == 10


def test_waveforms_and_features_of_a_song_agree(encoder):
    waveform = noise(12.0)
    features = extract_song_features(waveform)[None]
    with torch.no_grad():
        from_sound, from_features = encoder(waveform[None]), encoder(features)
    torch.testing.assert_close(from_features, from_sound, atol=1e-4, rtol=1e-4)
    assert int(encoder.frame_lengths(features)[0]) == from_features.shape[1]


# --- time codes and marks -------------------------------------------------------------------


def test_time_codes_tell_every_second_apart():
    codes = time_features(np.arange(900.0), 900.0)
    spelled = codes[:, :32]
    assert len(np.unique(spelled, axis=0)) == 900
    assert spelled[83].nonzero()[0].tolist() == [1, 16 + 2, 22 + 3]  # 1:23


def test_marks_lie_where_something_happens(encoder):
    form = Form(60.0, {"drums": (Span(12.0, 40.0),), "piano": (Span(0.0, 60.0),)})
    marks = encoder.clock.mark(form, 100, 0.6)
    drums = encoder.config.families.index("drums")
    assert [tuple(place) for place in np.argwhere(marks)] == [(20, drums), (66, 4 + drums)]


def test_an_entrance_is_heard_when_it_happens(encoder, monkeypatch):
    config = encoder.config

    def hear(features):
        """The piano plays where the first feature is low, the drums where it is high."""
        loud = features[..., 0] > 0
        heard = heard_of(config, features.shape[1], {"sound": {"music": 0.9}}, n=len(features))
        heard.frame_posteriors["activity"][..., 0] = (~loud).float()
        heard.frame_posteriors["activity"][..., 2] = loud.float()
        heard.posteriors["families"][:] = 0.9
        return heard

    monkeypatch.setattr(encoder, "hear", hear)
    features = torch.full((600, 488), -3.0)
    features[237:, 0] = 1.0
    form = hear_song(encoder, features).form
    assert set(form.spans) == {"piano", "drums"}
    [(entrance_s, entering)], [(exit_s, leaving)] = form.entrances, form.exits
    assert (entering, leaving) == ("drums", "piano")
    assert entrance_s == pytest.approx(23.7, abs=0.5) and exit_s == pytest.approx(23.7, abs=0.5)


def test_short_pauses_do_not_end_a_span():
    activity = np.zeros(300)
    activity[50:120] = activity[130:200] = 0.9
    activity[250:255] = 0.9
    [span] = find_spans(activity)
    assert span.start_s == pytest.approx(5.0, abs=0.3) and span.end_s == pytest.approx(20, abs=0.6)


# --- one hearing ----------------------------------------------------------------------------


def test_frames_notes_and_tools_share_one_hearing(encoder, monkeypatch):
    from llark_py.analysis import listening

    heard, hear_windows = [], encoder.hear
    monkeypatch.setattr(encoder, "hear", lambda f: heard.append(len(f)) or hear_windows(f))
    model, _ = tiny_model()
    model.model.audio_tower = encoder
    audio = Audio(noise(12.0).numpy(), RATE)
    with listening.hearing_with(encoder):
        encoded = model.encode_recording(torch.from_numpy(audio.samples))
        share_hearing(model, audio, encoded)
        told = listening.listen(audio)
        assert len(heard) == 1
        assert np.array_equal(told.key, encoded.hearing.heads()["key"])
        assert listening.hear(audio) is encoded.hearing
    assert encoded.notes == encoder.notes(torch.from_numpy(audio.samples))
    assert len(encoded.frames) == encoder.config.num_frames(audio.n_samples)


def test_tools_of_another_encoder_do_not_take_over_a_hearing(encoder):
    from llark_py.analysis import listening

    audio, other = Audio(noise(5.0).numpy(), RATE), song_encoder(seed=1)
    with listening.hearing_with(other):
        listening.remember(audio, encoder, encoder.listen(audio.samples))
        assert np.array_equal(listening.listen(audio).key, other.analyse(audio.samples)["key"])


def test_kept_and_fresh_encodings_agree(encoder):
    audio = Audio(noise(10.0).numpy(), RATE)
    cache = FrameCache(lambda a: encoder.encode_recording(torch.from_numpy(a.samples)))
    first, kept = cache(audio), cache(Audio(audio.samples.copy(), RATE))
    fresh = encoder.encode_recording(torch.from_numpy(audio.samples))
    assert kept is first and fresh.notes == kept.notes
    assert torch.equal(kept.frames, fresh.frames)
    with torch.no_grad():
        assert torch.equal(encoder(torch.from_numpy(audio.samples)[None])[0], fresh.frames)


@pytest.mark.parametrize("seconds", [0.001, 0.3, 0.9])
def test_the_shortest_clips_are_heard(encoder, seconds):
    encoded = encoder.encode_recording(noise(seconds))
    assert "too short to tell" in encoded.notes and torch.isfinite(encoded.frames).all()
    with pytest.raises(AudioError, match="no samples"):
        encoder.listen(np.zeros(0, np.float32))
    assert len(encoder.encode_recording(torch.zeros(0)).frames) == 0


def test_songs_can_be_trained_on(encoder):
    features = extract_features(normalise_level(torch.stack([noise(12.0), noise(12.0, 1)])))
    encoder.network.requires_grad_(False)
    try:
        encoder(features).sum().backward()
        assert encoder.clock.time.weight.grad.abs().sum() > 0
        assert all(p.grad is None for p in encoder.network.parameters())
    finally:
        encoder.network.requires_grad_(True)
        encoder.zero_grad()


# --- older checkpoints ----------------------------------------------------------------------


def test_defaults_describe_the_checkpoints_before_whole_songs():
    config = encoder_config("mini")
    assert not config.song_frames and not config.writes_notes
    encoder = build_encoder(config)
    assert not any(name.startswith("clock") for name in encoder.state_dict())
    assert encoder.notes(noise(1.0)) is None
