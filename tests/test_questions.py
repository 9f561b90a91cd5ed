"""The questions that nobody trains on: there are a hundred, and half stay out of the grammar."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest
import yaml

from llark_py.compose.form import SECTION_LABELS
from llark_py.compose.instruments import FAMILIES, INSTRUMENTS
from llark_py.compose.mood import MOODS
from llark_py.compose.styles import FEELS, STYLES, TIME_SIGNATURES
from llark_py.instruct.facts import FAMILY_WORDS, SPEEDS
from llark_py.instruct.phrases import grammar, words
from llark_py.theory import KEYS
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
        assert set(question.get("or", ())) <= set(names()) - set(question["wants"]), question


def values_of(slot: str) -> list[str]:
    """What the grammar puts into a slot of a question: names of things, times, keys."""
    topics = [n for kind in ("ear_pair", "both") for n in grammar()[kind]["names"].values()]
    things = [*INSTRUMENTS, *STYLES, *MOODS, *FEELS, *TIME_SIGNATURES, *SECTION_LABELS, *KEYS]
    things += [
        *SPEEDS,
        *FAMILY_WORDS.values(),
        *FAMILIES,
        *(name for names in topics for name in names),
    ]
    small = {"article": ["", "a", "an"], "do": ["do", "does"], "be": ["is", "are"]}
    small |= {"ends": ["", "s"], "at": [f"{m}:{s:02d}" for m in range(9) for s in range(60)]}
    if slot.startswith(("the_", "a_")):
        return [f"{w} {thing}" for w in ("the", "a", "an") for thing in things]
    return small.get(slot, things)


def pattern(template: list, *, exact: bool) -> str:
    """Write a phrasing as a regular expression of all that it can come out as.

    `exact=False` lets the slots hold anything, which is quick to look through.
    """
    pieces = []
    for piece in template:
        if isinstance(piece, str):
            pieces.append(plain_inside(piece))
        elif piece[0] == "choice":
            pieces.append(f"(?:{'|'.join(pattern(option, exact=exact) for option in piece[1])})")
        elif piece[1] in words():
            options = {pattern(option, exact=exact) for option in words()[piece[1]]}
            pieces.append(f"(?:{'|'.join(sorted(options))})")
        else:
            options = {plain(value) for value in values_of(piece[1])} if exact else {".+"}
            pieces.append(f"(?:{'|'.join(sorted(options))})")
    return "".join(pieces)


def plain_inside(text: str) -> str:
    """As `plain`, with the spaces at the ends, which part a phrase from its neighbours."""
    return re.sub(r"[^a-z0-9à-ÿ ]", "", text.lower())


def compiled(template: list, *, exact: bool) -> re.Pattern[str]:
    # A choice that came out empty leaves gaps.
    gapped = re.sub(r" +", " *", pattern(template, exact=exact).strip())
    return re.compile(gapped)


def test_no_phrasing_can_become_a_fresh_question():
    fresh = {plain(question["ask"]) for question in TYPED["fresh"]}
    known = {plain(question["ask"]) for question in TYPED["known"]}
    met = set()
    for family, cases in grammar().items():
        for case, phrasings in cases.items():
            if "questions" not in case and case != "follow":
                continue
            for phrasing in phrasings:
                rough = compiled(phrasing, exact=False)
                for text in [text for text in fresh | known if rough.fullmatch(text)]:
                    if compiled(phrasing, exact=True).fullmatch(text):
                        assert text not in fresh, (family, text)
                        met.add(text)
    assert len(met) > 10, "the expansion finds questions that are in the grammar"


def test_no_fresh_question_is_in_the_grammar():
    folder = resources.files("llark_py.prompts") / "grammar"
    texts = [f.read_text(encoding="utf-8") for f in folder.iterdir() if f.name.endswith(".yaml")]
    grammar = plain(" ".join(texts))
    assert len(grammar) > 10_000
    for question in TYPED["fresh"]:
        assert plain(question["ask"]) not in grammar, question["ask"]


def test_what_people_ask_first_is_asked_for_one_thing_only():
    """'What do you hear?' stood among the questions about the assistant as well."""
    for asked in ("what do you hear", "describe it", "which instruments play", "how fast is it"):
        families = {
            family
            for family, cases in grammar().items()
            for phrasing in cases.get("questions", ())
            if compiled(phrasing, exact=False).fullmatch(asked)
            and compiled(phrasing, exact=True).fullmatch(asked)
        }
        assert len(families) == 1, (asked, families)
