"""Tool calls are decoded so that they fit the schemas of the tools."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
import torch
from assistant_parts import call as written_call
from assistant_parts import clicks, noise, scripted_assistant
from model_parts import tiny_tokenizer

from llark_py.assistant.call_schema import CallSchema, call_pattern, name_recordings
from llark_py.assistant.reply import TOOL_CALL, TOOL_CALL_END
from llark_py.compose.clip import score_track
from llark_py.compose.score import compose
from llark_py.instruct.grammar import dialogue
from llark_py.instruct.simulate import TOOLS
from llark_py.messages import AudioPart, Message, ToolResult, user
from llark_py.tools import names, schemas

SCHEMAS = schemas(names())


def call(name, **arguments):
    return json.dumps({"name": name, "arguments": arguments})


def fits(text, partial=True):
    return call_pattern(SCHEMAS).fullmatch(text, partial=partial) is not None


def test_what_the_grammar_teaches_can_be_written():
    track, written = score_track(compose(3, 60.0)), set()
    for seed in range(120):
        for message in dialogue(track, Random(seed), n_turns=4, tools=TOOLS):
            written |= {call(c.name, **c.arguments) for c in message.tool_calls}
    assert len(written) > 60
    for text in written:
        whole = f"\n{text}\n{TOOL_CALL_END}"
        assert fits(whole, partial=False), text
        assert all(fits(whole[:end]) for end in range(len(whole)))


@pytest.mark.parametrize(
    "text",
    [
        call("estimate_tempo", audio="audio_1", end_s=3),
        call("guess_mood", audio="audio_1"),
        call("separate_stems", audio="audio_1", stem="guitar"),
        call("cut_clip", audio="audio_1", start_s="soon"),
        call("track_beats", audio="audio_1", click_track=1),
        call("detect_vocals", audio="audio_1")[:-1] + "]",
        call("detect_vocals", audio="audio_1")[:-2] + ", }}",
        '{"arguments": {}}',
    ],
)
def test_what_fits_no_tool_cannot(text):
    end = next(end for end in range(len(text) + 1) if not fits(text[:end]))
    assert end <= len(text) and not fits(text + TOOL_CALL_END)


def test_other_ways_to_write_the_same_fit_too():
    spread = (
        '{ "name" : "cut_clip",\n "arguments": {"audio": "audio_1", "end_s": null, "start_s": 1.5}}'
    )
    assert fits(f"{spread}\n{TOOL_CALL_END}", partial=False)
    assert fits('{"name": "estimate_key", "arguments": {}}' + TOOL_CALL_END, partial=False)


class Wishes:
    """Wants to write something, token by token; what is next best comes from the constraint."""

    def __init__(self, wish):
        self.tokenizer = tiny_tokenizer()
        self.constraint = CallSchema(self.tokenizer, SCHEMAS, 0)
        self.wish = wish

    def write(self, text, length=400):
        """Follow the wish while it is allowed, then whatever is likeliest."""
        ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        wanted = self.tokenizer(self.wish, add_special_tokens=False)["input_ids"]
        scores = torch.linspace(0.0, 0.5, len(self.tokenizer))
        for step in range(length):
            row = scores.clone()
            if step < len(wanted):
                row[wanted[step]] = 1.0
            self.constraint(torch.tensor([ids]), row[None])
            ids.append(int(row.argmax()))
            if self.tokenizer.decode(ids).count(TOOL_CALL_END):
                break
        return self.tokenizer.decode(ids)


def test_what_fits_is_written_as_it_is_wished():
    text = call("cut_clip", audio="audio_1", start_s=12.5)
    assert (
        Wishes(f"{text}\n{TOOL_CALL_END}")
        .write(TOOL_CALL + "\n")
        .endswith(f"{text}\n{TOOL_CALL_END}")
    )


def test_an_argument_that_a_tool_does_not_take_is_not_written():
    begun = '{"name": "estimate_tempo", "arguments": {"'
    written = Wishes('end_s": 3}}').write(TOOL_CALL + begun, length=40)
    assert "end_s" not in written and fits(written.removeprefix(TOOL_CALL))
    assert written.removeprefix(TOOL_CALL + begun).startswith("audio"[:1])


def test_words_and_what_is_beyond_help_are_left_alone():
    constraint = CallSchema(tiny_tokenizer(), SCHEMAS, 0)
    for text in ("It has ", TOOL_CALL + "{}", TOOL_CALL + call("x"), TOOL_CALL + TOOL_CALL_END):
        ids = constraint._tokenizer(text, add_special_tokens=False)["input_ids"]
        row = torch.randn(len(constraint._tokenizer))
        before = row.clone()
        constraint(torch.tensor([ids]), row[None])
        assert torch.equal(row, before), text


def test_an_assistant_cannot_call_what_no_schema_has():
    assistant, _ = scripted_assistant(
        written_call("estimate_tempo", audio="audio_1", end_s=3), "Done.", free=False
    )
    answer = assistant.ask(clicks(120), "how fast is it?")
    [called] = answer.tool_calls
    assert called.name == "estimate_tempo" and set(called.arguments) <= {"audio"}


def test_only_recordings_that_there_are_can_be_named():
    made = ToolResult("call_1", "separate_stems", {}, sounds={"artefact_2": Path("bass.wav")})
    messages = [user("", AudioPart("audio_1", noise())), Message("tool", (made,))]
    pattern = call_pattern(name_recordings(SCHEMAS, messages))

    def possible(text):
        return pattern.fullmatch(text + TOOL_CALL_END) is not None

    assert possible(call("estimate_tempo", audio="audio_1"))
    assert possible(call("transcribe_notes", audio="artefact_2"))
    assert not possible(call("estimate_tempo", audio="artefact_1"))
    assert possible(call("separate_like", audio="audio_1", example_audio=None, example_start_s=1))
    assert not possible(call("separate_like", audio="audio_1", example_audio="audio_3"))
    assert possible(call("detect_instruments", audio="audio_1", instrument="the strings"))
    assert "enum" not in json.dumps(SCHEMAS[names().index("estimate_tempo")])
    assert name_recordings(SCHEMAS, [user("hello")]) == SCHEMAS


def test_no_argument_is_given_twice_and_nothing_goes_on_for_ever():
    begun = '{"name": "estimate_tempo", "arguments": {"audio": "audio_1"'
    written = Wishes(', "audio": "audio_1"' * 9).write(TOOL_CALL + begun)
    assert written.count("audio_1") == 1 and written.endswith(TOOL_CALL_END)
    begun = '{"name": "cut_clip", "arguments": {"audio": "audio_1", "start_s": 1'
    written = Wishes(', "start_s": 2, "end_s": 3}}' + TOOL_CALL_END).write(TOOL_CALL + begun)
    assert written.count("start_s") == 1 and written.endswith(TOOL_CALL_END)
    for wish in (" " * 200, "1" * 200, '"' + "a" * 200):
        assert Wishes(wish).write(TOOL_CALL).endswith(TOOL_CALL_END)
