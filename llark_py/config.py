"""Settings: pydantic models filled from YAML and `key=value` overrides.

The YAML is read as people mean it: `1e-4` is a number and only `true` and `false` are truth
values, so that the key `no` or the answer `on` stays a word (PyYAML follows YAML 1.1 here).
"""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from .errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)

_BOOL, _FLOAT = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:float"
_MERGE = "tag:yaml.org,2002:merge"
_FLOAT_PATTERN = re.compile(
    r"^(?:[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)"
    r"|[-+]?(?:\d+\.\d*|\.\d+)|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)
_MOST_ERRORS_SHOWN = 5


class Settings(BaseModel):
    """Base of every settings model: unknown keys are errors, values do not change later."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class _Loader(yaml.SafeLoader):
    """Reads YAML with the numbers and truth values of YAML 1.2; refuses a key given twice."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in (_BOOL, _FLOAT)]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == _MERGE:
                continue
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key}' is given twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Writes YAML that `_Loader` and any other reader take the same way."""


_Loader.add_implicit_resolver(_BOOL, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), "tTfF")
_Loader.add_implicit_resolver(_FLOAT, _FLOAT_PATTERN, "-+0123456789.")
_Dumper.add_implicit_resolver(_FLOAT, _FLOAT_PATTERN, "-+0123456789.")


def load_config(
    model_cls: type[Model],
    source: Path | str | dict[str, Any],
    overrides: Sequence[str] = (),
) -> Model:
    """Fill a settings model from a YAML file or a dict, then from `key=value` overrides.

    Args:
        model_cls: The pydantic model; keys it does not know are errors.
        source: Path of a YAML file, or the settings themselves.
        overrides: Such as `optimizer.lr=1e-4` or `stages.0.steps=10`; the value is read as YAML.

    Raises:
        ConfigError: The file is missing or no YAML mapping, a key is unknown (with the nearest
            known one) or a value does not fit; the message names the file and the key.
    """
    if isinstance(source, dict):
        origin, values = "settings", _copied(source)
    else:
        origin, values = str(source), read_yaml(source)
    for override in overrides:
        _override(values, override)
    try:
        return model_cls.model_validate(values)
    except ValidationError as error:
        problems = [_explain(model_cls, problem) for problem in error.errors()]
        shown = "; ".join(problems[:_MOST_ERRORS_SHOWN])
        more = len(problems) - _MOST_ERRORS_SHOWN
        rest = f"; and {more} more" if more > 0 else ""
        raise ConfigError(f"{origin}: {shown}{rest}") from error


def read_yaml(path: Path | str) -> dict[str, Any]:
    """Read a YAML file that holds one mapping; an empty file is an empty one.

    Raises:
        ConfigError: The file is missing, unreadable, no YAML or no mapping.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"there is no settings file '{path}'; check the name") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as text ({error})") from error
    values = _parse_yaml(text, str(path))
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: holds a {type(values).__name__}; expected `key: value` lines")
    return values


def dump_config(model: BaseModel, path: Path | str) -> None:
    """Write settings as YAML that `load_config` reads back to the same model."""
    text = yaml.dump(
        model.model_dump(mode="json"), Dumper=_Dumper, sort_keys=False, allow_unicode=True
    )
    Path(path).write_text(text, encoding="utf-8")


def _parse_yaml(text: str, origin: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"{origin}{place}: not YAML: {reason}") from error


def _copied(values: Any) -> Any:
    """Copy nested dicts and lists, so that overrides never write into the caller's."""
    if isinstance(values, dict):
        return {key: _copied(value) for key, value in values.items()}
    if isinstance(values, list):
        return [_copied(value) for value in values]
    return values


def _override(values: dict[str, Any], override: str) -> None:
    path, sign, text = override.partition("=")
    keys = path.strip().split(".")
    if not sign or not all(keys):
        raise ConfigError(f"'{override}' is not an override; write key=value or key.subkey=value")
    value = _parse_yaml(text, f"override '{override}'")
    place: Any = values
    for depth, key in enumerate(keys):
        last = depth == len(keys) - 1
        if isinstance(place, list):
            if not key.isdigit() or int(key) >= len(place):
                raise ConfigError(
                    f"override '{override}': '{'.'.join(keys[:depth])}' is a list of "
                    f"{len(place)}; expected a number from 0 to {len(place) - 1}, not '{key}'"
                )
            slot: Any = int(key)
        elif isinstance(place, dict):
            slot = key
            if not last and place.get(key) is None:
                place[key] = {}
        else:
            raise ConfigError(
                f"override '{override}': '{'.'.join(keys[:depth])}' is {place!r} "
                "and has no keys of its own"
            )
        if last:
            place[slot] = value
        else:
            place = place[slot]


def _explain(model_cls: type[BaseModel], problem: Any) -> str:
    """Say in words what pydantic found wrong with one key."""
    location = [str(part) for part in problem["loc"]]
    key = ".".join(location)
    if problem["type"] == "extra_forbidden":
        known = sorted(_known_keys(model_cls, location[:-1]))
        close = difflib.get_close_matches(location[-1], known, n=1, cutoff=0.5)
        hint = f" Did you mean '{close[0]}'?" if close else ""
        return f"unknown key '{key}'.{hint} Known: {', '.join(known)}"
    if problem["type"] == "missing":
        return f"the key '{key}' is missing"
    message = problem["msg"][0].lower() + problem["msg"][1:]
    if not key:  # a check over the whole model
        return message
    return f"key '{key}': {message}, not {problem['input']!r}"


def _known_keys(model_cls: type[BaseModel], location: Iterable[str]) -> set[str]:
    """Collect the keys allowed at a place inside nested settings models."""
    models = {model_cls}
    for part in location:
        fields = [m.model_fields[part].annotation for m in models if part in m.model_fields]
        # Other parts are places in lists or dicts, or the tag of a union: they keep the models.
        if fields:
            models = {inner for annotation in fields for inner in _models_in(annotation)}
    return {name for model in models for name in model.model_fields}


def _models_in(annotation: Any) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    return {model for part in typing.get_args(annotation) for model in _models_in(part)}
