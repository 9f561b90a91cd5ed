"""Scripted conversations: what the scripts want, and how calls are judged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from llark_py.assistant.core import Answer
from llark_py.audio import Audio
from llark_py.benchmarks.call_checks import fulfils, right_arguments, right_verdict, same_tools
from llark_py.benchmarks.clips import Clip
from llark_py.benchmarks.conversations import (
    SONG_S,
    compose_band_song,
    hold,
    judge,
    report,
    score,
)
from llark_py.benchmarks.scripts import count_wordings, read_scripts
from llark_py.benchmarks.separated_once import separating_once
from llark_py.errors import ConfigError
from llark_py.messages import Message, TextPart, ToolCall, ToolResult
from llark_py.tools import names, parameters, separate_stems
from llark_py.track import Track

SCRIPTS = Path(__file__).parent / "conversations"
ONE = {"audio_1": 60.0}


@pytest.fixture(scope="module")
def songs():
    return [
        Clip(Track(id=f"s{i}", duration_s=60.0), Audio(np.full(600, 0.1 + i / 10), 10))
        for i in range(2)
    ]


class Perfect:
    """Makes the first plan of every script, with made-up results, and says one number of them."""

    def __init__(self, scripts):
        self.plans = {turn.question: turn.plans for script in scripts for turn in script.turns}
        self.given: dict[str, str] = {}

    def ask(self, history):
        if sum(m.role == "user" for m in history) == 1:
            self.given = {}
        lengths = {part.id: SONG_S for m in history for part in m.audios}
        calls, results = [], []
        for tool, wanted in self.plans[history[-1].text][0]:
            arguments = {k: self.fill(v) for k, v in wanted.items()}
            if "audio" in parameters(tool)[0] and len(lengths) > 1:
                arguments.setdefault("audio", "audio_1")
            content = {"number": 12, "faster": "second", "louder": "second"}
            for field in ("vocals", "drums", "bass", "rest", "found", "audio"):
                content[field] = f"{tool}_{len(self.given)}"
                self.given[f"${tool}.{field}"] = content[field]
            calls.append(ToolCall("c", tool, arguments))
            results.append(ToolResult("c", tool, content))
        text = "The second is louder and has more BPM: 12." if calls else "Gladly."
        said = (Message("assistant", (TextPart(text),)),)
        return Answer(text, said, tuple(calls), tuple(results))

    def fill(self, value):
        value = value[0] if isinstance(value, list) else value
        if isinstance(value, str) and value.startswith("end-"):
            return SONG_S - float(value[4:])
        return self.given.get(value, value)


class Silent:
    """Never calls and never speaks."""

    def ask(self, history):
        return Answer("", ())


def values(scores, want):
    return {k: getattr(v, "value", v) for k, v in scores[want].items()}


# --- the scripts --------------------------------------------------------------------------------


def test_three_hundred_conversations_touch_every_tool_in_many_words():
    scripts = read_scripts(SCRIPTS, 300)
    assert scripts == read_scripts(SCRIPTS, 300) and len({s.id for s in scripts}) == 300
    questions = {turn.question for script in scripts for turn in script.turns}
    assert count_wordings(SCRIPTS) >= 200 and len(questions) >= 280
    plans = [plan for s in scripts for turn in s.turns for plan in turn.plans]
    called = {tool for plan in plans for tool, _ in plan}
    assert called == set(names())
    assert sum(len(plan) > 1 for plan in plans) >= 30
    assert sum(len(script.turns) > 1 for script in scripts) >= 40
    assert not any("{" in q for q in questions)


def test_scripts_want_arguments_that_tools_have_and_times_inside_the_song():
    for script in read_scripts(SCRIPTS, 300):
        for tool, wanted in (c for turn in script.turns for plan in turn.plans for c in plan):
            recordings, others = parameters(tool)
            assert set(wanted) <= {*recordings, *others}, (script.id, tool, wanted)
            times = [v for k, v in wanted.items() if k.endswith("_s") and not isinstance(v, str)]
            assert all(0 <= t <= SONG_S for t in times) and times == sorted(times)


def test_a_song_is_a_minute_long_and_has_a_singer_drums_and_bass():
    song = compose_band_song("pop", "synth")
    assert {"voice", "drums", "bass"} <= set(song.track.families)
    assert song.audio.duration_s == pytest.approx(SONG_S)


def test_a_song_is_separated_once_whoever_asks(monkeypatch):
    asked = []
    monkeypatch.setattr(separate_stems, "take_apart", lambda audio, tell: asked.append(audio) or 1)
    song, same = (Audio(np.full(100, 0.1), 10) for _ in range(2))
    with separating_once():
        assert [separate_stems.take_apart(s, print) for s in (song, same)] == [1, 1]
    assert len(asked) == 1
    separate_stems.take_apart(song, print)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ({"name": "x", "say": ["a"]}, "template 'x' cannot be read"),
        ({"name": "x", "say": ["{stm.say}"], "calls": []}, "template 'x' cannot be read"),
        ("just words", "template 'just words' cannot be read"),
    ],
)
def test_a_script_that_cannot_be_read_is_named(tmp_path, template, message):
    (tmp_path / "slots.yaml").write_text("stem: [{say: bass}]")
    (tmp_path / "a.yaml").write_text(yaml.safe_dump([template]))
    with pytest.raises(ConfigError, match=message):
        read_scripts(tmp_path, 1)
    with pytest.raises(ConfigError, match=r"no slots\.yaml"):
        read_scripts(tmp_path / "none", 1)


# --- judging ------------------------------------------------------------------------------------


def test_who_does_all_that_is_wanted_scores_one(songs, tmp_path):
    scripts = read_scripts(SCRIPTS, 150)
    rows = list(hold(Perfect(scripts), songs, scripts))
    scores = score(judge(json.loads(json.dumps(rows))))
    everything = values(scores, "all")
    assert everything.pop("conversations") == 150 < everything.pop("turns") == len(rows)
    assert set(everything.values()) == {1.0}, everything
    assert set(everything) == {
        "well_formed",
        "right_tool",
        "right_arguments",
        "chain_completed",
        "right_verdict",
        "grounded",
        "answered",
    }
    assert values(scores, "chain")["turns"] > 10 and set(names()) <= set(scores)
    text = report(rows, {"benchmark": "conversations"}, tmp_path, False)
    kept = json.loads((tmp_path / "scores.json").read_text())["scores"]
    assert kept["all"]["right_tool"]["value"] == 1.0 and text.endswith("## What went wrong\n")


def test_every_recording_has_an_id_of_its_own(songs):
    scripts = read_scripts(SCRIPTS, 80)
    rows = list(hold(Silent(), songs, scripts))
    last = {row["id"]: row for row in rows}
    counts = {script.id: script.n_songs for script in scripts}
    assert set(counts.values()) == {1, 2}
    assert {i: len(row["durations_s"]) for i, row in last.items()} == counts


def test_who_does_nothing_is_right_only_where_nothing_is_wanted(songs):
    scripts = read_scripts(SCRIPTS, 150)
    rows = list(hold(Silent(), songs, scripts))
    scores = score(judge(rows))
    free = sum([] in turn.plans for script in scripts for turn in script.turns)
    assert values(scores, "all")["right_tool"] == pytest.approx(free / len(rows))
    assert values(scores, "no tool")["right_tool"] == 1.0
    assert values(scores, "chain")["chain_completed"] == 0.0
    assert values(scores, "all")["answered"] == 0.0
    assert "called `nothing`" in report(rows, {}, None, False)


@pytest.mark.parametrize(
    ("tool", "given", "wanted", "right"),
    [
        ("estimate_key", {}, {}, True),
        ("estimate_key", {"audio": "audio_1"}, {}, True),
        ("estimate_key", {"audio": "audio_2"}, {}, False),
        ("estimate_key", {"volume": 1}, {}, False),
        ("recognize_chords", {"start_s": 10.4, "end_s": 30}, {"start_s": 10, "end_s": 30}, True),
        ("recognize_chords", {"start_s": "10", "end_s": 30}, {"start_s": 10, "end_s": 30}, True),
        ("recognize_chords", {"start_s": 11, "end_s": 30}, {"start_s": 10, "end_s": 30}, False),
        ("recognize_chords", {"start_s": 10}, {"start_s": 10, "end_s": 30}, False),
        ("recognize_chords", {"start_s": 10, "end_s": 30}, {}, False),
        ("recognize_chords", {"start_s": 0, "end_s": 60}, {}, True),
        ("recognize_chords", {"end_s": "soon"}, {}, False),
        ("recognize_chords", {"start_s": 40.0}, {"start_s": "end-20"}, True),
        ("recognize_chords", {"last_s": 20}, {"start_s": "end-20"}, True),
        ("recognize_chords", {"last_s": 30}, {"start_s": "end-20"}, False),
        ("recognize_chords", {"last_s": 20, "end_s": 60}, {"start_s": "end-20"}, False),
        ("find_sections", {"picture": True}, {}, True),
        ("find_sections", {}, {"picture": True}, False),
        ("transcribe_notes", {"audio": "artefact_3"}, {"audio": "$separate_stems.bass"}, True),
        ("transcribe_notes", {"audio": "artefact_2"}, {"audio": "$separate_stems.bass"}, False),
        ("transcribe_notes", {"audio": "artefact_3"}, {"audio": "$separate_stems.lute"}, False),
    ],
)
def test_arguments_are_right_when_the_tool_would_do_the_same(tool, given, wanted, right):
    there = {"separate_stems.bass": "artefact_3"}
    assert right_arguments(tool, given, wanted, there, ONE) is right


def test_with_two_songs_the_right_one_must_be_named():
    two = {"audio_1": 60.0, "audio_2": 60.0}
    assert not right_arguments("estimate_key", {}, {}, {}, two)
    assert right_arguments("estimate_key", {"audio": "audio_2"}, {"audio": "audio_2"}, {}, two)
    [script] = [s for s in read_scripts(SCRIPTS, 80) if s.id == "two_songs/mix/0"]
    for first, second, right in (("1", "2", True), ("2", "1", True), ("1", "1", False)):
        said = {"first": f"audio_{first}", "second": f"audio_{second}"}
        plans = [plan[0][1] for plan in script.turns[0].plans]
        assert any(right_arguments("compare_songs", said, p, {}, two) for p in plans) is right


def test_a_chain_needs_its_order_and_a_mended_call_counts():
    plan = [("cut_clip", {"end_s": 20}), ("estimate_key", {"audio": "$cut_clip.audio"})]
    cut, key = ["cut_clip", {"end_s": 20.0}], ["estimate_key", {"audio": "audio_2"}]
    made, named = {"audio": "audio_2"}, {"key": "C major"}
    assert fulfils([cut, key], plan, [made, named], {}, ONE)
    assert not fulfils([key, cut], plan, [{"error": "no audio_2"}, made], {}, ONE)
    wrong = ["cut_clip", {"end_s": 500.0}]
    assert fulfils([wrong, cut, key], plan, [{"error": "too far"}, made, named], {}, ONE)
    assert same_tools([wrong, cut, key], plan) and not same_tools([cut], plan)


@pytest.mark.parametrize(
    ("answer", "found", "right"),
    [
        ("The second one is faster: 90 BPM in the first, 120 BPM in the second.", "second", True),
        ("The first one is faster: 90 BPM in the first, 120 BPM in the second.", "second", False),
        ("The second one is louder, by 3 LU.", "second", False),
        ("Equally fast: 90 BPM in the first, 90 BPM in the second.", "neither", True),
        ("The First, by 3 BPM.", "neither", False),
        ("120 BPM.", "second", False),
    ],
)
def test_the_recording_that_is_more_must_be_named(answer, found, right):
    wanted = {"field": "faster", "about": ["fast", "BPM"]}
    assert right_verdict(answer, wanted, [{"error": "no audio_3"}, {"faster": found}]) is right
    assert right_verdict(answer, None, [{"faster": found}]) is None
    assert right_verdict(answer, wanted, [{"tempo_bpm": 90.0}]) is None
