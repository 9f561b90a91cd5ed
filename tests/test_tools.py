"""Every tool keeps to the contract of the room, and every failure becomes a result."""

from __future__ import annotations

import dataclasses
import inspect
import json
from typing import get_type_hints

import numpy as np
import pytest
from assistant_parts import noise

from llark_py import tools
from llark_py.analysis.harmony import Harmony
from llark_py.analysis.rhythm import Rhythm
from llark_py.audio import Audio
from llark_py.errors import UnknownNameError
from llark_py.tools import Cancelled, Workspace, run_tool
from llark_py.track import Note

SIMPLE_TYPES = {"string", "number", "integer", "boolean"}
UNITS = ("_s", "_bpm", "_hz", "_cents", "_count", "_lufs", "_lu", "_dbtp", "_dbfs", "_db")
UNITS += ("_share", "_percent", "_ratio", "_correlation", "_confidence", "similarity")


@pytest.fixture
def measured(monkeypatch):
    """Give every measurement a fixed outcome."""
    beats = tuple(i * 2 / 3 + 0.00012 for i in range(24))
    monkeypatch.setattr(
        "llark_py.tools.estimate_tempo.measure_rhythm",
        lambda audio: Rhythm(90.0551, 45.04, beats, 0.9271),
    )
    monkeypatch.setattr(
        "llark_py.tools.estimate_key.measure_harmony",
        lambda audio: Harmony("F major", "D minor", 0.8777, 3.14159),
    )

    def transcribe(audio, start_s, end_s, progress):
        progress(0.0, "reading the notes")
        return (Note(0.1, 0.5, 48, 90), Note(0.5, 1.0, 81, 80))

    monkeypatch.setattr("llark_py.tools.transcribe_notes.transcribe", transcribe)


def run(name="estimate_tempo", audios=None, workspace=None, **arguments):
    audios = {"audio_1": noise()} if audios is None else audios
    return run_tool(name, arguments, audios, workspace or Workspace(), call_id="call_7")


@pytest.mark.parametrize("name", tools.names())
def test_schemas_are_flat_and_described(name):
    function = tools.schemas([name])[0]["function"]
    assert function["name"] == name
    assert function["description"].splitlines()[0] == tools.describe(name)
    parameters = function["parameters"]
    recordings = tools.parameters(name)[0]
    assert all(parameters["properties"][r]["type"] == "string" for r in recordings)
    needed = tools.n_required_recordings(name)
    assert parameters["required"][:needed] == recordings[:needed] != []
    assert "workspace" not in parameters["properties"]
    for argument in parameters["properties"].values():
        assert argument["type"] in SIMPLE_TYPES and argument["description"]
    assert "path" not in json.dumps(parameters)


@pytest.mark.parametrize("name", tools.names())
def test_tools_take_audio_and_workspace_and_return_frozen_results(name):
    function = tools.load_tool(name)
    hints = get_type_hints(function)
    recordings = tools.parameters(name)[0][: tools.n_required_recordings(name)]
    first = list(inspect.signature(function).parameters)[: len(recordings) + 1]
    assert first == [*recordings, "workspace"] and hints["workspace"] is Workspace
    assert len(recordings) > 1 or recordings == ["audio"]
    assert dataclasses.is_dataclass(hints["return"])
    assert hints["return"].__dataclass_params__.frozen
    for field in dataclasses.fields(hints["return"]):
        number = get_type_hints(hints["return"])[field.name] in (int, float)
        assert not number or field.name == "confidence" or field.name.endswith(UNITS)


def test_the_model_is_shown_exactly_the_agreed_objects(measured):
    assert json.dumps(run("estimate_tempo").content) == (
        '{"tempo_bpm": 90.1, "runner_up_bpm": 45.0, "beat_count": 24, "confidence": 0.93}'
    )
    assert json.dumps(run("estimate_key").content) == (
        '{"key": "F major", "runner_up": "D minor", "confidence": 0.88, '
        '"modulations": null, "tuning_cents": 3.1}'
    )
    assert json.dumps(run("transcribe_notes").content) == (
        '{"note_count": 2, "lowest_note": "C3", "highest_note": "A5", "midi": "artefact_1"}'
    )


