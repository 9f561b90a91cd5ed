"""What `llark evaluate` does with published benchmarks: ask, score, report, compare."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from llark_py.errors import ConfigError

if TYPE_CHECKING:
    from llark_py.assistant.chat_api import ChatApi
    from llark_py.benchmarks.qa.asking import Answerer
    from llark_py.benchmarks.qa.run import Plan


def evaluate_published(
    names: Sequence[str],
    plan: Plan,
    model: str | None,
    open_it: Callable[[], Answerer],
    *,
    rescore: bool,
    plots: bool,
) -> int:
    """Run published benchmarks, print the report, and write it into the plan's folder.

    Args:
        names: The tasks.
        plan: How.
        model: A folder, a Hub name, `answers:FILE`, `blind`; None for `mini`.
        open_it: Loads whoever is asked; not called where nobody is.
        rescore: Ask nobody.
        plots: Whether the page has pictures.

    Returns:
        How many questions failed.

    Raises:
        ConfigError: Data are missing, the folder holds the answers of another model, or there is
            nothing to score.
    """
    from llark_py.benchmarks.answers import claim_folder
    from llark_py.benchmarks.qa.answer_files import PREFIX
    from llark_py.benchmarks.qa.captions import check_metrics
    from llark_py.benchmarks.qa.files import data_folder
    from llark_py.benchmarks.qa.report import write_report
    from llark_py.benchmarks.qa.results import write_results
    from llark_py.benchmarks.qa.run import NOBODY, ask_task, score_answer_file, score_blindly
    from llark_py.catalog import load

    start, failed, runs = time.monotonic(), 0, []
    parts = [load("benchmarks.published", name).TASK for name in names]
    file = Path(model.removeprefix(PREFIX)) if model and model.startswith(PREFIX) else None
    # What is missing is told before a model is loaded.
    if any(part.has_captions for part in parts):
        check_metrics()
    if file is None:
        for part in parts:
            part.read(data_folder(plan.data, part.name, part.source))
    if file is not None and not file.is_file():
        raise ConfigError(f"there is no file of answers at {file}")
    answerer = None
    settings: dict[str, Any]
    if rescore and plan.out is not None:
        settings = _settings_of(plan.out)
    elif model == NOBODY:
        settings = {"model": NOBODY}
    elif file is not None:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
        settings = {"model": model, "sha256": digest}
    else:
        # Or the recordings of a benchmark would push the user's own songs out of the cache.
        os.environ.setdefault("LLARK_CACHE", "off")
        answerer = open_it()
        settings = dict(answerer.settings)
    if plan.out is not None:
        plan.out.mkdir(parents=True, exist_ok=True)
        claim_folder(plan.out, settings)
    for part in parts:
        if model == NOBODY:
            runs.append(score_blindly(part, plan))
            continue
        if file is not None:
            runs.append(score_answer_file(part, plan, file))
            continue
        run, failures = ask_task(part, plan, answerer)
        runs.append(run)
        failed += failures
    shown = {**settings, "limit": plan.limit}
    typer.echo(write_report(runs, shown, plan.out, plots))
    if plan.out is not None:
        write_results(runs, shown, plan.out, time.monotonic() - start)
    return failed


def _settings_of(folder: Path) -> dict[str, Any]:
    path = folder / "run.json"
    if not path.is_file():
        raise ConfigError(f"{folder} holds no answers (no run.json); run without --rescore first")
    settings = json.loads(path.read_text(encoding="utf-8"))
    if "benchmark" in settings:
        raise ConfigError(f"{folder} holds answers of '{settings['benchmark']}'")
    return settings


def open_judge(url: str | None, name: str | None) -> ChatApi | None:
    """Make the judge ready; None where nobody judges.

    Raises:
        ConfigError: The address cannot be used.
    """
    if url is None or name is None:
        return None
    from llark_py.assistant.chat_api import ChatApi

    return ChatApi(url, name)


def compare_folders(first: Path, second: Path, judge: ChatApi | None) -> None:
    """Print how far two runs are apart, and what a judge prefers of their captions.

    Raises:
        ConfigError: A folder holds no run, or none that can be compared, or they have nothing in
            common.
    """
    from llark_py.benchmarks.qa.comparison import compare_runs, write_comparison
    from llark_py.benchmarks.qa.judge import judge_runs
    from llark_py.catalog import load, names

    rows = compare_runs(first, second)
    typer.echo(write_comparison(first, second, rows))
    published = names("benchmarks.published")
    for name in dict.fromkeys(row.task for row in rows if row.task in published):
        if judge is not None and load("benchmarks.published", name).TASK.has_captions:
            for what, estimate in judge_runs(judge, name, first, second).items():
                told = f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
                typer.echo(f"{name}, {judge.model}: {what} {second} over {first}: {told}")
