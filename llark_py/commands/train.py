"""Train a model by a recipe: mini, debug, lora, full or a YAML file of yours."""

from __future__ import annotations

from typing import Annotated

import typer


def train(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe, or path of a YAML file.")],
    settings: Annotated[
        list[str] | None, typer.Argument(help="Changes to it: key=value, such as encoder.steps=50")
    ] = None,
) -> None:
    """Train a model by a recipe; a stopped run goes on where it was."""
    from llark_py.training.recipe import load_recipe
    from llark_py.training.run import train as run

    folder = run(load_recipe(recipe, settings or []))
    typer.echo(str(folder))
