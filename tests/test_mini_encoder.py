"""The embedded encoder: features, periodicities, windows, tokens."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from llark_py import embedded
from llark_py.encoders import build_encoder, encoder_config
from llark_py.encoders.mini import MiniEncoder, blur, load_embedded, weigh
from llark_py.encoders.mini_features import (
    FEATURE_WIDTH,
    HOP,
    LOWEST_MIDI,
    SAMPLE_RATE,
    extract_features,
    normalise_level,
    split_streams,
    standardise,
)
from llark_py.encoders.mini_periodicity import periodicities
from llark_py.errors import AudioError, CheckpointError

SMALL = {"width": 64, "n_layers": 1}


@pytest.fixture(scope="module")
def encoder() -> MiniEncoder:
    torch.manual_seed(0)
    built = build_encoder(encoder_config("mini", **SMALL))
    assert isinstance(built, MiniEncoder)
    return built.eval()


def noise(seconds: float, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(int(seconds * SAMPLE_RATE), generator=generator) * 0.1


@pytest.mark.parametrize("midi", [36, 45, 57, 60, 69, 81, 93])
def test_pitch_stream_peaks_at_the_pitch_of_a_sine(midi):
    times = torch.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    sine = torch.sin(2 * torch.pi * 440 * 2 ** ((midi - 69) / 12) * times)[None]
    _, pitch = split_streams(extract_features(normalise_level(sine)))
    assert LOWEST_MIDI + int(pitch[0, 10].argmax()) / 2 == midi


def test_features_do_not_depend_on_the_level():
    quiet = noise(3)[None]
    features = [extract_features(normalise_level(quiet * gain)) for gain in (0.1, 1.0, 5.0)]
    for other in features[1:]:
        torch.testing.assert_close(other, features[0], atol=1e-3, rtol=0)


def test_silence_is_not_blown_up():
    hiss = noise(2)[None] * 1e-6
    assert normalise_level(hiss).abs().max() < 1e-2
    assert torch.isfinite(standardise(extract_features(normalise_level(hiss * 0)))).all()


@pytest.mark.parametrize("bpm", [60.0, 92.0, 120.0, 174.0])
def test_tempogram_is_strongest_at_the_tempo_of_a_click_track(bpm):
    clicks = torch.zeros(8 * SAMPLE_RATE)
    for beat in np.arange(0, 8, 60 / bpm):
        start = int(beat * SAMPLE_RATE)
        clicks[start : start + 400] = noise(1)[: len(clicks[start : start + 400])] * 5
    mel, pitch = split_streams(standardise(extract_features(normalise_level(clicks[None]))))
    bins = torch.tensor(encoder_config("mini").tempo_bins_bpm, dtype=torch.float32)
    rows, _ = periodicities(mel, pitch, 60 / bins)
    at_the_beat = rows[0].view(4, 5, -1)[:, 1].mean(0)  # multiple 1 of every band
    near = (bins / bpm - 1).abs() < 0.04
    # A beat of 32.6 columns falls between two, its double does not: hence a tenth of slack.
    assert at_the_beat[near].max() >= 0.9 * at_the_beat.max()


@pytest.mark.parametrize("seconds", [0.05, 0.1, 1.23, 5.0, 8.4, 9.0, 30.0])
def test_tokens_are_as_many_as_the_config_says(encoder, seconds):
    waveform = noise(seconds)
    with torch.no_grad():
        tokens = encoder(waveform[None])
    assert tokens.shape[1] == encoder.config.num_frames(len(waveform))
    assert tokens.shape[1] == int(encoder.frame_lengths(waveform[None])[0])


def test_batch_of_unequal_lengths_equals_one_by_one(encoder):
    waveforms = [noise(2.0, 1), noise(11.0, 2), noise(5.5, 3)]
    padded = torch.nn.utils.rnn.pad_sequence(waveforms, batch_first=True)
    mask = torch.arange(padded.shape[1])[None] < torch.tensor([[len(w)] for w in waveforms])
    with torch.no_grad():
        together, alone = encoder(padded, mask), [encoder(w[None])[0] for w in waveforms]
    for row, single in zip(together, alone, strict=True):
        torch.testing.assert_close(row[: len(single)], single, atol=1e-5, rtol=1e-4)
        assert not row[len(single) :].any()


def test_features_and_waveform_of_one_window_agree(encoder):
    waveform = noise(8.0)[None]
    features = extract_features(normalise_level(waveform))
    with torch.no_grad():
        torch.testing.assert_close(encoder(features), encoder(waveform), atol=1e-5, rtol=1e-4)


def test_training_blurs_what_is_heard_but_keeps_the_greater_share(encoder):
    torch.manual_seed(0)
    sure = encoder.hear(extract_features(torch.stack([noise(2.0, seed) for seed in range(40)])))
    sure.posteriors["style"] = torch.eye(40)
    unsure = blur(sure)
    own = unsure.posteriors["style"].diagonal()
    assert unsure.posteriors["style"].argmax(-1).tolist() == list(range(40))
    assert own.min() < 0.7 and own.max() > 0.95
    silent = (unsure.tokens == 0).flatten(1).all(-1)
    assert 8 <= silent.sum() <= 24
    assert torch.equal(unsure.tokens[~silent], sure.tokens[~silent])


def test_half_of_the_weight_is_the_verdict():
    unsure = torch.tensor([[0.3, 0.45, 0.25]])
    torch.testing.assert_close(weigh("style", unsure), torch.tensor([[0.15, 0.725, 0.125]]))
    several = torch.tensor([[0.9, 0.41, 0.1]])
    torch.testing.assert_close(weigh("families", several), torch.tensor([[0.95, 0.705, 0.05]]))


def test_only_a_window_in_training_is_blurred(encoder):
    features = extract_features(torch.stack([noise(2.0), noise(2.0, 1)]))
    clear = encoder(features)
    try:
        assert not torch.equal(encoder.train()(features), clear)
    finally:
        encoder.eval()
    assert torch.equal(encoder(features), clear)


def test_a_long_song_costs_no_more_tokens_than_a_window(encoder):
    config = encoder.config
    assert config.num_frames(180 * SAMPLE_RATE) == config.num_frames(config.window_frames * HOP)


def test_analysis_gives_probabilities_for_every_label(encoder):
    heard = encoder.analyse(noise(20.0).numpy())
    for head, names in encoder.config.labels.items():
        assert heard[head].shape == (len(names),)
        assert ((heard[head] >= 0) & (heard[head] <= 1)).all()
    assert heard["key"].sum() == pytest.approx(1, abs=1e-4)
    assert heard["chord_frames"].shape == (200, 25) and heard["beat_frames"].shape == (200, 3)


def test_features_of_another_shape_are_refused(encoder):
    with pytest.raises(AudioError, match="up to 84"):
        encoder(torch.zeros(1, 85, FEATURE_WIDTH))
    with pytest.raises(AudioError, match="no samples"):
        encoder.analyse(np.zeros(0, np.float32))


def test_encoder_survives_saving(encoder, tmp_path):
    encoder.save_pretrained(tmp_path)
    loaded = MiniEncoder.from_pretrained(tmp_path).eval()
    saved = encoder.state_dict()
    assert all(torch.equal(value, saved[name]) for name, value in loaded.state_dict().items())
    with torch.no_grad():
        torch.testing.assert_close(loaded(noise(3)[None]), encoder(noise(3)[None]))


def test_missing_embedded_model_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(embedded, "FOLDER", tmp_path)
    load_embedded.cache_clear()
    with pytest.raises(CheckpointError, match="llark train mini"):
        load_embedded()
    load_embedded.cache_clear()


def test_tools_listen_with_the_encoder_they_are_lent(encoder):
    from llark_py.analysis.listening import hearing_with, listen
    from llark_py.audio import Audio

    audio = Audio(noise(4.0).numpy(), SAMPLE_RATE)
    torch.manual_seed(1)
    other = build_encoder(encoder_config("mini", **SMALL)).eval()
    with hearing_with(encoder):
        first = listen(audio)
        with hearing_with(other):
            assert not np.allclose(listen(audio).key, first.key)
        assert np.allclose(listen(audio).key, first.key)
        assert np.allclose(first.key, encoder.analyse(audio.samples)["key"])


def test_thresholds_are_those_of_the_config_or_one_for_all():
    config = encoder_config("mini", families=["piano", "bass"], instruments=["piano"] * 3)
    assert config.present_from("instruments").tolist() == [0.4] * 3
    config.thresholds = {"families": [0.2, 0.5]}
    assert config.present_from("families").tolist() == [0.2, 0.5]
