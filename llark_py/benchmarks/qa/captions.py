"""Captions: scored by the words they share with people's captions (sacrebleu, rouge-score)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import Any

from llark_py.errors import MissingExtraError

from ..estimates import N_DRAWS, Draws, Estimate
from .task import Question, Scores
from .values import GUESS_SEEDS, others

SEEDS = {**GUESS_SEEDS, "bootstrap of bleu": os.environ.get("SACREBLEU_SEED", "12345")}
"""What guesses and sacrebleu's own bootstrap are drawn by; the latter is sacrebleu's default."""
INSTALL = "pip install 'llark_py[evaluate]'"
_PERCENT = 100.0


def read_caption(question: Question, text: str) -> str | None:
    """Take an answer as it is; None where nothing was said."""
    return text.strip() or None


def score_caption(question: Question, value: Any) -> Scores:
    """Score a caption against all captions of its recording: ROUGE-L (the best F), chrF; 0 to 1.

    Raises:
        MissingExtraError: sacrebleu or rouge-score is not installed.
    """
    rouge, chrf, _ = _metrics()
    if value is None:
        return {"rouge_l": 0.0, "chrf": 0.0}
    return {
        "rouge_l": rouge.score_multi(question.target, value)["rougeL"].fmeasure,
        "chrf": chrf.sentence_score(value, question.target).score / _PERCENT,
    }


def total_bleu(
    questions: Sequence[Question], values: Sequence[Any], draws: Draws
) -> dict[str, Estimate]:
    """Corpus BLEU (0 to 1) with sacrebleu's own bootstrap, of captions that were given or not."""
    _, _, bleu = _metrics()
    most = max(len(question.target) for question in questions)
    # Recordings may have different numbers of captions: the missing ones are empty.
    references = [[(*q.target, *[None] * most)[i] for q in questions] for i in range(most)]
    said = [value or "" for value in values]
    n_draws = min(N_DRAWS, len(draws.weights) - 1)
    score = bleu.corpus_score(said, references, n_bootstrap=max(1, n_draws))
    value = score.score / _PERCENT
    if n_draws < 2:
        return {"bleu": Estimate(value, value, value, len(said))}
    mean, spread = score._mean / _PERCENT, score._ci / _PERCENT
    return {"bleu": Estimate(value, max(0.0, mean - spread), mean + spread, len(said))}


def check_metrics() -> None:
    """Make sure that captions can be scored, before any are made.

    Raises:
        MissingExtraError: sacrebleu or rouge-score is not installed.
    """
    _metrics()


def guess_captions(questions: Sequence[Question]) -> dict[str, list[Any]]:
    """Guess the caption of another recording."""
    return {"random": others([question.target[0] for question in questions])}


@cache
def _metrics() -> tuple[Any, Any, Any]:
    try:
        from rouge_score.rouge_scorer import RougeScorer
        from sacrebleu.metrics.bleu import BLEU
        from sacrebleu.metrics.chrf import CHRF
    except ImportError as error:
        raise MissingExtraError("sacrebleu or rouge-score (for captions)", INSTALL) from error
    return RougeScorer(["rougeL"]), CHRF(), BLEU()
