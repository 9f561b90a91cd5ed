"""Yes/no questions in training are balanced by what is heard, not by what was composed."""

from __future__ import annotations

from random import Random

import pytest

from llark_py.instruct.balance import default_rates
from llark_py.instruct.grammar import dialogue
from llark_py.track import Instrument, Track
from llark_py.training.dialogues import Topic
from llark_py.training.heard_rates import heard_rates

SYNTH = Instrument("synth lead", "synth", "melody", ((0.0, 10.0),))
PIANO = Instrument("piano", "piano", "melody", ((0.0, 10.0),))


def topic(*instruments, unsure=()):
    track = Track(id="made", duration_s=10.0, key="A minor", instruments=instruments)
    return Topic(track, unsure=frozenset(unsure))


def test_rates_without_recordings_are_those_of_composed_music():
    rates, composed = heard_rates([]), default_rates()
    assert rates.families == pytest.approx(composed.families)
    assert rates.instruments == pytest.approx(composed.instruments)
    noise = Topic(Track(id="n", duration_s=10.0, sound="noise"))
    assert heard_rates([noise] * 50) == rates


def test_a_family_that_is_heard_often_raises_its_rate_and_its_instruments():
    topics = [topic(SYNTH)] * 150 + [topic(PIANO, unsure=("brass", "style", "voice"))] * 50
    rates, composed = heard_rates(topics), default_rates()
    assert rates.families["synth"] == pytest.approx((150 + 20 * composed.families["synth"]) / 220)
    assert rates.families["brass"] == pytest.approx((50 + 20 * composed.families["brass"]) / 220)
    assert rates.families["voice"] < composed.families["voice"]
    moved = rates.instruments["synth lead"] / composed.instruments["synth lead"]
    family = rates.families["synth"] / composed.families["synth"]
    assert moved == pytest.approx(family)
    # Nobody knows which instrument of a family that is perhaps there would play.
    assert rates.instruments["trumpet"] < composed.instruments["trumpet"]
    assert rates.styles == composed.styles


def test_questions_are_answered_with_yes_half_of_the_time_where_a_family_is_perhaps_there():
    topics = [topic(SYNTH, unsure=("brass",) if n % 2 else ()) for n in range(200)]
    rng, rates, said = Random(3), heard_rates(topics), []
    for n in range(12_000):
        about = topics[n % 200]
        spoken = dialogue(
            about.track,
            rng,
            n_turns=1,
            tools=(),
            families=("family_check",),
            rates=rates,
            unsure=about.unsure,
        )
        if spoken and "brass" in spoken[0].text.lower():
            yes = "Yes" in spoken[1].text
            assert yes == ("brass" in about.unsure)
            # What may be there is told as a guess, what was not heard at all as a fact.
            assert yes != spoken[1].text.startswith("No") and (not yes or len(spoken[1].text) > 8)
            said.append(yes)
    assert len(said) > 200 and abs(sum(said) / len(said) - 0.5) < 0.1
