"""Open the chat page in a browser on this machine."""

from __future__ import annotations

from typing import Annotated

import typer


def chat(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(help="Port to listen on; default: the first free one from 7860.", max=65535),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Folder or Hub name of a model; default: the embedded one.")
    ] = None,
) -> None:
    """Open the chat page: it prints its address and runs until it is stopped."""
    from llark_py.serve.app import launch

    launch(host=host, port=port, model=model)
