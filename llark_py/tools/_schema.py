"""A tool's signature as the model sees it, and the check of what the model sends.

A tool is a function `name(audio: Audio, workspace: Workspace, ...)`, or one of several recordings.
The model sees each parameter of type `Audio` as the id of a recording and never sees the workspace.
A parameter of type `Audio | None` is a recording that may be left out.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any, get_type_hints

from pydantic import ValidationError, create_model

from llark_py.audio import Audio
from llark_py.errors import ToolError

from ._workspace import Workspace

_LONGEST_QUOTE = 60
# What the model sees in the place of a recording.
_AUDIO_KINDS: dict[Any, Any] = {Audio: str, Audio | None: str | None}


def visible_parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Give the parameters that the model may fill, recordings as strings."""
    hints = get_type_hints(function)
    visible = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if hints[name] is Workspace:
            continue
        kind = _AUDIO_KINDS.get(hints[name], hints[name])
        visible[name] = parameter.replace(annotation=kind)
    return visible


def audio_parameters(function: Callable[..., Any], *, required: bool = False) -> list[str]:
    """Name the parameters that are recordings, in order; on demand only those that are required."""
    hints = get_type_hints(function)
    kinds = (Audio,) if required else tuple(_AUDIO_KINDS)
    return [name for name in inspect.signature(function).parameters if hints[name] in kinds]


def json_schema(function: FunctionType) -> dict[str, Any]:
    """Make the JSON schema of a tool from its signature and its Google docstring.

    Returns:
        `{"type": "function", "function": {"name", "description", "parameters"}}`.
    """
    from transformers.utils import get_json_schema

    parameters = visible_parameters(function)

    def shown() -> None: ...

    shown.__name__, shown.__doc__ = function.__name__, function.__doc__
    shown.__annotations__ = {name: p.annotation for name, p in parameters.items()}
    shown.__signature__ = inspect.Signature(list(parameters.values()))  # type: ignore[attr-defined]
    schema = get_json_schema(shown)
    schema["function"].pop("return", None)
    return schema


def check_arguments(
    function: Callable[..., Any],
    arguments: dict[str, Any],
    audio_ids: Iterable[str],
    sound_ids: Iterable[str] = (),
) -> dict[str, Any]:
    """Check what the model sent and fill in recordings it left out where there is no choice.

    Args:
        function: The tool.
        arguments: As parsed from the call.
        audio_ids: Ids of the recordings in the conversation.
        sound_ids: Ids of sounds that tools made, which are taken only where they are named.

    Returns:
        The arguments with the types of the signature; recordings are still ids.

    Raises:
        ToolError: An unknown argument, one of the wrong type, an unknown recording, or fewer
            recordings than the tool takes.
    """
    parameters, known, made = visible_parameters(function), list(audio_ids), list(sound_ids)
    if unexpected := sorted(set(arguments) - set(parameters)):
        raise ToolError(
            f"{function.__name__} takes no argument '{_brief(unexpected[0])}'; "
            f"it takes {', '.join(parameters)}"
        )
    given = dict(arguments) | _name_recordings(function, arguments, known, made)
    fields: dict[str, Any] = {
        name: (p.annotation, ... if p.default is inspect.Parameter.empty else p.default)
        for name, p in parameters.items()
    }
    try:
        checked = create_model(function.__name__, **fields)(**given)
    except ValidationError as error:
        first = error.errors()[0]
        raise ToolError(
            f"argument '{first['loc'][0]}' of {function.__name__}: {first['msg'].lower()}"
        ) from error
    return {name: getattr(checked, name) for name in parameters}


def _name_recordings(
    function: Callable[..., Any], arguments: dict[str, Any], known: list[str], made: list[str]
) -> dict[str, str]:
    """Give the ids of the recordings of a call; those left out are the only ones left."""
    required, allowed = audio_parameters(function, required=True), [*known, *made]
    there = f"there is {', '.join(allowed) or 'none'}"
    if len(allowed) < len(required) and len(required) > 1:
        only = {0: "is none", 1: "is only one"}.get(len(allowed), f"are only {len(allowed)}")
        raise ToolError(f"this takes {len(required)} recordings, and there {only}")
    wanted = audio_parameters(function)
    named = {name: arguments[name] for name in wanted if arguments.get(name) is not None}
    missing = [name for name in required if name not in named]
    unnamed = [audio_id for audio_id in known if audio_id not in named.values()]
    if len(missing) == len(unnamed):
        named |= dict(zip(missing, unnamed, strict=True))
    for name in {*required, *named}:
        if named.get(name) not in allowed:
            raise ToolError(f"there is no recording {_brief(json.dumps(named.get(name)))}; {there}")
    return named


def _brief(text: str) -> str:
    """Shorten what the model sent: an error must not fill its context."""
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}..."
