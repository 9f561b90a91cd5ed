"""Stems of composed music by the embedded separator, and of anything by Demucs."""

from functools import cache

import numpy as np
import pytest
import torch

from llark_py.analysis import demucs_separator, stems
from llark_py.analysis.demucs_separator import SETTING
from llark_py.analysis.separator_checkpoint import EMBEDDED
from llark_py.analysis.stems import (
    STEMS,
    find_like,
    separate,
    sounding_stems,
    take_apart,
    without,
)
from llark_py.audio import Audio
from llark_py.compose.clip import make_stems
from llark_py.errors import CheckpointError, MissingExtraError, ToolError, UnknownNameError
from llark_py.training.separator_calibration import snr_db
from llark_py.training.stem_clips import stem_of

RATE = 44_100
BAND = 26
"""Seed of a clip with a singer, drums, a synth bass and a harp."""
LIKE = "harp"
LEAST_GAIN_DB = {"vocals": 4.0, "drums": 4.0, "bass": 4.0, "other": 4.0}
LEAST_LIKE_DB = 4.0


def tell(fraction, note):
    assert 0 <= fraction <= 1


@cache
def composed(seed, seconds=8.0, sung=True):
    """Give true stems `(4, n_samples)` of a band with a singer, and instruments by name."""
    parts = {
        n: a.samples for n, a in make_stems(seed, seconds, sung=sung, sample_rate=RATE).items()
    }
    true = {stem: np.zeros_like(next(iter(parts.values()))) for stem in STEMS}
    for name, samples in parts.items():
        true[stem_of(name)] += samples
    return true, parts


def mixture(true):
    return Audio(np.sum(list(true.values()), axis=0), RATE)


def test_the_embedded_separator_is_small():
    assert sum(f.stat().st_size for f in EMBEDDED.iterdir()) < 10e6


def test_stems_come_out_of_a_composed_mix_and_add_up_to_it():
    true, _ = composed(BAND)
    audio = mixture(true)
    found = take_apart(audio, tell)
    total = sum(s.samples for s in found.sounds.values())
    np.testing.assert_allclose(total, audio.samples, atol=1e-4)
    for stem in STEMS:
        gain = snr_db(true[stem], found.sounds[stem].samples) - snr_db(true[stem], audio.samples)
        assert gain > LEAST_GAIN_DB[stem], stem
    levels = {s: 10 * np.log10(np.square(true[s]).sum()) for s in STEMS}
    whole = 10 * np.log10(np.square(audio.samples).sum())
    for stem, level in found.levels_db.items():
        assert level == pytest.approx(levels[stem] - whole, abs=4)
    assert 0.0 < found.confidence < 1.0
    rest = without(audio, found.sounds["drums"])
    np.testing.assert_allclose(
        rest.samples + found.sounds["drums"].samples, audio.samples, atol=1e-6
    )


def test_what_sounds_like_an_example_is_found():
    true, parts = composed(BAND)
    audio = mixture(true)
    name = LIKE
    example = Audio(parts[name], RATE)
    found = find_like(audio, example, 0.0, 4.0)
    gain = snr_db(parts[name], found.sound.samples) - snr_db(parts[name], audio.samples)
    assert gain > LEAST_LIKE_DB
    np.testing.assert_allclose(found.sound.samples + found.rest.samples, audio.samples, atol=1e-6)


def test_stems_that_the_encoder_does_not_hear_are_silent():
    true, _ = composed(BAND)
    drums = Audio(true["drums"], RATE)
    assert sounding_stems(drums) == ["drums"]
    found = separate(drums)
    np.testing.assert_allclose(found["drums"].samples, drums.samples, atol=1e-4)
    assert all(not found[s].samples.any() for s in ("vocals", "bass", "other"))
    short = Audio(true["drums"][:RATE], RATE)  # too short to be heard
    assert sounding_stems(short) == list(STEMS)


def test_what_cannot_be_separated_is_told():
    with pytest.raises(ToolError, match="silent"):
        separate(Audio(np.zeros(RATE, np.float32), RATE))
    with pytest.raises(ToolError, match=r"shorter than 0\.5"):
        separate(Audio(np.ones(RATE // 4, np.float32), RATE))
    with pytest.raises(UnknownNameError, match="Did you mean 'drums'"):
        separate(Audio(np.ones(RATE, np.float32), RATE), ["drumz"])
    ones = Audio(np.ones(RATE, np.float32), RATE)
    for span in ((0.5, 0.2), (-1.0, 0.5), (3.0, 4.0), (0.0, float("nan"))):
        with pytest.raises(ToolError, match="no span"):
            find_like(ones, ones, *span)
    with pytest.raises(ToolError, match=r"shorter than 0\.5"):
        find_like(ones, ones, 0.0, 0.1)


@pytest.fixture
def demucs_file(tmp_path, monkeypatch):
    """Save a tiny Demucs as its package saves trained ones, and let the setting name it."""
    from demucs.htdemucs import HTDemucs

    torch.manual_seed(0)
    settings = {
        "sources": ["drums", "bass", "guitar", "other", "vocals"],
        "channels": 8,
        "t_layers": 1,
        "segment": 2,
    }
    network = HTDemucs(**settings)
    package = {"klass": HTDemucs, "args": (), "kwargs": settings, "state": network.state_dict()}
    torch.save(package, tmp_path / "tiny.th")
    monkeypatch.setenv(SETTING, str(tmp_path / "tiny.th"))
    return network.eval()


def test_demucs_separates_where_a_checkpoint_is_named(demucs_file):
    from demucs.apply import apply_model

    samples = np.random.default_rng(0).normal(0, 0.1, (2, RATE)).astype(np.float32)
    found = separate(Audio(samples, RATE))
    assert list(found) == list(STEMS)
    mean, scale = samples.mean(), samples.std() + 1e-8
    with torch.inference_mode():
        whole = torch.from_numpy((samples - mean) / scale)[None]
        expected = apply_model(demucs_file, whole, shifts=0)[0].numpy() * scale + mean
    np.testing.assert_allclose(found["bass"].samples, expected[1], atol=1e-4)
    np.testing.assert_allclose(found["other"].samples, expected[2] + expected[3], atol=1e-4)
    mono = separate(Audio(samples[0][: RATE // 2], 22_050), ["vocals"])["vocals"]
    assert mono.samples.shape == (RATE // 2,) and mono.sample_rate == 22_050


def test_demucs_that_cannot_be_loaded_says_why(tmp_path, monkeypatch):
    audio = Audio(np.ones(RATE, np.float32), RATE)
    (tmp_path / "broken.th").write_bytes(b"nothing")
    monkeypatch.setenv(SETTING, str(tmp_path / "broken.th"))
    with pytest.raises(CheckpointError, match=r"broken.th' \(LLARK_SEPARATOR\)"):
        separate(audio)
    monkeypatch.setenv(SETTING, "htdemuks")
    monkeypatch.setitem(__import__("sys").modules, "demucs.pretrained", None)
    demucs_separator._load.cache_clear()
    with pytest.raises(MissingExtraError, match="pip install demucs"):
        separate(audio)


def test_the_embedded_separator_needs_no_demucs(monkeypatch):
    monkeypatch.delenv(SETTING, raising=False)
    monkeypatch.setattr(stems, "separate_with_demucs", None)
    assert set(separate(Audio(np.ones(RATE, np.float32) * 0.1, RATE))) == set(STEMS)
