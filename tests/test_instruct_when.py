"""Answers about form, time and players are true of the track, and told in its own times."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from random import Random

import pytest
from instruct_parts import make_song, make_track, one_turn, songs, tracks

from llark_py.compose.clip import score_track
from llark_py.compose.form import SECTION_LABELS
from llark_py.compose.instruments import INSTRUMENTS
from llark_py.compose.score import compose
from llark_py.instruct.facts import Facts
from llark_py.instruct.form_told import read_parts
from llark_py.instruct.grammar import FAMILIES, HEARD, MEASURED, TALK, WHEN, dialogue
from llark_py.instruct.phrases import grammar, sentence
from llark_py.instruct.simulate import TOOLS, Ids, simulate
from llark_py.instruct.timeline import Timeline, clock
from llark_py.theory import spell
from llark_py.track import Chord, Instrument, Note, Section, Track

TIME = re.compile(r"\b\d+:\d\d\b")
NAMES = sorted(INSTRUMENTS, key=len, reverse=True)


def seconds(time: str) -> int:
    minutes, rest = time.split(":")
    return 60 * int(minutes) + int(rest)


def named_in(text: str) -> set[str]:
    """The instruments that a text names, longest names first (`electric bass`, not `bass`)."""
    found, lowered = set(), text.lower()
    for name in NAMES:
        if re.search(rf"\b{name}\b", lowered):
            found.add(name)
            lowered = re.sub(rf"\b{name}\b", " ", lowered)
    return found


def odd_tracks() -> list[Track]:
    """No music, silence, one chord, 6/8, no drums, one instrument, nothing but a length."""
    piano = Instrument("piano", "piano", "melody", ((0.0, 12.0),))
    one_chord = make_track(1).model_copy(update={"chords": (Chord(0.0, 10.0, "A"),)})
    return [
        make_track(0, "noise"),
        make_track(0, "silence"),
        make_track(0, "tone"),
        one_chord,
        make_track(2).model_copy(update={"time_signature": "6/8"}),
        make_track(3).model_copy(update={"instruments": (piano,), "lead": "piano", "drums": ()}),
        Track(id="bare", duration_s=3.0),
        Track(id="short", duration_s=0.4, instruments=(piano,)),
    ]


@cache
def composed() -> tuple[Track, ...]:
    return tuple(score_track(compose(seed, 10.0 if seed % 4 else 90.0)) for seed in range(60))


def test_there_are_many_families_in_named_groups():
    assert len(FAMILIES) >= 60
    # A section is asked for in the words of any other part.
    assert set(FAMILIES) - set(grammar()) == {"cut_section"}
    for group in (HEARD, MEASURED, TALK, WHEN):
        assert set(group) <= set(FAMILIES) and len(group) == len(set(group))
    assert not set(WHEN) & set(TALK) and not set(HEARD) & set(MEASURED)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_slot_is_left_for_any_track(family):
    rng = Random(f"slots {family}")
    for track in (*odd_tracks(), *composed(), *songs()[:40], None):
        unsure = ("instruments", "style", "chords") if rng.random() < 0.3 else ()
        for message in one_turn(family, track, rng, unsure=unsure):
            assert not re.search(r"[{}\[\]|\x00]", message.text), message.text
            if message.role == "assistant" and not message.tool_calls:
                assert message.text[-1] in ".!?" and sentence(message.text) == message.text
                assert not re.search(r"\ba [aeio]", message.text), message.text


@pytest.mark.parametrize("family", [*WHEN, "caption_long", "key_change"])
def test_times_are_within_the_track(family):
    rng = Random(f"times {family}")
    for track in (*songs(), *composed(), *odd_tracks()):
        for message in one_turn(family, track, rng, ())[1:]:
            for time in TIME.findall(message.text):
                assert 0 <= seconds(time) <= track.duration_s, (message.text, track.duration_s)


@pytest.mark.parametrize(
    "family", ["instruments", "playing_at", "begins", "section_players", "fullest", "last_in"]
)
def test_instruments_that_are_named_play(family):
    rng = Random(f"named {family}")
    said = 0
    for track in (*songs(), *composed()):
        for message in one_turn(family, track, rng):
            if message.role == "assistant":
                named = named_in(message.text) - {"choir"}
                said += bool(named)
                assert named <= {i.name for i in track.instruments}, message.text
    assert said > 20


def test_who_plays_at_a_time_does():
    rng = Random(1)
    for track in songs():
        question, *_, answer = one_turn("playing_at", track, rng) or (None, None)
        if question is not None and not re.search("ends? |long|lasts", answer.text):
            asked = TIME.search(question.text)
            now = seconds(asked.group()) + 0.5
            playing = set(Timeline(track).playing_at(now))
            assert named_in(answer.text) == playing, (question.text, answer.text)


def test_entrances_are_told_at_their_time():
    rng = Random(2)
    told = 0
    for track in songs():
        _question, answer = one_turn("enters", track, rng, ()) or (None, None)
        times = TIME.findall(answer.text) if answer else []
        if times:
            spans = Timeline(track).spans.values()
            starts = {clock(s[0][0], track.duration_s) for s in spans}
            assert set(times) <= starts, answer.text
            told += 1
    assert told > 20


def test_structure_names_every_section_in_order():
    rng = Random(3)
    for track in songs():
        answer = one_turn("structure", track, rng, ())[-1].text
        times = [clock(s.start_s, track.duration_s) for s in track.sections]
        assert TIME.findall(answer) == times
        order = [w for w in re.findall(r"[a-z-]+", answer.lower()) if w in SECTION_LABELS]
        assert order == [s.label for s in track.sections]


def test_a_new_section_is_never_called_no_change():
    rng = Random(4)
    for track in songs() * 3:
        messages = one_turn("change_at", track, rng)
        if not messages:
            continue
        asked = seconds(TIME.search(messages[0].text).group())
        answer = messages[-1].text
        near = [s for s in track.sections[1:] if abs(s.start_s - asked) < 2.0]
        if near:
            assert "othing" not in answer and "o change" not in answer, answer
            assert any(s.label in answer for s in near), answer


def test_a_short_pause_is_no_exit_and_the_start_no_entrance():
    spans = ((0.3, 10.0), (13.0, 20.0), (25.0, 40.0))
    flute = Instrument("flute", "woodwind", "melody", spans)
    timeline = Timeline(Track(id="x", duration_s=42.0, instruments=(flute,)))
    assert timeline.spans["flute"] == [(0.3, 20.0), (25.0, 40.0)]
    assert timeline.entrances("flute") == [25.0] and timeline.exits("flute") == [20.0]
    assert timeline.playing_at(11.0) == ["flute"] and timeline.playing_at(22.0) == []
    assert timeline.first == ["flute"] and timeline.clock(99.0) == "0:42"
    assert clock(59.6, 59.9) == "0:59" and clock(75.4, 100.0) == "1:15"


def test_sections_cut_to_slivers_are_not_told():
    sections = (Section(0.0, 0.8, "verse"), Section(0.8, 15.0, "chorus"), Section(15, 30, "verse"))
    timeline = Timeline(Track(id="x", duration_s=30.0, sections=sections))
    assert [s.label for s in timeline.sections] == ["chorus", "verse"]
    assert timeline.sections[0].start_s == 0.0


def test_endings_are_told_by_the_last_notes():
    def ending(*notes):
        track = Track(id="x", duration_s=20.0, notes=tuple(Note(a, b, 60, 80) for a, b in notes))
        return Timeline(track).ending

    assert ending((0, 1), (17, 20)) == "cut"
    assert ending((0, 1), (14, 18)) == "held"
    assert ending((0, 1), (17.5, 18)) == "short"
    assert ending() is None


def test_chords_are_spelled_in_their_key():
    assert [spell(p, "F minor") for p in (8, 1, 10, 4)] == ["Ab", "Db", "Bb", "E"]
    assert [spell(p, "E major") for p in (8, 3, 1)] == ["G#", "D#", "C#"]
    assert spell(8, "A minor") == "G#" and spell(8, "C major") == "Ab"
    assert spell(6, "G minor", raised=True) == "F#" and spell(6, "Db major") == "Gb"
    track = make_track(0).model_copy(
        update={"key": "F minor", "chords": (Chord(0, 5, "G#:maj"), Chord(5, 10, "F:min"))}
    )
    assert Facts(track).chord_names == ["Ab", "Fm"]


def test_one_chord_named_a_is_no_article():
    track = make_track(1).model_copy(update={"chords": (Chord(0.0, 10.0, "A"),), "key": "A major"})
    rng = Random(5)
    for _ in range(60):
        for family in ("chords", "chord_count", "first_chord"):
            assert not re.search(r"\b[Aa]n\b", one_turn(family, track, rng)[-1].text)


def test_what_is_not_sure_is_hedged():
    rng = Random(6)
    for n in range(60):
        for family, slot in (("style", "style"), ("instruments", "instruments"), ("key", "style")):
            plain = one_turn(family, make_track(n), Random(n))[-1].text
            hedged = one_turn(family, make_track(n), Random(n), unsure=(slot,))[-1].text
            assert (plain != hedged) == (family != "key"), hedged
        caption = one_turn("caption_medium", make_track(n), rng, unsure=("style",))[-1].text
        first, _, guess = caption.rpartition(". ")
        assert make_track(n).genre in guess and f" {make_track(n).genre}" not in first.lower()
        spoken = dialogue(
            make_track(n),
            rng,
            n_turns=2,
            tools=TOOLS,
            families=("style", "sure"),
            unsure=("style",),
        )
        if len(spoken) == 4 and "genre" not in spoken[2].text:
            assert re.search("guess|wrong|hard", spoken[3].text), spoken[3].text


def test_a_caption_repeats_no_sentence():
    rng = Random(7)
    for track in (*tracks()[:60], *songs()[:40]):
        for length in ("short", "medium", "long"):
            for message in one_turn(f"caption_{length}", track, rng)[1:]:
                parts = [p.strip() for p in re.split(r"[.;]", message.text) if p.strip()]
                assert len(parts) == len(set(parts)), message.text
                assert len(message.text.split()) <= 130


def test_answers_are_short():
    rng = Random(8)
    lengths = Counter()
    for track in (*tracks()[:150], *songs()):
        for message in dialogue(track, rng, n_turns=4, tools=TOOLS):
            if message.role == "assistant" and not message.tool_calls:
                lengths["words"] += len(message.text.split())
                lengths["answers"] += 1
    assert lengths["words"] / lengths["answers"] < 15


def test_a_correction_names_what_is_heard():
    rng = Random(9)
    met = 0
    for n in range(80):
        track = make_track(n)
        spoken = dialogue(track, rng, n_turns=2, tools=(), families=("lead", "correction"))
        if len(spoken) == 4 and track.lead and "melody" not in spoken[2].text.lower():
            assert track.lead in spoken[3].text and track.lead not in named_in(spoken[2].text)
            met += 1
    assert met > 20


def test_the_tool_leaves_no_time_before_the_first_section():
    """What an excerpt has left of two sections is too short to tell; the third began the list."""
    song = make_song(2)
    slivers = (Section(0.0, 1.5, "intro"), Section(1.5, 3.0, "verse"))
    rest = song.sections[-1]._replace(start_s=3.0)
    track = song.model_copy(update={"sections": [*slivers, rest]})
    asked = {"faithful": True, "duration_s": track.duration_s, "may_fail": False}
    result = simulate("find_sections", track, Random(1), ids=Ids(1, "audio_1"), **asked)
    assert read_parts(result)[0][1] == "0:00"
