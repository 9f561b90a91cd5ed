"""Sounds that tools make: named as recordings in the same turn and later, and nowhere else."""

import numpy as np
import pytest
from assistant_parts import call, noise, scripted_assistant

from llark_py import cli
from llark_py.analysis.stems import STEMS, Likeness, Separation
from llark_py.audio import Audio, load_audio, save_audio
from llark_py.messages import AudioPart, user
from llark_py.tools import Workspace, run_tool

RATE = 1600


@pytest.fixture(autouse=True)
def taken_apart(monkeypatch):
    """Let stems be shares of the recording; vocals are silent."""
    shares = {"vocals": 0.0, "drums": 0.5, "bass": 0.3, "other": 0.2}

    def take_apart(audio, progress):
        progress(0.5, "separating")
        return Separation(
            {s: Audio(audio.samples * share, audio.sample_rate) for s, share in shares.items()},
            {s: 20 * np.log10(share) if share else -60.0 for s, share in shares.items()},
            dict.fromkeys(shares, 6.0),
            {s: 0.8 if share else 0.1 for s, share in shares.items()},
        )

    def find_like(audio, example, start_s, end_s, progress):
        # Twice as loud as the example, so that tests see which recording it came from.
        level = float(np.abs(example.slice(start_s, end_s).samples).max())
        found = Audio(np.full_like(audio.samples, level), audio.sample_rate)
        return Likeness(found, found, -20.0, 2.0, 0.3)

    monkeypatch.setattr("llark_py.tools.separate_stems.take_apart", take_apart)
    monkeypatch.setattr("llark_py.tools.separate_like.find_like", find_like)


def run(name, workspace, audios, **arguments):
    return run_tool(name, arguments, audios, workspace)


def test_all_stems_are_told_with_the_loudest_and_the_silent_one(tmp_path):
    workspace = Workspace(tmp_path)
    result = run("separate_stems", workspace, {"audio_1": noise(2.0)})
    assert result.content == {
        "vocals": "artefact_1",
        "drums": "artefact_2",
        "bass": "artefact_3",
        "other": "artefact_4",
        "loudest": "drums",
        "silent": "vocals",
        "confidence": 0.8,
    }
    assert result.details["stems"][0] == {
        "stem": "vocals",
        "level_db": -60.0,
        "snr_db": None,
        "confidence": 0.1,
    }
    assert [a.name for a in workspace.artefacts] == [f"{stem}.wav" for stem in STEMS]
    assert set(result.sounds) == {f"artefact_{n}" for n in (1, 2, 3, 4)}


def test_one_stem_comes_with_the_rest_and_its_level(tmp_path):
    workspace, song = Workspace(tmp_path), noise(2.0)
    result = run("separate_stems", workspace, {"audio_1": song}, stem="bass")
    assert list(result.content.items()) == [
        ("bass", "artefact_1"),
        ("rest", "artefact_2"),
        ("level_db", -10.5),
        ("confidence", 0.8),
    ]
    stem, rest = (load_audio(a.path).samples for a in workspace.artefacts)
    np.testing.assert_allclose(stem + rest, song.samples, atol=2 / 32_768)


def test_a_sound_can_be_named_by_later_calls_and_is_never_guessed(tmp_path):
    workspace, audios = Workspace(tmp_path), {"audio_1": noise(2.0)}
    run("separate_stems", workspace, audios)
    quieter = run("measure_loudness", workspace, audios, audio="artefact_3")
    # Left out it is the recording, though there are sounds beside it.
    whole = run("measure_loudness", workspace, audios)
    assert whole.details["peak_dbfs"] - quieter.details["peak_dbfs"] == pytest.approx(
        20 * np.log10(1 / 0.3), abs=0.2
    )
    for wrong in ("artefact_9", "../song.wav", str(workspace.artefacts[0].path)):
        result = run("measure_loudness", workspace, audios, audio=wrong)
        assert "there is no recording" in result.error
        assert "there is audio_1, artefact_1, artefact_2, artefact_3, artefact_4" in result.error


