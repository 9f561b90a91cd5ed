"""Dialogues that tools answer: results like real ones, answers that copy them, one tool each."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import defaultdict
from functools import cache
from random import Random
from typing import get_type_hints

import pytest
from instruct_parts import make_track, one_turn, songs, tracks

from llark_py.instruct.family_names import family_named
from llark_py.instruct.form_told import read_parts
from llark_py.instruct.grammar import FAMILIES, MEASURED, TOLD, TOOL_FIRST, dialogue
from llark_py.instruct.listing import (
    MOST_PARTS,
    list_modulations,
    list_parts,
    list_players,
    list_spans,
)
from llark_py.instruct.phrases import fill, grammar, slots_of, words
from llark_py.instruct.scene import TOOL_OF, Call
from llark_py.instruct.simulate import TOOLS, Ids, simulate
from llark_py.instruct.simulate.players import read_players
from llark_py.tools import load_tool, names, schemas

TIME = re.compile(r"\b\d+:\d\d\b")
LONGEST_RESULT, LONGEST_COMPARISON = 330, 600


@cache
def turns(family: str, tools: tuple[str, ...] = TOOLS) -> list[list]:
    """One turn about each of 60 songs and 30 clips."""
    rng = Random(f"tools {family} {tools}")
    made = [one_turn(family, track, rng, tools) for track in (*songs()[:60], *tracks()[:30])]
    return [messages for messages in made if messages]


def results(messages) -> list[dict]:
    return [part.content for m in messages if m.role == "tool" for part in m.parts]


def calls(messages) -> list:
    return [call for m in messages for call in m.tool_calls]


# --- lists ----------------------------------------------------------------------------------


def test_lists_name_first_and_time_after():
    assert list_parts([(0.0, "intro"), (12.4, "A"), (63.0, "chorus")], 90.0) == (
        "intro 0:00, A 0:12, chorus 1:03"
    )
    assert list_parts([(float(i), "A") for i in range(30)], 90.0).count("A") == MOST_PARTS
    players = [("drums", 0.0, 88.0, 0.93), ("voice", 5.2, 35.0, 0.8)]
    assert list_players(players, 90.0) == "drums 0:00-end (0.93), voice 0:05-0:35 (0.80)"
    assert list_modulations([(0.0, "A minor"), (80.1, "C major")], 90.0) == "C major 1:20"
    assert list_modulations([(0.0, "A minor")], 90.0) is None


def test_the_shortest_gaps_between_spans_are_closed():
    spans = [(0, 5), (6, 10), (20, 30), (40, 50), (52, 60)]
    assert list_spans(spans, 90.0) == "0:00-0:10, 0:20-0:30, 0:40-0:50, 0:52-1:00"
    assert list_spans(spans[:2], 90.0) == "0:00-0:05, 0:06-0:10" and list_spans([], 90.0) is None


# --- results --------------------------------------------------------------------------------


def test_every_tool_that_is_taught_exists():
    assert set(TOOLS) <= set(names()) and set(TOOL_OF.values()) >= set(TOOLS)


@pytest.mark.parametrize("name", sorted({*TOOLS} & {*names()}))
def test_results_have_the_shape_of_the_tool(name):
    fields = dataclasses.fields(get_type_hints(load_tool(name))["return"])
    shown = [field.name for field in fields if not field.metadata.get("detail")]
    always = {field.name for field in fields if field.default is dataclasses.MISSING}
    longest = LONGEST_COMPARISON if name == "compare_songs" else LONGEST_RESULT
    some = {
        "separate_like": [{"example_start_s": 2.0, "example_end_s": 6.0}],
        "detect_instruments": [{}, {"instrument": "drums"}, {"instrument": "french horn"}],
        "compare_songs": [{}, {"aspect": "tempo"}],
    }.get(name, [{}])
    rng, failed = Random(name), 0
    for n, track in enumerate((*songs(), *tracks()[:100])):
        result = simulate(
            name,
            track,
            rng,
            faithful=n % 3 > 0,
            duration_s=track.duration_s if n % 2 else 200.0,
            ids=Ids(1, "audio_1"),
            arguments=some[n % len(some)],
        )
        assert len(json.dumps(result)) < longest
        failed += "error" in result
        if "error" in result:
            assert list(result) == ["error"]
        else:
            assert list(result) == [key for key in shown if key in result], result
            assert always & {*shown} <= {*result}
    assert 5 < failed < 120


@pytest.mark.parametrize("wish", [("track_beats", "click_track"), ("find_sections", "picture")])
def test_a_file_is_made_when_it_is_wished_for(wish):
    name, argument = wish
    ids, rng = Ids(7, "audio_1"), Random(3)
    options = {"faithful": True, "duration_s": 90.0, "ids": ids}
    made = [simulate(name, songs()[0], rng, arguments={argument: True}, **options) for _ in "123"]
    files = [result[argument] for result in made if "error" not in result]
    assert files == [f"artefact_{7 + i}" for i in range(len(files))] and files
    assert simulate(name, songs()[0], rng, **options).get(argument) is None


def test_faithful_results_follow_the_song_and_others_do_not():
    track, right = songs()[3], {True: 0, False: 0}
    for faithful in right:
        rng = Random(9)
        for _ in range(60):
            result = simulate(
                "detect_instruments",
                track,
                rng,
                faithful=faithful,
                duration_s=track.duration_s,
                ids=Ids(1, "audio_1"),
            )
            if "error" not in result:
                families = {player.family for player in read_players(result)}
                right[faithful] += families == set(track.families)
    assert right[True] > 40 and right[False] < 5


# --- calls ----------------------------------------------------------------------------------


def test_a_call_names_the_recording_unless_it_names_another():
    assert Call("track_beats", {"click_track": True}).given("audio_2") == {
        "audio": "audio_2",
        "click_track": True,
    }
    assert Call("estimate_key", {"audio": "audio_3"}).given("audio_1") == {"audio": "audio_3"}
    both = {"first": "audio_1", "second": "audio_2"}
    assert Call("compare_songs", both).given("audio_1") == both


@pytest.mark.parametrize("family", [*TOLD, *TOOL_FIRST])
def test_calls_fit_the_schema_of_the_tool(family):
    made = [call for messages in turns(family) for call in calls(messages)]
    assert made
    for call in made:
        [schema] = schemas([call.name])
        assert set(call.arguments) <= set(schema["function"]["parameters"]["properties"])
    asks_for_file = "picture" in family or family == "click_track"
    plain = [set(call.arguments) - {"start_s", "end_s", "last_s", "instrument"} for call in made]
    assert all((len(arguments) == 2) == asks_for_file for arguments in plain)
    asked_for = [call.arguments["instrument"] for call in made if "instrument" in call.arguments]
    assert bool(asked_for) == (family in ("enters", "leaves"))
    assert all(family_named(name) for name in asked_for)


@pytest.mark.parametrize("family", TOOL_FIRST)
def test_without_the_tools_the_ear_answers(family):
    answers = [messages[-1].text for messages in turns(family, ())]
    assert answers and not any(calls(messages) for messages in turns(family, ()))
    assert not any("no tool" in answer for answer in answers)


@pytest.mark.parametrize("family", TOLD)
def test_what_only_a_tool_can_tell_is_not_told_without_it(family):
    for messages in turns(family, ()):
        assert not calls(messages)
        assert "no tool at hand" in messages[-1].text or messages in turns(family, ())[60:]
    said = " ".join(messages[-1].text for messages in turns(family, ())[:60])
    assert not re.search(r"\d", said)


# --- answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("family", [*TOLD, *TOOL_FIRST])
def test_times_and_numbers_are_copied_from_the_result(family):
    told = 0
    for messages in turns(family):
        if not results(messages):
            continue
        shown = json.dumps(results(messages)) + messages[0].text
        numbers = re.findall(r"\d+(?:[.:/]\d+)*", messages[-1].text)
        told += bool(numbers)
        for number in numbers:
            assert re.search(rf"(?<![\d.:]){re.escape(number)}(?!\d|:\d)", shown), messages[-1].text
    assert told > 5 or family in ("first_chord", "last_chord", "degrees", "chords", "key_change")


@pytest.mark.parametrize("family", [*TOLD, *TOOL_FIRST])
def test_failures_are_told_in_the_words_of_the_tool(family):
    for messages in turns(family):
        for result in results(messages):
            if "error" in result:
                assert result["error"] in messages[-1].text


def test_entrances_are_those_of_the_family_that_is_asked_for():
    met = {"later": 0, "start": 0, "none": 0}
    for messages in turns("enters"):
        asked_for = [c.arguments["instrument"] for c in calls(messages) if len(c.arguments) == 2]
        for result, name in zip(results(messages), asked_for, strict=False):
            if "error" in result:
                continue
            said = messages[-1].text
            assert result["family"] == family_named(name)
            case = {None: "none", "0:00": "start"}.get(result["enters"], "later")
            assert case != "later" or result["enters"] in said
            assert (case == "none") == ("plays" in result)
            met[case] += 1
    assert min(met.values()) > 3, met


def test_the_section_at_a_time_is_the_last_that_has_begun():
    def seconds(time: str) -> int:
        minutes, rest = time.split(":")
        return 60 * int(minutes) + int(rest)

    met = 0
    for messages in turns("section_at"):
        [result] = results(messages) or [{"error": ""}]
        asked = TIME.search(messages[0].text)
        if "error" in result or not asked or len(read_parts(result)) < result["section_count"]:
            continue
        begun = [p for p in read_parts(result) if seconds(p[1]) <= seconds(asked.group())]
        assert begun[-1][0] in messages[-1].text
        met += 1
    assert met > 10


def test_low_confidence_is_heard_in_the_answer():
    doubt = re.compile(r"[Pp]erhaps|not sure|guess|[Uu]n(sure|certain|clear)|only|little|[Mm]aybe|"
                       r"[Pp]robably|swear|hard|[Rr]oughly|[Aa]bout|check|not certain|[Ii]f|though|"
                       r"may be off|pinch|draft|first version|Not certain|try")  # fmt: skip
    for family in ("bar_count", "steadiness", "click_track", "chords", "chord_file", "sung_when"):
        for messages in turns(family):
            for result in results(messages):
                if result.get("confidence", 1.0) < 0.5 and result.get("singing", True):
                    assert doubt.search(messages[-1].text), messages[-1].text


# --- which tool -----------------------------------------------------------------------------


def expansions(family: str) -> set[str]:
    """Many of the ways to ask the questions of a family, things that are asked for left out."""
    rng, found = Random(family), set()
    plain = {"it": "it", "s": "song", "of_it": "", "in_it": "", "one": "song", "ask": "what's"}
    for template in grammar()[family]["questions"]:
        blanks = dict.fromkeys(slots_of(template) - set(words()), "x")
        for _ in range(12):
            found.add(fill(template, blanks | plain, rng).lower().strip(" .?!"))
    return found


def test_no_question_is_answered_by_two_tools_or_now_by_ear():
    """Families that name the thing they ask for are told apart by it, so they are left out."""
    tool_of = {
        family: frozenset(call.name for messages in turns(family) for call in calls(messages))
        for family in FAMILIES
        if "questions" in grammar().get(family, {})
        and not any(s not in words() for t in grammar()[family]["questions"] for s in slots_of(t))
    }
    asked = defaultdict(set)
    for family in tool_of:
        for question in expansions(family):
            asked[question].add(family)
    for question, families in asked.items():
        assert len({tool_of[family] for family in families}) == 1, (question, families)


@pytest.mark.parametrize("family", [*TOLD, *MEASURED])
def test_one_family_takes_one_tool(family):
    tools = {call.name for messages in turns(family) for call in calls(messages)}
    assert len(tools) == 1


def test_tools_at_hand_but_for_one_are_not_mistaken():
    rng = Random(4)
    for name in TOOLS:
        others = [tool for tool in TOOLS if tool != name]
        for track in (*songs()[:20], make_track(5)):
            messages = dialogue(track, rng, n_turns=4, tools=others)
            assert name not in {call.name for call in calls(messages)}
