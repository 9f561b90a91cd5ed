"""The clips, batches and fitted numbers of the drum network."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from llark_py.analysis.drum_kit import KitReader, describe_strokes
from llark_py.analysis.drum_network import (
    FRAME_RATE,
    MEL_BANDS,
    SAMPLE_RATE,
    DrumNetwork,
    load_network,
    save_network,
)
from llark_py.analysis.drum_pieces import PIECES
from llark_py.benchmarks.clips import FIRST_SEED
from llark_py.compose.instruments import SINGER
from llark_py.compose.score import Part, ScoreNote, compose
from llark_py.track import DrumHit
from llark_py.training.drum_batches import WINDOW_FRAMES, draw_batch, targets_of
from llark_py.training.drum_clips import DrumClips, draw_loose, make_drum_clips, plan_jobs
from llark_py.training.drum_kits import play_tuned
from llark_py.training.drum_reader import Rows, learn
from llark_py.training.drum_recipe import DrumRecipe
from llark_py.training.drums import fit_network, fit_picking, stroke_loss
from llark_py.training.recipe import load_recipe


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    recipe = DrumRecipe(
        n=3, n_loose=3, n_dev=4, seconds=6, soundfonts=["timgm"], shard_size=3, workers=1
    )
    make_drum_clips(recipe, folder)
    return recipe, folder


def test_clips_are_kept_and_made_alike_again(made):
    recipe, folder = made
    files = sorted(folder.iterdir())
    assert len(files) == 2 * len(plan_jobs(recipe, folder)) == 12
    first = folder / "train_loose_00000.npy"
    before, kept = np.load(first), files[2].stat().st_mtime_ns
    first.unlink()
    make_drum_clips(recipe, folder)
    assert np.array_equal(np.load(first), before) and files[2].stat().st_mtime_ns == kept


def test_no_seed_is_one_of_a_benchmark(tmp_path):
    recipe = load_recipe("drums")
    jobs = plan_jobs(recipe, tmp_path)
    seeds = sorted((job.first, job.first + job.n) for job in jobs)
    assert all(a[1] <= b[0] for a, b in pairwise(seeds))
    assert seeds[-1][1] < FIRST_SEED
    assert "timgm" not in " ".join(recipe.soundfonts)


def test_loose_drums_sound_where_their_strokes_are():
    hits, sound, others = draw_loose(8, 6.0, "timgm", ("timgm",))
    assert len(hits) > 8 and not others.any()
    level = np.convolve(np.abs(sound), np.ones(220), "same")
    first = min(h.time_s for h in hits)
    before = sound[: int((first - 0.05) * SAMPLE_RATE)]
    assert len(before) > 1000 and np.abs(before).max() < 0.01
    loud = [level[int((h.time_s + 0.02) * SAMPLE_RATE)] for h in hits if h.time_s < 5.9]
    assert np.median(loud) > np.median(level)


@pytest.mark.parametrize("semitones", [-4.0, 4.0])
def test_a_tuned_kit_is_struck_at_its_own_times(semitones):
    times_s = (0.5, 1.25, 2.6)
    notes = tuple(ScoreNote(t, t + 0.2, 47, 110) for t in times_s)  # a tom has a pitch
    score = replace(compose(1, 4.0), parts=(Part("drums", "drums", 0, 100, 64, notes),))
    ratio = 2 ** (semitones / 12)
    usual, tuned = (play_tuned(score, "timgm", r) for r in (1.0, ratio))
    assert abs(len(tuned) - len(usual)) <= 2
    for sound in (usual, tuned):
        silent = np.abs(sound) < 0.02 * np.abs(sound).max()
        for at in (round(t * SAMPLE_RATE) for t in times_s):
            assert silent[at - 220 : at - 60].mean() > 0.9 and not silent[at : at + 660].all()
    peaks = [np.abs(np.fft.rfft(s, 4 * SAMPLE_RATE)).argmax() for s in (usual, tuned)]
    assert peaks[1] / peaks[0] == pytest.approx(ratio, rel=0.02)


def test_batches_hold_targets_where_the_strokes_are(made):
    _, folder = made
    music, loose = DrumClips(folder, "train_music"), DrumClips(folder, "train_loose")
    batch = draw_batch(music, loose, 6, np.random.default_rng(0))
    assert batch["scaled"].shape == (6, WINDOW_FRAMES, MEL_BANDS)
    assert batch["strokes"].shape == batch["velocities"].shape == (6, WINDOW_FRAMES, len(PIECES))
    assert torch.isfinite(batch["scaled"]).all() and batch["scaled"].abs().max() < 6
    struck = batch["velocities"] > 0
    assert struck.any() and (batch["strokes"][struck] == 1).all()
    again = draw_batch(music, loose, 6, np.random.default_rng(0))
    assert torch.equal(again["scaled"], batch["scaled"])
    begin, loud = targets_of([(1.0, "snare", 127)], 50, 100)
    at, number = round(FRAME_RATE) - 50, list(PIECES).index("snare")
    assert begin[at, number] == loud[at, number] == 1.0 and 0 < begin[at + 1, number] < 1
    assert begin.sum() == begin[:, number].sum()


def test_the_loss_falls(made):
    _, folder = made
    torch.manual_seed(0)
    music, loose = DrumClips(folder, "train_music"), DrumClips(folder, "train_loose")
    batch = draw_batch(music, loose, 4, np.random.default_rng(1))
    network = DrumNetwork()
    optimizer = torch.optim.AdamW(network.parameters(), 2e-3)
    losses = []
    for _ in range(6):
        loss = stroke_loss(network, batch)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]


def test_a_fit_goes_on_from_a_network_and_keeps_a_share_of_the_way(made, tmp_path):
    recipe, folder = made
    torch.manual_seed(3)
    save_network(DrumNetwork(), {"thresholds": {}}, tmp_path / "start")
    before = load_network(tmp_path / "start")[0].state_dict()
    fitted = {}
    for share in (1.0, 0.25):
        settings = {"init_from": tmp_path / "start", "kept_share": share, "steps": 2}
        settings |= {"work_dir": tmp_path / str(share), "batch_size": 2, "warmup_steps": 0}
        fitted[share] = fit_network(recipe.model_copy(update=settings), folder).state_dict()
    name = "squeeze.weight"
    moved = fitted[1.0][name] - before[name]
    assert moved.abs().max() > 1e-5
    assert torch.allclose(fitted[0.25][name] - before[name], 0.25 * moved, atol=1e-6)


def heard(level, strokes, stray=()):
    """A clip with true strokes, all of them seen at a level, and stray peaks at 0.25."""
    loud = np.full((300, len(PIECES)), 0.5, np.float32)
    curve = np.full((300, len(PIECES)), 0.01, np.float32)
    for time_s, piece in strokes:
        curve[round(time_s * FRAME_RATE), list(PIECES).index(piece)] = level
    for time_s, piece in stray:
        curve[round(time_s * FRAME_RATE), list(PIECES).index(piece)] = 0.25
    return [DrumHit(t, piece, 64) for t, piece in strokes], curve, loud


def test_thresholds_part_strokes_from_others_and_drums_from_none():
    strokes = [(t, "kick") for t in (0.5, 1.0, 1.5, 2.0)] + [(0.75, "snare"), (1.75, "snare")]
    stray = [(t + 0.2, "kick") for t in (0.5, 1.0, 1.5, 2.0)]
    clips = [heard(0.9, strokes, stray) for _ in range(10)]
    clips += [heard(0.5, strokes, stray) for _ in range(10)]
    clips += [heard(0.9, [], stray) for _ in range(10)]
    fitted = fit_picking(clips)
    assert 0.25 < fitted["thresholds"]["kick"] <= 0.5
    assert fitted["thresholds"]["triangle"] == pytest.approx(0.35)
    assert fitted["dev"]["micro_f"] == 1.0 and fitted["dev"]["drums_told"] == 1.0
    assert json.loads(json.dumps(fitted)) == fitted


def test_the_second_look_learns_which_pieces_a_recording_has():
    torch.manual_seed(0)
    reader, parts = KitReader(4, len(PIECES)), []
    for number in range(24):  # the first or the second piece, as all of the recording tells
        logits = torch.full((200, len(PIECES)), -6.0)
        logits[::10, :2] = 0.0
        frames = torch.zeros(200, 4)
        frames[::10, number % 2] = 1.0
        true = torch.zeros(200, len(PIECES))
        true[::10, number % 2] = 1.0
        parts.append(Rows(describe_strokes(logits, frames).half(), logits, true))
    assert torch.equal(reader.look(parts[0].logits, parts[0].described.float()), parts[0].logits)
    learn(reader, Rows(*map(torch.cat, zip(*parts, strict=True))), 30)
    said = torch.sigmoid(reader.look(parts[0].logits, parts[0].described.float())[::10, :2])
    assert (said[:, 0] > 0.8).all() and (said[:, 1] < 0.2).all()


def test_a_part_outside_of_every_voice_is_sung_by_the_nearest():
    score = compose(600_000_360, 10.0)
    [part] = [p for p in score.parts if p.instrument == SINGER.name]
    assert min(n.pitch for n in part.notes) < 41 and part.singer == "bass"
