"""Reads the prompts room: plain texts, Jinja templates and YAML data, by file name."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import jinja2
import yaml

from .errors import PromptError

_SUFFIXES = ("", ".md", ".txt", ".jinja", ".yaml")


@cache
def read_prompt(name: str) -> str:
    """Return the text of a prompt file, without the line end at its end.

    Args:
        name: Its path in the prompts room, such as `grammar/talk.yaml`; the suffix may be left
            out (`system`).

    Raises:
        PromptError: There is no such file.
    """
    room = resources.files("llark_py.prompts")
    for suffix in _SUFFIXES:
        file = room.joinpath(name + suffix)
        if file.is_file():
            return file.read_text(encoding="utf-8").rstrip("\n")
    known = ", ".join(sorted(f.name for f in room.iterdir() if not f.name.startswith("_")))
    raise PromptError(f"no prompt '{name}' in the prompts room. Known: {known}")


def render_prompt(name: str, /, **variables: Any) -> str:
    """Fill the `{{ variables }}` of a prompt file.

    Raises:
        PromptError: There is no such file, or a variable that it names is missing.
    """
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    try:
        return environment.from_string(read_prompt(name)).render(**variables)
    except jinja2.TemplateError as error:
        raise PromptError(f"prompt '{name}': {error}") from error


def read_prompt_data(name: str) -> dict[str, Any]:
    """Return the mapping that a YAML prompt file holds.

    Raises:
        PromptError: There is no such file, or it is not a YAML mapping.
    """
    try:
        data = yaml.safe_load(read_prompt(name))
    except yaml.YAMLError as error:
        raise PromptError(f"prompt '{name}' is not YAML: {error}") from error
    if not isinstance(data, dict):
        raise PromptError(f"prompt '{name}' must be a mapping, not {type(data).__name__}")
    return data
