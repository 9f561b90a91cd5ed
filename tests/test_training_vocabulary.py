"""Another tokenizer: what both know stays, what is new begins as the pieces it was before."""

from __future__ import annotations

import pytest
import torch

from llark_py.instruct.tokenizer import train_tokenizer
from llark_py.training.vocabulary import carry_over

OLD_TEXTS = ["the key is A minor", "the tempo is 120 bpm"] * 5
NEW_TEXTS = ["separate the stems of the song", "the key of the stems"] * 5


@pytest.fixture(scope="module")
def tokenizers():
    return train_tokenizer(OLD_TEXTS, 330), train_tokenizer(NEW_TEXTS, 360)


def test_what_both_know_keeps_its_embedding(tokenizers):
    old, new = tokenizers
    before = torch.randn(len(old), 8, generator=torch.Generator().manual_seed(0))
    after = carry_over(before, old, new)
    assert after.shape == (len(new), 8)
    there, here = old.get_vocab(), new.get_vocab()
    assert {"<tool_call>", "<|im_end|>", "a"} <= there.keys() & here.keys()
    for token in there.keys() & here.keys():
        assert torch.equal(after[here[token]], before[there[token]])


def test_a_new_token_begins_as_the_mean_of_its_old_pieces(tokenizers):
    old, new = tokenizers
    before = torch.randn(len(old), 8, generator=torch.Generator().manual_seed(0))
    token = new.convert_tokens_to_ids("Ġstems")
    assert token != new.unk_token_id and "Ġstems" not in old.get_vocab()
    pieces = old(" stems").input_ids
    assert len(pieces) > 1
    after = carry_over(before, old, new)
    torch.testing.assert_close(after[token], before[pieces].mean(0))
    assert torch.isfinite(after).all()
