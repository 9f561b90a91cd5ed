"""Gravis patches become a soundfont that plays their pitches, loops and strokes."""

import numpy as np
import pytest

from llark_py.compose import patches, render, soundfonts
from llark_py.compose.patches import patch_programs, read_patch, soundfont_of_patches
from llark_py.compose.score import compose
from llark_py.errors import ConfigError

RATE = 22_050
PERIOD = 50  # 441 Hz
A4_MILLIHERTZ = RATE / PERIOD * 1000
LOOPS_16_BIT = 1 | 4
ONE_STROKE_16_BIT = 1


def write_patch(path, samples, modes=LOOPS_16_BIT, loop=(1_000, 2_000)):
    """A patch file with one recording of A4 for every key."""
    data = samples.tobytes()
    sample = patches._SAMPLE.pack(
        b"wave", 0, len(data), loop[0] * 2, loop[1] * 2, RATE, 8_000, 12_000_000,
        round(A4_MILLIHERTZ), 0, 7, b"\x3f" * 6, b"\xf6" * 3 + b"\0" * 3, b"\0" * 6, modes,
        60, 1024, b"",
    )  # fmt: skip
    size = len(sample) + len(data)
    header = patches._HEADER.pack(
        b"GF1PATCH110\0", b"ID#000002\0", b"", 1, 14, 0, 1, 127, size, b"",
        b"", b"wave", size, 1, b"", 0, 0, size, 1, b"",
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header + sample + data)


def sine(n):
    return (np.sin(2 * np.pi * np.arange(n) / PERIOD) * 12_000).astype("<i2")


@pytest.fixture
def folder(tmp_path):
    write_patch(tmp_path / "Tone_000" / "000_Piano.pat", sine(2_000))
    write_patch(tmp_path / "Drum_000" / "038_Snare.pat", sine(2_000), ONE_STROKE_16_BIT)
    return tmp_path


def play(folder, bank, program, pitch, seconds=0.5):
    import tinysoundfont

    synth = tinysoundfont.Synth(samplerate=RATE)
    loaded = synth.sfload(soundfont_of_patches(folder))
    synth.program_select(0, loaded, bank, program, bank == 128)
    synth.noteon(0, pitch, 100)
    return np.frombuffer(synth.generate_simple(round(seconds * RATE)), np.float32)[::2]


@pytest.mark.parametrize("pitch", [57, 69, 76])
def test_a_looped_recording_sounds_on_at_every_pitch(folder, pitch):
    sound = play(folder, 0, 0, pitch)
    late = sound[-8_192:]
    assert np.abs(late).max() > 0.02
    hz = np.abs(np.fft.rfft(late * np.hanning(len(late)), 65_536)).argmax() * RATE / 65_536
    assert hz == pytest.approx(A4_MILLIHERTZ / 1000 * 2 ** ((pitch - 69) / 12), rel=0.01)


def test_a_drum_sounds_once_and_as_it_was_recorded(folder):
    sound = play(folder, 128, 0, 38)
    assert np.abs(sound[500:1_500]).max() > 0.02
    assert np.abs(sound[4_000:]).max() < 1e-3
    hz = np.abs(np.fft.rfft(sound[:2_000] * np.hanning(2_000), 65_536)).argmax() * RATE / 65_536
    assert hz == pytest.approx(A4_MILLIHERTZ / 1000, rel=0.02)


def test_a_loop_that_goes_back_and_forth_is_written_out(tmp_path):
    path = tmp_path / "000_Piano.pat"
    write_patch(path, np.arange(2_000).astype("<i2"), LOOPS_16_BIT | 8)
    (sample,) = read_patch(path)
    assert sample.loop == (1_000, 3_000)
    np.testing.assert_array_equal(sample.samples[2_000:], np.arange(1_000, 2_000)[::-1])


def test_unsigned_bytes_are_centred(tmp_path):
    path = tmp_path / "000_Piano.pat"
    write_patch(path, np.array([0, 128, 255, 128] * 500, np.uint8), 2, (0, 0))
    (sample,) = read_patch(path)
    assert list(sample.samples[:4]) == [-32_768, 0, 32_512, 0]


def test_what_is_no_patch_is_said_so(tmp_path):
    bad = tmp_path / "bad.pat"
    bad.write_bytes(b"RIFF" + b"\0" * 400)
    with pytest.raises(ConfigError, match="not a Gravis"):
        read_patch(bad)
    bad.write_bytes(b"GF1")
    with pytest.raises(ConfigError, match="cut short"):
        read_patch(bad)
    with pytest.raises(ConfigError, match="no patches"):
        soundfont_of_patches(tmp_path)


def test_parts_without_a_program_go_to_another_soundfont(folder, monkeypatch):
    assert patch_programs(folder) == {0}
    monkeypatch.setitem(soundfonts._INSTALLED, "freepats", (str(folder), "-"))
    score = compose(3, 4.0, style="orchestral", free_instruments=False)
    assert any(p.program for p in score.parts)
    blended = render.render(score, "freepats+timgm")
    assert np.abs(blended.samples).max() > 0.01
    with pytest.raises(ConfigError, match="no program"):
        render.render(score, "freepats")
