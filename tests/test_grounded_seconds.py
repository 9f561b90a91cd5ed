"""Times in tool calls are those that somebody has named."""

from __future__ import annotations

from random import Random

import pytest
import torch
from model_parts import tiny_tokenizer

from llark_py.assistant.conversation import asked_text, quotable_text
from llark_py.assistant.grounded_seconds import GroundedSeconds, named_seconds
from llark_py.assistant.reply import TOOL_CALL
from llark_py.compose.clip import score_track
from llark_py.compose.score import compose
from llark_py.instruct.grammar import dialogue
from llark_py.instruct.simulate import TOOLS
from llark_py.messages import Message, ToolResult, assistant, user

CALL = TOOL_CALL + '\n{"name": "cut_clip", "arguments": {"audio": "audio_1", "start_s": '


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("chords from 0:10 until 0:30", ["10", "30"]),
        ("cut 12 s to 27.5 s", ["12", "27.5"]),
        ("1'24 to 2m5s", ["84", "125"]),
        ("the first 2 minutes", ["120"]),
        ("10 seconds from 0:20 on", ["10", "20", "30"]),
        ("1:02:03", ["3723"]),
        ("1.30 until 1,45", ["90", "105"]),
        ("the 15 s after 1'20", ["80", "95"]),
    ],
)
def test_seconds_are_read_as_people_write_them(text, seconds):
    named = named_seconds(text)
    assert named is not None and {"0", *seconds} <= named
    assert not {"11", "13", "31"} & named


@pytest.mark.parametrize(
    "text", ["cut the chorus", "thirty seconds from 0:10", "the last minute", "bars 9 to 16"]
)
def test_what_is_told_in_words_forbids_nothing(text):
    assert named_seconds(text) is None


def test_what_the_grammar_teaches_is_allowed():
    track, calls = score_track(compose(3, 60.0)), []
    for seed in range(150):
        messages = dialogue(track, Random(seed), n_turns=4, tools=TOOLS)
        for number, message in enumerate(messages):
            named = named_seconds(quotable_text(messages[:number]))
            named = named if named_seconds(asked_text(messages[:number])) else None
            for call in message.tool_calls:
                times = [v for name, v in call.arguments.items() if name.endswith("_s")]
                calls += [named is None or f"{time:g}" in named for time in times]
    assert len(calls) > 80
    assert calls.count(False) <= 1, "a number may be mistyped, as in 'foorty seconds'"


def held(*questions):
    return GroundedSeconds(tiny_tokenizer(), "\n".join(questions), questions[-1], 0)


def allowed(constraint, text):
    row = torch.zeros(len(constraint._tokenizer))
    ids = constraint._tokenizer(text, add_special_tokens=False)["input_ids"]
    constraint(torch.tensor([ids]), row[None])
    return {
        token
        for token, i in constraint._tokenizer.get_vocab().items()
        if torch.isfinite(row[i]) and len(token) == 1
    }


def test_a_call_copies_the_seconds_digit_by_digit():
    constraint = held("from 0:22 to 0:27 please")
    figures = set("0123456789")
    assert allowed(constraint, CALL) & figures == {"0", "2", "4", "5", "1"}  # 49 = 22 + 27; 1320
    assert allowed(constraint, CALL + "2") & {*figures, ",", "}"} == {"2", "7"}
    assert not allowed(constraint, CALL + "22") & figures - {"2"}
    assert {",", "}"} <= allowed(constraint, CALL + "22")


def test_only_seconds_in_calls_are_held_to_it():
    constraint = held("from 0:22 to 0:27 please")
    everything = allowed(constraint, "It has ")
    for text in (TOOL_CALL + '{"name": "x", "arguments": {"k": 1', 'It has "start_s": '):
        assert allowed(constraint, text) == everything
    free = held("cut the chorus")
    assert allowed(free, CALL) == everything


def test_figures_of_earlier_questions_hold_only_one_that_names_some():
    earlier, figures = "from 0:22 to 0:27 please", set("0123456789")
    assert allowed(held(earlier, "and the beginning of that?"), CALL) >= figures
    held_to = allowed(held(earlier, "no, until 0:35"), CALL)
    assert {"2", "3"} <= held_to & figures < figures


def test_what_belongs_to_the_last_question():
    found = Message("tool", (ToolResult("call_1", "find_sections", {"at": 30}),))
    messages = [user("cut 0:10 to 0:20"), assistant("Done."), user("now the chorus"), found]
    part = user("")  # a recording that a tool has made comes without words
    assert asked_text([*messages, part]).startswith("now the chorus")
    assert "30" in asked_text([*messages, part]) and "0:10" not in asked_text(messages)
    assert asked_text([]) == ""
