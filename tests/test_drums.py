"""Drums are written down: strokes from sound, MIDI, the grid of bars, what the model is shown."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch

from llark_py.analysis import drum_network, drums
from llark_py.analysis.drum_network import (
    CONTEXT_FRAMES,
    FRAME_RATE,
    DrumNetwork,
    load_network,
    mel_powers,
    save_network,
    scale_powers,
)
from llark_py.analysis.drum_pieces import PIECES, piece_of
from llark_py.audio import Audio
from llark_py.benchmarks.drum_scores import count_strokes, macro_f, micro_f, sum_counts
from llark_py.benchmarks.transcription import DRUMS, compose_drums
from llark_py.compose import drums as composed_drums
from llark_py.errors import CheckpointError, ToolError
from llark_py.tools import Workspace, run_tool
from llark_py.track import DrumHit
from llark_py.training.drum_batches import targets_of

EVEN = dict.fromkeys(PIECES, 0.5)


def strokes(*times, piece="kick", velocity=90):
    return [DrumHit(t, piece, velocity) for t in times]


def curves(hits, n_frames=400, level=0.9):
    begin, loud = targets_of([tuple(h) for h in hits], 0, n_frames)
    return begin * level, loud


@pytest.fixture(scope="module")
def alone():
    """Three clips of drums alone, with a soundfont that training never used."""
    return list(compose_drums(DRUMS[1], 3, "timgm", 8.0))


# --- pieces and peaks -----------------------------------------------------------------------


def test_every_piece_of_the_composer_is_heard_as_one_of_ours():
    assert {piece_of(name) for name in composed_drums.PIECES.values()} == set(PIECES)
    assert [piece_of(name) for name in PIECES] == list(PIECES)
    assert len(set(PIECES.values())) == len(PIECES)
    with pytest.raises(KeyError):
        piece_of("gong")


def test_peaks_are_strokes_at_their_time_and_velocity():
    hits = sorted([*strokes(0.5, 1.0), *strokes(1.0, 1.07, piece="snare", velocity=40)])
    found, (n, sure, every) = drums.pick_strokes(*curves(hits), EVEN)
    assert [h.piece for h in found] == [h.piece for h in hits] and n == 4
    np.testing.assert_allclose([h.time_s for h in found], [h.time_s for h in hits], atol=0.006)
    assert [h.velocity for h in found] == [h.velocity for h in hits]
    assert sure == pytest.approx(4 * 0.9, abs=0.01) and every >= sure


def test_peaks_below_the_threshold_count_as_missed_in_the_confidence():
    chances, loud = curves(strokes(0.5, 1.0, 1.5))
    chances[100:] *= 0.4
    found, sums = drums.pick_strokes(chances, loud, EVEN)
    assert [round(h.time_s, 1) for h in found] == [0.5, 1.0][:1]
    sure = drums.expected_f(*drums.pick_strokes(*curves(strokes(0.5)), EVEN)[1], 1.0, 0.0)
    assert drums.expected_f(*sums, slope=1.0, offset=0.0) < sure <= 1.0
    assert drums.expected_f(0, 0.0, 3.0, slope=1.0, offset=0.5) == 0.0


# --- the network ----------------------------------------------------------------------------


def test_windows_change_nothing(monkeypatch):
    torch.manual_seed(0)
    network = DrumNetwork().eval()
    noise = np.random.default_rng(0).normal(0, 0.1, 22_050 * 6).astype(np.float32)
    whole = drums.hear_strokes(network, Audio(noise, 22_050))
    monkeypatch.setattr(drums, "_WINDOW_FRAMES", 100)
    for a, b in zip(whole, drums.hear_strokes(network, Audio(noise, 22_050)), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    assert CONTEXT_FRAMES > 100


def test_frames_are_ten_milliseconds_and_level_does_not_matter():
    click = np.zeros(44_100, np.float32)
    click[22_050:22_100] = 0.9
    powers = mel_powers(Audio(click, 44_100))
    assert int(powers.sum(1).argmax()) / FRAME_RATE == pytest.approx(0.5, abs=0.011)
    quiet = mel_powers(Audio(click / 30, 44_100))
    torch.testing.assert_close(scale_powers(powers), scale_powers(quiet), atol=0.02, rtol=0)


def test_a_network_comes_back_from_disk_and_damage_is_told(tmp_path):
    torch.manual_seed(0)
    network = DrumNetwork().eval()
    save_network(network, {"thresholds": EVEN}, tmp_path / "n")
    again, fitted = load_network(tmp_path / "n")
    assert fitted == {"thresholds": EVEN}
    scaled = torch.randn(1, 50, drum_network.MEL_BANDS)
    torch.testing.assert_close(again(scaled)[0], network(scaled)[0], atol=0.02, rtol=0)
    assert sorted(p.name for p in (tmp_path / "n").iterdir()) == [
        "config.json",
        "model.safetensors",
    ]
    config = json.loads((tmp_path / "n" / "config.json").read_text())
    config["network"]["width"] = 64
    (tmp_path / "n" / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_network(tmp_path / "n")
    shutil.rmtree(tmp_path / "n")
    with pytest.raises(CheckpointError, match="install the package anew"):
        load_network(tmp_path / "n")


def test_the_shipped_network_is_small():
    assert (drum_network.ASSETS / "model.safetensors").stat().st_size < 4e6


# --- what is heard --------------------------------------------------------------------------


def test_held_out_drums_are_written_down(alone):
    counts = [count_strokes(true, drums.transcribe_drums(audio)) for _, true, audio in alone]
    assert micro_f(sum_counts(counts)) > 0.4


def test_strokes_keep_their_times_wherever_they_are_and_however_loud(alone):
    _, _, audio = alone[0]
    hits = drums.transcribe_drums(audio)
    later = np.concatenate([np.zeros(audio.sample_rate, np.float32), 0.2 * audio.samples])
    moved = drums.transcribe_drums(Audio(later, audio.sample_rate))
    shifted = [h._replace(time_s=h.time_s + 1.0) for h in hits]
    assert micro_f(count_strokes(shifted, moved)) > 0.8


@pytest.mark.parametrize(("samples", "message"), [
    (np.zeros(22_050), "silent"),
    (np.ones(2_000) * 0.1, "shorter than"),
    (0.3 * np.sin(np.arange(88_200) * 0.1), "there are no drums"),
])  # fmt: skip
def test_what_has_no_drums_is_refused(samples, message):
    with pytest.raises(ToolError, match=message):
        drums.transcribe_drums(Audio(samples.astype(np.float32), 22_050))


def test_it_can_be_stopped(alone):
    class Enough(Exception):
        pass

    def stop(fraction, note):
        raise Enough

    audio = Audio(alone[0][2].samples[:60_000], 22_050)
    with pytest.raises(Enough):
        drums.measure_drums(audio, progress=stop)


# --- scores ---------------------------------------------------------------------------------


def test_known_strokes_give_known_scores():
    true = [*strokes(1.0, 2.0, 3.0), *strokes(1.0, 1.005, piece="low tom")]
    assert count_strokes(true, strokes(1.04, 2.06)) == {"kick": [1, 2, 3], "tom": [0, 0, 1]}
    found = [*strokes(1.0, 2.0, 3.0), *strokes(1.0, piece="tom")]
    perfect = count_strokes(true, found)
    assert micro_f(perfect) == macro_f(perfect) == 1.0
    half = sum_counts([perfect, count_strokes(strokes(5.0), [])])
    assert half["kick"] == [3, 3, 4] and micro_f(half) == pytest.approx(8 / 9)
    assert macro_f(half) == pytest.approx((6 / 7 + 1) / 2)
    assert micro_f(count_strokes([], [])) == 1.0 and micro_f(count_strokes([], found)) == 0.0


# --- the tool -------------------------------------------------------------------------------


@pytest.fixture
def measured(monkeypatch):
    hits = sorted([
        *strokes(0.5, 1.0), *strokes(0.75, piece="snare"), *strokes(0.9, piece="open hi-hat"),
        *strokes(0.6, 0.7, piece="closed hi-hat"), *strokes(1.2, piece="tom"),
    ])  # fmt: skip
    found = drums.Drums(tuple(hits), 0.8123)
    monkeypatch.setattr(
        "llark_py.tools.transcribe_drums.measure_drums", lambda audio, progress: found
    )


def test_the_model_is_shown_exactly_the_agreed_object(measured, tmp_path):
    import mido
    from PIL import Image

    audio = Audio(np.full(44_100, 0.1, np.float32), 22_050)
    workspace = Workspace(tmp_path)
    result = run_tool("transcribe_drums", {}, {"audio_1": audio}, workspace)
    assert json.dumps(result.content) == (
        '{"hit_count": 7, "kick_count": 2, "snare_count": 1, "hihat_count": 3, "other_count": 1, '
        '"midi": "artefact_1", "picture": "artefact_2", "confidence": 0.81}'
    )
    assert result.details["hits"][0] == {"time_s": 0.5, "piece": "kick", "velocity": 90}
    midi = mido.MidiFile(workspace.artefacts[0].path)
    on = [m for track in midi.tracks for m in track if m.type == "note_on" and m.velocity]
    assert {m.channel for m in on} == {9}  # the tenth
    assert sorted(m.note for m in on) == [36, 36, 38, 42, 42, 46, 47]
    picture = np.asarray(Image.open(workspace.artefacts[1].path).convert("L"), float)
    assert picture.shape[1] > 900 and picture.mean() > 200 and picture.min() < 120


def test_a_long_song_is_drawn_in_whole_bars():
    from llark_py.tools._note_pictures import split_systems

    bars = np.arange(0.5, 180.0, 2.0)
    edges = split_systems(bars, 181.0)
    assert edges[0] == 0.0 and edges[-1] == 181.0 and len(edges) <= 9
    assert all(min(abs(edge + 0.06 - bars)) < 1e-6 for edge in edges[1:-1])
    assert split_systems((), 30.0) == [0.0, 8.0, 16.0, 24.0, 30.0]
