"""Yes/no questions: half of the answers are yes for every single thing, and all are true."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from test_instruct_grammar import make_track, one_turn

from llark_py.compose.clip import score_track
from llark_py.compose.instruments import FAMILIES, INSTRUMENTS, family_of
from llark_py.compose.mood import MOODS
from llark_py.compose.score import compose
from llark_py.compose.styles import STYLES, TIME_SIGNATURES
from llark_py.instruct.balance import default_rates, measure_rates
from llark_py.instruct.facts import FAMILY_WORDS

YES_NO = (
    "family_check",
    "instrument_check",
    "drums",
    "style_check",
    "mood_check",
    "meter_check",
    "speed_check",
)


@pytest.mark.parametrize("family", YES_NO)
def test_yes_and_no_are_balanced_for_every_thing(family):
    music = [make_track(seed) for seed in range(400)]
    rates = measure_rates(music)
    rng = Random(8)
    answers: dict[str, Counter] = {}
    names = [*MOODS, *STYLES, *TIME_SIGNATURES, "slow", "moderate", "fast", *INSTRUMENTS]
    names += [FAMILY_WORDS.get(family_of(n), family_of(n)) for n in INSTRUMENTS]
    names = sorted(set(names), key=len, reverse=True)
    draws = 6000 if family != "drums" else 2000
    for n in range(draws):
        messages = one_turn(family, music[n % 400], rng, rates=rates)
        if messages:
            question, answer = messages[0].text.lower(), messages[-1].text
            assert answer.startswith(("Yes", "No"))
            thing = next((name for name in names if name in question), "")
            if family == "drums":
                thing = "drums"
            if thing:
                answers.setdefault(thing, Counter())[answer.startswith("Yes")] += 1
    pooled = sum((c for c in answers.values()), Counter())
    assert abs(pooled[True] / pooled.total() - 0.5) < 0.03
    for thing, counts in answers.items():
        # Rarely asked things are judged by their own chance of being off.
        margin = max(0.05, 4 * 0.5 / counts.total() ** 0.5)
        assert abs(counts[True] / counts.total() - 0.5) < margin, (thing, counts)


def test_default_rates_are_those_of_composed_music():
    rates = default_rates()
    assert set(rates.families) == set(FAMILIES)
    assert set(rates.instruments) == set(INSTRUMENTS)
    assert set(rates.styles) == set(STYLES) and set(rates.moods) == set(MOODS)
    assert set(rates.meters) == set(TIME_SIGNATURES)
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
