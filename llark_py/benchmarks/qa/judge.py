"""A language model as judge: which of two captions agrees better with people's, asked both ways."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event as Flag
from typing import TYPE_CHECKING

from llark_py.errors import EndpointError
from llark_py.prompting import render_prompt

from ..estimates import Draws, Estimate
from .hashes import sha256
from .ledger import Asked, Ledger
from .samples import read_samples, samples_name, shared
from .task import Question

if TYPE_CHECKING:
    from llark_py.assistant.chat_api import ChatApi

PREFERRED = "preferred"
_VERDICT = re.compile(r"\W*(?:description\s+)?(1|2|tie)\W*", re.IGNORECASE)


def judge_pairs(
    api: ChatApi,
    questions: Sequence[Question],
    ours: Mapping[str, str | None],
    theirs: Mapping[str, str],
    ledger: Ledger,
) -> dict[str, Estimate]:
    """Ask a judge which of two captions is better, once in each order.

    Args:
        api: The judge.
        questions: Whose targets are people's captions.
        ours: The captions in question, by id; none at all loses without being judged.
        theirs: What they are compared with, by id.
        ledger: Keeps the verdicts; what it holds is not asked again.

    Returns:
        `preferred`: the share of captions that win (a tie, or a win in one order only, is half),
        and `order_kept`: how often both orders gave the same verdict. Pairs that the judge gave
        no verdict on are left out of both; nothing where there are no others.

    Raises:
        EndpointError: The judge cannot be reached.
    """
    wins, kept, judged = [], [], []
    for question in questions:
        mine = ours.get(question.id)
        if not mine:
            judged.append(question)
            wins.append(0.0)
            kept.append(1.0)
            continue
        other = theirs[question.id]
        straight = _verdict(api, question, mine, other, ledger)
        swapped = _verdict(api, question, other, mine, ledger)
        if straight is None or swapped is None:
            sys.stderr.write(f"judge, {question.id}: no verdict\n")
            continue
        judged.append(question)
        wins.append((straight + 1 - swapped) / 2)
        kept.append(float(straight == 1 - swapped))
    if not judged:
        return {}
    draws = Draws([question.group or question.id for question in judged])
    return {PREFERRED: draws.mean(wins), "order_kept": draws.mean(kept)}


def _verdict(
    api: ChatApi, question: Question, first: str, second: str, ledger: Ledger
) -> float | None:
    """1 where the first is better, 0 where the second is, 1/2 of a tie; None of anything else."""
    prompt = render_prompt("judge", references=question.target, first=first, second=second)
    condition = f"judge {sha256([api.model, prompt])[:16]}"
    # A judge reads and hears nothing: what it says depends on no sound.
    asked = Asked(question.id, condition, question.name_hash)
    line = ledger.answer(asked)
    if line is None:
        line = {"answer": _ask(api, prompt), "judge": api.model}
        ledger.add(asked, line)
    found = _VERDICT.fullmatch(line["answer"])
    return {"1": 1.0, "2": 0.0, "tie": 0.5}[found[1].lower()] if found else None


def _ask(api: ChatApi, prompt: str) -> str:
    from llark_py.assistant.chat_words import IncomingReply

    reply = IncomingReply()
    request = {"messages": [{"role": "user", "content": prompt}], "temperature": 0}
    for choice in api.stream(request, Flag()):
        reply.add(choice)
    if not reply.text:
        raise EndpointError(f"the judge '{api.model}' says nothing ({reply.finish_reason})")
    return reply.text


def judge_runs(api: ChatApi, task: str, first: Path, second: Path) -> dict[str, Estimate]:
    """Have the captions of two runs compared: how often those of the second are preferred.

    Verdicts are kept in the second folder.

    Args:
        api: The judge.
        task: With captions.
        first, second: Folders of `llark evaluate ... --out`.
    """
    a, b = (read_samples(folder / samples_name(task)) for folder in (first, second))
    both = [key for key in shared(a, b) if a[key]["resps"][0]]
    questions = [
        Question(doc["id"], doc["prompt"], tuple(doc["target"]), group=doc["group"])
        for doc in (b[key]["doc"] for key in both)
    ]
    theirs, ours = ({key[0]: run[key]["resps"][0] for key in both} for run in (a, b))
    return judge_pairs(api, questions, ours, theirs, Ledger(second / f"judge_{task}.jsonl"))
