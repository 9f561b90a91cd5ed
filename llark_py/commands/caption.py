"""Describe whole catalogues: captions and facts of every song, batched and resumable."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llark_py.errors import ConfigError, UnknownNameError

from ._answering import ModelOption
from ._songs import EXIT_FAILED_ITEMS

if TYPE_CHECKING:
    from llark_py.catalogue.scan import Scan
    from llark_py.catalogue.sites import Site

_MOST_SHOWN = 10


def caption(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH...",
            help="Recordings, folders, patterns ('music/**/*.mp3'), or @FILE with a name a line.",
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Where the records go, one JSON line a song (.jsonl).")
    ] = Path("catalogue.jsonl"),
    ask: Annotated[
        list[str] | None, typer.Option(help="A question about every song; may be repeated.")
    ] = None,
    model: ModelOption = None,
    form: Annotated[
        str | None, typer.Option("--format", help="Also write a table: parquet or csv.")
    ] = None,
    sidecar: Annotated[
        str | None,
        typer.Option(help="Also write a file beside each song: txt (caption) or json (record)."),
    ] = None,
    retry_errors: Annotated[
        bool, typer.Option("--retry-errors", help="Try songs again that failed before.")
    ] = False,
    max_memory: Annotated[
        int,
        typer.Option(metavar="MIB", help="The most that songs in work may take, model aside."),
    ] = 4096,
    engine: Annotated[
        str, typer.Option(help="local: this machine; ray: Ray Data, with a pool of actors.")
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(help="Of a running Ray cluster; default: one is started on this machine."),
    ] = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of a record, and nothing else.")
    ] = False,
) -> int:
    """Describe songs: captions, facts with source and confidence, answers to your questions.

    A run that was stopped goes on when the same command is given again. Songs that cannot be read
    go to the .errors.jsonl beside the records; the exit code is then 1.
    """
    if schema:
        from llark_py.catalogue.record import Record

        print(json.dumps(Record.model_json_schema(), indent=1))
        return 0
    from llark_py.catalogue.export import check_form, export_table
    from llark_py.catalogue.ledger import check_name
    from llark_py.catalogue.scan import scan
    from llark_py.catalogue.sidecars import SIDECARS, write_sidecars
    from llark_py.catalogue.sites import check_site, open_site

    # What can be wrong is said before anything is loaded.
    if not paths:
        raise ConfigError("give recordings or folders: llark caption PATH... --out songs.jsonl")
    if form is not None:
        check_form(form)
    if sidecar is not None and sidecar not in SIDECARS:
        raise UnknownNameError("format", sidecar, SIDECARS)
    questions = list(dict.fromkeys(question.strip() for question in ask or ()))
    if "" in questions:
        raise ConfigError('an empty question was asked; write --ask "..."')
    check_name(out)
    check_site(engine, address)
    found = scan(paths)
    if not found.songs and not found.failures:
        raise ConfigError(f"there is no recording in {', '.join(paths)}")
    with open_site(engine, address, model, questions, max_memory) as site:
        failed = _describe(found, out, questions, site, retry_errors)
    complaints = write_sidecars(out, sidecar) if sidecar else []
    for complaint in complaints[:_MOST_SHOWN]:
        print(f"llark: {complaint}", file=sys.stderr)
    if len(complaints) > _MOST_SHOWN:
        print(f"llark: and {len(complaints) - _MOST_SHOWN} more", file=sys.stderr)
    print(out)
    if form:
        print(export_table(out, form))
    return EXIT_FAILED_ITEMS if failed or complaints else 0


def _describe(
    found: Scan, out: Path, questions: Sequence[str], site: Site, retry_errors: bool
) -> int:
    """Do what is left to do; give how many files have no record."""
    from llark_py.catalogue.ledger import Ledger
    from llark_py.catalogue.progress import Progress

    with Ledger(out, site.maker, questions) as ledger:
        ledger.replace_failures(found.failures)
        left = ledger.plan(found.songs, retry_errors)
        if done := len(found.songs) - len(left) - len(ledger.failed_before):
            print(f"{done} songs are described already", file=sys.stderr)
        failed = len(found.failures) + len(ledger.failed_before)
        progress = Progress(len(left))
        try:
            for described, failures in site.run(ledger, left):
                failed += len(failures)
                progress.add(described, len(failures))
        except KeyboardInterrupt:
            progress.finish()
            print("stopped; the same command goes on from here", file=sys.stderr)
            raise
        if left:
            progress.finish()
        if failed:
            print(
                f"llark: {failed} files have no record; {ledger.errors} says why "
                "(--retry-errors tries them again)",
                file=sys.stderr,
            )
    return failed
