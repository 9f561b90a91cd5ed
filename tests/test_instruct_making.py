"""Requests for parts, stems and drum hits: right arguments, ids that exist, results in shape."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from instruct_parts import make_track, one_turn, songs, tracks

from llark_py.assistant.grounding import heard_numbers, ungrounded_numbers
from llark_py.instruct import chains
from llark_py.instruct.aspects import ASPECTS
from llark_py.instruct.grammar import FAMILIES, LOOKING_BACK, MADE, dialogue
from llark_py.instruct.phrases import fill, grammar, pick, slots_of, words
from llark_py.instruct.simulate import TOOLS
from llark_py.instruct.spans import draw_example, draw_span
from llark_py.messages import ToolResult
from llark_py.tools import load_tool, names
from llark_py.tools._schema import check_arguments
from llark_py.tools.compare_songs import SongComparison

TIME = re.compile(r"(\d+):(\d\d)")
IDS = re.compile(r"\b(?:audio|artefact)_\d+\b")


def talks(family: str, n: int = 90):
    """Dialogues in which a family is asked, after one that makes a sound where it needs that."""
    rng = Random(f"talks {family}")
    for i in range(n):
        track = (*songs(), *tracks())[i % 400]
        if family in LOOKING_BACK:
            befores = {"stem_drums": "stems", "then_rest": "stem", "then_stem": "stem"}
            before = befores.get(family, "cut")
            asked = dialogue(track, rng, n_turns=2, tools=TOOLS, families=(before, family))
        else:
            asked = one_turn(family, track, rng)
        if asked:
            yield asked


def calls_and_results(messages):
    results = {p.call_id: p for m in messages for p in m.parts if isinstance(p, ToolResult)}
    return [(call, results[call.id]) for m in messages for call in m.tool_calls]


@pytest.mark.parametrize("family", MADE)
def test_calls_name_what_is_there_and_answers_hold_no_invented_number(family):
    for messages in talks(family):
        known, source = {"audio_1"}, ""
        for message in messages:
            if message.role == "user":
                assert {part.id for part in message.audios} <= known
                source += f" {message.text} "
            for call in message.tool_calls:
                assert call.arguments["audio"] in known
                if call.name in names():
                    check_arguments(load_tool(call.name), dict(call.arguments), known)
            if message.role == "tool":
                (result,) = message.parts
                shown = json.dumps(result.content)
                known |= set(IDS.findall(shown))
                source += shown
            if message.role == "assistant":
                assert not IDS.search(message.text)
                # The same that decoding is held to once a tool has answered.
                assert ungrounded_numbers(message.text, source) == []


def test_what_people_type_is_what_the_tool_is_given():
    rng = Random(1)
    seen = Counter()
    for _ in range(4000):
        span = draw_span(rng, 300.0)
        typed = re.search(r"(?:from|between) (\S+) (?:to|and|until|till) (\S+)$", span.adverb)
        if not typed:
            continue
        for text, given in zip(typed.groups(), (span.start_s, span.end_s), strict=True):
            if found := re.fullmatch(r"(\d+)(?::|m|')(\d\d)s?", text):
                assert 60 * int(found[1]) + int(found[2]) == given, span
                seen["clock"] += 1
            elif found := re.fullmatch(r"(\d+)s", text):
                assert int(found[1]) == given, span
                seen["seconds"] += 1
    assert seen["clock"] > 500 and seen["seconds"] > 20


def test_parts_are_typed_in_many_ways_and_now_and_then_are_not_there():
    rng = Random(2)
    spans = [draw_span(rng, 200.0) for _ in range(2000)]
    assert len({span.noun for span in spans}) > 1200
    shapes = Counter((span.start_s is None, span.end_s is None) for span in spans)
    assert shapes[False, True] > 100  # to the end
    assert sum(span.start_s == 0 for span in spans) > 200  # from the start
    wrong = sum((span.start_s or 0) >= min(200, span.end_s or 200) for span in spans)
    wrong += sum((span.last_s or 0) > 200 for span in spans)
    assert 20 < wrong < 200
    from_end = [span for span in spans if span.last_s is not None]
    assert len(from_end) > 150 and all(set(span.arguments) == {"last_s"} for span in from_end)
    others = [span for span in spans if span.last_s is None]
    assert all(set(span.arguments) <= {"start_s", "end_s"} for span in others)
    for _ in range(200):
        assert set(draw_example(rng, 8.0).arguments) == {"start_s", "end_s"}


@pytest.mark.parametrize("family", chains.FAMILIES)
def test_a_chain_goes_on_with_what_was_made(family):
    complete = 0
    for messages in talks(family):
        made = calls_and_results(messages)
        if len(made) < 2 or made[0][1].error:
            continue
        (_, first), (second, _) = made[:2]
        if family == "cut_section":
            seconds = [60 * int(m) + int(s) for m, s in TIME.findall(first.content["parts"])]
            assert second.arguments["start_s"] in seconds
            complete += 1
            continue
        assert second.arguments["audio"] in IDS.findall(json.dumps(first.content))
        complete += 1
    assert complete > 20


def test_a_clip_is_handed_to_the_model_as_in_use():
    met = 0
    for messages in talks("part_key"):
        for before, message in pairwise(messages):
            if message.audios:
                (result,) = before.parts
                assert before.role == "tool" and result.name == "cut_clip" and not message.text
                assert [part.id for part in message.audios] == [result.content["audio"]]
                assert result.recordings == (result.content["audio"],)
                met += 1
    assert met > 60


def test_results_of_separation_are_in_the_tools_shape():
    rng = Random(4)
    shapes = set()
    for n in range(300):
        for family in ("stems", "stem", "like", "drum_notes"):
            for _, result in calls_and_results(one_turn(family, songs()[n % 100], rng)):
                if not result.error:
                    shapes.add((result.name, tuple(result.content)))
    stems = ("vocals", "drums", "bass", "other")
    four = ("separate_stems", (*stems, "loudest", "silent", "confidence"))
    ones = {("separate_stems", (stem, "rest", "level_db", "confidence")) for stem in stems}
    like = ("separate_like", ("found", "rest", "level_db", "confidence"))
    counts = ("hit_count", "kick_count", "snare_count", "hihat_count", "other_count")
    drums = ("transcribe_drums", (*counts, "midi", "picture", "confidence"))
    assert shapes == {four, *ones, like, drums}


def test_what_is_not_there_is_silent_in_the_stems():
    rng = Random(5)
    track = songs()[0]
    families = {instrument.family for instrument in track.instruments}
    told = []
    for _ in range(200):
        for _, result in calls_and_results(one_turn("stems", track, rng)):
            told.append(result.content.get("silent") or "")
    faithful = sum(("drums" in silent) == ("drums" not in families) for silent in told)
    assert faithful > 0.5 * len(told)


def test_an_instrument_without_a_stem_is_asked_for_by_example():
    rng = Random(6)
    for n in range(60):
        messages = one_turn("stem_other", make_track(n), rng)
        assert not calls_and_results(messages)
        said = messages[-1].text
        assert any(words in said for words in ("vocals, drums, bass", "example", "alone")), said


def test_times_outside_are_refused_in_the_tools_words():
    errors = Counter()
    for messages in talks("cut", 400):
        for _, result in calls_and_results(messages):
            if result.error:
                errors[re.sub(r"[\d.]+", "#", result.error)] += 1
                assert result.error in messages[-1].text
    assert sum("not in the recording" in error for error in errors) and any(
        "must lie before" in error for error in errors
    )


def test_without_the_tool_the_answer_says_so():
    rng = Random(7)
    for family in MADE:
        if family in LOOKING_BACK or family.endswith("_where") or family == "stem_other":
            continue
        measuring = ("estimate_key", "estimate_tempo", "transcribe_notes", "transcribe_drums")
        first = {"notes_part", "drum_notes"} & {family}
        messages = one_turn(family, songs()[1], rng, tools=() if first else measuring)
        assert messages == [] or "at hand" in messages[-1].text, family
        assert not calls_and_results(messages)


def test_questions_of_different_families_never_coincide():
    rng, seen = Random(8), {}
    for family in (*MADE, *FAMILIES):
        phrasings = grammar().get(family, {}).get("questions", ())
        for template in phrasings:
            for _ in range(6):
                stems = grammar()[family].get("names", grammar()["stem"]["names"])
                values = {slot: f"<{slot}>" for slot in slots_of(template) - set(words())}
                if family in MADE and "stem" in values:
                    values["stem"] = pick(pick(list(stems.values()), rng), rng)
                question = fill(template, values, rng).rstrip(".?")
                other = seen.setdefault(question, family)
                assert other == family or not {family, other} & set(MADE), (question, other)


def test_two_songs_are_compared_by_their_ids_and_told_by_the_result():
    rng, asked, arrived, aspects = Random(9), Counter(), Counter(), Counter()
    for n in range(200):
        source, measured = heard_numbers(()), False
        for message in dialogue(songs()[n % 100], rng, n_turns=2, tools=TOOLS, other_id="audio_2"):
            if message.role == "user":
                source, measured = f"{source} {message.text} ", False
            if message.audios:
                arrived[tuple(part.id for part in message.audios)] += 1
            for call in message.tool_calls:
                asked[call.name] += 1
                if call.name == "compare_songs":
                    aspects[call.arguments.get("aspect", "all")] += 1
                    both = {"first": "audio_1", "second": "audio_2"}
                    assert call.arguments.items() >= both.items()
                known = {"audio_1", "audio_2", *IDS.findall(source)}
                check_arguments(load_tool(call.name), dict(call.arguments), known)
            if message.role == "tool":
                source, measured = source + json.dumps(message.parts[0].content), True
            if message.role == "assistant" and measured:
                assert ungrounded_numbers(message.text, source) == []
    # Both at once, or the second with a later question.
    assert sum(arrived.values()) == 200
    assert min(arrived["audio_1", "audio_2"], arrived["audio_2",]) > 60
    assert asked["compare_songs"] > 80 and asked["estimate_key"] > 15
    assert set(aspects) == {"all", *ASPECTS} and min(aspects.values()) > 5


def test_a_comparison_has_the_fields_of_the_tool():
    rng, fields = Random(10), {f.name for f in dataclasses.fields(SongComparison)}
    for family, wanted in (("compare", fields), ("compare_mix", {*ASPECTS["mix"]})):
        for n in range(30):
            messages = one_turn(family, songs()[n], rng, other_id="audio_2")
            for _, result in calls_and_results(messages):
                assert result.error or set(result.content) == wanted


def test_aspects_of_one_comparison_agree_and_are_asked_for_once():
    rng, families = Random(11), ["compare", "compare_speed", "compare_loud"]
    asked = 0
    for n in range(60):
        talk = dialogue(
            songs()[n], rng, n_turns=3, tools=TOOLS, other_id="audio_2", families=families
        )
        results = [r.content for _, r in calls_and_results(talk) if not r.error]
        told = {}
        for content in results:
            assert not told.keys() >= content.keys(), "what is known is not asked for again"
            assert all(told.get(name, value) == value for name, value in content.items())
            told |= content
        asked += len(results)
    assert asked > 80
