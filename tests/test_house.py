"""The rules of the house: who may import whom, what every part must have, what is shipped."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import get_type_hints

import pytest

import llark_py
from llark_py import catalog
from llark_py.errors import AudioError

ROOT = Path(__file__).parents[1]
ROOMS_OUTSIDE = ("training", "serve", "prompts")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MOST_LINES = 300
FORBIDDEN = {"torchaudio", "tensorflow", "encodec", "openunmix"}

# Rooms from the bottom up; a room imports only rooms of lower storeys.
STOREYS = (
    {
        "audio",
        "catalog",
        "config",
        "decoding",
        "embedded",
        "errors",
        "files",
        "librosa_import",
        "messages",
        "prompting",
        "prompts",
        "startup",
    }
    | {"theory", "track"},
    {"encoders", "compose", "metrics"},
    {"analysis", "model", "instruct"},
    {"tools", "datasets"},
    {"assistant"},
    {"benchmarks", "catalogue"},
    {"training", "serve"},
    {"commands", "cli"},
    {"__main__"},
)


def storey(room: str) -> int:
    """The storey of a room; a room that is new must be given one in `STOREYS`."""
    return next(i for i, rooms in enumerate(STOREYS) if room in rooms)


def sources() -> list[Path]:
    """Every Python file that is shipped."""
    folders = ("llark_py", *ROOMS_OUTSIDE)
    return sorted(p for folder in folders for p in (ROOT / folder).rglob("*.py"))


def room_of(path: Path) -> str:
    """The room a file belongs to; empty for `llark_py/__init__.py`, which imports lazily."""
    first, *rest = path.relative_to(ROOT).parts
    if first != "llark_py":
        return first
    return "" if rest[0] == "__init__.py" else rest[0].removesuffix(".py")


def imports(path: Path) -> list[tuple[int, str]]:
    """What a file imports, anywhere in it: (level, dotted name); level > 0 is relative."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(0, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            found.append((node.level, base))
            if base == "llark_py" or (node.level and not base):
                found += [(node.level, f"{base}.{a.name}".lstrip(".")) for a in node.names]
    return found


def ids(paths: list[Path]) -> list[str]:
    return [str(p.relative_to(ROOT)) for p in paths]


# --- direction ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sources(), ids=ids(sources()))
def test_rooms_import_downwards_only(path):
    room = room_of(path)
    if not room:
        return
    for level, name in imports(path):
        if level:
            inside_root = path.parent == ROOT / "llark_py"
            depth = len(path.relative_to(ROOT).parts) - (1 if room in ROOMS_OUTSIDE else 2)
            assert level <= max(1, depth), f"'{'.' * level}{name}' leaves the room; write llark_py."
            other = name.split(".")[0] if inside_root and name else room
        elif name.startswith("llark_py."):
            other = name.split(".")[1]
        else:
            assert name.split(".")[0] not in ROOMS_OUTSIDE, f"import {name} as llark_py.{name}"
            continue
        if other in ("__version__", "py") or other == room:
            continue
        low, here = storey(other), storey(room)
        assert low < here or low == here == 0, f"{room} imports {other}, which is not below it"


@pytest.mark.parametrize("path", sources(), ids=ids(sources()))
def test_files_say_what_they_are_for_and_stay_short(path):
    text = path.read_text()
    documentation = ast.get_docstring(ast.parse(text))
    assert documentation, "the first line of a file says what it is for"
    assert text.count("\n") < MOST_LINES
    assert not {name.split(".")[0] for level, name in imports(path) if not level} & FORBIDDEN
    assert path.stem not in ("utils", "common", "helpers")


def test_light_rooms_load_no_torch():
    light = ("messages", "config", "errors", "prompting", "catalog", "track", "cli")
    modules = ", ".join(f"llark_py.{name}" for name in light)
    code = f"import sys, {modules}; print([m for m in ('torch', 'gradio') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# --- parts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", catalog.names("encoders"))
