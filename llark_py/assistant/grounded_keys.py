"""A key in an answer has the mode that was measured: a constraint on decoding.

A small model copies the tonic of a key from a tool result faithfully, but now and then puts the
other mode behind it. Where the conversation names a tonic with one mode only, the other mode may
not follow it. Keys of other tonics are left alone: to say that E
minor is the relative of a measured G major is no claim about the recording.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import torch

from .reply_constraint import ReplyConstraint, allow_only, text_tokens

_MODES = ("major", "minor")
KEY = re.compile(r"(?<![A-Za-z0-9#])([A-G][#b]?) ((?i:major|minor))")
_UNFINISHED = re.compile(r"(?<![A-Za-z0-9#])([A-G][#b]?)(| [A-Za-z]{0,4})$")


def measured_modes(source: str) -> dict[str, str]:
    """Map each tonic that a text names with one mode only to that mode (`{"F#": "minor"}`)."""
    modes: dict[str, set[str]] = {}
    for tonic, mode in KEY.findall(source):
        modes.setdefault(tonic, set()).add(mode.lower())
    return {tonic: found.pop() for tonic, found in modes.items() if len(found) == 1}


class GroundedKeys(ReplyConstraint):
    """Allows only tokens that give a tonic the mode it has in the source.

    Args:
        tokenizer: Any Hugging Face tokenizer.
        source: The text whose keys may be quoted.
        prompt_length: How many leading tokens are the prompt.
    """

    def __init__(self, tokenizer: Any, source: str, prompt_length: int):
        super().__init__(tokenizer, prompt_length)
        self._modes = measured_modes(source)
        self._pieces = _mode_pieces(tokenizer)

    def mask(self, row: torch.Tensor, text: str) -> None:
        """Forbid tokens in `row` (vocabulary,), in place, behind the text of a reply."""
        last = _UNFINISHED.search(text)
        if not last or last[1] not in self._modes:
            return
        mode, written = self._modes[last[1]], last[2]
        wrong = [i for i, piece in self._pieces if _leads_to_another(mode, written + piece)]
        right = [i for i, piece in self._pieces if _leads_to(mode, written + piece)]
        if right and int(row.argmax()) in wrong:
            # A mode was going to be named: then it is this one, not what came second.
            allow_only(row, right)
        row[wrong] = -torch.inf


def _leads_to(mode: str, written: str) -> bool:
    """Say whether what stands behind a tonic is the mode or the start of it."""
    word, whole = written.lower(), f" {mode}"
    return word.startswith(whole) or (word.startswith(" ") and whole.startswith(word))


def _leads_to_another(mode: str, written: str) -> bool:
    (other,) = (m for m in _MODES if m != mode)
    return _leads_to(other, written) and not _leads_to(mode, written)


@lru_cache(maxsize=4)
def _mode_pieces(tokenizer: Any) -> list[tuple[int, str]]:
    """List the tokens that a mode may be written with, and their text."""
    found = []
    for token_id, piece in text_tokens(tokenizer).items():
        word = piece.strip().lower()
        starts = any(word.startswith(mode) for mode in _MODES)
        if word and (starts or any(word in mode for mode in _MODES)):
            found.append((token_id, piece))
    return found
