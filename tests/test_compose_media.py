"""Records, tape and codecs: they change the sound, and no time in it."""

import numpy as np
import pytest

from llark_py.compose import media
from llark_py.compose.clip import make_clip
from llark_py.compose.room import augment

RATE = 16_000
MEDIA = {
    "vinyl": media.vinyl,
    "tape": media.tape,
    "line": media.line,
    "comb": media.comb,
    "compress": media.compress,
    "mp3": lambda x, rng, rate: media.codec(x, "mp3", float(rng.uniform(0, 0.9)), rate),
    "ogg": lambda x, rng, rate: media.codec(x, "ogg", float(rng.uniform(0, 0.9)), rate),
}


@pytest.fixture(scope="module")
def music():
    samples = make_clip(3, 4.0, augment=False, sung=False)[1].samples
    return samples / samples.std()


def lag(first, second):
    """By how many samples the second is later than the first."""
    size = 4 * RATE * 4
    product = np.fft.irfft(np.fft.rfft(second, size) * np.conj(np.fft.rfft(first, size)), size)
    place = int(np.argmax(np.abs(product)))
    return place - size if place > size // 2 else place


@pytest.mark.parametrize("name", MEDIA)
@pytest.mark.parametrize("seed", range(3))
def test_media_keep_length_and_times(music, name, seed):
    sound = MEDIA[name](music, np.random.default_rng(seed), RATE)
    assert sound.shape == music.shape and np.isfinite(sound).all()
    # Wow and flutter move times by less than a millisecond; a comb may echo up to 4 ms later.
    most_s = {"comb": 0.004, "vinyl": 0.001, "tape": 0.0015}.get(name, 0.0)
    assert abs(lag(music, sound)) <= most_s * RATE
    assert not np.allclose(sound, music, atol=1e-3)
    again = MEDIA[name](music, np.random.default_rng(seed), RATE)
    np.testing.assert_array_equal(sound, again)


@pytest.mark.parametrize("name", ["mp3", "ogg"])
def test_codecs_lose_more_the_smaller_the_file(music, name):
    errors = [np.std(media.codec(music, name, loss, RATE) - music) for loss in (0.0, 0.9)]
    assert 0.001 < errors[0] < 0.6 * errors[1] and errors[1] < 1.0


@pytest.mark.parametrize("n", [1, 1_000, 40_001])
def test_codecs_take_any_length(n):
    sound = np.sin(np.arange(n, dtype=np.float32))
    for name in ("mp3", "ogg"):
        assert media.codec(sound, name, 0.5, RATE).shape == (n,)


def test_a_codec_takes_a_whole_song():
    """Written at once, four minutes end the process: the stack of the vorbis coder is small."""
    song = np.sin(np.arange(240 * RATE, dtype=np.float32) * 0.1)
    for name in ("mp3", "ogg"):
        assert np.corrcoef(media.codec(song, name, 0.2, RATE), song)[0, 1] > 0.95


def test_a_telephone_leaves_only_the_middle(music):
    sound = media.line(music, np.random.default_rng(0), RATE)
    power = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / RATE)
    assert power[(hz > 200) & (hz < 5_000)].sum() > 0.9 * power.sum()


def test_a_compressor_evens_loudness_out():
    loud = np.random.default_rng(0).standard_normal(4 * RATE)
    loud[: 2 * RATE] *= 0.1
    even = media.compress(loud, np.random.default_rng(1), RATE)
    ratio = loud[3 * RATE :].std() / loud[:RATE].std()
    assert even[3 * RATE :].std() / even[:RATE].std() < 0.8 * ratio


def test_what_a_clip_goes_through_is_drawn_from_its_seed(music):
    first, second = (augment(music, np.random.default_rng(5), RATE) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    for seed in range(30):
        sound = augment(music, np.random.default_rng(seed), RATE)
        assert np.isfinite(sound).all() and sound.shape == music.shape
        assert 0.29 < np.abs(sound).max() <= 1.0
