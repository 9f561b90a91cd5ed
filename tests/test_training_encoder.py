"""Fitting the encoder: sampling, new labels, losses, generative stage, calibration, scores."""

from __future__ import annotations

import json
import random
import re

import numpy as np
import pytest
import torch

from llark_py.encoders import encoder_config
from llark_py.encoders.mini import MiniEncoder
from llark_py.encoders.mini_features import standardise
from llark_py.errors import ConfigError
from llark_py.track import Instrument, Section, Source, Track
from llark_py.training import ablation
from llark_py.training.calibration import calibrate, fit_temperature, fit_thresholds
from llark_py.training.encoder import (
    EncoderWithLoss,
    batch_maker,
    fit_encoder,
    head_losses,
    new_encoder,
)
from llark_py.training.fitting import Steps, fit
from llark_py.training.generative import Writing, fit_codec, fit_generative, generative_loss
from llark_py.training.labels import IGNORE, batch_labels
from llark_py.training.recipe import ClipSettings, MiniRecipe, load_recipe
from llark_py.training.sampling import ClipSampler
from llark_py.training.scoring import boundary_hits, calibration_error, f_measures, score_encoder
from llark_py.training.shards import Shards, make_shards
from llark_py.training.windows import draw_batch

TINY = (
    "encoder.width=64",
    "encoder.n_layers=1",
    "encoder.stem_channels=16",
    "encoder.batch_size=3",
    "encoder.threads=1",
    "encoder.precision=fp32",
    "generate.codec_books=2",
    "generate.codec_codes=8",
    "generate.batch_size=3",
    "generate.steps=2",
    "generate.warmup_steps=0",
    "generate.threads=1",
    "generate.precision=fp32",
)


def played(*names_and_families: tuple[str, str], **facts) -> Track:
    instruments = tuple(
        Instrument(name, family, "chords", ((0.0, 8.0),)) for name, family in names_and_families
    )
    return Track(id="made", duration_s=8.4, instruments=instruments, **facts)


@pytest.fixture(scope="module")
def recipe() -> MiniRecipe:
    read = load_recipe("mini", TINY)
    assert isinstance(read, MiniRecipe)
    return read


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    settings = ClipSettings(n=8, n_dev=4, shard_size=8, workers=1, soundfonts=["synth"])
    make_shards(settings.model_copy(update={"dev_soundfont": "synth"}), folder)
    return folder


@pytest.fixture(scope="module")
def encoder(recipe, clips) -> MiniEncoder:
    made = new_encoder(recipe)
    fit_codec(made, Shards(clips, "train"), 0)
    return made


def test_rare_families_and_named_styles_come_more_often():
    common = [played(("piano", "piano"), genre="rock") for _ in range(97)]
    rare = played(("tuba", "brass"))
    noise = Track(id="n", duration_s=8.4, sound="noise")
    tracks = [*common, rare, noise, noise]
    drawn = ClipSampler(tracks, 0, 0.5).draw(4_000, random.Random(0))
    assert 0.2 < drawn.count(97) / 4_000 < 0.3  # a quarter: half of half
    assert 0.01 < sum(i > 97 for i in drawn) / 4_000 < 0.03
    styles = ClipSampler(tracks, 1.0, 0).draw(4_000, random.Random(0))
    assert styles.count(97) == 0 and sum(i > 97 for i in styles) > 40
    assert ClipSampler([noise], 1.0, 1.0).draw(3, random.Random(0)) == [0, 0, 0]


def test_labels_of_feel_players_and_boundaries():
    config = encoder_config(
        "mini", feels=["straight", "swung"], players=["1", "2", "3 or more"], boundaries=True
    )
    trio = played(("piano", "piano"), ("cello", "strings"), ("oboe", "woodwind"), ("flute", "x"))
    sections = (Section(0.0, 3.0, "verse"), Section(3.0, 8.4, "chorus"))
    swung = played(("piano", "piano"), feel="swung", sections=sections)
    composed = trio.model_copy(update={"sources": {"*": Source("composer")}})
    noise = Track(id="s", duration_s=8.4, sound="noise", sources=composed.sources)
    labels = batch_labels([trio, swung, noise, composed], 84, config)
    assert labels["feel"].tolist() == [IGNORE, 1, IGNORE, IGNORE]
    assert labels["players"].tolist() == [2, 0, IGNORE, 2]
    assert (labels["boundary"][[0, 2]] == IGNORE).all()
    assert (labels["boundary"][3] == 0).all()  # the composer would have told of a change
    assert labels["boundary"][1].nonzero().flatten().tolist() == list(range(26, 35))
    assert labels["style"].tolist() == [IGNORE] * 4


def test_vague_facts_are_not_learned_to_the_last():
    sure = {"feel": torch.tensor([[30.0, -30.0]]), "key": torch.tensor([[30.0, -30.0]])}
    losses = head_losses(sure, {}, {"feel": torch.tensor([0]), "key": torch.tensor([0])})
    assert losses["key"] < 1e-3 and losses["feel"] > 1


