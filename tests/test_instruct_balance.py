"""Yes/no questions: half of the answers are yes for every single thing, and all are true."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

import pytest
from instruct_parts import make_track, one_turn, songs

from llark_py.compose.clip import score_track
from llark_py.compose.form import SECTION_LABELS
from llark_py.compose.instruments import FAMILIES, INSTRUMENTS, family_of
from llark_py.compose.mood import MOODS
from llark_py.compose.score import compose
from llark_py.compose.styles import FEELS, STYLES, TIME_SIGNATURES
from llark_py.instruct.balance import default_rates, measure_rates
from llark_py.instruct.facts import FAMILY_WORDS

YES_NO = (
    "family_check",
    "instrument_check",
    "drums",
    "style_check",
    "mood_check",
    "meter_check",
    "waltz",
    "speed_check",
    "feel_check",
    "vocals",
)


@pytest.mark.parametrize("family", YES_NO)
def test_yes_and_no_are_balanced_for_every_thing(family):
    music = [make_track(seed) for seed in range(400)]
    rates = measure_rates(music)
    rng = Random(8)
    answers: dict[str, Counter] = {}
    names = [*FEELS, *MOODS, *STYLES, *TIME_SIGNATURES, "slow", "moderate", "fast", *INSTRUMENTS]
    names += [FAMILY_WORDS.get(family_of(n), family_of(n)) for n in INSTRUMENTS]
    names = sorted(set(names), key=len, reverse=True)
    draws = {"drums": 2000, "waltz": 3000, "vocals": 16000}.get(family, 6000)
    for n in range(draws):
        messages = one_turn(family, music[n % 400], rng, rates=rates)
        if messages:
            question, answer = messages[0].text.lower(), messages[-1].text
            choir_only = family == "vocals" and "choir" in answer.lower()
            assert choir_only or answer.startswith(("Yes", "No"))
            thing = next((name for name in names if name in question), "")
            if family in ("drums", "waltz", "vocals"):
                thing = family
            if thing:
                answers.setdefault(thing, Counter())[answer.startswith("Yes")] += 1
    pooled = sum((c for c in answers.values()), Counter())
    assert abs(pooled[True] / pooled.total() - 0.5) < 0.03
    for thing, counts in answers.items():
        # Rarely asked things are judged by their own chance of being off.
        margin = max(0.05, 4 * 0.5 / counts.total() ** 0.5)
        assert abs(counts[True] / counts.total() - 0.5) < margin, (thing, counts)


@pytest.mark.parametrize("family", ["section_check", "key_change", "chord_check", "throughout"])
def test_yes_and_no_are_balanced_over_songs(family):
    rates = measure_rates(songs())
    rng = Random(10)
    answers: Counter[bool] = Counter()
    yes = re.compile(
        "^Yes|other key|key change comes|changes at|modulates at|new key|change of key at"
    )
    always = re.compile("^Throughout|^All the time|throughout|start to end|all the time")
    for _ in range(12):
        for track in songs():
            for message in one_turn(family, track, rng, (), rates=rates)[-1:]:
                text = message.text
                if family == "throughout":
                    answers[bool(always.search(text)) and "Not" not in text] += 1
                else:
                    answers[bool(yes.search(text))] += 1
    assert answers.total() > 200
    assert 0.45 < answers[True] / answers.total() < 0.55, answers


def test_whether_it_is_music_is_as_often_denied():
    tracks = [make_track(n, "music" if n % 12 else "noise") for n in range(240)]
    rates = measure_rates(tracks)
    rng = Random(11)
    said = Counter(
        messages[-1].text.startswith("Yes")
        for _ in range(12)
        for track in tracks
        if (messages := one_turn("music", track, rng, rates=rates))
    )
    assert 0.45 < said[True] / said.total() < 0.55


def test_default_rates_are_those_of_composed_music():
    rates = default_rates()
    assert set(rates.families) == set(FAMILIES)
    assert set(rates.instruments) == set(INSTRUMENTS)
    assert set(rates.styles) == set(STYLES) and set(rates.moods) == set(MOODS)
    assert set(rates.meters) <= set(TIME_SIGNATURES) and set(rates.feels) == set(FEELS)
    assert set(rates.sections) <= set(SECTION_LABELS) and 0 < rates.changes["key"] < 1
    fresh = measure_rates(score_track(compose(seed, 10.0)) for seed in range(500))
    for kind in ("families", "meters", "speeds", "styles"):
        for thing, rate in getattr(rates, kind).items():
            assert abs(getattr(fresh, kind)[thing] - rate) < 0.1, (kind, thing)


def test_yes_no_answers_are_true():
    rng = Random(9)
    for n in range(400):
        track = make_track(n)
        for family in ("family_check", "drums"):
            messages = one_turn(family, track, rng)
            if not messages:
                continue
            question = messages[0].text.lower()
            asked = [f for f in track.families if FAMILY_WORDS.get(f, f) in question]
            has = "drums" in track.families if family == "drums" else bool(asked)
            if family == "drums" or asked:
                assert messages[-1].text.startswith("Yes") == has
