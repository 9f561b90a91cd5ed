"""Parts of recordings: whether there is such a part, and how it is cut without clicks."""

from __future__ import annotations

import math

import numpy as np

from llark_py.audio import Audio
from llark_py.errors import ToolError

from .listening import check_sounding

MIN_DURATION_S = 0.1
FADE_S = 0.01
_ROUNDING_S = 0.01
"""Times that people and models read are rounded; by as much an end may lie beyond the recording."""


def begins_s(
    audio: Audio, start_s: float, end_s: float | None = None, last_s: float | None = None
) -> float:
    """Tell where a part begins that is given by its start, or by its length up to the end.

    Args:
        audio: Any rate and number of channels.
        start_s: Where the part begins; 0 where `last_s` is given.
        end_s: Where it ends; None where `last_s` is given.
        last_s: How long it is if it ends with the recording; None: it begins at `start_s`.

    Raises:
        ToolError: The part is given both ways, or is longer than the recording.
    """
    if last_s is None:
        return start_s
    if start_s or end_s is not None:
        raise ToolError("last_s counts from the end; give it without start_s and end_s")
    if not 0.0 < last_s <= audio.duration_s:
        raise ToolError(
            f"there are no last {last_s:g} s; the recording lasts {audio.duration_s:.1f} s"
        )
    return audio.duration_s - last_s


def check_span(audio: Audio, start_s: float, end_s: float | None) -> float:
    """Refuse a span that is not in a recording; give its end, which may be left out or lie beyond.

    Raises:
        ToolError: The span begins before the recording, or ends before it begins.
    """
    end_s = audio.duration_s if end_s is None else min(end_s, audio.duration_s)
    if not 0.0 <= start_s < end_s:
        raise ToolError(
            f"there is no span from {start_s:g} s to {end_s:g} s; "
            f"the recording lasts {audio.duration_s:.1f} s"
        )
    return end_s


def cut(audio: Audio, start_s: float, end_s: float | None = None) -> Audio:
    """Cut out a part, with fades of 10 ms (raised cosine) at both of its ends.

    Args:
        audio: Any rate and number of channels, not silent.
        start_s: Where the part begins.
        end_s: Where it ends; None for the end of the recording.

    Raises:
        ToolError: The times are no numbers, lie outside the recording, are reversed or less than
            0.1 s apart, or are those of the whole recording; or the recording is silent.
    """
    check_sounding(audio, MIN_DURATION_S)
    length = audio.duration_s
    lasts = f"the recording lasts from 0 s to {math.floor(length * 100) / 100:g} s"
    end_s = length if end_s is None else end_s
    for name, time_s in (("start_s", start_s), ("end_s", end_s)):
        if not math.isfinite(time_s) or not 0.0 <= time_s <= length + _ROUNDING_S:
            raise ToolError(f"{name} = {time_s:g} s is not in the recording; {lasts}")
    if end_s <= start_s:
        raise ToolError(f"start_s = {start_s:g} s must lie before end_s = {end_s:g} s; {lasts}")
    if round(end_s - start_s, 6) < MIN_DURATION_S or length - start_s < MIN_DURATION_S:
        raise ToolError(
            f"a part from {start_s:g} s to {end_s:g} s is too short; "
            f"cut at least {MIN_DURATION_S:g} s"
        )
    if start_s == 0.0 and end_s >= length:
        raise ToolError(f"this is the whole recording; give start_s, end_s or both: {lasts}")
    part = audio.slice(start_s, end_s)
    rise = round(FADE_S * part.sample_rate)
    fade = 0.5 - 0.5 * np.cos(np.pi * (np.arange(rise) + 0.5) / rise) if rise else np.ones(0)
    samples = part.samples.copy()
    samples[..., :rise] *= fade
    samples[..., samples.shape[-1] - rise :] *= fade[::-1]
    return Audio(samples, part.sample_rate)
