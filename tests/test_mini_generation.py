"""The generative side of the embedded encoder: residual stem, causal mode, codec, writing on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mini_golden import GOLDEN, record
from torch import nn

from llark_py.audio import Audio, save_audio
from llark_py.cli import main
from llark_py.encoders import build_encoder, encoder_config
from llark_py.encoders.mini import MiniEncoder
from llark_py.encoders.mini_codec import FrameCodec, k_means
from llark_py.encoders.mini_continuation import continue_recording, to_sound, write_on
from llark_py.encoders.mini_features import (
    HOP,
    SAMPLE_RATE,
    extract_features,
    linear_magnitudes,
    normalise_level,
    restore_level,
    split_streams,
    standardise,
)
from llark_py.errors import AudioError, CheckpointError, ConfigError

SMALL = {
    "width": 64,
    "n_layers": 1,
    "stem": "residual",
    "stem_channels": 16,
    "codec_books": 3,
    "codec_codes": 16,
    "codec_components": 12,
    "feels": ["straight", "swung"],
    "players": ["1", "2", "3 or more"],
    "boundaries": True,
    "parts": True,
    "families": ["piano", "voice"],
    "thresholds": {"families": [0.3, 0.6]},
    "temperatures": {"key": 2.0},
}


def tune(seconds: float) -> np.ndarray:
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    pitch = 220 * 2 ** (np.floor(times * 4) % 5 / 5)
    return (0.5 * np.sin(2 * np.pi * pitch * times) * np.exp(-((times * 4) % 1))).astype(np.float32)


def features_of(samples: np.ndarray) -> torch.Tensor:
    return extract_features(normalise_level(torch.from_numpy(samples)[None]))


@pytest.fixture(scope="module")
def encoder() -> MiniEncoder:
    torch.manual_seed(0)
    built = build_encoder(encoder_config("mini", **SMALL))
    assert isinstance(built, MiniEncoder)
    for weight in built.network.parameters():  # far from the start, so that leaks would show
        nn.init.normal_(weight, std=0.15)
    built.codec.fit(standardise(features_of(tune(12.0)))[0], seed=0)
    return built.eval()


def test_the_embedded_checkpoint_hears_what_it_always_heard():
    wanted = json.loads(GOLDEN.read_text())
    heard = record()
    assert heard.keys() >= wanted.keys()
    for name, values in wanted.items():
        assert heard[name] == pytest.approx(values, abs=2e-3), name


def test_new_abilities_are_off_unless_the_configuration_has_them():
    plain = build_encoder(encoder_config("mini", width=64, n_layers=1))
    names = " ".join(plain.state_dict())
    for part in ("codec", "writer", "shortcut", "feel", "players", "parts"):
        assert part not in names
    assert "boundary" not in plain.network.frame_classes
    for wrong, message in (({"stem": "deep"}, "patches"), ({"codec_books": 2}, "residual")):
        with pytest.raises(ConfigError, match=message):
            encoder_config("mini", **wrong)


def test_heads_and_tokens_follow_the_configuration(encoder):
    heard = encoder.analyse(tune(3.0))
    assert heard["feel"].shape == (2,) and heard["players"].shape == (3,)
    waveform = torch.from_numpy(tune(3.0))[None]
    with torch.no_grad():
        assert encoder(waveform).shape[1] == encoder.config.num_frames(waveform.shape[1])
        windows = encoder.hear(features_of(tune(3.0)))
    assert windows.frame_posteriors["boundary"].shape == (1, 30, 2)


@pytest.mark.parametrize("frame", [0, 7, 30])
def test_what_is_foreseen_does_not_depend_on_later_frames(encoder, frame):
    features = standardise(features_of(tune(5.0)))
    changed = features.clone()
    changed[:, frame + 1 :] = torch.randn_like(changed[:, frame + 1 :])
    with torch.no_grad():
        before, after = encoder.network.foresee(features), encoder.network.foresee(changed)
        longer = encoder.network.foresee(features[:, : frame + 1])
    torch.testing.assert_close(after[:, : frame + 1], before[:, : frame + 1], atol=1e-5, rtol=0)
    torch.testing.assert_close(longer, before[:, : frame + 1], atol=1e-5, rtol=0)
    assert (after[:, frame + 1] - before[:, frame + 1]).abs().max() > 1e-3


def test_analysis_looks_both_ways(encoder):
    features = standardise(features_of(tune(5.0)))
    changed = features.clone()
    changed[:, 40:] = 0
    with torch.no_grad():
        before, after = encoder.network(features).tokens, encoder.network(changed).tokens
    assert (before[:, 3] - after[:, 3]).abs().max() > 1e-3


def test_a_frozen_network_keeps_its_batch_statistics(encoder):
    features = standardise(features_of(tune(3.0)))
    statistics = encoder.network.mel_stem.frames_norm.running_mean
    before = statistics.clone()
    encoder.network.requires_grad_(False)
    try:
        encoder.train()
        with torch.no_grad():
            encoder.network(features)
        assert torch.equal(statistics, before)
    finally:
        encoder.network.requires_grad_(True)
        encoder.eval()


def test_k_means_finds_the_middles_of_clusters():
    generator = torch.Generator().manual_seed(1)
    middles = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    points = (middles[:, None] + 0.1 * torch.randn(3, 50, 2, generator=generator)).flatten(0, 1)
    found = k_means(points, 8, generator)
    assert torch.cdist(middles, found).amin(1).max() < 0.2
    assert torch.cdist(points, found).amin(1).max() < 0.4


def test_each_book_tells_some_of_what_is_left():
    torch.manual_seed(0)
    frames = torch.randn(600, 20) @ torch.randn(20, 488)
    explained = [FrameCodec(16, books, 32).fit(frames, seed=0) for books in (1, 2, 4)]
    assert 0.1 < explained[0] < explained[1] < explained[2] <= 1
    codec = FrameCodec(16, 2, 32)
    codec.fit(frames, seed=0)
    codes = codec.encode(frames.view(6, 100, 488))
    assert codes.shape == (6, 100, 2) and int(codes.max()) < 32
    assert codec.decode(codes).shape == (6, 100, 488)


def test_features_can_be_turned_back_into_sound():
    samples = normalise_level(torch.from_numpy(tune(4.0))[None])
    features = extract_features(samples)[0]
    sound = to_sound(features)
    assert sound.shape == (4 * SAMPLE_RATE,)
    again = extract_features(torch.from_numpy(sound)[None])
    mel, heard = split_streams(features[None])[0].ravel(), split_streams(again)[0].ravel()
    assert np.corrcoef(mel, heard)[0, 1] > 0.95
    assert linear_magnitudes(features, 2_048).shape == (1_025, 200)


def test_levels_are_restored():
    features = features_of(tune(2.0))
    back = restore_level(standardise(features)[0], features[0])
    torch.testing.assert_close(back, features[0], atol=1e-5, rtol=0)


def test_writing_on_is_repeatable_and_made_of_codes(encoder):
    frames = standardise(features_of(tune(3.0)))[0]
    with torch.no_grad():
        first, same, other = (write_on(encoder, frames, 12, 1.0, seed) for seed in (1, 1, 2))
    assert torch.equal(first, same) and not torch.equal(first, other)
    assert first.shape == (12, 488)
    assert torch.isfinite(first).all()


def test_a_continuation_begins_with_the_end_of_the_recording(encoder):
    samples = tune(10.0)
    sound = continue_recording(encoder, samples, 1.0)
    n_known = 84 * HOP
    assert len(sound) == n_known + SAMPLE_RATE
    known, wanted = sound[: n_known - 2 * HOP], samples[-n_known : -2 * HOP]
    assert np.corrcoef(known, wanted)[0, 1] > 0.999
    with pytest.raises(AudioError, match="too short"):
        continue_recording(encoder, samples[:100], 1.0)
    with pytest.raises(ConfigError, match="60 seconds"):
        continue_recording(encoder, samples, 100.0)


@pytest.fixture
def song(tmp_path) -> Path:
    path = tmp_path / "song.wav"
    save_audio(Audio(tune(3.0), SAMPLE_RATE), path)
    return path


def test_the_command_tells_what_is_heard(song, tmp_path, capsys):
    assert main(["encode", str(song), "--out", str(tmp_path / "f.npy"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    frames = np.load(tmp_path / "f.npy")
    assert frames.shape == (told["frames"], told["width"])
    assert sum(told["posteriors"]["key"].values()) == pytest.approx(1, abs=0.01)
    assert len(told["over_time"]["chord"]) == 30
    assert main(["encode", str(song)]) == 0
    assert "key: " in capsys.readouterr().out


def test_the_command_continues_a_song(song, tmp_path, encoder, monkeypatch, capsys):
    from llark_py.audio import load_audio
    from llark_py.encoders import mini

    monkeypatch.setattr(mini, "load_embedded", lambda: encoder)
    out = tmp_path / "on.wav"
    assert main(["encode", "--continue", str(song), "--seconds", "0.5", "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    assert load_audio(out).duration_s == pytest.approx(3.5)


def test_an_encoder_without_a_codec_says_what_to_do():
    plain = build_encoder(encoder_config("mini", width=64, n_layers=1))
    with pytest.raises(CheckpointError, match="llark train mini"):
        continue_recording(plain.eval(), tune(1.0), 1.0)
