"""Does the answer depend on how one asks? The same fact, thirty phrasings."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from llark_py.instruct.colloquial import noisy
from llark_py.instruct.phrases import fill, grammar, pick
from llark_py.prompting import read_prompt_data

from .answers import Piece, Row, answered
from .clips import Clip, is_sung
from .estimates import N_DRAWS, Draws
from .questions import Ear
from .scores import said_by
from .typed_questions import read_questions

N_PHRASINGS = 30
SET = "paraphrases"
_MOST_TRIES = 3000
# Yes/no facts are read like their fact, whatever it is called here.
_READ_AS = {"drums": "yes_no"}


def phrasings(fact: str, typed: Path | None = None, n: int = N_PHRASINGS) -> list[str]:
    """Collect `n` different questions for one fact.

    Args:
        fact: One of those under `paraphrases` in `prompts/benchmark.yaml`.
        typed: A file of typed questions; those that match come first.
        n: How many.
    """
    spec = read_prompt_data("benchmark")["paraphrases"][fact]
    found: dict[str, None] = {}
    for question in read_questions(typed) if typed is not None else ():
        if question.wants == ("hear",) and _fits(question.text, spec, "typed"):
            found[question.text] = None
    rng = random.Random(f"phrasings of {fact}")
    options = grammar()[spec["family"]][spec["case"]]
    for _ in range(_MOST_TRIES):
        if len(found) >= n:
            break
        tidy = fill(pick(options, rng), {}, rng)
        if _fits(tidy, spec, "only"):
            found[noisy(tidy, rng)] = None
    return list(found)[:n]


def _fits(text: str, spec: dict[str, str], must: str) -> bool:
    has = must not in spec if must == "only" else False
    if must in spec:
        has = re.search(spec[must], text.lower()) is not None
    return has and not ("not" in spec and re.search(spec["not"], text.lower()))


def ask_by_fact(ear: Ear, clips: Sequence[Clip], typed: Path | None = None) -> Iterator[Piece]:
    """Ask every fact of every clip in all of its phrasings, a piece a fact."""
    heard = list(ear.hear([clip.audio for clip in clips]))
    for fact in read_prompt_data("benchmark")["paraphrases"]:
        yield fact, partial(_ask_fact, ear, clips, heard, fact, typed)


def _ask_fact(
    ear: Ear, clips: Sequence[Clip], heard: Sequence[Any], fact: str, typed: Path | None
) -> Iterator[Row]:
    questions = phrasings(fact, typed)
    asked = [
        (i, question, _truth(clip, fact))
        for i, clip in enumerate(clips)
        for question in questions
        if _truth(clip, fact) is not None
    ]
    answers = ear.answer([heard[i] for i, _, _ in asked], [q for _, q, _ in asked])
    for (i, question, truth), answer in zip(asked, answers, strict=True):
        row = {"set": SET, "id": f"{clips[i].track.id}/{i}", "condition": "audio", "fact": fact}
        yield answered({**row, "question": question, "truth": truth}, answer)


def _truth(clip: Clip, fact: str) -> Any:
    track = clip.track
    return {
        "style": track.genre,
        "time_signature": track.time_signature,
        "vocals": is_sung(track),
        "drums": "drums" in track.families,
    }[fact]


def read_paraphrased(row: Row) -> Any:
    """Read what the answer to a phrasing says."""
    return said_by({**row, "fact": _READ_AS.get(row["fact"], row["fact"])})


def score_paraphrases(rows: Sequence[Row], n_draws: int = N_DRAWS) -> dict[str, dict[str, Any]]:
    """Score by fact how steady the answers are.

    Returns:
        Fact -> `consistency` (share of phrasings that give a clip's commonest answer; what cannot
        be read is an answer of its own), `accuracy` (both with intervals), `lowest`, `highest`
        (accuracy of the worst and the best phrasing, over clips), `worst_question`,
        `phrasings` (how many).
    """
    found: dict[str, dict[str, Any]] = {}
    for fact in dict.fromkeys(row["fact"] for row in rows):
        of = [{**row, "said": read_paraphrased(row)} for row in rows if row["fact"] == fact]
        by_clip: dict[str, list[Any]] = {}
        by_question: dict[str, list[bool]] = {}
        for row in of:
            by_clip.setdefault(row["id"], []).append(row["said"])
            by_question.setdefault(row["question"], []).append(row["said"] == row["truth"])
        modal = [Counter(said).most_common(1)[0][1] / len(said) for said in by_clip.values()]
        accuracies = {q: float(np.mean(hits)) for q, hits in by_question.items()}
        worst = min(accuracies, key=lambda q: accuracies[q])
        hits = [row["said"] == row["truth"] for row in of]
        found[fact] = {
            "clips": len(by_clip),
            "phrasings": len(by_question),
            "consistency": Draws(list(by_clip), n_draws).mean(modal).as_dict(),
            "accuracy": Draws([row["id"] for row in of], n_draws).mean(hits).as_dict(),
            "lowest": round(accuracies[worst], 4),
            "highest": round(max(accuracies.values()), 4),
            "worst_question": worst,
        }
    return found
