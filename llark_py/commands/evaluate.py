"""Measure how well a model listens (beside blind controls) and how well it uses its tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    benchmark: Annotated[
        str, typer.Argument(help="Which benchmark: listening, tool_use.")
    ] = "listening",
    n: Annotated[int, typer.Option(min=2, help="Composed clips, or dialogues.")] = 300,
    model: Annotated[str | None, typer.Option(help="Folder or Hub name; default: mini.")] = None,
    soundfont: Annotated[
        str, typer.Option(help="Played with this; must not be a training soundfont.")
    ] = "timgm",
    free_instruments: Annotated[
        bool,
        typer.Option("--free-instruments", help="Instruments drawn whatever the style (harder)."),
    ] = False,
    seconds: Annotated[float, typer.Option(min=1, max=900, help="Length of a clip.")] = 25.0,
    skip: Annotated[
        int, typer.Option(min=0, help="Leave out so many clips first: those already looked at.")
    ] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for answers and scores.")] = None,
) -> None:
    """Print a table of scores by condition; with --out also keep answers.jsonl and scores.json."""
    import json

    from llark_py.benchmarks.table import score_table
    from llark_py.benchmarks.trial import Trial
    from llark_py.catalog import load
    from llark_py.embedded import embedded_folder
    from llark_py.errors import ConfigError
    from llark_py.model.checkpoint import load_model

    part = load("benchmarks", benchmark)
    if out is not None and out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out} is a file; give a folder")
    loaded, processor = load_model(model or embedded_folder(), dtype="float32")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    answers = out / "answers.jsonl" if out is not None else None
    trial = Trial(n, soundfont, answers, free_instruments, seconds, skip)
    scores = part.evaluate_model(loaded, processor, trial)
    if out is not None:
        run = {"model": model or "mini", "n": n, "skip": skip, "seconds": seconds}
        text = json.dumps({**run, "scores": scores}, indent=1)
        (out / "scores.json").write_text(text + "\n", encoding="utf-8")
    played = "any instruments" if free_instruments else "the instruments of the style"
    which = f"{benchmark} {skip} to {skip + n - 1}, clips of {seconds:g} s"
    typer.echo(f"model {model or 'mini'}, {which}, soundfont {soundfont}, {played}")
    typer.echo(score_table(scores))
