"""The `llark` command: finds commands by file name and prints errors as one line.

Every file of the commands room that does not begin with an underscore is a command under its own
name; it defines a function of that name. Help is read from the first line of the file, so that
`llark --help` imports nothing but typer.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from llark_py import __version__
from llark_py.errors import LlarkError, UnknownNameError

EXIT_ERROR = 2
_COMMANDS = Path(__file__).parent / "commands"


def command_names() -> list[str]:
    """List the commands by name, without importing them."""
    return sorted(f.stem for f in _COMMANDS.glob("*.py") if not f.stem.startswith("_"))


def command_help(name: str) -> str:
    """Read what a command does, in one line, from its source."""
    tree = ast.parse((_COMMANDS / f"{name}.py").read_text(encoding="utf-8"))
    return (ast.get_docstring(tree) or "").split("\n")[0]


def load_command(name: str) -> typer.core.TyperCommand:
    """Import a command and make it callable with command line arguments.

    Raises:
        UnknownNameError: There is no such command; the message suggests the nearest.
    """
    if name not in command_names():
        raise UnknownNameError("command", name, command_names())
    function = getattr(importlib.import_module(f"llark_py.commands.{name}"), name)
    # Typer shows the whole docstring; the arguments are documented by their own help texts.
    summary = inspect.getdoc(function) or ""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(name, help=summary.split("\n\nArgs:")[0])(function)
    return typer.main.get_command(app)  # type: ignore[return-value]


class _CommandsByFile(typer.core.TyperGroup):
    """The table of commands; a command is imported when it is called, not before."""

    def list_commands(self, ctx: Any) -> list[str]:
        return command_names()

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return load_command(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, command_help(name)) for name in command_names()])


app = typer.Typer(
    cls=_CommandsByFile,
    name="llark",
    help="Ask about music: llark listens to a recording, measures it and answers.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"llark_py {__version__}")
        raise typer.Exit


@app.callback()
def _llark(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line.

    Args:
        arguments: Without the program's name; None takes those of the process.

    Returns:
        The exit code: 0, 1 when an item of a batch failed, 2 for an error of the user's, 130
        when interrupted. A bug is raised with its traceback.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = typer.main.get_command(app).main(
            args=given or ["--help"], prog_name="llark", standalone_mode=False
        )
    except LlarkError as error:
        return _complain(str(error))
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        return _complain(error.format_message())  # typer's own: a missing argument, a bad option
    return code if isinstance(code, int) else 0


def _complain(message: str) -> int:
    print(f"llark: {' '.join(message.split())}", file=sys.stderr)
    return EXIT_ERROR
