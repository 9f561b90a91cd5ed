"""The questions that nobody trains on: there are a hundred, and half stay out of the grammar."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest
import yaml

from llark_py.tools import names

TYPED = yaml.safe_load(
    (Path(__file__).parent / "questions" / "typed.yaml").read_text(encoding="utf-8")
)
WANTS = {"hear", "unknowable", "about", "polite", "elsewhere", "english", *names()}


def plain(text: str) -> str:
    return re.sub(r"[^a-z0-9à-ÿ ]", "", text.lower()).strip()


def test_there_are_fifty_of_each_and_all_differ():
    asked = [plain(q["ask"]) for questions in TYPED.values() for q in questions]
    assert [len(questions) for questions in TYPED.values()] == [50, 50]
    assert len(set(asked)) == 100


@pytest.mark.parametrize("kind", ["known", "fresh"])
def test_every_question_says_what_it_wants(kind):
    for question in TYPED[kind]:
        assert question["wants"] and set(question["wants"]) <= WANTS, question


def test_no_fresh_question_is_in_the_grammar():
    folder = resources.files("llark_py.prompts") / "grammar"
    texts = [f.read_text(encoding="utf-8") for f in folder.iterdir() if f.name.endswith(".yaml")]
    grammar = plain(" ".join(texts))
    assert len(grammar) > 10_000
    for question in TYPED["fresh"]:
        assert plain(question["ask"]) not in grammar, question["ask"]
