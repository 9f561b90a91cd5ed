"""Open the chat page in a browser on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from ._answering import (
    EndpointModelOption,
    EndpointOption,
    ModelOption,
    check_choice,
    open_assistant,
)


def chat(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(help="Port to listen on; default: the first free one from 7860.", max=65535),
    ] = None,
    model: ModelOption = None,
    endpoint: EndpointOption = None,
    endpoint_model: EndpointModelOption = None,
) -> None:
    """Open the chat page: it prints its address and runs until it is stopped."""
    check_choice(model, endpoint, endpoint_model)
    from llark_py.serve.app import launch

    launch(open_assistant(model, endpoint, endpoint_model), host=host, port=port)