def test_a_batch_depends_on_the_number_of_its_step_alone(recipe, clips, encoder):
    maker = batch_maker(recipe, encoder, Shards(clips, "train"))
    first, again, next_one = maker([5]), maker([5]), maker([6])
    for name, values in first.items():  # a tempo may be unknown, which is NaN
        torch.testing.assert_close(again[name], values, rtol=0, atol=0, equal_nan=True)
    assert not torch.equal(first["features"][:, :20], next_one["features"][:, :20])


def test_the_generative_loss_falls_to_what_can_be_foreseen(recipe, clips, encoder):
    features, _ = draw_batch(Shards(clips, "train"), [0, 1, 2, 3], random.Random(0))
    frames = standardise(features)
    loss = generative_loss(encoder, frames)
    assert loss.item() == pytest.approx(np.log(8), rel=0.2)
    module = Writing(new_encoder(recipe))
    module.encoder.codec.load_state_dict(encoder.codec.state_dict())
    optimizer = torch.optim.AdamW(module.parameters(), 5e-3)
    for _ in range(12):
        optimizer.zero_grad()
        after = module(features)["loss"]
        after.backward()
        optimizer.step()
    assert after < 0.9 * loss


def test_joint_training_reaches_the_writer_and_keeps_the_statistics(recipe, clips, encoder):
    batch = batch_maker(recipe, encoder, Shards(clips, "train"))([0])
    encoder.train()
    for weight in (0.0, 0.5):
        encoder.zero_grad()
        norm = encoder.network.mel_stem.frames_norm
        before = int(norm.num_batches_tracked)
        EncoderWithLoss(encoder, weight, 0.3)(**batch)["loss"].backward()
        assert int(norm.num_batches_tracked) == before + 1
        assert (encoder.writer.heads[0].weight.grad is not None) == (weight > 0)


def test_what_a_language_model_reads_can_be_kept(recipe, clips):
    torch.manual_seed(0)
    encoder = new_encoder(recipe).eval()
    features, tracks = draw_batch(Shards(clips, "train"), [0, 1, 2], random.Random(0))
    batch = {"features": features, **batch_labels(tracks, features.shape[1], encoder.config)}
    free, kept = EncoderWithLoss(encoder), EncoderWithLoss(encoder, keep_weight=2.0)
    encoder.eval()
    assert kept(**batch)["loss"].item() == pytest.approx(free(**batch)["loss"].item(), rel=1e-5)
    assert kept.state_dict().keys() == free.state_dict().keys()
    with torch.no_grad():
        for weight in encoder.network.parameters():
            weight.add_(0.05 * torch.randn_like(weight))
    moved = kept(**batch)["loss"] - free(**batch)["loss"]
    assert moved.item() > 0.1
    moved.backward()
    assert all(p.grad is None for p in kept._before[0].parameters())
    for setting in ("encoder.keep_weight=1", "encoder.kept_share=0.5"):
        with pytest.raises(ConfigError, match="kept_share need init_from"):
            load_recipe("mini", [*TINY, setting])


def test_a_share_of_the_way_is_kept(recipe, clips, tmp_path, monkeypatch):
    start = new_encoder(recipe)
    start.save_pretrained(tmp_path / "start")

    def moved(model, *_args):
        with torch.no_grad():
            for weight in model.encoder.network.parameters():
                weight.add_(1.0)

    monkeypatch.setattr("llark_py.training.encoder.fit", moved)
    settings = [*TINY, f"encoder.init_from={tmp_path / 'start'}", "encoder.kept_share=0.25"]
    made = fit_encoder(load_recipe("mini", settings), clips, tmp_path / "out")
    before, after = dict(start.network.named_parameters()), dict(made.network.named_parameters())
    for name, weight in after.items():
        torch.testing.assert_close(weight, before[name] + 0.25, rtol=1e-5, atol=1e-5)
    assert MiniEncoder.from_pretrained(tmp_path / "out").num_parameters() == start.num_parameters()


def test_the_generative_stage_is_kept(recipe, clips, tmp_path):
    made = fit_generative(recipe, new_encoder(recipe), clips, tmp_path)
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert 0 < scores["codec_explains"] < 1 and scores["nats_a_code"] > 0
    loaded = fit_generative(recipe, new_encoder(recipe), clips, tmp_path)
    state = made.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in loaded.state_dict().items())
    without = recipe.model_copy(update={"generate": None})
    plain = new_encoder(without)
    assert fit_generative(without, plain, clips, tmp_path / "none") is plain
    assert plain.config.codec_books == 0


