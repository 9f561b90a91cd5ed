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
from llark_py.audio import Audio
from llark_py.errors import LlarkError, UnknownNameError
from llark_py.messages import ToolResult

from ._result import full_view, model_view
from ._schema import check_arguments, json_schema
from ._workspace import Artefact, Cancelled, Workspace

__all__ = [
    "Artefact",
    "Cancelled",
    "Workspace",
    "describe",
    "load_tool",
    "names",
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
        arguments: As the model wrote them; `audio` is an id and may be left out when there is
            one recording.
        audios: The recordings of the conversation by id.
        workspace: Where artefacts go and whom to report to.
        call_id: Copied into the result.

    Raises:
        Cancelled: The workspace was cancelled.
    """
    made_before = len(workspace.artefacts)
    try:
        tool = load_tool(name)
        checked = check_arguments(tool, dict(arguments), audios)
        if "audio" in checked:
            checked["audio"] = audios[checked["audio"]]
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
    made = tuple(a.id for a in workspace.artefacts[made_before:])
    return ToolResult(call_id, name, model_view(result), full_view(result), made)
