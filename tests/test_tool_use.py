"""The tool-use benchmark: what counts as the right tool, a readable call, a grounded answer."""

from __future__ import annotations

import pytest

from llark_py.assistant.core import Answer
from llark_py.benchmarks.clips import compose_clips
from llark_py.benchmarks.tool_use import (
    ask,
    is_grounded,
    is_readable,
    is_right_tool,
    questions_of,
    score,
)
from llark_py.messages import Message, TextPart, ToolCall, ToolResult

KEY = {"key": "F# minor", "runner_up": "A major", "confidence": 0.9}


@pytest.fixture(scope="module")
def clips():
    return compose_clips(3, "synth", 2.0)


def row(wanted, calls, answer, results=None):
    return {
        "wanted": wanted,
        "calls": [[name, {"audio": "audio_1"}] for name in calls],
        "results": results or [KEY for _ in calls],
        "answer": answer,
        "known": "Which key? " + str(KEY).replace("'", '"'),
    }


class Parrot:
    """Calls the key tool at every question and repeats what it says."""

    def __init__(self):
        self.histories: list[int] = []

    def ask(self, history):
        self.histories.append(len(history))
        call, result = ToolCall("call_1", "estimate_key", {}), ToolResult("call_1", "x", KEY)
        said = Message("assistant", (TextPart("It is in F# minor."),))
        return Answer("It is in F# minor.", (said,), (call,), (result,))


def test_questions_come_with_the_tools_they_need(clips):
    asked = [q for seed in range(150) for q in questions_of(clips[0], seed)]
    wanted = {tuple(sorted(tools)) for _, tools in asked}
    assert {(), ("estimate_tempo",), ("estimate_key",), ("transcribe_notes",)} <= wanted
    assert any(len(tools) == 2 for tools in wanted)
    assert asked == [q for seed in range(150) for q in questions_of(clips[0], seed)]
    assert all(question.strip() for question, _ in asked)
    # Questions keep to the recording, and a chain is wanted whole: what fails is up to the tools.
    stopped = [q for q, tools in asked if tools in (["cut_clip"], ["separate_stems"])]
    assert not [q for q in stopped if " key" in q.lower() or "tempo" in q.lower()]


def test_a_dialogue_goes_on_with_the_assistants_own_words(clips):
    parrot = Parrot()
    rows = list(ask(parrot, clips, 12, 0))  # type: ignore[arg-type]
    assert len({r["id"] for r in rows}) == 12 < len(rows)
    assert sorted(set(parrot.histories))[:2] == [1, 3]
    scores = score(rows)
    assert scores["all"]["grounded"] == 1.0 and scores["all"]["well_formed"] == 1.0
    assert scores["none"]["right_tool"] == 0.0


def test_only_exactly_the_wanted_tools_are_right():
    rows = [
        row(["estimate_key"], ["estimate_key"], "F# minor."),
        row(["estimate_key"], [], "F# minor."),
        row([], ["estimate_key"], "F# minor."),
        row(["estimate_key", "estimate_tempo"], ["estimate_tempo", "estimate_key"], "A, F#."),
        row(["estimate_key", "estimate_tempo"], ["estimate_key"], ""),
    ]
    scores = score(rows)
    assert scores["all"]["right_tool"] == 0.4 and scores["all"]["answered"] == 0.8
    assert scores["estimate_key"]["right_tool"] == 0.5
    assert scores["none"] == {
        "turns": 1.0,
        "well_formed": 1.0,
        "right_tool": 0.0,
        "answered": 1.0,
        "grounded": 1.0,
    }
    assert scores["several"]["turns"] == 2.0


def test_what_comes_after_a_failure_is_not_needed():
    chain = ["cut_clip", "estimate_key"]
    failed = {"error": "end_s = 35 s is not in the recording"}
    assert is_right_tool(row(chain, ["cut_clip"], "There is no such part.", [failed]))
    assert not is_right_tool(row(chain, ["cut_clip"], "Done.", [{"audio": "audio_2"}]))
    assert not is_right_tool(row(chain, ["estimate_key"], "It failed.", [failed]))
    assert not is_right_tool(row([], ["cut_clip"], "There is no such part.", [failed]))


@pytest.mark.parametrize(
    ("answer", "grounded"),
    [
        ("It is in F# minor, or A major.", True),
        ("It is in F# major.", False),
        ("Its relative is E minor.", True),
        ("I am 0.9 sure.", True),
        ("I am 90 % sure.", False),
    ],
)
def test_numbers_and_modes_must_be_measured(answer, grounded):
    assert is_grounded(answer, str(KEY)) is grounded


def test_calls_that_no_tool_understands_are_not_well_formed():
    def readable(name, arguments, content=KEY):
        return is_readable(ToolCall("1", name, arguments), ToolResult("1", name, content))

    assert readable("estimate_key", {"audio": "audio_1"}) and readable("estimate_key", {})
    assert readable("estimate_key", {}, {"error": "the recording is silent"})
    assert not readable("estimate_mood", {})
    assert not readable("estimate_key", {"volume": 3})
    assert not readable("estimate_key", {}, {"error": "the tool call was not valid: no JSON"})
