"""Tools the model may call: one file each, named like the function in it.

The room loads no numerical library until a tool is run.
"""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import FunctionType
from typing import Any

from llark_py import catalog
from llark_py.analysis.listening import progress_to
from llark_py.audio import Audio, load_audio
from llark_py.errors import LlarkError, UnknownNameError
from llark_py.messages import ToolResult

from ._result import full_view, model_view
from ._schema import audio_parameters, check_arguments, json_schema, visible_parameters
from ._workspace import Artefact, Cancelled, Workspace

__all__ = [
    "Artefact",
    "Cancelled",
    "Workspace",
    "describe",
    "load_tool",
    "n_required_recordings",
    "names",
    "parameters",
    "run_tool",
    "schemas",
]

_log = logging.getLogger(__name__)


def names() -> list[str]:
    """List the tools by name."""
    return catalog.names("tools")


def describe(name: str) -> str:
    """Read what a tool does, in one line, from its source: nothing is imported.

    Raises:
        UnknownNameError: There is no such tool.
    """
    if name not in names():
        raise UnknownNameError("tool", name, names())
    tree = ast.parse((Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return (ast.get_docstring(node) or "").split("\n")[0]
    raise TypeError(f"tools/{name}.py defines no function {name}")


def load_tool(name: str) -> FunctionType:
    """Import a tool and return its function.

    Raises:
        UnknownNameError: There is no such tool; the message suggests the nearest name.
    """
    return getattr(catalog.load("tools", name), name)


def schemas(tool_names: Iterable[str] | None = None) -> list[dict[str, Any]]:
    """Give the JSON schemas of some tools (None: of all), as chat templates take them."""
    chosen = names() if tool_names is None else tool_names
    return [json_schema(load_tool(name)) for name in chosen]


def parameters(name: str) -> tuple[list[str], list[str]]:
    """List what a tool takes: the parameters that are recordings, and the others."""
    tool = load_tool(name)
    recordings = audio_parameters(tool)
    return recordings, [p for p in visible_parameters(tool) if p not in recordings]


def n_required_recordings(name: str) -> int:
    """Tell how many recordings a tool needs; it may take one more (see `parameters`)."""
    return len(audio_parameters(load_tool(name), required=True))


def run_tool(
    name: str,
    arguments: Mapping[str, Any],
    audios: Mapping[str, Audio],
    workspace: Workspace,
    *,
    call_id: str = "",
) -> ToolResult:
    """Run a tool call of the model; whatever goes wrong becomes a result that says so.

    Args:
        name: The tool, as the model wrote it.
        arguments: As the model wrote them; recordings are ids and may be left out where there is
            no choice. Sounds that tools made (`artefact_3`) can be named too.
        audios: The recordings of the conversation by id. Those that tools made in this workspace
            are known too.
        workspace: Where artefacts go and whom to report to.
        call_id: Copied into the result.

    Raises:
        Cancelled: The workspace was cancelled.
    """
    made_before = len(workspace.artefacts)
    known = {**audios, **{part.id: part.audio for part in workspace.recordings.values()}}
    workspace.reserve(known)
    try:
        tool = load_tool(name)
        sounds = workspace.sounds
        checked = check_arguments(tool, dict(arguments), known, sounds)
        named = {checked[parameter] for parameter in audio_parameters(tool)} - {None}
        heard = {i: known[i] if i in known else load_audio(sounds[i]) for i in named}
        checked |= {name: heard.get(checked[name]) for name in audio_parameters(tool)}
        with progress_to(workspace.progress):
            result = tool(workspace=workspace, **checked)
    except Cancelled:
        raise
    except LlarkError as error:
        return ToolResult(call_id, name, {"error": str(error)})
    except Exception as error:  # a tool must never take the conversation down with it
        _log.exception("tool %s failed", name)
        return ToolResult(
            call_id, name, {"error": f"{name} failed: {error or type(error).__name__}"}
        )
    made = workspace.artefacts[made_before:]
    return ToolResult(
        call_id,
        name,
        model_view(result),
        full_view(result),
        artefacts=tuple(a.id for a in made),
        recordings=tuple(audio_id for audio_id in workspace.recordings if audio_id not in known),
        sounds={a.id: a.path for a in made if a.kind == "audio"},
    )
