"""Fitting: Muon's steps, resumed runs that equal uninterrupted ones, whole checkpoints only."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from llark_py.training.fit_settings import FitSettings
from llark_py.training.fitting import Indices, Steps, fit, last_checkpoint
from llark_py.training.muon import Muon, is_hidden, orthogonalise, parameter_groups


@pytest.mark.parametrize("shape", [(12, 40), (40, 12), (16, 16)])
def test_orthogonalised_matrices_keep_their_directions_and_lose_their_scale(shape):
    torch.manual_seed(0)
    left, _, right = torch.linalg.svd(torch.randn(shape), full_matrices=False)
    matrix = left @ torch.diag(torch.linspace(0.2, 5.0, min(shape))) @ right
    step = orthogonalise(matrix)
    seen = left.T @ step @ right.T
    assert step.shape == shape and step.dtype == torch.float32
    assert torch.diagonal(seen).min() > 0.6 and torch.diagonal(seen).max() < 1.3
    assert (seen - torch.diag(torch.diagonal(seen))).abs().max() < 1e-4
    torch.testing.assert_close(orthogonalise(1e4 * matrix), step, rtol=1e-3, atol=1e-4)
    rough = orthogonalise(matrix, torch.bfloat16)
    assert rough.dtype == torch.float32 and (rough - step).abs().max() < 0.05


class Small(nn.Module):
    """Words in, a class out; some of the weights are hidden."""

    def __init__(self):
        super().__init__()
        self.embed_tokens = nn.Embedding(11, 8)
        self.conv = nn.Conv1d(8, 8, 3, padding=1)
        self.up = nn.Linear(8, 12)
        self.lm_head = nn.Linear(12, 5)

    def forward(self, ids, labels):
        x = self.embed_tokens(ids)
        x = nn.functional.dropout(self.conv(x.transpose(1, 2)).mean(-1), 0.1, self.training)
        return {"loss": nn.functional.cross_entropy(self.lm_head(self.up(x).relu()), labels)}


def test_hidden_matrices_go_to_muon_and_every_weight_to_one_group():
    module = Small()
    hidden = [n for n, p in module.named_parameters() if is_hidden(n, p)]
    assert hidden == ["conv.weight", "up.weight"]
    groups = parameter_groups(module, 0.1)
    assert sum(len(g["params"]) for g in groups) == len(list(module.parameters()))
    assert [g["weight_decay"] for g in groups] == [0.1, 0.1, 0.0]
    assert [g["orthogonal"] for g in groups] == [True, False, False]


def test_other_weights_move_as_by_adamw():
    torch.manual_seed(0)
    ours, theirs = nn.Embedding(5, 4), nn.Embedding(5, 4)
    theirs.load_state_dict(ours.state_dict())
    options = {"lr": 0.01, "betas": (0.9, 0.98), "weight_decay": 0.1}
    optimizers = (
        Muon(ours.parameters(), **options),
        torch.optim.AdamW(theirs.parameters(), **options),
    )
    for step in range(5):
        for module, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            (module.weight.sin() * (step + 1)).sum().backward()
            optimizer.step()
    torch.testing.assert_close(ours.weight, theirs.weight)


def test_a_step_of_muon_is_as_long_as_one_of_adamw():
    torch.manual_seed(0)
    weight = nn.Parameter(torch.zeros(64, 96, 1))
    weight.grad = torch.randn_like(weight)
    Muon([{"params": [weight], "orthogonal": True}], lr=0.1).step()
    assert weight.detach().pow(2).mean().sqrt().item() == pytest.approx(0.1 * 0.2, rel=0.2)


def batch_of(step: int) -> dict[str, torch.Tensor]:
    rng = torch.Generator().manual_seed(step)
    ids = torch.randint(0, 11, (6, 7), generator=rng)
    return {"ids": ids, "labels": ids.sum(1) % 5}


def run(folder, optimizer, stop_at=None, seen=None, workers=0):
    """Fit 8 steps; with `stop_at` the run dies there and is started again."""
    seen = [] if seen is None else seen

    def collate(items):
        seen.extend(items)
        if stop_at is not None and items[0] == stop_at:
            raise KeyboardInterrupt
        return batch_of(items[0])

    torch.manual_seed(1)
    module = Small()
    settings = FitSettings(
        optimizer=optimizer,
        steps=8,
        save_steps=2,
        warmup_steps=2,
        threads=1,
        precision="fp32",
        batch_workers=workers,
    )
    fit(module, Steps(8), collate, settings, folder, seed=3)
    return module


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, optimizer):
    seen: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped", optimizer, stop_at=5)
    resumed = run(tmp_path / "stopped", optimizer, seen=seen)
    whole = run(tmp_path / "whole", optimizer)
    assert seen == [4, 5, 6, 7]
    for name, weight in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], weight, rtol=0, atol=0)


def test_batches_made_ahead_are_those_made_between_the_steps(tmp_path):
    seen: list[int] = []
    ahead = run(tmp_path / "ahead", "muon", seen=seen, workers=1)
    between = run(tmp_path / "between", "muon")
    assert not seen  # another process has collated
    for name, weight in between.state_dict().items():
        torch.testing.assert_close(ahead.state_dict()[name], weight, rtol=0, atol=0)


def test_half_written_checkpoints_do_not_count(tmp_path):
    assert last_checkpoint(tmp_path / "nowhere") is None
    for step, state in ((9, json.dumps({"global_step": 9})), (10, '{"global'), (11, None)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if state is not None:
            (folder / "trainer_state.json").write_text(state)
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-9"


def test_items_of_other_datasets_come_in_batches(tmp_path):
    sizes = []

    def collate(items):
        sizes.append(len(items))
        return batch_of(len(sizes))

    settings = FitSettings(steps=2, batch_size=4, warmup_steps=0, threads=1, precision="fp32")
    fit(Small(), Indices(16), collate, settings, tmp_path, seed=0)
    assert set(sizes) == {4}
