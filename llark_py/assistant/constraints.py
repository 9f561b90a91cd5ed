"""What a reply may not say, put together for one generation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from transformers import LogitsProcessor, NoBadWordsLogitsProcessor

from llark_py.messages import Message

from .call_schema import CallSchema, name_recordings
from .conversation import asked_text, recordings
from .generation import Decoder
from .grounded_chords import GroundedChords, GroundedDegrees, progressions_in
from .grounded_entrances import GroundedEntrances, noted_entrance, told_late
from .grounded_keys import GroundedKeys
from .grounded_line_ups import GroundedLineUps, last_line_up
from .grounded_players import GroundedPlayers
from .grounded_reasons import GroundedReasons, last_reason
from .grounded_seconds import GroundedSeconds
from .grounded_times import GroundedTimes
from .grounded_verdicts import GroundedVerdicts, verdict
from .grounding import TIME, GroundedNumbers, heard_numbers, told_times, trim_unfinished
from .reply import TOOL_CALL
from .reply_constraint import AllConstraints, ReplyConstraint

Trim = Callable[[str], str]
"""Cuts off a number that the length limit has broken."""


def constrain_reply(
    decoder: Decoder,
    messages: Sequence[Message],
    schemas: Sequence[Mapping[str, Any]],
    quotable: str,
    prompt_length: int,
    *,
    measured: bool,
    may_call: bool,
) -> tuple[list[LogitsProcessor], Trim]:
    """Choose the constraints of a reply about some recordings.

    Args:
        decoder: Knows what the encoder has written down of each recording.
        messages: The conversation.
        schemas: Of the tools at hand.
        quotable: As for `constrain`, `prompt_length` and `measured` too.
        prompt_length: How many leading tokens are the prompt.
        measured: Whether a tool has answered in this turn.
        may_call: Whether the reply may be a tool call.
    """
    audios = [part.audio for part in recordings(messages)]
    notes = [decoder.frames(audio).notes for audio in audios]
    times = [t for a, n in zip(audios, notes, strict=True) for t in told_times(a.duration_s, n)]
    heard = "\n".join(n or "" for n in notes)
    tokenizer, asked = decoder.tokenizer, asked_text(messages)
    about = asked if len(notes) == 1 else ""
    constraint, trim = constrain(
        tokenizer, quotable, times, heard, prompt_length, measured=measured, about=about
    )
    parts = list(constraint.parts)
    # Who writes no notes is a larger model, which reads results and may reckon with times.
    if heard and measured and told_late(messages):
        parts.append(GroundedEntrances(tokenizer, prompt_length))
    if heard and measured and (line_up := last_line_up(messages)):
        parts.append(GroundedLineUps(tokenizer, *line_up, prompt_length))
    if heard and measured and (failed := last_reason(messages)):
        reason, alone = failed
        parts.append(GroundedReasons(tokenizer, reason, prompt_length, alone=alone))
    others: list[LogitsProcessor] = []
    if may_call and schemas:
        if heard:
            parts.append(GroundedSeconds(tokenizer, quotable, asked, prompt_length))
        parts.append(CallSchema(tokenizer, name_recordings(schemas, messages), prompt_length))
    else:
        ids = tokenizer(TOOL_CALL, add_special_tokens=False)["input_ids"]
        others.append(NoBadWordsLogitsProcessor([ids]))
    return [AllConstraints(tokenizer, prompt_length, parts), *others], trim


def constrain(
    tokenizer: Any,
    quotable: str,
    times: Sequence[str],
    heard: str,
    prompt_length: int,
    *,
    measured: bool,
    about: str = "",
) -> tuple[AllConstraints, Trim]:
    """Choose the constraints of a reply from what is known.

    Args:
        tokenizer: Of the model.
        quotable: What numbers may be taken from: tool results and the user's own words.
        times: What may be told of when things happen in the recordings, as m:ss; empty without one.
            Once a tool has answered with times, those alone are told.
        heard: The encoder's notes of all recordings; empty where it writes none.
        prompt_length: How many leading tokens are the prompt.
        measured: Whether a tool has answered in this turn; then every number must be a quote.
        about: The last question, if there is one recording only that it can be about.
    """
    from_tools = measured and progressions_in(quotable)
    told = quotable if from_tools else f"{quotable}\n{heard}"
    chords = GroundedChords(tokenizer, told, prompt_length)
    if measured:
        source = f"{quotable} {heard_numbers(() if TIME.search(quotable) else times)}"
        numbers = GroundedNumbers(tokenizer, source, prompt_length)
        keys = GroundedKeys(tokenizer, source, prompt_length)
        degrees = GroundedDegrees(tokenizer, quotable, prompt_length, about)
        parts = [numbers, keys, chords, degrees]
        return AllConstraints(tokenizer, prompt_length, parts), partial(
            trim_unfinished, source=source
        )
    by_ear: list[ReplyConstraint] = [chords]
    if heard:
        by_ear.append(GroundedPlayers(tokenizer, told, prompt_length))
        by_ear.append(GroundedVerdicts(tokenizer, verdict(about, heard), prompt_length))
    if about and (entrance := noted_entrance(about, heard)):
        times = [entrance]
        by_ear.append(GroundedEntrances(tokenizer, prompt_length, entrance))
    if not times:
        return AllConstraints(tokenizer, prompt_length, by_ear), str
    grounded = GroundedTimes(tokenizer, times, quotable, prompt_length)
    return AllConstraints(tokenizer, prompt_length, [grounded, *by_ear]), grounded.trim