def test_sounds_of_earlier_turns_are_known_and_other_files_are_not(tmp_path):
    audios = {"audio_1": noise(2.0)}
    first = Workspace(tmp_path / "1")
    made = run("separate_stems", first, audios, stem="drums")
    midi = first.new_artefact("midi", "notes.mid", "audio/midi")
    midi.path.write_bytes(b"MThd")
    assert midi.id not in first.sounds
    second = Workspace(tmp_path / "2", first_number=4, earlier_sounds=made.sounds)
    assert run("measure_loudness", second, audios, audio="artefact_1").error is None
    gone = Workspace(tmp_path / "3", earlier_sounds={"artefact_1": tmp_path / "gone.wav"})
    result = run("measure_loudness", gone, audios, audio="artefact_1")
    assert result.error == 'there is no recording "artefact_1"; there is audio_1'


def test_an_example_may_come_from_another_recording_or_be_left_out(tmp_path):
    workspace = Workspace(tmp_path)
    loud, quiet = noise(2.0), Audio(np.full(2 * RATE, 0.01, np.float32), RATE)
    audios = {"audio_1": loud, "audio_2": quiet}
    span = {"example_start_s": 0.0, "example_end_s": 1.0}
    same = run("separate_like", workspace, audios, audio="audio_1", **span)
    other = run(
        "separate_like", workspace, audios, audio="audio_1", example_audio="audio_2", **span
    )
    heard = [load_audio(workspace.sounds[r.content["found"]]).samples.max() for r in (same, other)]
    assert heard[0] > 0.1 and heard[1] == pytest.approx(0.01, abs=1e-4)
    assert list(same.content) == ["found", "rest", "level_db", "confidence"]
    alone = run("separate_like", workspace, {"audio_1": loud}, **span)
    assert alone.error is None
    wrong = run("separate_like", workspace, audios, audio="audio_1", example_audio="x", **span)
    assert 'there is no recording "x"' in wrong.error


def test_the_model_chains_tools_over_a_stem_in_one_turn_and_in_the_next():
    assistant, _ = scripted_assistant(
        call("separate_stems", audio="audio_1", stem="bass"),
        call("measure_loudness", audio="artefact_1"),
        "There.",
        call("measure_loudness", audio="artefact_2"),
        "And there.",
        tools=["separate_stems", "measure_loudness"],
    )
    asked = [user("How loud is the bass?", AudioPart("audio_1", noise(2.0)))]
    first = assistant.ask(asked)
    assert [r.error for r in first.tool_results] == [None, None]
    second = assistant.ask([*asked, *first.messages, user("And the rest?")])
    assert [r.error for r in second.tool_results] == [None]


def test_the_command_keeps_every_stem_under_its_name(tmp_path, capsys):
    save_audio(noise(2.0, rate=8000), tmp_path / "song.wav")
    out = tmp_path / "stems"
    arguments = ["tools", "separate_stems", str(tmp_path / "song.wav"), "--out", str(out)]
    assert cli.main(arguments) == 0
    assert sorted(p.name for p in out.iterdir()) == [f"song.{stem}.wav" for stem in sorted(STEMS)]
    assert "loudest" in capsys.readouterr().out


def test_the_command_takes_one_recording_or_two_where_the_second_may_be_left_out(tmp_path, capsys):
    song = str(tmp_path / "song.wav")
    save_audio(noise(2.0, rate=8000), song)
    span = ["example_start_s=0", "example_end_s=1", "--out", str(tmp_path)]
    for songs in ([song], [song, song]):
        assert cli.main(["tools", "separate_like", *songs, *span]) == 0
    assert cli.main(["tools", "separate_like", song, song, song, *span]) == 2
    assert "llark tools separate_like SONG [SONG]" in capsys.readouterr().err


def test_the_page_lets_the_visitor_hear_every_sound(tmp_path):
    gradio = pytest.importorskip("gradio")
    from llark_py.serve.visit import Visit

    assistant, _ = scripted_assistant(
        call("separate_stems", audio="audio_1", stem="bass"), "There.", tools=["separate_stems"]
    )
    visit = Visit()
    save_audio(noise(2.0), tmp_path / "song.wav")
    visit.open_song(str(tmp_path / "song.wav"), "song.wav")
    for _ in visit.ask(assistant, "The bass, please."):
        pass
    shown = gradio.Chatbot().postprocess(visit.shown).root
    played = [part.file for message in shown for part in message.content if part.type == "file"]
    assert [f.mime_type for f in played] == ["audio/wav"] * 2
    names = [part.text for message in shown for part in message.content if part.type == "text"]
    assert "bass" in names and "without bass" in names
