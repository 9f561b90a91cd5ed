"""The separator's machinery: spectra, pieces, masks, checkpoints, judging its own work."""

import json

import numpy as np
import pytest
import torch

from llark_py.analysis import separator
from llark_py.analysis.separation_quality import Traces, estimate, trace
from llark_py.analysis.separator_checkpoint import (
    load_calibration,
    load_separator,
    save_calibration,
    save_separator,
)
from llark_py.analysis.separator_network import (
    HOP,
    N_BANDS,
    N_BINS,
    SAMPLE_RATE,
    STEMS,
    SeparatorConfig,
    SeparatorNetwork,
    pad_frames,
    sound,
    spectrum,
)
from llark_py.audio import Audio
from llark_py.errors import CheckpointError
from llark_py.training.separator_calibration import fit_coefficients

SMALL = SeparatorConfig(channels=(8, 8, 8, 8), mixed=8, query=8, head=8)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return SeparatorNetwork(SMALL).eval()


def tell(fraction, note):
    assert 0 <= fraction <= 1


def recording(seconds, channels=1, rate=SAMPLE_RATE):
    samples = np.random.default_rng(0).normal(0, 0.1, (channels, round(seconds * rate)))
    return Audio(samples.astype(np.float32), rate)


def test_a_spectrum_has_the_amplitude_of_sines_and_turns_back_into_sound():
    times = torch.arange(SAMPLE_RATE) / SAMPLE_RATE
    sine = 0.5 * torch.sin(2 * torch.pi * 1000 * times)
    bins = spectrum(torch.stack([sine, torch.randn(SAMPLE_RATE)]))
    assert bins.shape == (2, SAMPLE_RATE // HOP + 1, 2049)
    assert bins[0, 20].abs().max() == pytest.approx(0.5, rel=0.05)
    back = sound(bins, SAMPLE_RATE)
    torch.testing.assert_close(back[0], sine, atol=1e-5, rtol=0)
    alone = sound(spectrum(sine), SAMPLE_RATE)
    torch.testing.assert_close(alone, back[0], atol=1e-5, rtol=0)


def test_bands_cover_every_bin_once():
    assert N_BANDS == 80 and pytest.approx(16_000, rel=0.01) == N_BINS * SAMPLE_RATE / 4096


def test_masks_have_a_share_for_every_query_and_bin(network):
    mixture = pad_frames(spectrum(torch.randn(2, 40_000)).abs())
    with torch.inference_mode():
        encoded = network.encode(mixture)
        example = network.query_example(network.encode(mixture[:, :16]))
        queries = torch.cat([network.query_stems().expand(2, -1, -1), example[:, None]], 1)
        masks = network.decode(encoded, queries)
        alone = network.decode(network.encode(mixture[1:]), queries[1:, 2:3])
    assert masks.shape == (2, 5, 40, N_BINS) and masks.min() >= 0 and masks.max() <= 1
    # Neither other songs nor other questions change an answer.
    torch.testing.assert_close(masks[1:, 2:3], alone, atol=1e-4, rtol=0)


@pytest.mark.parametrize("n_samples", [1, 5_000, 262_144, 262_145, 3_000_000])
def test_pieces_fade_into_each_other_without_a_trace(n_samples):
    total = np.zeros(n_samples)
    for start, end in separator._pieces(n_samples):
        total[start:end] += separator._fade(start, end, n_samples)
    np.testing.assert_allclose(total, 1.0, atol=1e-6)


@pytest.mark.parametrize(("channels", "rate"), [(1, 44_100), (2, 44_100), (2, 48_000), (1, 16_000)])
def test_stems_have_the_shape_of_the_recording_and_add_up_to_it(network, channels, rate):
    audio = recording(2.3, channels, rate)
    stems = separator.separate_stems(audio, STEMS, tell, network)
    assert {s.samples.shape for s in stems.values()} == {audio.samples.shape}
    assert {s.sample_rate for s in stems.values()} == {rate}
    total = sum(s.samples for s in stems.values())
    # White noise has what no resampling keeps.
    least = 0.01 if rate == SAMPLE_RATE else 0.15
    assert np.square(total - audio.samples).sum() < least * np.square(audio.samples).sum()


def test_a_level_changes_nothing_but_the_level(network):
    audio = recording(2.0)
    quiet = Audio(audio.samples * 0.01, SAMPLE_RATE)
    loud, soft = (separator.separate_stems(a, STEMS, tell, network) for a in (audio, quiet))
    np.testing.assert_allclose(soft["bass"].samples * 100, loud["bass"].samples, atol=1e-4)


def test_many_pieces_give_what_one_gives(network, monkeypatch):
    audio = recording(6.0)
    whole = separator.separate_stems(audio, STEMS, tell, network)["other"].samples
    monkeypatch.setattr(separator, "_PIECE_FRAMES", 128)
    pieces = separator.separate_stems(audio, STEMS, tell, network)["other"].samples
    error = np.square(whole - pieces).sum() / np.square(whole).sum()
    assert error < 0.02


def test_a_checkpoint_holds_the_network_and_says_what_is_wrong_with_it(network, tmp_path):
    save_separator(network, tmp_path)
    load_separator.cache_clear()
    loaded = load_separator(tmp_path)
    bins = pad_frames(spectrum(torch.randn(1, 20_000)).abs())
    with torch.inference_mode():
        before, after = (n.decode(n.encode(bins), n.query_stems()[None]) for n in (network, loaded))
    assert (before - after).abs().max() < 0.05  # matrices are kept in bfloat16
    assert sorted(p.name for p in tmp_path.iterdir()) == ["config.json", "separator.safetensors"]
    (tmp_path / "config.json").write_text(json.dumps(SeparatorConfig().as_dict()))
    load_separator.cache_clear()
    with pytest.raises(CheckpointError, match="weights of another network"):
        load_separator(tmp_path)
    with pytest.raises(CheckpointError, match="llark train separator"):
        load_separator(tmp_path / "none")
    load_separator.cache_clear()


def test_a_calibration_is_whole_or_refused(tmp_path):
    load_calibration.cache_clear()
    save_calibration({"stems": [1.0] * 6, "like": [2.0] * 6}, tmp_path)
    assert load_calibration(tmp_path)["like"] == [2.0] * 6
    load_calibration.cache_clear()
    save_calibration({"stems": [1.0] * 5, "like": [2.0] * 6}, tmp_path)
    with pytest.raises(CheckpointError, match="must hold 6"):
        load_calibration(tmp_path)
    load_calibration.cache_clear()


def test_sounds_that_share_nothing_are_judged_better_than_those_that_share_everything():
    times = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    low, high = (np.sin(2 * np.pi * f * times).astype(np.float32) for f in (200, 2000))
    apart = trace([Audio(0.5 * low, SAMPLE_RATE), Audio(0.05 * high, SAMPLE_RATE)])
    together = trace([Audio(0.5 * low, SAMPLE_RATE), Audio(0.25 * low, SAMPLE_RATE)])
    assert apart[0].alone_db > 40 > 10 > together[0].alone_db > together[1].alone_db
    assert apart[1].level_db == pytest.approx(-20, abs=0.2)
    assert trace([Audio(low, SAMPLE_RATE), Audio(0 * low, SAMPLE_RATE)])[1].level_db == -60


def test_coefficients_are_found_again_and_probabilities_are_shares():
    rng = np.random.default_rng(0)
    alone, level = rng.uniform(-5, 25, 4000), rng.uniform(-30, 0, 4000)
    true = 0.5 * alone + 0.1 * level + 3 + rng.normal(0, 2, 4000)
    coefficients = fit_coefficients(list(zip(alone, level, true, strict=True)))
    assert coefficients[:3] == pytest.approx([0.5, 0.1, 3.0], abs=0.2)
    quality = [estimate(Traces(b, a), coefficients) for a, b in zip(alone, level, strict=True)]
    sure = np.array([q.confidence for q in quality])
    for low, high in ((0.1, 0.4), (0.4, 0.7), (0.7, 0.95)):
        chosen = (sure >= low) & (sure < high)
        assert (true[chosen] >= 5).mean() == pytest.approx(sure[chosen].mean(), abs=0.08)
    # With too few of either kind only the share is told.
    few = fit_coefficients([(1.0, -3.0, 9.0)] * 10)
    assert few[3:5] == [0.0, 0.0] and 0.5 < estimate(Traces(0, 0), few).confidence < 0.99
