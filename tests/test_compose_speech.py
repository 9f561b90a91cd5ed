"""Talk: like the singer's voice, but with the rhythm and the pitch of speech."""

from __future__ import annotations

import json

import numpy as np
import pytest

from llark_py import cli
from llark_py.compose.clip import make_clip
from llark_py.compose.lyrics import Sung, Syllable
from llark_py.compose.singer import SungNote, draw_singer, sing
from llark_py.compose.sounds import NOT_MUSIC, SOUNDS
from llark_py.compose.speech import talk

RATE = 16000


def modulation(samples):
    """How far the loudness moves at the rate of syllables, 3 to 8 Hz, against its mean."""
    hop = RATE // 100
    frames = samples[: len(samples) // hop * hop].reshape(-1, hop)
    envelope = np.sqrt(np.mean(frames**2, 1))
    power = np.abs(np.fft.rfft(envelope)) ** 2
    hz = np.fft.rfftfreq(len(envelope), 0.01)
    return np.sqrt(power[(hz > 3) & (hz < 8)].sum() / power[0])


@pytest.mark.parametrize("seed", range(4))
def test_talk_has_syllables_and_pauses(seed):
    samples = talk(8.0, np.random.default_rng(seed), RATE)
    assert samples.shape == (8 * RATE,) and np.isfinite(samples).all()
    loud = np.abs(samples).max()
    quiet = np.abs(samples[: len(samples) // 800 * 800].reshape(-1, 800)).max(1) < 0.01 * loud
    assert 0.05 < quiet.mean() < 0.6
    rng = np.random.default_rng(seed)
    held = [SungNote(0.1, 7.9, 55, 100, Sung(Syllable((), "AA", ()), "ah"))]
    assert modulation(samples) > 3 * modulation(sing(held, draw_singer(rng), 8.0, rng, RATE))


def test_the_same_seed_says_the_same():
    first, second = (talk(2.0, np.random.default_rng(5), RATE) for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, talk(2.0, np.random.default_rng(6), RATE))


def test_speech_is_a_sound_that_training_draws():
    assert "speech" in SOUNDS and "speech" in NOT_MUSIC
    track, audio = make_clip(0, 3.0, sound="speech")
    assert (track.sound, track.key, track.words) == ("speech", None, ())
    assert 0.05 < np.abs(audio.samples).max() < 1.0


def test_the_shell_makes_sounds_that_are_not_music(tmp_path, capsys):
    assert cli.main(["compose", str(tmp_path), "--sound", "speech", "--duration-s", "2"]) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "speech-000000.json",
        "speech-000000.wav",
    ]
    assert json.loads((tmp_path / "speech-000000.json").read_text())["sound"] == "speech"
    assert cli.main(["compose", str(tmp_path), "--sound", "rain"]) == 2
    assert "no sound 'rain'" in capsys.readouterr().err
    assert cli.main(["compose", str(tmp_path), "--sound", "noise", "--sung"]) == 2
    assert "no singer" in capsys.readouterr().err
