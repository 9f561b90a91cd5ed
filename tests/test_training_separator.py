"""Learning to separate: stems on disk, mixtures of them, what is learned from a mixture."""

import json

import numpy as np
import pytest
import torch

from llark_py.analysis.separator_checkpoint import load_calibration, load_separator
from llark_py.analysis.separator_network import N_BINS, STEMS, SeparatorConfig, SeparatorNetwork
from llark_py.training.recipe import SeparatorClips, load_recipe
from llark_py.training.separator import SeparationLoss, fit_separator
from llark_py.training.separator_mixes import EXAMPLE_FRAMES, FRAMES, Mixes
from llark_py.training.stem_clips import UNSEEN, StemClips, make_stem_clips, stem_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stems")
    settings = SeparatorClips(n=4, n_dev=2, seconds=6, soundfonts=["timgm"], sung=1.0, workers=1)
    make_stem_clips(settings, folder)
    return folder


def test_instruments_belong_to_stems():
    assert [stem_of(i) for i in ("singer", "choir", "drums", "synth bass", "piano")] == [
        "vocals", "vocals", "drums", "bass", "other",
    ]  # fmt: skip


def test_clips_on_disk_are_the_stems_that_were_composed(folder):
    from llark_py.training.stem_clips import draw_stems

    clips = StemClips(folder, "train")
    seed = json.loads(clips.paths[1].with_suffix(".json").read_text())["seed"]
    drawn = draw_stems(seed, 6, ("timgm",), 1.0)
    assert set(drawn) == set(clips.peaks[1]) and "singer" in drawn
    for name, samples in drawn.items():
        np.testing.assert_allclose(clips.read(1, name, 0, len(samples)), samples, atol=2e-5)
    assert not list(folder.glob("*.part*"))


def test_unseen_instruments_are_left_out(folder):
    name = next(iter(StemClips(folder, "train").peaks[0]))
    without = StemClips(folder, "train", without=(name,))
    assert not any(name in peaks for peaks in without.peaks)
    assert all(name != n for players in without.by_stem.values() for _, n in players)
    assert {stem_of(name) for name in UNSEEN} == {"other"}


def test_mixtures_depend_on_their_number_alone_and_hold_what_they_say(folder):
    mixes = Mixes(StemClips(folder, "train"), seed=1)
    batch, again, other = mixes.batch(3, 4), mixes.batch(3, 4), mixes.batch(4, 4)
    for name, tensor in batch.items():
        assert torch.equal(tensor, again[name]) and torch.isfinite(tensor).all()
    assert not torch.equal(batch["magnitudes"], other["magnitudes"])
    assert batch["magnitudes"].shape == (4, FRAMES, N_BINS)
    assert batch["examples"].shape == (4, EXAMPLE_FRAMES, N_BINS)
    assert batch["ideal"].shape == (4, len(STEMS) + 1, FRAMES, N_BINS)
    # Where no mask was cut off the ideal ones of the stems add up to 1.
    stems = batch["ideal"][:, :4]
    whole = ((stems > -0.49) & (stems < 1.49)).all(1) & (batch["magnitudes"] > 1e-6)
    torch.testing.assert_close(stems.sum(1)[whole], torch.ones(int(whole.sum())), atol=1e-3, rtol=0)
    # The ideal mask comes nearest: nothing is asked for that would be worse than silence.
    assert (batch["lost"].sum(2) <= batch["energy"] * (1 + 1e-4) + 1e-9).all()


def test_ideal_masks_have_the_least_loss(folder):
    mixes = Mixes(StemClips(folder, "train"), seed=1)
    batch = mixes.batch(0, 2)

    class Says(SeparatorNetwork):
        masks = batch["ideal"]

        def decode(self, encoded, queries):
            return self.masks

    network = Says(SeparatorConfig(channels=(8, 8, 8, 8), mixed=8, query=8, head=8)).eval()
    loss = SeparationLoss(network)
    with torch.inference_mode():
        losses = []
        for change in (0.0, 0.1, 0.3):
            network.masks = batch["ideal"] + change
            losses.append(float(loss(**batch)["loss"]))
    assert losses == sorted(losses) and losses[0] < losses[1] - 0.3


def test_a_run_makes_a_separator_that_loads(folder, tmp_path):
    settings = load_recipe("debug").separator
    recipe = settings.model_copy(
        update={
            "work_dir": tmp_path,
            "output_dir": tmp_path / "model",
            "clips": settings.clips.model_copy(update={"n": 4, "n_dev": 2}),
        }
    )
    (tmp_path / "clips").symlink_to(folder)
    assert fit_separator(recipe) == tmp_path / "model"
    load_separator.cache_clear()
    load_calibration.cache_clear()
    network = load_separator(tmp_path / "model")
    assert network.config.channels == (8, 8, 8, 8)
    assert set(load_calibration(tmp_path / "model")) == {"stems", "like"}
    assert (tmp_path / "model" / "recipe.yaml").is_file()
    load_separator.cache_clear()
    load_calibration.cache_clear()
