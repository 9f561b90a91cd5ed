"""Parts get other timbres; notes, times and levels stay."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import hilbert

from llark_py.compose.clip import make_clip
from llark_py.compose.recolour import recolour, render_recoloured
from llark_py.compose.render import render
from llark_py.compose.score import compose
from llark_py.training.recipe import load_recipe
from llark_py.training.shards import plan_shards

RATE = 16_000


def notes(seconds=2.0, hz=220.0):
    """Four notes with harmonics that die away."""
    times = np.arange(round(seconds * RATE)) / RATE
    fall = np.exp(-6 * (times % 0.5))
    tone = sum(np.sin(2 * np.pi * hz * k * times) / k for k in range(1, 12))
    return np.asarray(0.2 * tone * fall, np.float32)


def rms(samples):
    return float(np.sqrt(np.mean(np.square(samples))))


def spectrum_db(samples):
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    return 10 * np.log10(power[[round(220 * k * 2) for k in range(1, 12)]] + 1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_notes_stay_where_they_are_and_as_loud(seed):
    before = notes()
    after = recolour(before, np.random.default_rng(seed), RATE)
    assert after.dtype == np.float32 and after.shape == before.shape
    assert rms(after) == pytest.approx(rms(before), rel=1e-3)
    envelope = np.convolve(np.abs(hilbert(after)), np.ones(80) / 80, "same")
    rises = np.diff(envelope[:: RATE // 100])
    for start_s in (0.5, 1.0, 1.5):
        near = rises[round(100 * start_s) - 4 : round(100 * start_s) + 5]
        assert near.max() > 0.5 * rises.max()
    strongest = np.fft.rfftfreq(len(after), 1 / RATE)[np.abs(np.fft.rfft(after)).argmax()]
    assert abs(strongest / 220 - round(strongest / 220)) < 0.03  # a harmonic, moved by no vibrato


def test_timbres_differ_from_draw_to_draw_but_not_for_one_seed():
    before = notes()
    drawn = [recolour(before, np.random.default_rng(seed), RATE) for seed in range(12)]
    assert np.array_equal(drawn[0], recolour(before, np.random.default_rng(0), RATE))
    spectra = np.array([spectrum_db(samples) for samples in drawn])
    spectra -= spectra.mean(1, keepdims=True)
    assert np.median(np.abs(spectra - np.median(spectra, 0)).max(1)) > 4
    sung = [recolour(before, np.random.default_rng(seed), RATE, sung=True) for seed in range(12)]
    voices = np.array([spectrum_db(samples) for samples in sung])
    voices -= voices.mean(1, keepdims=True)
    assert voices.std(0).mean() < 0.7 * spectra.std(0).mean()


def test_silence_stays_silent():
    silence = np.zeros(1000, np.float32)
    assert np.array_equal(recolour(silence, np.random.default_rng(0), RATE), silence)


def test_every_part_of_a_score_is_recoloured_and_facts_stay():
    score = compose(11, 6.0)
    plain, other = render(score), render_recoloured(score)
    assert plain.samples.shape == other.samples.shape
    assert rms(plain.samples - other.samples) > 0.2 * rms(plain.samples)
    facts, audio = make_clip(11, 6.0, recoloured=True)
    same, again = make_clip(11, 6.0, recoloured=True)
    before, dry = make_clip(11, 6.0)
    assert facts == same == before
    assert np.array_equal(audio.samples, again.samples)
    assert not np.array_equal(audio.samples, dry.samples)


def test_only_training_clips_are_recoloured(tmp_path):
    recipe = load_recipe("mini", ["clips.recoloured=0.4"])
    shares = {
        job.path.name.split("_")[0]: job.recoloured for job in plan_shards(recipe.clips, tmp_path)
    }
    assert shares == {"train": 0.4, "dev": 0.0}
