"""Weights between those before and after training."""

from __future__ import annotations

import sys

import pytest
import torch
from model_parts import tiny_model
from safetensors.torch import load_file, save_file

from llark_py.errors import CheckpointError, ConfigError
from llark_py.model.checkpoint import load_model, save_model
from llark_py.training import average
from llark_py.training.average import average_weights


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    model, processor = tiny_model()
    save_model(model, processor, folder / "before")
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(1.0)
    save_model(model, processor, folder / "after")
    return folder


def weights(folder):
    return load_file(folder / "model.safetensors")


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_weights_lie_between_and_the_model_can_be_loaded(folders, tmp_path, share):
    average_weights(folders / "before", folders / "after", tmp_path / "mixed", share)
    before, after, mixed = (
        weights(path) for path in (folders / "before", folders / "after", tmp_path / "mixed")
    )
    assert mixed.keys() == before.keys()
    moved = 0
    for name, tensor in mixed.items():
        assert tensor.dtype == after[name].dtype
        if tensor.is_floating_point():
            expected = (1 - share) * before[name].float() + share * after[name].float()
            assert torch.allclose(tensor.float(), expected, atol=0.02)
            moved += not torch.equal(before[name], after[name])
    assert moved > 10
    names = {path.name for path in (folders / "after").iterdir()}
    assert {path.name for path in (tmp_path / "mixed").iterdir()} == names
    load_model(tmp_path / "mixed")


def test_other_models_and_full_folders_are_refused_and_nothing_is_written(folders, tmp_path):
    before, after, out = folders / "before", folders / "after", tmp_path / "out"
    with pytest.raises(ConfigError, match=r"from 0 to 1, not 1\.5"):
        average_weights(before, after, out, 1.5)
    with pytest.raises(CheckpointError, match="no saved model"):
        average_weights(tmp_path / "none", after, out, 0.5)
    other = tmp_path / "other"
    other.mkdir()
    save_file({"weight": torch.zeros(3)}, other / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"are not one model .* the first is"):
        average_weights(other, after, out, 0.5)
    (other / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="no saved model"):
        average_weights(before, other, out, 0.5)
    assert not out.exists()
    with pytest.raises(ConfigError, match="no empty folder"):
        average_weights(before, after, other, 0.5)


def test_the_command_tells_errors_without_a_traceback(folders, tmp_path, monkeypatch, capsys):
    words = [str(folders / "before"), str(folders / "after"), str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["average", *words, "--share", "0.6"])
    assert average.main() == 0 and (tmp_path / "out" / "model.safetensors").exists()
    assert average.main() == 1
    assert "name another one" in capsys.readouterr().err
