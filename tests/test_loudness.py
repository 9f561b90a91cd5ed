"""Loudness, peaks, balance and stereo image, on test signals whose answer is published or plain."""

from __future__ import annotations

import numpy as np
import pytest
from assistant_parts import noise as some_noise

from llark_py.analysis import loudness
from llark_py.audio import Audio
from llark_py.errors import ToolError
from llark_py.tools import Workspace, run_tool

RATE = 48_000


def steps(*parts, channels=2, rate=RATE):
    """Join 1 kHz sines of (level in dBFS, seconds), alike in all channels."""
    levels = np.concatenate([np.full(round(s * rate), 10 ** (db / 20)) for db, s in parts])
    wave = levels * np.sin(2 * np.pi * 1000 * np.arange(len(levels)) / rate)
    return Audio(np.tile(wave.astype(np.float32), (channels, 1)), rate)


def sine(hertz, seconds=1.0, amplitude=0.5, degrees=0.0, rate=RATE):
    """Make a mono sine that begins and ends softly."""
    t = np.arange(round(seconds * rate)) / rate
    soft = np.clip(np.minimum(t, t[-1] - t) / 0.05, 0, 1)
    wave = amplitude * soft * np.sin(2 * np.pi * hertz * t + np.radians(degrees))
    return Audio(wave.astype(np.float32), rate)


def noise(seconds=3.0, seed=0, rate=RATE):
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * rate)).astype(np.float32)


# EBU Tech 3341 (2016), table 1, cases 1 to 5: what a meter in EBU mode must show, to 0.1 LU.
@pytest.mark.parametrize(
    ("parts", "lufs"),
    [
        ([(-23, 20)], -23),
        ([(-33, 20)], -33),
        ([(-36, 10), (-23, 60), (-36, 10)], -23),
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23),
        ([(-26, 20), (-20, 20.1), (-26, 20)], -23),
    ],
)
def test_meter_passes_the_cases_of_the_ebu(parts, lufs):
    measured = loudness.measure_loudness(steps(*parts))
    assert measured.integrated_lufs == pytest.approx(lufs, abs=0.1)


def test_surround_counts_more_and_the_low_frequency_channel_not_at_all():
    gains = np.array([-28, -28, -24, -6, -30, -30])  # case 6, and a loud channel of effects
    wave = sine(1000, 20, amplitude=1.0).samples * 10 ** (gains[:, None] / 20)
    assert loudness.measure_loudness(Audio(wave, RATE)).integrated_lufs == pytest.approx(
        -23, abs=0.1
    )
    with pytest.raises(ToolError, match="not for 3; mix"):
        loudness.measure_loudness(Audio(wave[:3], RATE))


# EBU Tech 3342 (2016), table 1: the range must be right to 1 LU.
@pytest.mark.parametrize(
    ("levels", "range_lu"),
    [((-20, -30), 10), ((-20, -15), 5), ((-40, -20), 20), ((-50, -35, -20, -35, -50), 15)],
)
def test_loudness_range_passes_the_cases_of_the_ebu(levels, range_lu):
    measured = loudness.measure_loudness(steps(*[(level, 20) for level in levels]))
    assert measured.range_lu == pytest.approx(range_lu, abs=1.0)


# EBU Tech 3341, cases 15 to 19, tolerance +0.2 and -0.4 dB.
@pytest.mark.parametrize(
    ("divisor", "degrees", "amplitude", "dbtp"),
    [(4, 0, 0.5, -6), (4, 45, 0.5, -6), (6, 60, 0.5, -6), (8, 67.5, 0.5, -6), (4, 45, 1.41, 3)],
)
def test_true_peak_is_found_between_samples(divisor, degrees, amplitude, dbtp):
    peaks = loudness.measure_peaks(sine(RATE / divisor, 1, amplitude, degrees))
    assert dbtp - 0.4 <= peaks.true_peak_dbtp <= dbtp + 0.2
    if degrees == 45:
        assert peaks.peak_dbfs == pytest.approx(dbtp - 3, abs=0.1)


@pytest.mark.parametrize("rate", [8000, 96_000, 192_000])
def test_true_peak_is_never_below_the_sample_peak_at_any_rate(rate):
    peaks = loudness.measure_peaks(Audio(noise(0.5, rate=rate), rate))
    assert peaks.peak_dbfs <= peaks.true_peak_dbtp < peaks.peak_dbfs + 3


def test_pieces_of_a_long_recording_join_without_a_seam(monkeypatch):
    whole = loudness.measure_peaks(Audio(noise(), RATE))
    monkeypatch.setattr(loudness, "_SAMPLES_AT_ONCE", 10_007)
    assert loudness.measure_peaks(Audio(noise(), RATE)).true_peak_dbtp == pytest.approx(
        whole.true_peak_dbtp, abs=0.01
    )


def test_loudness_agrees_with_the_library_on_music_like_noise():
    from pyloudnorm import Meter

    swell = noise(8) * np.abs(np.sin(np.arange(8 * RATE) / RATE))
    stereo = np.stack([swell, 0.4 * np.roll(swell, 999)]).astype(np.float32)
    measured = loudness.measure_loudness(Audio(stereo, RATE)).integrated_lufs
    assert measured == pytest.approx(Meter(RATE, "DeMan").integrated_loudness(stereo.T), abs=0.02)


