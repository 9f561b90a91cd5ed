"""Why a tool has failed is told in the tool's own words: a constraint on decoding.

A small language model knows some reasons by heart, and gives one of them for any failure: where
the tool had said that there is only one recording, the other one was "too quiet". Behind the words
that lead to a reason (`I could not compare them: ...`, `... because ...`) only the reason of the
last result may stand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import torch

from llark_py.messages import Message

from .conversation import results_since_question
from .reply_constraint import ReplyConstraint, allow_only, text_tokens

_LEAD = re.compile(r"(?<!\d):(?=\s|$)|\bbecause\b")


def last_reason(messages: Sequence[Message]) -> tuple[str, bool] | None:
    """Find why the last tool has failed since the last question; None where it has not.

    Returns:
        The reason, and whether that is all that tools have said.
    """
    results = results_since_question(messages)
    reason = results[-1].error if results else None
    return None if reason is None else (reason, len(results) == 1)


class GroundedReasons(ReplyConstraint):
    """Allows only the given reason behind the words that lead to one; what follows it is free.

    Args:
        tokenizer: Any Hugging Face tokenizer.
        reason: Of the tool, as it was given to the model.
        prompt_length: How many leading tokens are the prompt.
        alone: Whether there is nothing else to tell; then the reason ends the sentence.
    """

    def __init__(self, tokenizer: Any, reason: str, prompt_length: int, *, alone: bool):
        super().__init__(tokenizer, prompt_length)
        self._alone = alone
        self._reason = f" {reason.strip().rstrip('.')}"

    def mask(self, row: torch.Tensor, text: str) -> None:
        """Forbid tokens in `row` (vocabulary,), in place, behind the text of a reply."""
        lead = _LEAD.search(text)
        if lead is None:
            return
        said = text[lead.end() :]
        if not self._reason.startswith(said):
            return  # it is told, or the words led to something else before this began
        pieces = text_tokens(self._tokenizer).items()
        right = [i for i, piece in pieces if piece and self._leads_on(said + piece)]
        if right:
            allow_only(row, right)

    def _leads_on(self, said: str) -> bool:
        if self._reason.startswith(said):
            return True
        behind = said.removeprefix(self._reason)
        return behind != said and (behind[0] == "." if self._alone else not behind[0].isalnum())
