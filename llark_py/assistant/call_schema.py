"""Tool calls are written as the schemas of the tools have them: a constraint on decoding.

A small model gives `estimate_tempo` an end now and then, or closes a call with the wrong bracket,
and has to be told so. Here only what begins a call of a known tool, with arguments that it takes,
of their types and choices, and of recordings that there are, can be written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import lru_cache
from typing import Any

import regex
import torch

from llark_py.messages import Message
from llark_py.tools import parameters

from .conversation import recordings, sounds
from .reply import TOOL_CALL, TOOL_CALL_END, control_tokens
from .reply_constraint import ReplyConstraint, text_tokens

_LIKELIEST = 64
"""So many tokens are looked at before all the others are sorted."""
# Nothing may go on for ever: a small model that finds no way out would.
_STRING = r'"(?:[^"\\\n]|\\.){0,80}"'
_VALUES = {
    "string": _STRING,
    "number": r"-?[0-9]{1,6}(?:\.[0-9]{1,4})?",
    "integer": r"-?[0-9]{1,9}",
    "boolean": "true|false",
}
_GAP = r"\s{0,12}"
_ARGUMENTS = regex.compile(r'"name"\s*:\s*"(\w+)"\s*,\s*"arguments"\s*:\s*\{(.*)$', regex.DOTALL)
_KEY = regex.compile(r'"(\w+)"\s*:')
_NEXT_KEY = regex.compile(r'["\w]\s*,\s*(?:"(\w*))?$')


def name_recordings(
    schemas: Sequence[Mapping[str, Any]], messages: Sequence[Message]
) -> list[dict[str, Any]]:
    """Write into schemas of tools which recordings and sounds a conversation has to choose from."""
    ids = [*(part.id for part in recordings(messages)), *sounds(messages)]
    named = [deepcopy(dict(schema)) for schema in schemas]
    for function in (schema["function"] for schema in named):
        for parameter in parameters(function["name"])[0] if ids else ():
            function["parameters"]["properties"][parameter]["enum"] = ids
    return named


def call_pattern(schemas: Sequence[Mapping[str, Any]]) -> Any:
    """Write the calls that are possible as a pattern, up to and with the closing tag.

    Args:
        schemas: JSON schemas of the tools (`{"type": "function", "function": {...}}`).

    Returns:
        A compiled pattern of `regex`, which can match the beginning of a call.
    """
    calls = "|".join(_call(schema["function"]) for schema in schemas)
    pattern = rf"\s*\{{\s*(?:{calls})\s*\}}\s*{regex.escape(TOOL_CALL_END)}"
    return regex.compile(pattern.replace(r"\s*", _GAP))


def _call(function: Mapping[str, Any]) -> str:
    name = regex.escape(function["name"])
    pairs = [
        rf'"{regex.escape(key)}"\s*:\s*(?:{_value(value)})'
        for key, value in function["parameters"]["properties"].items()
    ]
    pair = f"(?:{'|'.join(pairs)})"
    some = rf"(?:{pair}\s*(?:,\s*{pair}\s*)*)?" if pairs else ""
    return rf'"name"\s*:\s*"{name}"\s*,\s*"arguments"\s*:\s*\{{\s*{some}\}}'


def _value(schema: Mapping[str, Any]) -> str:
    """Write the values of an argument as a pattern; any that JSON can spell in a line if unsure."""
    if "enum" in schema:
        choices = "|".join(regex.escape(str(choice)) for choice in schema["enum"])
        kind = f'"(?:{choices})"'
    else:
        kind = _VALUES.get(schema.get("type", ""), r"[^\n]*")
    return f"{kind}|null" if schema.get("nullable") else kind


class CallSchema(ReplyConstraint):
    """Allows only calls that fit the schemas of the tools.

    Only tokens that are likelier than the first one that fits are forbidden, which is all that
    decoding without sampling can see.

    Args:
        tokenizer: Any Hugging Face tokenizer.
        schemas: Of the tools that may be called.
        prompt_length: How many leading tokens are the prompt.
    """

    def __init__(self, tokenizer: Any, schemas: Sequence[Mapping[str, Any]], prompt_length: int):
        super().__init__(tokenizer, prompt_length)
        self._pattern = call_pattern(schemas)
        self._takes = {
            schema["function"]["name"]: set(schema["function"]["parameters"]["properties"])
            for schema in schemas
        }
        self._texts = _all_tokens(tokenizer)

    def mask(self, row: torch.Tensor, text: str) -> None:
        """Leave the words of a reply alone."""

    def mask_call(self, row: torch.Tensor, text: str) -> None:
        """Forbid tokens in `row` (vocabulary,), in place, behind the text of a call."""
        begun = text.rpartition(TOOL_CALL)[2]
        if TOOL_CALL_END in begun or not self._fits(begun):
            return
        for n_tokens in (min(_LIKELIEST, len(row)), len(row)):
            best = row.topk(n_tokens).indices.tolist()
            for place, token in enumerate(best):
                if self._fits(begun + self._texts.get(token, "\0")):
                    row[best[:place]] = -torch.inf
                    return

    def _fits(self, text: str) -> bool:
        if self._pattern.fullmatch(text, partial=True) is None:
            return False
        found = _ARGUMENTS.search(text)
        return found is None or _says_nothing_twice(found[2], self._takes[found[1]])


def _says_nothing_twice(arguments: str, takes: set[str]) -> bool:
    """Say whether each argument is given once, and one is left for the key that is begun."""
    given = _KEY.findall(arguments)
    if len(given) > len(set(given)):
        return False
    begun = _NEXT_KEY.search(arguments)
    left = takes - set(given)
    return begun is None or any(key.startswith(begun[1] or "") for key in left)


@lru_cache(maxsize=4)
def _all_tokens(tokenizer: Any) -> dict[int, str]:
    """Map every token to what it writes, control tokens too."""
    return {**text_tokens(tokenizer), **control_tokens(tokenizer)}
