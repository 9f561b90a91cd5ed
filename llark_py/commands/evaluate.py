"""Measure how well a model listens and answers: our own benchmarks, published ones, comparisons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._answering import EndpointModelOption, check_choice

if TYPE_CHECKING:
    from llark_py.benchmarks.qa.asking import Answerer


def evaluate(
    tasks: Annotated[
        list[str] | None,
        typer.Argument(
            help="Our own: listening (default), tools, transcription, tool_use, conversations, "
            "typed. Published: giantsteps_key, "
            "giantsteps_tempo, gtzan_genre, jamendo_tags, medleydb_instruments, mmau_music, "
            "muchomusic, musiccaps, musicnet_instruments, rul_muchomusic, song_describer."
        ),
    ] = None,
    n: Annotated[int, typer.Option(min=2, help="Composed clips, or dialogues.")] = 300,
    model: Annotated[
        str | None,
        typer.Option(
            help="Folder or Hub name; default: mini. For listening and published benchmarks also "
            "Qwen2-Audio, Audio Flamingo 3, Music Flamingo; for published ones answers:FILE to "
            "score answers that are there, or blind for the rows that need neither a model nor "
            "recordings."
        ),
    ] = None,
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
    workers: Annotated[
        int,
        typer.Option(
            min=0, max=64, help="Processes that answer; 0: one a core (at most 4) from --n 50 on."
        ),
    ] = 0,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder with the official files of published benchmarks (DATA/TASK)."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only so many questions of a published benchmark.")
    ] = None,
    blind: Annotated[
        bool,
        typer.Option(help="Also ask with noise, silence, another recording and without sound."),
    ] = True,
    tools: Annotated[
        bool | None,
        typer.Option(
            help="Whether tools may be called (listening, published benchmarks). Default: by our "
            "models yes; by an endpoint no, it then hears for itself."
        ),
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="OpenAI-compatible API of a model that hears (input_audio); with --tools it reads "
            "what our encoder hears instead. A key is read from LLARK_API_KEY.",
        ),
    ] = None,
    endpoint_model: EndpointModelOption = None,
    parallel: Annotated[
        int,
        typer.Option(min=1, max=64, help="Questions that an endpoint is sent at a time."),
    ] = 1,
    judge: Annotated[
        str | None,
        typer.Option(metavar="URL", help="API of a language model that compares captions."),
    ] = None,
    judge_model: Annotated[
        str | None, typer.Option(metavar="NAME", help="What the judge is called there.")
    ] = None,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            metavar="A B",
            help="Compare two runs (folders of --out) of published benchmarks, listening or tools.",
        ),
    ] = None,
) -> None:
    """Print scores by condition; with --out also keep answers and report, and go on if cut off."""
    from llark_py.benchmarks.clips import INSTRUMENTS
    from llark_py.benchmarks.trial import Trial
    from llark_py.catalog import names
    from llark_py.errors import ConfigError, UnknownNameError

    from ._published import compare_folders, evaluate_published, open_judge

    if (judge is None) != (judge_model is None):
        raise ConfigError("--judge URL and --judge-model NAME go together")
    judged_by = open_judge(judge, judge_model)
    if compare is not None:
        if tasks:
            raise ConfigError("--compare compares all tasks of two folders; name no task")
        compare_folders(*compare, judged_by)
        return
    wanted = tasks or ["listening"]
    own, published = names("benchmarks"), names("benchmarks.published")
    for task in wanted:
        if task not in (*own, *published):
            raise UnknownNameError("benchmark", task, [*own, *published])
    if instruments not in INSTRUMENTS:
        raise UnknownNameError("choice of instruments", instruments, INSTRUMENTS)
    if out is not None and out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out} is a file; give a folder")
    if rescore and out is None:
        raise ConfigError("--rescore needs --out FOLDER, where the answers are")
    check_choice(model, endpoint, endpoint_model)
    asked = [task for task in wanted if task in own]
    ours_only = [task for task in asked if task != "listening"]
    if parallel > 1 and (endpoint is None or tools):
        raise ConfigError("--parallel is for --endpoint without --tools; others are asked in turn")
    if ours_only and (endpoint is not None or tools is not None):
        raise ConfigError(f"'{ours_only[0]}' takes neither --endpoint nor --tools; leave them out")
    failed = 0

    def open_it() -> Answerer:
        from llark_py.benchmarks.qa.answerers import open_answerer

        return open_answerer(model, endpoint, endpoint_model, tools, parallel)

    if asked:
        from llark_py.benchmarks.running import Run, run_benchmark
        from llark_py.benchmarks.running import rescore as score_again

        from ._listening import evaluate_in_words, takes_words
    for task in asked:
        # A folder holds one run; of several, each gets its own.
        place = out / task if out is not None and len(wanted) > 1 else out
        given = (real, True, questions, scripts, plots)
        trial = Trial(n, soundfont, place, instruments, seconds, skip, *given, blind)
        if rescore:
            typer.echo(score_again(task, trial))
        elif task == "listening" and takes_words(model, endpoint, tools):
            failed += evaluate_in_words(trial, model, endpoint, open_it)
        else:
            typer.echo(run_benchmark(Run(task, trial, model, workers)))
    if asked != wanted:
        from llark_py.benchmarks.qa.run import Plan

        plan = Plan(data, out, limit, blind, judged_by)
        failed += evaluate_published(
            [task for task in wanted if task in published],
            plan,
            model,
            open_it,
            rescore=rescore,
            plots=plots,
        )
    if failed:
        raise typer.Exit(1)
