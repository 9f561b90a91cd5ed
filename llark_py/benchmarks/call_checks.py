"""Is a tool call the one that was wanted, and does the answer name the recording it found?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from typing import Any

from llark_py.tools import parameters

TIME_TOLERANCE_S = 0.5
_FROM_END = re.compile(r"end-(\d+)")
_EARLIER = re.compile(r"\$(\w+)\.(\w+)")
_UNSET = {"start_s": 0.0, "stem": "all"}
_END = "end_s"
_NAMED = re.compile(
    r"\b(first|second)\b|\b(?:neither|both|same|equal(?:ly)?|alike)\b", re.IGNORECASE
)

Calls = Sequence[Sequence[Any]]


def same_tools(calls: Calls, plan: Calls) -> bool:
    """Tell whether exactly the tools of a plan were called, in any order."""
    return sorted({name for name, _ in calls}) == sorted({name for name, _ in plan})


def fulfils(
    calls: Calls,
    plan: Calls,
    results: Sequence[Mapping[str, Any]],
    earlier: Mapping[str, Any],
    durations_s: Mapping[str, float],
) -> bool:
    """Tell whether each call of a plan was made with the right arguments.

    Args:
        calls: What was called, as (tool, arguments), in order. More calls of the same tools do no
            harm: one that failed may be mended.
        plan: What was wanted.
        results: What the tools answered.
        earlier: `<tool>.<field>` -> what the tools of earlier turns had given.
        durations_s: Of the recordings of the user, by id.
    """
    return any(
        _all_match(calls, plan, order, results, earlier, durations_s)
        for order in permutations(range(len(calls)), len(plan))
    )


def _all_match(
    calls: Calls,
    plan: Calls,
    order: Sequence[int],
    results: Sequence[Mapping[str, Any]],
    earlier: Mapping[str, Any],
    durations_s: Mapping[str, float],
) -> bool:
    for place, (tool, wanted) in zip(order, plan, strict=True):
        name, given = calls[place]
        # A call can only name what was there when it was made.
        there = {**earlier, **dict(given_by(calls[:place], results[:place]))}
        if name != tool or not right_arguments(tool, given, wanted, there, durations_s):
            return False
    return True


def given_by(calls: Calls, results: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Name what tools gave: `separate_stems.bass` -> `artefact_2`."""
    for (name, _), result in zip(calls, results, strict=True):
        for field, value in result.items():
            yield f"{name}.{field}", value


def right_verdict(
    answer: str, wanted: Mapping[str, Any] | None, results: Sequence[Mapping[str, Any]]
) -> bool | None:
    """Tell whether an answer names the recording that a result says is more of something.

    Args:
        answer: What was said; the recording that it names first counts.
        wanted: `field` of the result that says "first", "second" or "neither", and `about`: words
            of which the answer holds one. None: no recording is to be named.
        results: What the tools answered.

    Returns:
        None where nothing is wanted or no tool found which one it is.
    """
    found = [r[wanted["field"]] for r in results if wanted and wanted["field"] in r]
    if wanted is None or not found:
        return None
    named = _NAMED.search(answer)
    says = (named[1] or "neither").lower() if named else None
    to_the_point = any(word.lower() in answer.lower() for word in wanted["about"])
    return to_the_point and says == found[-1]


def right_arguments(
    tool: str,
    given: Mapping[str, Any],
    wanted: Mapping[str, Any],
    there: Mapping[str, Any],
    durations_s: Mapping[str, float],
) -> bool:
    """Tell whether the arguments of a call are the wanted ones.

    Times may be off by 0.5 s; an end that is left out is the end of the recording. A recording
    that is not named in what is wanted is the first one. Truth values that nobody asked for (also
    drawing a picture) are free.

    Args:
        tool: A tool's name.
        given: As the model wrote them.
        wanted: As a script has them.
        there: What earlier tools gave.
        durations_s: Of the recordings of the user, by id.
    """
    recordings, others = parameters(tool)
    unnamed = next(iter(durations_s)) if len(durations_s) == 1 else None
    required: dict[str, Any] = {"audio": "audio_1"} if "audio" in recordings else {}
    required |= {name: None for name in others if name in (_END, *_UNSET)}
    length = durations_s.get(str(given.get("audio", "audio_1")))
    given = _from_start(given, length)
    for name, value in (required | dict(wanted)).items():
        said = given.get(name)
        if name in recordings and said is None:
            said = unnamed
        options = value if isinstance(value, list) else [value]
        if not any(_equal(name, said, _resolve(v, there, durations_s), length) for v in options):
            return False
    return set(given) <= {*recordings, *others}


def _from_start(given: Mapping[str, Any], length_s: float | None) -> dict[str, Any]:
    """Count a part from the start of a recording that was counted from its end."""
    told = dict(given)
    if "last_s" not in told or length_s is None or {"start_s", _END} & set(told):
        return told
    return told | {"start_s": length_s - _number(told.pop("last_s"), float("nan"))}


def _equal(name: str, said: Any, value: Any, length_s: float | None) -> bool:
    if name == _END:
        end_s = float("inf") if length_s is None else length_s
        said, value = (min(_number(t, end_s), end_s) for t in (said, value))
        return bool(said == value or abs(said - value) <= TIME_TOLERANCE_S)
    said, value = (_UNSET.get(name) if x is None else x for x in (said, value))
    if name.endswith("_s"):
        return abs(_number(said, float("nan")) - _number(value, 0.0)) <= TIME_TOLERANCE_S
    return bool(said == value)


def _number(value: Any, missing: float) -> float:
    """Read a time as tools do, which take figures in quotes as well."""
    if value is None:
        return missing
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _resolve(value: Any, there: Mapping[str, Any], durations_s: Mapping[str, float]) -> Any:
    if not isinstance(value, str):
        return value
    if match := _FROM_END.fullmatch(value):
        return next(iter(durations_s.values())) - float(match[1])
    if match := _EARLIER.fullmatch(value):
        # What no tool gave can be no right argument.
        return there.get(f"{match[1]}.{match[2]}", "(nothing)")
    return value
