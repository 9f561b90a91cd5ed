"""Who answers: the embedded model, another one, or one behind an address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from llark_py.errors import ConfigError

if TYPE_CHECKING:
    from llark_py.assistant.turns import ToolLoop

ModelOption = Annotated[
    str | None, typer.Option(help="Folder or Hub name of a model; default: the embedded one.")
]
EndpointOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="OpenAI-compatible API of a language model that is to answer with our ears and tools,"
        " such as http://127.0.0.1:8000/v1. A key is read from LLARK_API_KEY.",
    ),
]
EndpointModelOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="What the model is called at the endpoint.")
]


def check_choice(model: str | None, endpoint: str | None, endpoint_model: str | None) -> None:
    """Refuse options that contradict each other, before anything is loaded.

    Raises:
        ConfigError: Two models are named, or half of an endpoint.
    """
    if endpoint is not None and model is not None:
        raise ConfigError("give --model or --endpoint, not both")
    if (endpoint is None) != (endpoint_model is None):
        raise ConfigError("--endpoint URL and --endpoint-model NAME go together")


def open_assistant(model: str | None, endpoint: str | None, endpoint_model: str | None) -> ToolLoop:
    """Load whoever is to answer.

    Raises:
        CheckpointError: Weights are missing or do not fit.
        ConfigError: The options do not fit each other, or the address cannot be used.
    """
    import llark_py

    check_choice(model, endpoint, endpoint_model)
    if endpoint is not None:
        return llark_py.load_endpoint_assistant(endpoint, endpoint_model)
    return llark_py.load_assistant(model)
