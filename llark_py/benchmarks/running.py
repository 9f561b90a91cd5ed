"""Runs one of our own benchmarks, in several processes where that is worth it.

The answers of a run are made part by part (`AnswerBook`), and no part depends on another. So each
process goes through all of them and makes those that no other has claimed. A small model on one
thread in each of two processes answers more than on two threads in one.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import sys
import tempfile
import threading
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llark_py.catalog import load
from llark_py.errors import ConfigError

from .answers import AnswerBook, claim_folder, read_run
from .trial import Trial

_WORTH_IT = 50
"""Clips or dialogues from which on the seconds that processes take to start are well spent."""
_MOST_WORKERS = 4  # 1 to 2 GB each


@dataclass(frozen=True)
class Run:
    """A benchmark that is to be run.

    Attributes:
        benchmark: Its name.
        trial: What it is made on.
        model: Folder or Hub name; None for the embedded one.
        workers: Processes; 0 for as many as are worth it.
    """

    benchmark: str
    trial: Trial
    model: str | None = None
    workers: int = 0


def run_benchmark(run: Run) -> str:
    """Ask whatever has not been answered yet, and score the answers.

    Returns:
        The report, as Markdown.

    Raises:
        ConfigError: The folder holds another run, a file that is needed cannot be read, or a
            process was ended.
    """
    run.trial.check()
    part = load("benchmarks", run.benchmark)
    model, processor = _load(run.model)
    settings = {
        "benchmark": run.benchmark,
        "model": run.model or "mini",
        "weights": fingerprint(model),
        **run.trial.settings(),
    }
    trial = run.trial
    with ExitStack() as stack:
        if (n_workers := _count_workers(run)) > 1:
            if trial.out is None:
                kept = stack.enter_context(tempfile.TemporaryDirectory(prefix="llark_"))
                trial = replace(trial, out=Path(kept) / run.benchmark)
            _share(replace(run, trial=trial), settings, n_workers)
        book = AnswerBook(trial.out, settings)
        part.ask_all(model, processor, trial, book)
        book.close()
        return part.report(book.rows, settings, run.trial.out, trial.plots)


def rescore(benchmark: str, trial: Trial) -> str:
    """Score the answers that are in `trial.out` again; gives the report.

    Raises:
        ConfigError: There are none, or they are those of another benchmark.
    """
    assert trial.out is not None
    settings, book = read_run(trial.out)
    if settings["benchmark"] != benchmark:
        raise ConfigError(f"{trial.out} holds answers of '{settings['benchmark']}'")
    report: str = load("benchmarks", benchmark).report(book.rows, settings, trial.out, trial.plots)
    return report


def _count_workers(run: Run) -> int:
    import torch

    if run.workers:
        return run.workers
    if run.trial.n < _WORTH_IT or torch.cuda.is_available():
        return 1
    return min(os.cpu_count() or 1, _MOST_WORKERS)


def _share(run: Run, settings: Mapping[str, Any], n_workers: int) -> None:
    """Let processes make the parts of a run, each on its share of the cores."""
    sys.stderr.write(f"{run.benchmark}: {n_workers} processes\n")
    assert run.trial.out is not None
    run.trial.out.mkdir(parents=True, exist_ok=True)
    claim_folder(run.trial.out, settings)  # before they all do
    threads = max(1, (os.cpu_count() or 1) // n_workers)
    # spawn: a forked torch with threads hangs
    context = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory(prefix="llark_claims_") as claims,
        ProcessPoolExecutor(n_workers, context, initializer=leave_with_parent) as pool,
    ):
        shares = [
            pool.submit(_make_share, run, settings, Path(claims), threads) for _ in range(n_workers)
        ]
        try:
            for share in shares:
                share.result()
        except BrokenProcessPool as error:
            raise ConfigError(
                "a process of the evaluation was ended, perhaps for want of memory; what it had "
                "answered is kept with --out. Give the command again with --workers 1"
            ) from error


def leave_with_parent() -> None:
    """End this process as soon as the one that started it is gone, however it was ended.

    It would go on to the last part otherwise, beside the next run on the same folder.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _make_share(run: Run, settings: Mapping[str, Any], claims: Path, threads: int) -> None:
    """Make the parts that no other process has claimed."""
    import torch

    torch.set_num_threads(threads)
    model, processor = _load(run.model)
    book = AnswerBook(run.trial.out, settings, claims)
    load("benchmarks", run.benchmark).ask_all(model, processor, run.trial, book)


def _load(model: str | None) -> tuple[Any, Any]:
    from llark_py.embedded import embedded_folder
    from llark_py.model.checkpoint import load_model

    return load_model(model or embedded_folder(), dtype="float32")


def fingerprint(model: Any) -> str:
    """Tell models of one name apart, such as before and after training: a few of all weights."""
    digest = hashlib.sha256()
    for weight in model.parameters():
        digest.update(weight.detach().flatten()[:1000].float().cpu().numpy().tobytes())
    return digest.hexdigest()[:12]