def test_encoder_keeps_its_contract(name):
    from llark_py.encoders.base import AudioEncoder, AudioEncoderConfig

    part = catalog.load("encoders", name)
    assert part.__doc__
    assert issubclass(part.Config, AudioEncoderConfig) and issubclass(part.Encoder, AudioEncoder)
    assert part.Config.model_type == f"llark_{name}_encoder"
    assert part.Encoder.config_class is part.Config
    config = part.Config()
    assert config.sample_rate > 0 and config.width > 0 and config.frame_rate > 0 and config.licence
    try:
        counts = [config.num_frames(round(s * config.sample_rate)) for s in (1, 5, 30)]
    except AudioError:  # it takes frames made elsewhere, and says so
        return
    assert counts == sorted(counts) and 0 < counts[-1] <= 1.1 * 30 * config.frame_rate + 2


@pytest.mark.parametrize("name", catalog.names("tools"))
def test_tool_keeps_its_contract(name):
    from llark_py.tools import load_tool, parameters, schemas

    part, tool = catalog.load("tools", name), load_tool(name)
    assert part.__doc__ and tool.__doc__ and "Args:" in tool.__doc__
    hints = get_type_hints(tool)
    missing = set(inspect.signature(tool).parameters) - set(hints)
    assert not missing and "return" in hints
    [schema] = schemas([name])
    function = schema["function"]
    assert function["name"] == name and function["description"]
    properties = function["parameters"]["properties"]
    assert all(properties[recording]["type"] == "string" for recording in parameters(name)[0])
    assert "workspace" not in properties
    for key, value in properties.items():
        assert value.get("description"), f"argument '{key}' has no description"
        assert value["type"] in ("string", "number", "integer", "boolean"), f"'{key}' is not flat"


@pytest.mark.parametrize("room", ["encoders", "tools"])
def test_unknown_part_is_answered_with_the_nearest(room):
    name = catalog.names(room)[0]
    with pytest.raises(LookupError, match=f"Did you mean '{name}'"):
        catalog.load(room, name + "x")


# --- what is shipped ------------------------------------------------------------------------


def test_every_room_is_in_the_wheel():
    listed = set(PROJECT["tool"]["setuptools"]["packages"])
    there = set()
    for init in (ROOT / "llark_py").rglob("__init__.py"):
        there.add(".".join(init.parent.relative_to(ROOT).parts))
    there |= {f"llark_py.{room}" for room in ROOMS_OUTSIDE if (ROOT / room).is_dir()}
    assert listed == there


def test_every_data_file_is_in_the_wheel():
    for package, patterns in PROJECT["tool"]["setuptools"]["package-data"].items():
        room = package.removeprefix("llark_py").lstrip(".")
        folder = ROOT / (room or "llark_py")
        matched = {path for pattern in patterns for path in folder.glob(pattern)}
        for path in folder.rglob("*"):
            is_data = path.is_file() and path.suffix not in (".py", ".pyc")
            assert not is_data or path in matched, f"{path} would be missing from the wheel"


def test_every_requirement_is_pinned_in_the_tested_set():
    pinned = {
        line.split("==")[0].lower().replace("-", "_")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    project = PROJECT["project"]
    wanted = list(project["dependencies"])
    for extra in ("train", "evaluate", "scale", "dev"):
        wanted += project["optional-dependencies"][extra]
    names = {re.split(r"[\[<>=]", w)[0].lower().replace("-", "_") for w in wanted}
    assert names <= pinned, sorted(names - pinned)
    assert not names & FORBIDDEN


def test_readme_shows_every_room_and_changelog_the_version():
    readme = (ROOT / "README.md").read_text()
    rooms = {room_of(p) for p in sources()} - {""}
    assert [room for room in sorted(rooms) if not re.search(rf"\b{room}\b", readme)] == []
    assert f"## [{llark_py.__version__}]" in (ROOT / "CHANGELOG.md").read_text()
