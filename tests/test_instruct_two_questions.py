"""Two whole questions in one message are asked and answered."""

from __future__ import annotations

import re
from random import Random

import pytest
from instruct_parts import make_track, one_turn

from llark_py.instruct import two_questions as module
from llark_py.instruct.balance import default_rates
from llark_py.instruct.facts import Facts
from llark_py.instruct.scene import Scene
from llark_py.instruct.simulate import TOOLS
from llark_py.instruct.two_questions import two_questions

_ASKING = re.compile(
    r"\b(?:what|which|who|how|tell|give|describe|name|list|measure|find|can|could)\b"
)


def scene(seed):
    return Scene(
        facts=Facts(make_track(1)),
        rng=Random(seed),
        tools=frozenset(TOOLS),
        rates=default_rates(),
        faithful=True,
        duration_s=10.0,
    )


def test_both_are_asked_in_words_of_their_own():
    asked = [two_questions(scene(seed), "tempo", "instruments") for seed in range(300)]
    written = [text.lower() for text in asked if text]
    assert 60 < len(written) < 180 and len(set(written)) > 0.9 * len(written)
    for text in written:
        assert len(_ASKING.findall(text)) >= 2 and text[-1] in "?."
        assert not text.startswith(("is ", "are ", "does "))


@pytest.mark.parametrize("pair", [("bars", "key"), ("key", "notes"), ("speed", "mood")])
def test_what_has_no_question_of_its_own_is_asked_otherwise(pair):
    assert all(two_questions(scene(seed), *pair) is None for seed in range(50))


def test_the_answer_tells_what_is_measured_and_what_is_heard(monkeypatch):
    monkeypatch.setattr(module, "_P_WHOLE", 1.0)
    rng, told = Random(5), 0
    for n in range(80):
        track = make_track(n)
        messages = one_turn("tool_and_ear", track, rng, as_it_is=True)
        if not messages:
            continue
        calls = [call.name for m in messages for call in m.tool_calls]
        result = next(part.content for m in messages if m.role == "tool" for part in m.parts)
        assert calls in (["estimate_tempo"], ["estimate_key"])
        value = result.get("tempo_bpm", result.get("key"))
        assert str(value) in messages[-1].text
        told += len(messages[-1].text) > len(str(value)) + 20
    assert told > 40
