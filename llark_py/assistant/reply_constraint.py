"""What all constraints on decoding share: they look at a reply so far and forbid tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
from transformers import LogitsProcessor

from .reply import TOOL_CALL, control_tokens

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")


class ReplyConstraint(LogitsProcessor):
    """Forbids tokens that may not follow what a reply says so far.

    Args:
        tokenizer: Any Hugging Face tokenizer.
        prompt_length: How many leading tokens are the prompt.
    """

    def __init__(self, tokenizer: Any, prompt_length: int):
        self._tokenizer, self._prompt_length = tokenizer, prompt_length

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Mask `scores` (batch, vocabulary) given `input_ids` (batch, n_tokens)."""
        for row, ids in zip(scores, input_ids, strict=True):
            text = self._tokenizer.decode(ids[self._prompt_length :], skip_special_tokens=False)
            if TOOL_CALL in text:
                self.mask_call(row, text)
            else:
                self.mask(row, text)
        return scores

    def mask(self, row: torch.Tensor, text: str) -> None:
        """Forbid tokens in `row` (vocabulary,), in place, behind the text of a reply."""
        raise NotImplementedError

    def mask_call(self, row: torch.Tensor, text: str) -> None:
        """Forbid tokens in a tool call; mostly none, as its arguments are checked by the tool."""


class AllConstraints(ReplyConstraint):
    """Applies several constraints to a reply that is decoded once."""

    def __init__(self, tokenizer: Any, prompt_length: int, parts: Sequence[ReplyConstraint]):
        super().__init__(tokenizer, prompt_length)
        self.parts = tuple(parts)

    def mask(self, row: torch.Tensor, text: str) -> None:
        """Forbid what any of them forbids, in their order."""
        for part in self.parts:
            part.mask(row, text)

    def mask_call(self, row: torch.Tensor, text: str) -> None:
        """Forbid what any of them forbids in a tool call."""
        for part in self.parts:
            part.mask_call(row, text)


def allow_only(row: torch.Tensor, tokens: list[int]) -> None:
    """Forbid everything but some tokens in `row` (vocabulary,), in place."""
    kept = row[tokens].clone()
    row.fill_(-torch.inf)
    row[tokens] = kept


@lru_cache(maxsize=4)
def text_tokens(tokenizer: Any) -> dict[int, str]:
    """Map the tokens of a tokenizer that are text to what they write, leading spaces included."""
    special = control_tokens(tokenizer)
    return {i: _written(t) for t, i in tokenizer.get_vocab().items() if i not in special}


@lru_cache(maxsize=32)
def word_tokens(tokenizer: Any, words: frozenset[str]) -> list[int]:
    """List the tokens that are one of some lower-case words, however it is written."""
    return [i for i, piece in text_tokens(tokenizer).items() if piece.strip().lower() in words]


def _written(token: str) -> str:
    if byte := _BYTE.fullmatch(token):
        return chr(int(byte[1], 16))
    # SentencePiece and byte-level BPE write a space as one of these; Ċ is the end of a line.
    return token.replace("▁", " ").replace("Ġ", " ").replace("Ċ", "\n")
