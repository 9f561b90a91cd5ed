"""Every tool against hostile arguments: a clear error comes back, no file is touched elsewhere."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from llark_py.compose.clip import make_clip
from llark_py.tools import Workspace, names, parameters, run_tool, schemas

LONGEST_ERROR = 400
LONG = "x" * 10_000
SECRET = "secret-of-the-house"
NUMBERS = [
    -5,
    -1e-9,
    float("nan"),
    float("inf"),
    float("-inf"),
    1e308,
    10**400,
    999.0,
    "ten",
    LONG,
    "../../etc/passwd",
    [1],
    {"s": 1},
    [],
]
WORDS = [LONG, "../../etc/passwd", "lute", "", "BASS\n", "\x00", 7, ["bass"], {"stem": "bass"}]
FLAGS = ["perhaps", LONG, 7, [], {}, "/etc/passwd"]
IDS = [
    "audio_99",
    "artefact_1",
    "artefact_99",
    "../../etc/passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "~/.ssh/id_rsa",
    "audio_1/../audio_1",
    "audio_1\x00",
    "AUDIO_1",
    "",
    LONG,
    7,
    -1,
    ["audio_1"],
    {"path": "/etc/passwd"},
]
EXTRAS = ["path", "workspace", "folder", "__class__", "self", LONG, "../x", ""]
TOOL_NAMES = ["", "../estimate_key", "_workspace", "__init__", "os.system", "Estimate_key", LONG]
_watch: list[tuple[str, bool]] | None = None


def _note_opening(event, arguments):
    if _watch is not None and event == "open" and isinstance(arguments[0], (str, bytes)):
        mode, flags = arguments[1] or "", arguments[2] or 0
        writes = bool(set(mode) & set("wax+")) or bool(flags & 3)
        path = arguments[0]
        _watch.append((path if isinstance(path, str) else path.decode(), writes))


sys.addaudithook(_note_opening)  # can never be taken off again: it does nothing unless watching


@contextmanager
def watching():
    """Collect (path, whether it is written) of every file that is opened in this process."""
    global _watch
    _watch = []
    try:
        yield _watch
    finally:
        _watch = None


@pytest.fixture(scope="module")
def songs():
    return {f"audio_{i}": make_clip(i, 4.0, style="rock", sung=True)[1] for i in (1, 2)}


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A folder with a secret in it, in which the desk of the tools is one folder."""
    (tmp_path / "secret.txt").write_text(SECRET)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLARK_CACHE", "off")
    return tmp_path


def sound(name, songs):
    """The arguments of a plain call: every recording named, what must be given given."""
    recordings, _ = parameters(name)
    [schema] = schemas([name])
    required = schema["function"]["parameters"].get("required", [])
    plain = {"example_start_s": 0.5, "example_end_s": 1.5}
    given = dict(zip(recordings, songs, strict=False))
    return given | {k: plain[k] for k in required if k not in recordings}


def hostile_calls(name, songs):
    """List (arguments, whether they must be refused)."""
    recordings, _ = parameters(name)
    [schema] = schemas([name])
    plain = sound(name, songs)
    calls = []
    for key, value in schema["function"]["parameters"]["properties"].items():
        if key in recordings:
            bad = IDS
        else:
            bad = {"number": NUMBERS, "integer": NUMBERS, "boolean": FLAGS}.get(
                value["type"], WORDS
            )
        calls += [(plain | {key: item}, key in recordings or item in WORDS) for item in bad]
    calls += [(plain | {extra: "/etc/passwd"}, True) for extra in EXTRAS]
    calls.append(({}, len(recordings) < len(songs)))
    ends = [key for key in schema["function"]["parameters"]["properties"] if key.endswith("end_s")]
    for end in ends:
        start = end.replace("end_s", "start_s")
        calls += [(plain | {start: 3.0, end: 1.0}, True), (plain | {start: 2.0, end: 2.0}, True)]
        calls += [(plain | {start: 500.0, end: 900.0}, True)]
    return calls


@pytest.mark.parametrize("name", names())
def test_hostile_arguments_come_back_as_clear_errors_and_touch_no_file(name, songs, house):
    desk = house / "desk"
    run_tool(name, sound(name, songs), songs, Workspace())  # reads what is read only once
    before = sorted(p for p in house.rglob("*"))
    with watching() as opened:
        for arguments, refused in hostile_calls(name, songs):
            workspace = Workspace(desk)
            result = run_tool(name, arguments, songs, workspace)
            shown = json.dumps(result.content, allow_nan=False)
            case = f"{name}({str(arguments)[:200]}) -> {shown[:300]}"
            error = result.error
            assert error or not refused, case
            if error is not None:
                assert isinstance(error, str) and 10 < len(error) <= LONGEST_ERROR, case
                assert not error.startswith(f"{name} failed"), case
                assert "\n" not in error and SECRET not in error and "Traceback" not in error, case
                assert workspace.artefacts == [] and not workspace.recordings, case
    outside = sorted(p for p in house.rglob("*") if desk not in (p, *p.parents))
    assert outside == before
    written = [path for path, writes in opened if writes and not path.startswith(str(desk))]
    assert not [path for path in written if path != "/dev/null"]
    read = [path for path, _ in opened]
    assert not [p for p in read if "passwd" in p or "secret" in p or ".ssh" in p or "xxx" in p]


@pytest.mark.parametrize("name", names())
def test_a_plain_call_writes_only_on_its_desk(name, songs, house):
    desk = house / "desk"
    run_tool(name, sound(name, songs), songs, Workspace())
    workspace = Workspace(desk)
    with watching() as opened:
        result = run_tool(name, sound(name, songs), songs, workspace)
    json.dumps(result.content, allow_nan=False)
    assert all(desk in artefact.path.parents for artefact in workspace.artefacts)
    written = {path for path, writes in opened if writes and Path(path) != Path("/dev/null")}
    assert all(Path(path).is_relative_to(desk) for path in written), written


@pytest.mark.parametrize("name", TOOL_NAMES)
def test_tools_that_do_not_exist_are_refused(name, songs, house):
    result = run_tool(name, {"audio": "audio_1"}, songs, Workspace(house / "desk"))
    assert result.error and 10 < len(result.error) <= LONGEST_ERROR + len(", ".join(names()))


def test_what_another_conversation_made_is_not_to_be_had(songs, house):
    made = run_tool("cut_clip", {"audio": "audio_1", "end_s": 2}, songs, Workspace(house / "one"))
    assert made.error is None
    for audio_id in (made.content["audio"], made.content["file"]):
        result = run_tool("measure_loudness", {"audio": audio_id}, songs, Workspace(house / "two"))
        assert result.error and "there is no recording" in result.error
