"""What `llark evaluate listening` does with those who answer in words only."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from llark_py.errors import ConfigError

if TYPE_CHECKING:
    from llark_py.benchmarks.qa.asking import Answerer
    from llark_py.benchmarks.trial import Trial

ANSWERS = "asked.jsonl"
"""File of a run's folder with every answer as it came."""


def takes_words(model: str | None, endpoint: str | None, tools: bool | None) -> bool:
    """Tell whether a model is asked in words only: any but ours, and ours with `tools` chosen.

    Ours are asked by ear, and their tools beside them, where nothing else is wanted.

    Raises:
        ConfigError: Nobody is there to be asked.
    """
    from llark_py.benchmarks.qa.answer_files import PREFIX
    from llark_py.benchmarks.qa.run import NOBODY

    if model is not None and (model == NOBODY or model.startswith(PREFIX)):
        raise ConfigError(
            f"'listening' composes what it plays, so there are no answers of '{model}' to it; give "
            "a model or --endpoint"
        )
    return endpoint is not None or tools is not None or not _is_ours(model)


def _is_ours(model: str | None) -> bool:
    if model is None:
        return True
    from llark_py.benchmarks.qa.audio_models import is_audio_model
    from llark_py.model.checkpoint import is_adapter
    from llark_py.model.text import is_text_model

    return is_adapter(model) or not (is_audio_model(model) or is_text_model(model))


def evaluate_in_words(
    trial: Trial, model: str | None, endpoint: str | None, open_it: Callable[[], Answerer]
) -> int:
    """Ask a model everything of `listening` in words, also tempo and key; print the report.

    Args:
        trial: What is asked about.
        model: A folder or a Hub name; None for `mini`, or with an endpoint.
        endpoint: Address of a model instead.
        open_it: Loads whoever is asked.

    Returns:
        How many questions failed; they are asked again by the same command.

    Raises:
        CheckpointError: Weights are missing or do not fit.
        ConfigError: The folder holds another run, or a file that is needed cannot be read.
        EndpointError: An endpoint fails several times in a row.
    """
    from llark_py.benchmarks import listening
    from llark_py.benchmarks.answering_ear import AnsweringEar
    from llark_py.benchmarks.answers import AnswerBook
    from llark_py.benchmarks.qa.ledger import Ledger

    trial.check()
    # Or the composed clips would push the user's own songs out of the cache.
    os.environ.setdefault("LLARK_CACHE", "off")
    with_choices = endpoint is not None or not _is_ours(model)
    answerer = open_it()
    settings = {"benchmark": listening.NAME, **answerer.settings, **trial.settings()}
    settings["words"] = "with choices" if with_choices else "plain"
    book = AnswerBook(trial.out, settings)
    ledger = Ledger(None if trial.out is None else trial.out / ANSWERS)
    ear = AnsweringEar(answerer, ledger, with_choices=with_choices)
    listening.ask_ear(ear, trial, book)
    book.close()
    typer.echo(listening.report(book.rows, settings, trial.out, trial.plots))
    return ear.failed
