"""Sounds that are not music: heard, finite, in range, and the same for the same seed."""

import numpy as np
import pytest

from llark_py.compose import textures
from llark_py.compose.sounds import NOT_MUSIC, SOUNDS, make_sound
from llark_py.compose.speech import conversation

RATE = 16_000


@pytest.mark.parametrize("name", textures.NATURE + textures.MACHINES)
@pytest.mark.parametrize("seconds", [0.5, 5.0])
def test_every_texture_sounds(name, seconds):
    n = round(seconds * RATE)
    for seed in range(6):
        sound = getattr(textures, f"_{name}")(n, np.random.default_rng(seed), RATE)
        assert sound.shape == (n,) and np.isfinite(sound).all()
        if seconds > 1:
            assert np.std(sound) > 1e-4


@pytest.mark.parametrize("kind", SOUNDS)
def test_every_kind_of_sound_is_in_range_and_reproducible(kind):
    for seed in range(12):
        sound = make_sound(kind, 3.0, np.random.default_rng(seed), RATE)
        assert sound.shape == (3 * RATE,) and sound.dtype == np.float32
        assert np.isfinite(sound).all()
        peak = np.abs(sound).max()
        assert peak < 10 ** (-66 / 20) if kind == "silence" else 0.09 < peak < 0.96
        again = make_sound(kind, 3.0, np.random.default_rng(seed), RATE)
        np.testing.assert_array_equal(sound, again)


def test_kinds_are_few_and_the_first_three_keep_their_order():
    # Encoders number them; the embedded one knows only these.
    assert NOT_MUSIC[:3] == ("silence", "noise", "tone")
    assert "speech" in NOT_MUSIC and "music" not in SOUNDS and len(NOT_MUSIC) <= 6


def test_applause_is_many_short_strokes():
    sound = textures.applause(2 * RATE, np.random.default_rng(0), RATE)
    power = np.square(sound[: len(sound) // 80 * 80].reshape(-1, 80)).mean(1)
    assert sound.shape == (2 * RATE,) and power.std() > 0.3 * power.mean()


def test_people_talk_in_several_ways():
    talks = [conversation(2.0, np.random.default_rng(seed), RATE) for seed in range(12)]
    assert all(t.shape == (2 * RATE,) and np.isfinite(t).all() and t.std() > 0 for t in talks)
    # The telephone has nothing above 5 kHz, where an open voice has breath and sibilants.
    hz = np.fft.rfftfreq(2 * RATE, 1 / RATE)
    high = [(np.abs(np.fft.rfft(t))[hz > 6_000] ** 2).sum() / np.sum(t**2) for t in talks]
    assert max(high) > 10 * min(high)