def test_no_measurement_is_certain(monkeypatch):
    monkeypatch.setattr(
        "llark_py.tools.estimate_tempo.measure_rhythm", lambda audio: Rhythm(90.0, 45.0, (), 1.0)
    )
    monkeypatch.setattr(
        "llark_py.tools.estimate_key.measure_harmony",
        lambda audio: Harmony("F major", "D minor", 0.9967, 0.0),
    )
    assert [run(f"estimate_{x}").content["confidence"] for x in ("tempo", "key")] == [0.99, 0.99]


def test_details_hold_everything_and_are_json(measured):
    tempo, key, notes = (
        run(name) for name in ("estimate_tempo", "estimate_key", "transcribe_notes")
    )
    assert tempo.details["beats_s"][:2] == [0.0, 0.667]
    assert key.details["tuning_cents"] == 3.1
    assert notes.details["notes"][0] == {
        "start_s": 0.1, "end_s": 0.5, "pitch": 48, "velocity": 90, "instrument": "",
    }  # fmt: skip
    for result in (tempo, key, notes):
        assert json.loads(json.dumps(result.details)) == result.details
        assert result.content.items() <= result.details.items()
        assert result.call_id == "call_7" and result.error is None


def test_artefacts_are_numbered_written_and_named(measured, tmp_path):
    workspace = Workspace(tmp_path / "desk", first_number=4)
    results = [run("transcribe_notes", workspace=workspace) for _ in range(2)]
    assert [r.artefacts for r in results] == [("artefact_4",), ("artefact_5",)]
    for artefact in workspace.artefacts:
        assert artefact.path.read_bytes().startswith(b"MThd")
        assert (artefact.kind, artefact.media_type) == ("midi", "audio/midi")
    assert run("estimate_key", workspace=workspace).artefacts == ()


def test_the_only_recording_need_not_be_named(measured):
    assert run().error is None
    assert run(audio=None).error is None
    assert run(audio="audio_1").error is None
    two = {"audio_1": noise(), "audio_2": noise(seed=1)}
    assert run(audios=two).error == "there is no recording null; there is audio_1, audio_2"
    assert run(audios=two, audio="audio_2").error is None
    assert run(audios={}).error == "there is no recording null; there is none"


def test_tools_of_two_recordings_are_given_both(monkeypatch):
    compared = []
    monkeypatch.setattr(
        "llark_py.tools.compare_songs.compare",
        lambda first, second: compared.append((first, second)) or 1 / 0,
    )
    three = {f"audio_{i}": noise(seed=i) for i in (1, 2, 3)}
    two = {name: three[name] for name in ("audio_1", "audio_2")}

    def compare(audios, **arguments):
        compared.clear()
        error = run("compare_songs", audios=audios, **arguments).error
        return compared[0] if compared else error

    # Named, both left to us, or one of them: as long as there is no choice.
    both = (noise(seed=1), noise(seed=2))
    assert compare(two, first="audio_1", second="audio_2") == both
    assert compare(two) == compare(two, second="audio_2") == both
    assert compare(two, first="audio_2", second="audio_1") == compare(two, first="audio_2")
    assert compare(two, first="audio_2") == both[::-1]
    assert compare(three, first="audio_3", second="audio_1") == (noise(seed=3), noise(seed=1))
    # Where there is one, or none that was meant, it is told what there is.
    there = "there is audio_1, audio_2, audio_3"
    assert compare(three, first="audio_3") == f"there is no recording null; {there}"
    assert compare(three, first="../x", second="audio_1") == (
        f'there is no recording "../x"; {there}'
    )
    assert compare({"audio_1": noise()}) == "this takes 2 recordings, and there is only one"
    assert compare({}) == "this takes 2 recordings, and there is none"
    assert "name two different ones" in compare(two, first="audio_1", second="audio_1")
    assert "takes no argument 'audio'; it takes first, second" in compare(two, audio="audio_1")


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("estimate_tempos", {}, "Did you mean 'estimate_tempo'"),
        ("_schema", {}, "no tool '_schema'"),
        ("os.system", {}, "no tool"),
        ("estimate_tempo", {"audio": "/etc/passwd"}, 'there is no recording "/etc/passwd"'),
        ("estimate_tempo", {"audio": ["audio_1"]}, "there is no recording"),
        ("estimate_tempo", {"path": "x"}, "takes no argument 'path'; it takes audio"),
        ("transcribe_notes", {"start_s": "ten"}, "argument 'start_s' of transcribe_notes: input"),
        ("transcribe_notes", {"start_s": None}, "argument 'start_s'"),
        ("transcribe_notes", {"end_s": {}}, "argument 'end_s'"),
    ],
)
def test_wrong_calls_are_answered_with_a_sentence(measured, name, arguments, error):
    result = run(name, **arguments)
    assert error in result.error
    assert result.details == {} and result.artefacts == ()


