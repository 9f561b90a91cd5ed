"""Gives a language model another tokenizer without making it forget what it has learnt."""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast


def carry_over(
    embeddings: Tensor, old: PreTrainedTokenizerFast, new: PreTrainedTokenizerFast
) -> Tensor:
    """Make the embeddings of a new tokenizer out of those of an old one.

    A token that both know keeps its embedding; another begins as the mean of the pieces that the
    old tokenizer cuts it into (Gee et al., "Fast vocabulary transfer for language model
    compression", EMNLP 2022).

    Args:
        embeddings: `(old tokens, width)`.
        old: The tokenizer they belong to.
        new: Byte-level like the old one.

    Returns:
        `(new tokens, width)`.
    """
    known = old.get_vocab()
    rows = []
    for token in new.convert_ids_to_tokens(range(len(new))):
        if token in known:
            rows.append(embeddings[known[token]])
            continue
        text = new.backend_tokenizer.decoder.decode([token])
        # Half a character is no text; both tokenizers hold all single bytes, so it is rare.
        pieces = [] if "\ufffd" in text else old(text, add_special_tokens=False).input_ids
        rows.append((embeddings[pieces] if pieces else embeddings).mean(0))
    return torch.stack(rows)
