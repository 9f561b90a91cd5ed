"""A language model that grows deeper says the same, and its further blocks can learn."""

from __future__ import annotations

import copy

import pytest
import torch
from model_parts import tiny_model

from llark_py.errors import ConfigError
from llark_py.model import LlarkForConditionalGeneration
from llark_py.model.checkpoint import load_model, save_model
from llark_py.training.average import average_weights
from llark_py.training.expansion import count_blocks, expand_blocks, place_blocks
from llark_py.training.language import take_weights


@pytest.fixture(scope="module")
def model():
    return tiny_model()[0].float().eval()


def deeper(model, n_blocks):
    config = copy.deepcopy(model.config)
    config.text_config.num_hidden_layers = n_blocks
    config.text_config.layer_types = ["full_attention"] * n_blocks
    torch.manual_seed(1)
    return LlarkForConditionalGeneration(config).float().eval()


def logits(model):
    tokens = torch.arange(40).view(2, 20) % 30 + 10
    with torch.no_grad():
        return model(input_ids=tokens).logits


def test_copies_are_spread_evenly_and_stand_behind_what_they_copy():
    old = [(block, False) for block in range(4)]
    assert place_blocks(4, 4) == old
    assert place_blocks(4, 5) == [*old, (3, True)]
    assert [block for block, _ in place_blocks(4, 6)] == [0, 1, 1, 2, 3, 3]
    assert [copied for _, copied in place_blocks(4, 8)] == [False, True] * 4
    for n_new in range(6, 13):
        places = place_blocks(6, n_new)
        assert len(places) == n_new
        assert [p for p in places if not p[1]] == [(block, False) for block in range(6)]
        assert all(places[i - 1] == (p[0], False) for i, p in enumerate(places) if p[1])
    for n_new in (3, 9):
        with pytest.raises(ConfigError, match=f"4 blocks can become 4 to 8, not {n_new}"):
            place_blocks(4, n_new)


def test_a_deeper_model_says_the_same_and_its_blocks_learn(model):
    n_blocks = count_blocks(model.state_dict())
    grown = deeper(model, n_blocks + 1)
    assert not torch.allclose(logits(grown), logits(model), atol=1e-3)
    grown.load_state_dict(expand_blocks(model.state_dict(), n_blocks + 1))
    torch.testing.assert_close(logits(grown), logits(model), atol=1e-5, rtol=1e-5)
    tokens = torch.arange(40).view(2, 20) % 30 + 10
    grown(input_ids=tokens, labels=tokens).loss.backward()
    gradients = [p.grad for n, p in grown.named_parameters() if f".layers.{n_blocks}." in n]
    assert sum(bool(g is not None and g.abs().max() > 0) for g in gradients) >= 2


def test_training_goes_on_from_a_shallower_model_and_from_no_deeper_one(model):
    n_blocks = count_blocks(model.state_dict())
    grown = deeper(model, 2 * n_blocks)
    grown.model.audio_tower.load_state_dict(model.model.audio_tower.state_dict())
    assert take_weights(grown, model) == []
    torch.testing.assert_close(logits(grown), logits(model), atol=1e-5, rtol=1e-5)
    with pytest.raises(ConfigError, match=f"language.n_layers to {2 * n_blocks}, or up to"):
        take_weights(deeper(model, n_blocks), grown)


def test_a_model_is_averaged_with_what_it_grew_from(model, tmp_path):
    processor = tiny_model()[1]
    n_blocks = count_blocks(model.state_dict())
    grown = deeper(model, n_blocks + 1)
    grown.load_state_dict(expand_blocks(model.state_dict(), n_blocks + 1))
    save_model(model, processor, tmp_path / "before")
    save_model(grown, processor, tmp_path / "after")
    average_weights(tmp_path / "before", tmp_path / "after", tmp_path / "mixed", 0.5)
    mixed = load_model(tmp_path / "mixed", dtype="float32")[0].eval()
    assert count_blocks(mixed.state_dict()) == n_blocks + 1
    torch.testing.assert_close(logits(mixed), logits(model), atol=1e-4, rtol=1e-4)