@pytest.mark.parametrize("name", ["measure_loudness", "cut_clip", "compare_songs"])
@pytest.mark.parametrize("value", ["x" * 10_000, "../" * 3000, [["a"] * 999], {"a": 1}, 1e308])
def test_hostile_arguments_are_answered_briefly(name, value):
    audios = {"audio_1": noise(), "audio_2": noise(seed=1)}
    recordings, others = tools.parameters(name)
    for argument in (*recordings, *others, "x" * 10_000):
        given = dict(zip(recordings, audios, strict=False)) | {argument: value}
        result = run(name, audios=audios, **given)
        assert result.error and len(result.error) < 300 and "failed" not in result.error
        assert result.artefacts == ()


def test_the_workspace_is_not_the_models_to_give(measured):
    result = run_tool("estimate_key", {"workspace": "x"}, {"audio_1": noise()}, Workspace())
    assert result.error == "estimate_key takes no argument 'workspace'; it takes audio"


def test_numbers_in_words_of_json_are_taken(measured):
    assert run("transcribe_notes", start_s="1.5", end_s=3).error is None


_EXAMPLE = {"example_start_s": 0.0, "example_end_s": 2.0}


def test_silence_is_an_answer_not_an_exception():
    for name in tools.names():
        wanted = range(1, tools.n_required_recordings(name) + 1)
        silence = {f"audio_{i}": Audio(np.zeros(80_000, np.float32), 16_000) for i in wanted}
        needed = _EXAMPLE if name == "separate_like" else {}
        result = run(name, audios=silence, **needed)
        assert list(result.content) == ["error"] and result.artefacts == ()
        assert result.error.endswith("the recording is silent")


def test_bugs_inside_a_tool_are_logged_and_told(monkeypatch, caplog):
    def broken(audio):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("llark_py.tools.estimate_tempo.measure_rhythm", broken)
    assert run().error == "estimate_tempo failed: division by zero"
    assert "ZeroDivisionError" in caplog.text


def test_cancelling_is_no_error(measured):
    with pytest.raises(Cancelled):
        run("transcribe_notes", workspace=Workspace(is_cancelled=lambda: True))


def test_progress_stays_between_nothing_and_all():
    reported = []
    workspace = Workspace(report=lambda fraction, note: reported.append((fraction, note)))
    workspace.progress(-1, "a")
    workspace.progress(7, "b")
    assert reported == [(0.0, "a"), (1.0, "b")]


def test_unknown_tools_are_told_before_anything_is_loaded():
    for ask in (tools.describe, tools.load_tool):
        with pytest.raises(UnknownNameError, match="Did you mean 'estimate_key'"):
            ask("estimate_keys")
