"""The command line: quick help, one-line errors, exit codes, results that programs can read."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import wave
from importlib import resources

import numpy as np
import pytest
from assistant_parts import call, scripted_assistant

from llark_py import cli
from llark_py.audio import Audio, save_audio
from llark_py.messages import ToolResult

TEMPO = {"tempo_bpm": 90.1, "runner_up_bpm": 45.0, "beat_count": 24, "confidence": 0.93}
HEAVY = {"torch", "transformers", "librosa", "scipy", "gradio", "onnxruntime", "numba"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def song(tmp_path):
    path = tmp_path / "a song.wav"
    t = np.arange(1600) / 1600
    save_audio(Audio((0.3 * np.sin(2 * np.pi * 220 * t)).astype(np.float32), 1600), path)
    return path


@pytest.fixture
def assistant(monkeypatch):
    """Answer with what the test has scripted instead of loading a model."""

    def script(*replies):
        made, _ = scripted_assistant(*replies, name="scripted")
        monkeypatch.setattr("llark_py.assistant.core.load_assistant", lambda model: made)

    def run_tool(name, arguments, audios, workspace, *, call_id=""):
        if name == "estimate_tempo":
            return ToolResult(call_id, name, TEMPO, TEMPO | {"beats_s": [0.1]})
        artefact = workspace.new_artefact("midi", "transcription.mid", "audio/midi")
        artefact.path.write_bytes(b"MThd")
        return ToolResult(call_id, name, {"midi": artefact.id}, {}, (artefact.id,))

    monkeypatch.setattr("llark_py.assistant.toolbox.run_tool", run_tool)
    return script


def llark(*arguments):
    return cli.main([str(a) for a in arguments])


def one_line(text):
    """Check that an error is a single line of ours and give it."""
    assert text.startswith("llark: ") and text.count("\n") == 1 and "Traceback" not in text
    return text


def test_help_lists_every_command_and_loads_nothing_heavy():
    program = (
        "import sys\n"
        "from llark_py.cli import main\n"
        "code = main(['--help'])\n"
        f"loaded = {HEAVY!r} & set(sys.modules)\n"
        "sys.exit(f'loaded {loaded}' if loaded else code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    for name in cli.command_names():
        assert f"\n  {name}" in done.stdout
    assert {"ask", "tools", "chat", "doctor"} <= set(cli.command_names())


@pytest.mark.parametrize("name", cli.command_names())
def test_every_command_has_help(name, capsys):
    assert cli.command_help(name).endswith(".")
    assert llark(name, "--help") == 0
    assert "Usage: llark" in capsys.readouterr().out


def test_without_arguments_help_is_shown(capsys):
    assert llark() == 0
    assert "Commands:" in capsys.readouterr().out


def test_the_version_is_told(capsys):
    assert llark("--version") == 0
    assert capsys.readouterr().out.startswith("llark_py 0.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["asks"], "no command 'asks'. Did you mean 'ask'?"),
        (["ask"], "Missing argument"),
        (["ask", "x.wav"], "give a recording and a question"),
        (["ask", "x.wav", " "], "the question is empty"),
        (["ask", "--modle", "x", "y"], "No such option"),
        (["tools", "estimate_tmpo", "x.wav"], "Did you mean 'estimate_tempo'"),
        (["tools", "estimate_tempo"], "give a recording"),
        (["tools", "cut_clip", "end_s=1"], "give a recording"),
        (["tools", "cut_clip", "x.wav", "strat_s=1"], "no argument 'strat_s'. Did you mean"),
        (["tools", "compare_songs", "x.wav"], "takes 2 recordings (first, second), not 1"),
        (["tools", "compare_songs", "x", "y", "z"], "llark tools compare_songs SONG SONG"),
        (["chat", "--port", "90000"], "--port"),
    ],
)
def test_wrong_command_lines_are_told_in_one_line(arguments, message, capsys):
    assert llark(*arguments) == 2
    printed = capsys.readouterr()
    assert message in one_line(printed.err)
    assert printed.out == ""


def bad_inputs(folder):
    """Make one file of every kind that is no recording."""
    (folder / "folder").mkdir()
    (folder / "empty.wav").touch()
    (folder / "text.mp3").write_text("These are words, no music.\n" * 50)
    with wave.open(str(folder / "nothing.wav"), "wb") as file:
        file.setnchannels(1), file.setsampwidth(2), file.setframerate(8000)
    noise = np.random.default_rng(0).normal(0, 0.1, 8000).astype(np.float32)
    save_audio(Audio(noise, 8000), folder / "whole.flac")
    (folder / "cut.flac").write_bytes((folder / "whole.flac").read_bytes()[:3000])
    return ["missing.wav", "folder", "empty.wav", "text.mp3", "nothing.wav", "cut.flac"]


@pytest.mark.parametrize("command", [["ask"], ["tools", "estimate_tempo"]])
def test_every_bad_recording_is_one_line_and_exit_code_2(command, tmp_path, capsys):
    for name in bad_inputs(tmp_path):
        question = ["How fast is it?"] if command == ["ask"] else []
        assert llark(*command, name, *question) == 2, name
        printed = capsys.readouterr()
        one_line(printed.err)
        assert printed.out == ""


def test_a_forgotten_question_is_noticed(song, capsys):
    assert llark("ask", song, song) == 2
    assert "the question is missing" in capsys.readouterr().err


def test_answers_go_to_stdout_and_steps_to_stderr(song, assistant, capsys):
    assistant(call(audio="audio_1"), "It has 90.1 beats per minute.")
    assert llark("ask", song, "How fast is it?") == 0
    printed = capsys.readouterr()
    assert printed.out == "It has 90.1 beats per minute.\n"
    assert '[estimate_tempo] audio="audio_1"' in printed.err
    assert '"tempo_bpm": 90.1' in printed.err


def test_json_answers_hold_everything(song, assistant, capsys, tmp_path):
    assistant(call(audio="audio_1"), call("transcribe_notes"), "It has 90.1.")
    assert llark("ask", "--json", song, "How fast is it?") == 0
    (line,) = capsys.readouterr().out.splitlines()
    answer = json.loads(line)
    assert answer["song"] == str(song) and answer["question"] == "How fast is it?"
    assert answer["answer"] == "It has 90.1." and answer["model"] == "scripted"
    assert answer["tools"][0] == {
        "name": "estimate_tempo",
        "arguments": {"audio": "audio_1"},
        "result": TEMPO,
        "details": TEMPO | {"beats_s": [0.1]},
    }
    assert answer["artefacts"] == ["a song.mid"]
    assert (tmp_path / "a song.mid").read_bytes() == b"MThd"
    assert answer["seconds"] > 0


def test_made_files_never_overwrite(song, assistant, tmp_path):
    for _ in range(2):
        assistant(call("transcribe_notes"), "Done.")
        assert llark("ask", song, "Write it down.", "--out", tmp_path / "made") == 0
    assert {p.name for p in (tmp_path / "made").iterdir()} == {"a song.mid", "a song-2.mid"}


def test_a_bad_song_among_several_is_told_and_left_out(song, assistant, capsys):
    assistant("One.", "Two.")
    assert llark("ask", song, "missing.wav", song, "What is it?") == 1
    printed = capsys.readouterr()
    assert printed.out == "# a song.wav\nOne.\n# a song.wav\nTwo.\n"
    assert "missing.wav" in one_line(printed.err)


def test_json_has_a_line_for_every_song(song, assistant, capsys):
    assistant("One.")
    assert llark("ask", "--json", song, "missing.wav", "What is it?") == 1
    good, bad = map(json.loads, capsys.readouterr().out.splitlines())
    assert good["answer"] == "One."
    assert bad["song"] == "missing.wav" and "missing.wav" in bad["error"]


def test_songs_can_be_asked_about_together(song, assistant, capsys):
    assistant(call(audio="audio_2"), "The second is faster.")
    assert llark("ask", "--together", "--json", song, song, "Which is faster?") == 0
    (line,) = capsys.readouterr().out.splitlines()
    answer = json.loads(line)
    assert answer["songs"] == [str(song), str(song)] and "song" not in answer
    assert answer["tools"][0]["result"] == TEMPO and answer["answer"] == "The second is faster."
    assistant("Never asked.")
    assert llark("ask", "--together", song, "missing.wav", "Which is faster?") == 2
    assert "missing.wav" in one_line(capsys.readouterr().err)


def test_tools_are_listed(capsys):
    assert llark("tools") == 0
    assert re.search(r"^estimate_tempo +Measure the tempo", capsys.readouterr().out, re.MULTILINE)
    assert llark("tools", "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "transcribe_notes" in [line["name"] for line in lines]


def test_a_tool_runs_on_a_song(tmp_path, capsys):
    t = np.arange(22_050) / 22_050
    wave = 0.3 * np.sin(2 * np.pi * 440 * t) * np.minimum(1, np.minimum(t, 1 - t) * 50)
    save_audio(Audio(wave.astype(np.float32), 22_050), tmp_path / "a4.wav")
    assert llark("tools", "transcribe_notes", "a4.wav", "--out", "made") == 0
    printed = capsys.readouterr()
    assert "lowest_note   A4" in printed.out and "wrote made" in printed.err
    assert llark("tools", "transcribe_notes", "a4.wav", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["details"]["notes"][0]["pitch"] == 69
    assert result["artefacts"] == ["a4.mid"] and (tmp_path / "a4.mid").is_file()


def test_a_tool_that_cannot_answer_says_why(tmp_path, capsys):
    save_audio(Audio(np.zeros(80_000, np.float32), 16_000), tmp_path / "silence.wav")
    assert llark("tools", "estimate_key", "silence.wav") == 2
    assert one_line(capsys.readouterr().err) == "llark: the recording is silent\n"
    assert llark("tools", "estimate_key", "silence.wav", "silence.wav") == 1


def test_the_doctor_knows_what_is_missing(capsys, monkeypatch):
    from llark_py.commands import doctor

    installed = (resources.files("llark_py") / "assets" / "mini" / "config.json").is_file()
    assert llark("doctor", "--json") == (0 if installed else 1)
    report = json.loads(capsys.readouterr().out)
    found = {f["name"]: f for f in report["findings"]}
    assert found["torch"]["found"] and found["basic-pitch"]["found"]
    assert found["embedded model"]["found"] == installed == report["ready"]

    monkeypatch.setitem(doctor._MAIN_PACKAGES, "no-such-package", "pip install it")
    assert llark("doctor") == 1
    printed = capsys.readouterr().out
    assert "MISSING  no-such-package" in printed and "->  pip install it" in printed


def test_bugs_keep_their_traceback(song, monkeypatch):
    monkeypatch.setattr("llark_py.commands.ask.load_audio", lambda path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        llark("ask", song, "Why?")
