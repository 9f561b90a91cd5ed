"""Parts of recordings: cut exactly, without clicks, and heard and measured like any other."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from assistant_parts import call, noise, scripted_assistant
from model_parts import tiny_model

from llark_py.analysis.excerpt import FADE_S, begins_s, cut
from llark_py.assistant.conversation import drop_oldest_exchange, recordings
from llark_py.assistant.core import Assistant
from llark_py.audio import Audio
from llark_py.errors import AudioError, ToolError
from llark_py.messages import AudioPart, Message, TextPart, user
from llark_py.tools import Workspace, run_tool

RATE = 8000


def ramp(seconds=4.0, channels=1):
    """Make a recording in which every sample tells its place; right is minus left."""
    line = np.linspace(0.1, 0.9, round(seconds * RATE), dtype=np.float32)
    return Audio(np.stack([line, -line][:channels]), RATE)


@pytest.mark.parametrize("channels", [1, 2])
def test_a_part_is_the_samples_of_its_time_with_soft_edges(channels):
    whole = ramp(channels=channels)
    part = cut(whole, 1.0, 2.5)
    assert (part.n_samples, part.n_channels) == (1.5 * RATE, channels)
    edge = round(FADE_S * RATE)
    expected = whole.samples[..., RATE : round(2.5 * RATE)]
    assert np.array_equal(part.samples[..., edge:-edge], expected[..., edge:-edge])
    gains = np.atleast_2d(part.samples / expected)
    assert np.all(np.diff(gains[:, :edge]) > 0) and np.all(np.diff(gains[:, -edge:]) < 0)
    assert gains[:, [0, -1]].max() < 1e-3
    assert np.array_equal(whole.samples, ramp(channels=channels).samples)


def test_times_left_out_are_the_ends():
    assert cut(ramp(), 3.0).duration_s == pytest.approx(1.0)
    assert cut(ramp(), 0.0, 1.0).duration_s == pytest.approx(1.0)
    assert cut(ramp(), 3.0, 4.004).duration_s == pytest.approx(1.0)  # rounded when it was told


def test_a_part_may_be_counted_from_the_end():
    clip = run_tool("cut_clip", {"last_s": 1.5}, {"audio_1": ramp()}, Workspace())
    assert (clip.content["start_s"], clip.content["end_s"]) == (2.5, 4.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"last_s": 4.5}, r"no last 4.5 s; the recording lasts 4.0 s"),
        ({"last_s": -1.0}, r"no last -1 s"),
        ({"last_s": float("nan")}, r"no last nan s"),
        ({"last_s": 1.0, "start_s": 1.0}, r"give it without start_s and end_s"),
        ({"last_s": 1.0, "end_s": 2.0}, r"give it without start_s and end_s"),
    ],
)
def test_an_end_that_is_not_there_is_refused(arguments, message):
    with pytest.raises(ToolError, match=message):
        begins_s(ramp(), **{"start_s": 0.0, **arguments})


@pytest.mark.parametrize(
    ("start_s", "end_s", "message"),
    [
        (-1.0, 2.0, r"start_s = -1 s is not in the recording; the recording lasts from 0 s to 4 s"),
        (0.0, 9.0, r"end_s = 9 s is not in the recording"),
        (5.0, 9.0, r"start_s = 5 s is not in"),
        (5.0, None, r"start_s = 5 s is not in"),
        (3.0, 1.0, r"start_s = 3 s must lie before end_s = 1 s"),
        (1.0, 1.0, r"must lie before"),
        (1.0, 1.05, r"too short; cut at least 0.1 s"),
        (3.95, None, r"too short"),
        (0.0, None, r"this is the whole recording"),
        (0.0, 4.0, r"this is the whole recording"),
        (float("nan"), 2.0, r"start_s = nan s is not in"),
        (1.0, float("inf"), r"end_s = inf s is not in"),
        (1.0, float("nan"), r"end_s = nan s is not in"),
        (-1e300, 1e300, r"start_s = -1e\+300 s is not in"),
    ],
)
def test_times_that_cannot_be_cut_are_told(start_s, end_s, message):
    with pytest.raises(ToolError, match=message):
        cut(ramp(), start_s, end_s)


def test_a_clip_is_a_recording_that_other_tools_know(tmp_path):
    workspace, audios = Workspace(tmp_path), {"audio_1": ramp(), "audio_7": noise()}
    first = run_tool("cut_clip", {"audio": "audio_1", "start_s": 1, "end_s": 3}, audios, workspace)
    assert first.content == {"audio": "audio_8", "start_s": 1, "end_s": 3.0, "file": "artefact_1"}
    assert (first.artefacts, first.recordings) == (("artefact_1",), ("audio_8",))
    samples, rate = soundfile.read(workspace.artefacts[0].path)
    assert (len(samples), rate) == (2 * RATE, RATE)
    assert workspace.artefacts[0].media_type == "audio/wav"
    # A clip of the clip; then both, by name.
    again = run_tool("cut_clip", {"audio": "audio_8", "end_s": 0.5}, audios, workspace)
    assert again.content["audio"] == "audio_9"
    assert workspace.recordings["audio_9"].audio.duration_s == pytest.approx(0.5)
    measured = run_tool("measure_loudness", {"audio": "audio_9"}, audios, workspace)
    assert measured.error is None and measured.recordings == ()
    gone = run_tool("cut_clip", {"audio": "audio_10", "end_s": 1}, audios, workspace)
    assert "there is audio_1, audio_7, audio_8, audio_9" in gone.error
    assert sorted(audios) == ["audio_1", "audio_7"]


def question(text="Listen to the beginning.", audio=None):
    return user(text, AudioPart("audio_1", audio or noise(2.0)))


def cutting(*replies, **options):
    return scripted_assistant(
        call("cut_clip", audio="audio_1", end_s=1.0), *replies, tools=["cut_clip"], **options
    )


def test_the_model_hears_the_clip_and_names_it_in_the_same_turn():
    assistant, model = scripted_assistant(
        call("cut_clip", audio="audio_1", end_s=1.0),
        call("measure_loudness", audio="audio_2"),
        "There.",
        tools=["cut_clip", "measure_loudness"],
    )
    answer = assistant.ask([question()])
    assert [p.count("<|audio_bos|>") for p in model.prompts] == [1, 2, 2]
    assert [r.error for r in answer.tool_results] == [None, None]
    assert [m.role for m in answer.messages] == [
        "assistant", "tool", "user", "assistant", "tool", "assistant",
    ]  # fmt: skip
    [part] = recordings(answer.messages)
    assert part.id == "audio_2" and part.audio.duration_s == 1.0
    assert [a.id for a in answer.artefacts] == ["artefact_1"]


def test_the_clip_stays_for_the_next_turn_and_nothing_is_encoded_twice(monkeypatch):
    assistant, model = cutting("One.", call("cut_clip", audio="audio_2", end_s=0.5), "Two.")
    encoded = []
    encode = assistant._decoder.frames._encode
    monkeypatch.setattr(
        assistant._decoder.frames, "_encode", lambda a: encoded.append(a.duration_s) or encode(a)
    )
    asked = [question()]
    first = assistant.ask(asked)
    second = assistant.ask([*asked, *first.messages, user("And the beginning of that?")])
    assert [p.id for p in recordings(second.messages)] == ["audio_3"]
    assert encoded == [2.0, 1.0, 0.5]
    assert model.prompts[-1].count("<|audio_bos|>") == 3
    assert model.prompts[2].startswith(model.prompts[1].removesuffix("\n"))  # the cache fits


def test_a_clip_the_model_cannot_hear_is_an_error_and_no_recording(monkeypatch):
    assistant, model = cutting(call("cut_clip", audio="audio_2", end_s=0.5), "I cannot.")
    encode = assistant._decoder.frames._encode

    def refuse(audio):
        if audio.duration_s < 2:
            raise AudioError("the recording is too short for the model to hear: 1.000 s")
        return encode(audio)

    monkeypatch.setattr(assistant._decoder.frames, "_encode", refuse)
    answer = assistant.ask([question()])
    assert "too short for the model to hear" in answer.tool_results[0].error
    assert "there is no recording" in answer.tool_results[1].error
    assert recordings(answer.messages) == [] and answer.artefacts == ()
    assert answer.text == "I cannot." and len(model.prompts) == 3


def test_a_clip_that_leaves_no_room_is_an_error():
    whole = noise(150.0)
    clip = call("cut_clip", audio="audio_1", start_s=10, end_s=140)
    roomy, model = scripted_assistant(clip, "Done.", tools=["cut_clip"], context=100_000)
    assert roomy.ask([question(audio=whole)]).tool_results[0].error is None
    tokens = len(roomy._decoder.tokenizer(model.prompts[0])["input_ids"])
    tight, _ = scripted_assistant(clip, "I cannot.", tools=["cut_clip"], context=tokens + 400)
    answer = tight.ask([question(audio=whole)])
    assert "Take a shorter one" in answer.tool_results[0].error
    assert answer.text == "I cannot."


def test_forgetting_the_oldest_question_keeps_its_clips():
    assistant, _ = cutting("One.")
    asked = [question()]
    said = assistant.ask(asked).messages
    shorter = drop_oldest_exchange([*asked, *said, user("And now?")])
    assert [m.role for m in shorter] == ["user"]
    assert [p.id for p in shorter[0].audios] == ["audio_1", "audio_2"]
    assert drop_oldest_exchange([*asked, *said]) is None  # a clip is no question


def test_after_a_clip_the_next_turn_computes_only_what_is_new(monkeypatch):
    model, processor = tiny_model()
    model.config.text_config.max_position_embeddings = 4096

    def build():
        return Assistant(model, processor, tools=[], max_new_tokens=8)

    heard = [
        question(),
        Message("assistant", (TextPart("Yes."),)),
        Message("user", (AudioPart("audio_2", noise(1.0, seed=2)),)),
        Message("assistant", (TextPart("A clip."),)),
        user("How is it?"),
    ]
    assistant = build()
    followed = [*heard, *assistant.ask(heard).messages, user("And?")]
    recomputed = build().ask(followed).text
    lengths, forward = [], model.model.language_model.forward

    def counting_forward(*args, inputs_embeds, **kwargs):
        lengths.append(inputs_embeds.shape[1])
        return forward(*args, inputs_embeds=inputs_embeds, **kwargs)

    monkeypatch.setattr(model.model.language_model, "forward", counting_forward)
    assert assistant.ask(followed).text == recomputed
    remembered = lengths[0]
    lengths.clear()
    build().ask(followed)
    assert remembered < lengths[0] / 2
