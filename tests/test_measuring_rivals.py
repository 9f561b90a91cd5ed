"""Separation scores, and the rivals that tools are set beside, on signals with known answers."""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
import pytest

from llark_py.audio import Audio
from llark_py.benchmarks.measuring.classical import hpss_stems, repet_sim_stems
from llark_py.benchmarks.measuring.facts import section_facts
from llark_py.benchmarks.measuring.music import SAMPLE_RATE, best_example
from llark_py.benchmarks.measuring.rivals import (
    band_onsets,
    laplacian_sections,
    librosa_beats,
    librosa_chords,
)
from llark_py.benchmarks.measuring.separation import separation_scores
from llark_py.compose.clip import make_song

# --- separation ---------------------------------------------------------------------------------


def noise(seed, seconds=1.0):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.1, round(seconds * SAMPLE_RATE)).astype(np.float32)


def test_sdr_is_that_of_mir_eval():
    import mir_eval

    truth, other = np.stack([noise(0, 0.4), noise(1, 0.4)]).astype(float)
    found = np.convolve(truth, [0.8, 0.3, -0.1])[: len(truth)] + 0.2 * other
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a function that will go
        sdr, *_ = mir_eval.separation.bss_eval_sources(
            np.stack([truth, other]), np.stack([found, other]), compute_permutation=False
        )
    scores = separation_scores(truth, found)
    assert scores["sdr"] == pytest.approx(sdr[0], abs=0.02)
    assert scores["si_sdr"] < scores["sdr"] - 3


def test_si_sdr_has_its_closed_form_and_ignores_gain():
    truth, error = noise(2), noise(3)
    error -= truth * (truth @ error) / (truth @ truth)
    for gain in (1.0, 0.01):
        found = gain * (truth + 0.1 * error)
        expected = 20 + 10 * np.log10((truth @ truth) / (error @ error))
        assert separation_scores(truth, found)["si_sdr"] == pytest.approx(expected, abs=0.01)


def test_classical_methods_find_what_they_are_made_for():
    t = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    tone = (0.3 * np.sin(2 * np.pi * 440 * t) + 0.3 * np.sin(2 * np.pi * 80 * t)).astype(np.float32)
    clicks = np.zeros_like(tone)
    for start in range(2000, len(clicks) - 300, SAMPLE_RATE // 2):
        clicks[start : start + 200] = 3 * noise(start)[:200]
    found = hpss_stems(tone + clicks, SAMPLE_RATE)
    assert separation_scores(clicks, found["drums"])["sdr"] > 5
    assert separation_scores(clicks, tone + clicks)["sdr"] < 0
    low = (0.3 * np.sin(2 * np.pi * 80 * t)).astype(np.float32)
    assert separation_scores(low, found["bass"])["si_sdr"] > 10
    parts = repet_sim_stems(np.tile(noise(1, 0.25), 12), SAMPLE_RATE)
    assert np.mean(parts["other"] ** 2) > 10 * np.mean(parts["vocals"] ** 2)


def test_the_loudest_seconds_are_the_example():
    part = np.zeros(10 * SAMPLE_RATE, np.float32)
    part[4 * SAMPLE_RATE : 6 * SAMPLE_RATE] = noise(0, 2.0)
    assert best_example(part, 2.0) == pytest.approx((4.0, 6.0), abs=0.1)


# --- rivals -------------------------------------------------------------------------------------


def test_rivals_measure_signals_of_which_the_answer_is_known():
    rate = 22_050
    t = np.arange(12 * rate) / rate
    clicks = (np.sin(2 * np.pi * 1000 * t) * np.exp(-40 * (t % 0.5))).astype(np.float32)
    beats, downbeats = librosa_beats(Audio(clicks, rate))
    assert np.median(np.diff(beats)) == pytest.approx(0.5, abs=0.03)
    assert np.median(np.diff(downbeats)) == pytest.approx(2.0, abs=0.1)
    triads = {6: (261.6, 329.6, 392.0), 12: (220.0, 261.6, 329.6)}
    chord = sum(
        np.sin(2 * np.pi * f * t) * ((t >= end - 6) & (t < end))
        for end, tones in triads.items()
        for f in tones
    )
    said = librosa_chords(Audio((0.2 * chord).astype(np.float32), rate))
    assert [label for a, b, label in said if b - a > 1] == ["C:maj", "A:min"]
    hits = band_onsets(Audio(clicks, rate))
    assert sum(piece == "snare" for _, piece in hits) >= 18


def test_laplacian_segmentation_divides_all_of_a_song():
    track, audio = make_song(5, 60.0, "synth")
    sections = laplacian_sections(audio)
    assert sections[0][0] < 1.0 and sections[-1][1] == pytest.approx(audio.duration_s, abs=0.1)
    assert all(a[1] == b[0] for a, b in pairwise(sections))
    assert section_facts(track)
