"""Stems: what each instrument plays adds up to the mix, in memory and on disk."""

import numpy as np
import pytest
import soundfile

from llark_py import cli
from llark_py.audio import load_audio
from llark_py.compose.clip import make_clip, make_song, make_stems
from llark_py.compose.render import render, render_stems
from llark_py.compose.score import compose


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("soundfont", ["timgm", "synth", "timgm~+synth"])
def test_stems_add_up_to_the_mix(seed, soundfont):
    score = compose(seed, 3.0, sung=seed % 3 == 0)
    stems = render_stems(score, soundfont)
    assert set(stems) == {p.instrument for p in score.parts}
    mix = render(score, soundfont).samples
    np.testing.assert_allclose(sum(s.samples for s in stems.values()), mix, atol=1e-5)


def test_doubled_parts_sound_other_than_single_ones(monkeypatch):
    def played(share):
        monkeypatch.setattr("llark_py.compose.render._P_DOUBLED", share)
        return [render(compose(s, 2.0, sung=False), "timgm+synth").samples for s in range(4)]

    single, doubled = played(0.0), played(1.0)
    assert any(not np.allclose(a, b) for a, b in zip(single, doubled, strict=True))
    assert all(np.isfinite(b).all() for b in doubled)
    for first, second in zip(doubled, played(1.0), strict=True):
        np.testing.assert_array_equal(first, second)


def test_stems_of_clips_and_songs_are_those_of_the_dry_recording():
    stems = make_stems(4, 3.0)
    mix = make_clip(4, 3.0, augment=False)[1].samples
    np.testing.assert_allclose(sum(s.samples for s in stems.values()), mix, atol=1e-5)
    stems = make_stems(4, 50.0, whole=True)
    mix = make_song(4, 50.0, augment=False)[1].samples
    np.testing.assert_allclose(sum(s.samples for s in stems.values()), mix, atol=2e-5)


def test_the_command_writes_stems_that_add_up(tmp_path, capsys):
    assert cli.main(["compose", str(tmp_path), "--stems", "--duration-s", "2", "--seed", "3"]) == 0
    files = sorted((tmp_path / "clip-000003.stems").iterdir())
    assert files and all(f.suffix == ".wav" for f in files)
    total = sum(soundfile.read(f)[0] for f in files)
    mix = load_audio(tmp_path / "clip-000003.wav").samples
    np.testing.assert_allclose(total, mix, atol=1.2 / 32_768)  # the mix has 16 bits


def test_the_command_writes_songs_and_refuses_songs_of_noise(tmp_path, capsys):
    arguments = ["compose", str(tmp_path), "--song", "--duration-s", "50", "--seed", "2"]
    assert cli.main(arguments) == 0
    assert load_audio(tmp_path / "song-000002.wav").duration_s == pytest.approx(50.0)
    for flag in ("--song", "--stems"):
        assert cli.main(["compose", str(tmp_path), "--sound", "noise", flag]) == 2
        assert "no form and no stems" in capsys.readouterr().err