@pytest.mark.parametrize("rate", [11_025, 16_000, 22_050, 44_100, 96_000])
def test_loudness_does_not_depend_on_the_rate(rate):
    tone = loudness.measure_loudness(steps((-20, 4), rate=rate)).integrated_lufs
    assert tone == pytest.approx(-20, abs=0.1)
    dark = Audio(noise(4, rate=8000), 8000).resample(rate)
    reference = loudness.measure_loudness(dark.resample(RATE)).integrated_lufs
    assert loudness.measure_loudness(dark).integrated_lufs == pytest.approx(reference, abs=0.05)


def test_mono_is_one_loudspeaker_and_gain_is_gain():
    mono, stereo = (loudness.measure_loudness(steps((-23, 5), channels=n)) for n in (1, 2))
    assert stereo.integrated_lufs - mono.integrated_lufs == pytest.approx(3.01, abs=0.01)
    quieter = loudness.measure_loudness(steps((-30, 5)))
    assert stereo.integrated_lufs - quieter.integrated_lufs == pytest.approx(7, abs=0.01)


def test_the_curve_has_a_value_a_second_and_short_recordings_none():
    measured = loudness.measure_loudness(steps((-20, 5), (-40, 5)))
    assert len(measured.short_term_lufs) == 8
    assert measured.short_term_lufs[0] == pytest.approx(-20, abs=0.1)
    assert measured.short_term_lufs[-1] == pytest.approx(-40, abs=0.1)
    short = loudness.measure_loudness(steps((-20, 0.4)))
    assert short.short_term_lufs == () and short.range_lu is None
    assert short.integrated_lufs == pytest.approx(-20, abs=0.1)


def test_silence_between_sounds_is_gated_and_shown_as_the_gate():
    measured = loudness.measure_loudness(steps((-23, 5), (-400, 10), (-23, 5)))
    assert measured.integrated_lufs == pytest.approx(-23, abs=0.5)
    assert min(measured.short_term_lufs) == loudness.GATE_LUFS


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (Audio(np.zeros(RATE, np.float32), RATE), "is silent"),
        (steps((-20, 0.39)), "shorter than 0.4 seconds"),
        (steps((-79, 2), channels=1), "nothing in it reaches -70 LUFS"),
    ],
)
def test_what_has_no_loudness_is_refused(audio, message):
    with pytest.raises(ToolError, match=message):
        loudness.measure_loudness(audio)


def test_crest_factors_of_plain_waves():
    assert loudness.measure_peaks(steps((-6, 1))).crest_factor_db == pytest.approx(3.01, abs=0.01)
    square = np.sign(steps((-6, 1)).samples + 1e-9) * 0.5
    assert loudness.measure_peaks(Audio(square, RATE)).crest_factor_db == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(
    ("hertz", "band"), [(100, "bass_share"), (1000, "mid_share"), (8000, "treble_share")]
)
def test_the_energy_of_a_sine_lies_in_its_band(hertz, band):
    balance = loudness.measure_balance(sine(hertz, 2))
    assert getattr(balance, band) > 0.99
    assert balance.centroid_hz == pytest.approx(hertz, rel=0.25)


def test_balance_of_white_noise_is_that_of_the_widths_of_the_bands():
    balance = loudness.measure_balance(Audio(noise(), RATE))
    assert balance.bass_share == pytest.approx(230 / 24_000, abs=0.002)
    assert balance.treble_share == pytest.approx(20 / 24, abs=0.01)
    assert balance.bass_share + balance.mid_share + balance.treble_share == pytest.approx(1)
    assert balance.centroid_hz == pytest.approx(12_000, rel=0.02)


def test_channels_that_cancel_each_other_have_a_balance_too():
    wave = sine(1000, 1).samples
    assert loudness.measure_balance(Audio(np.stack([wave, -wave]), RATE)).mid_share > 0.99


@pytest.mark.parametrize(
    ("right", "width", "correlation"),
    [
        (noise(), 0.0, 1.0),
        (-noise(), 1.0, -1.0),
        (noise(seed=1), 0.5, 0.0),
        (0.5 * noise(), 0.1, 1.0),
        (0.0 * noise(), 0.5, 0.0),
    ],
)
def test_stereo_images_of_known_pairs(right, width, correlation):
    image = loudness.measure_stereo(Audio(np.stack([noise(), right]), RATE))
    assert image.width_share == pytest.approx(width, abs=0.01)
    assert image.correlation == pytest.approx(correlation, abs=0.01)


def test_mono_has_no_width():
    image = loudness.measure_stereo(Audio(noise(), RATE))
    assert (image.width_share, image.correlation) == (0.0, 1.0)


def test_the_tool_tells_what_was_measured():
    reported = []
    workspace = Workspace(report=lambda fraction, note: reported.append(fraction))
    result = run_tool("measure_loudness", {}, {"audio_1": steps((-23, 4))}, workspace)
    assert result.content == {
        "loudness_lufs": -23.0, "loudness_range_lu": 0.0, "true_peak_dbtp": -23.0,
        "crest_factor_db": 3.0, "bass_percent": 0, "treble_percent": 0, "stereo_width_percent": 0,
    }  # fmt: skip
    details = result.details
    assert (details["peak_dbfs"], details["mid_percent"]) == (-23.0, 100)
    assert details["spectral_centroid_hz"] == pytest.approx(1000, abs=60)
    assert details["stereo_correlation"] == 1.0
    assert result.details["short_term_lufs"] == [-23.0, -23.0]
    assert reported == sorted(reported)


def test_the_tool_measures_any_sound_at_any_rate():
    content = run_tool("measure_loudness", {}, {"audio_1": some_noise(0.5)}, Workspace()).content
    assert -40 < content["loudness_lufs"] < -10 and content["loudness_range_lu"] is None