def test_temperatures_make_overconfident_heads_honest():
    torch.manual_seed(0)
    honest = 2 * torch.randn(3_000, 5)
    target = torch.multinomial(honest.softmax(-1), 1)[:, 0]
    assert fit_temperature(honest * 2, target) == pytest.approx(2, rel=0.1)
    several = torch.bernoulli(honest.sigmoid())
    assert fit_temperature(honest * 2, several) == pytest.approx(2, rel=0.1)
    assert fit_temperature(honest, torch.full((3_000,), IGNORE)) == 1.0


def test_thresholds_follow_the_best_f1_of_each_class():
    rng = np.random.default_rng(0)
    there = rng.random((2_000, 2)) < 0.3
    timid = np.where(there, rng.uniform(0.15, 0.5, there.shape), rng.uniform(0, 0.15, there.shape))
    bold = np.where(there, rng.uniform(0.5, 1, there.shape), rng.uniform(0, 0.5, there.shape))
    found = fit_thresholds(np.stack([timid[:, 0], bold[:, 1]], 1), there)
    assert 0.12 <= found[0] <= 0.2 and 0.45 <= found[1] <= 0.55
    assert fit_thresholds(np.full((3, 1), 0.9), np.zeros((3, 1), bool)) == [0.4]


def test_calibration_error_is_the_gap_between_sure_and_right():
    assert calibration_error(np.full(100, 0.95), np.arange(100) < 60) == pytest.approx(0.35)
    assert calibration_error(np.repeat([0.25, 0.75], 100), np.arange(200) % 4 < 1) < 0.26


def test_f_measures_by_class():
    said = np.array([[1, 0, 0], [1, 1, 0]], bool)
    true = np.array([[1, 1, 0], [0, 1, 0]], bool)
    assert f_measures(said, true)[:2] == pytest.approx([2 / 3, 2 / 3])
    assert np.isnan(f_measures(said, true)[2])


def test_boundaries_are_hit_within_a_second():
    target, chance = np.zeros(84, int), np.full(84, 0.1)
    target[26:35] = 1
    assert boundary_hits(chance, target) == (0, 1, 0)
    chance[36] = 0.8
    assert boundary_hits(chance, target) == (1, 1, 1)
    chance[36], chance[60] = 0.1, 0.9
    assert boundary_hits(chance, target) == (1, 1, 0)


def test_calibrated_encoders_are_scored_by_family_and_survive_saving(encoder, clips, tmp_path):
    dev = Shards(clips, "dev")
    calibrate(encoder, dev)
    scores = score_encoder(encoder, dev)
    assert {"family_macro_f1", "tempo_acc1", "ece:families", "players"} <= scores.keys()
    assert any(name.startswith("family_f1:") for name in scores)
    assert encoder.config.temperatures.keys() >= {"key", "families", "chord", "activity"}
    assert len(encoder.config.thresholds["families"]) == len(encoder.config.families)
    encoder.save_pretrained(tmp_path)
    loaded = MiniEncoder.from_pretrained(tmp_path)
    assert loaded.config.temperatures == encoder.config.temperatures
    assert loaded.config.thresholds == encoder.config.thresholds
    hot = encoder.posterior("key", torch.tensor([[3.0, 0.0]]))
    loaded.config.temperatures["key"] *= 2
    assert loaded.posterior("key", torch.tensor([[3.0, 0.0]]))[0, 0] < hot[0, 0]


def test_muon_and_the_encoder_fit_together(recipe, clips, encoder, tmp_path):
    settings = recipe.encoder.model_copy(update={"steps": 2, "warmup_steps": 0})
    assert settings.optimizer == "muon"
    made = new_encoder(recipe)
    before = made.network.mel_stem.blocks[0].first.weight.detach().clone()
    maker = batch_maker(recipe, made, Shards(clips, "train"))
    fit(EncoderWithLoss(made), Steps(2), maker, settings, tmp_path, 0)
    assert not torch.equal(made.network.mel_stem.blocks[0].first.weight, before)


def test_the_ablation_trains_and_tabulates(clips, tmp_path, capsys, monkeypatch):
    names = [variant.name for variant in ablation.VARIANTS]
    assert len(names) == 4 and names[0] == "no generative stage"
    monkeypatch.setattr(ablation, "VARIANTS", ablation.VARIANTS[1:2])
    ablation.main([str(clips), str(tmp_path), "--minutes", "0.005", *TINY])
    shown = capsys.readouterr().out
    # Eight to measure the speed, then one.
    assert re.search(r"\| frozen after it \| \d\.\d \| 9 \| 9 \|", shown)
    assert (tmp_path / "ablation.md").read_text() in shown
    assert "| - |" in ablation.table({"no generative stage": {"steps": 3}})


def test_a_frozen_body_leaves_only_heads_to_learn(encoder):
    ablation.freeze_body(encoder)
    try:
        learned = {n for n, p in encoder.network.named_parameters() if p.requires_grad}
        assert learned and all(n.startswith(("heads", "frame_head")) for n in learned)
        encoder.train()
        assert not encoder.network.mel_stem.frames_norm.training
    finally:
        encoder.network.requires_grad_(True)
