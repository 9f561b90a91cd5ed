"""What a reply may not say, put together for one generation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from transformers import LogitsProcessor

from .grounded_chords import GroundedChords, GroundedDegrees, progressions_in
from .grounded_keys import GroundedKeys
from .grounded_players import GroundedPlayers
from .grounded_times import GroundedTimes
from .grounding import TIME, GroundedNumbers, heard_numbers, trim_unfinished


def constrain(
    tokenizer: Any,
    quotable: str,
    times: Sequence[str],
    heard: str,
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
        heard: The encoder's notes of all recordings; empty where it writes none.
        prompt_length: How many leading tokens are the prompt.
        measured: Whether a tool has answered in this turn; then every number must be a quote.

    Returns:
        Constraints on decoding, and what cuts off a number that the length limit has broken.
    """
    from_tools = measured and progressions_in(quotable)
    told = quotable if from_tools else f"{quotable}\n{heard}"
    chords = GroundedChords(tokenizer, told, prompt_length)
    if measured:
        source = f"{quotable} {heard_numbers(() if TIME.search(quotable) else times)}"
        numbers = GroundedNumbers(tokenizer, source, prompt_length)
        keys = GroundedKeys(tokenizer, source, prompt_length)
        degrees = GroundedDegrees(tokenizer, quotable, prompt_length)
        return [numbers, keys, chords, degrees], lambda text: trim_unfinished(text, source)
    constraints: list[LogitsProcessor] = [chords]
    if heard:
        constraints.append(GroundedPlayers(tokenizer, told, prompt_length))
    if not times:
        return constraints, str
    grounded = GroundedTimes(tokenizer, times, quotable, prompt_length)
    return [grounded, *constraints], grounded.trim
