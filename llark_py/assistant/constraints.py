"""What a reply may not say, put together for one generation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from transformers import LogitsProcessor

from .grounded_keys import GroundedKeys
from .grounded_times import GroundedTimes
from .grounding import TIME, GroundedNumbers, heard_numbers, trim_unfinished


def constrain(
    tokenizer: Any,
    quotable: str,
    times: Sequence[str],
    prompt_length: int,
    *,
    measured: bool,
) -> tuple[list[LogitsProcessor], Callable[[str], str]]:
    """Choose the constraints of a reply.

    Args:
        tokenizer: Of the model.
        quotable: What numbers may be taken from: tool results and the user's own words.
        times: What may be told of when things happen in the recordings, as m:ss; empty without one.
            Once a tool has answered with times, those alone are told.
        prompt_length: How many leading tokens are the prompt.
        measured: Whether a tool has answered in this turn; then every number must be a quote.

    Returns:
        Constraints on decoding, and what cuts off a number that the length limit has broken.
    """
    if measured:
        source = f"{quotable} {heard_numbers(() if TIME.search(quotable) else times)}"
        return [
            GroundedNumbers(tokenizer, source, prompt_length),
            GroundedKeys(tokenizer, source, prompt_length),
        ], lambda text: trim_unfinished(text, source)
    if times:
        grounded = GroundedTimes(tokenizer, times, quotable, prompt_length)
        return [grounded], grounded.trim
    return [], str
