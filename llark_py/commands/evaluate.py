"""Measure how well a model listens (beside blind controls), uses its tools, and answers people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def evaluate(
    benchmark: Annotated[
        str,
        typer.Argument(
            help="Which benchmark: listening, tools, transcription, tool_use, conversations, typed."
        ),
    ] = "listening",
    n: Annotated[int, typer.Option(min=2, help="Composed clips, or dialogues.")] = 300,
    model: Annotated[str | None, typer.Option(help="Folder or Hub name; default: mini.")] = None,
    soundfont: Annotated[
        str, typer.Option(help="Played with this; must not be a training soundfont.")
    ] = "timgm",
    instruments: Annotated[
        str, typer.Option(help="own (the style's), free (whatever the style), or mixed.")
    ] = "mixed",
    seconds: Annotated[float, typer.Option(min=1, max=900, help="Length of a clip.")] = 25.0,
    skip: Annotated[
        int, typer.Option(min=0, help="Leave out so many clips first: those already looked at.")
    ] = 0,
    real: Annotated[
        Path | None, typer.Option(help="Folder of real recordings with a manifest.jsonl.")
    ] = None,
    questions: Annotated[
        Path | None, typer.Option(help="File of typed questions (tests/questions/typed.yaml).")
    ] = None,
    scripts: Annotated[
        Path | None, typer.Option(help="Folder of scripted conversations (tests/conversations).")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for answers, scores, report and plots.")
    ] = None,
    plots: Annotated[bool, typer.Option(help="Draw plots into --out.")] = True,
    rescore: Annotated[
        bool, typer.Option("--rescore", help="Score the answers in --out again; asks no model.")
    ] = False,
) -> None:
    """Print scores by condition; with --out also keep answers and report, and go on if cut off."""
    from llark_py.benchmarks.answers import AnswerBook, read_run
    from llark_py.benchmarks.clips import INSTRUMENTS
    from llark_py.benchmarks.trial import Trial
    from llark_py.catalog import load
    from llark_py.errors import ConfigError, UnknownNameError

    part = load("benchmarks", benchmark)
    if instruments not in INSTRUMENTS:
        raise UnknownNameError("choice of instruments", instruments, INSTRUMENTS)
    if out is not None and out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out} is a file; give a folder")
    if rescore:
        if out is None:
            raise ConfigError("--rescore needs --out FOLDER, where the answers are")
        settings, book = read_run(out)
        if settings["benchmark"] != benchmark:
            raise ConfigError(f"{out} holds answers of '{settings['benchmark']}'")
    else:
        trial = Trial(n, soundfont, out, instruments, seconds, skip, real, True, questions, scripts)
        trial.check()
        loaded, processor = _load(model)
        settings = {
            "benchmark": benchmark,
            "model": model or "mini",
            "weights": _fingerprint(loaded),
            **trial.settings(),
        }
        book = AnswerBook(out, settings)
        part.ask_all(loaded, processor, trial, book)
        book.close()
    typer.echo(part.report(book.rows, settings, out, plots))


def _load(model: str | None) -> tuple[Any, Any]:
    from llark_py.embedded import embedded_folder
    from llark_py.model.checkpoint import load_model

    return load_model(model or embedded_folder(), dtype="float32")


def _fingerprint(model: Any) -> str:
    """Tell models of one name apart, such as before and after training: a few of all weights."""
    import hashlib

    digest = hashlib.sha256()
    for weight in model.parameters():
        digest.update(weight.detach().flatten()[:1000].float().cpu().numpy().tobytes())
    return digest.hexdigest()[:12]
