"""Reads scripted conversations (`tests/conversations/*.yaml`): what is asked, what is to be called.

A file lists templates. A template has turns (or is one turn itself); a turn has wordings (`say`)
and the calls that its answer needs: `calls`, or `plans` where several ways are right. What stands
in braces is drawn from `slots.yaml`. An argument may be a list of values that are all right, a time
counted from the end of the song (`end-20`), or what an earlier tool of the conversation gave
(`$separate_stems.bass`). A turn that asks which of two recordings is more of something has a
`verdict`: the field of a result that says so, and words of which an answer must hold one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import yaml

from llark_py.errors import ConfigError

_SLOTS = "slots.yaml"
_PLACE = re.compile(r"\{(\w+)\.(\w+)\}")

Call = tuple[str, dict[str, Any]]
Plan = list[Call]


@dataclass(frozen=True)
class Turn:
    """A question and the plans that answer it, each a list of (tool, arguments).

    `n_new` is how many recordings come with the question; `verdict` is `{"field", "about"}` where
    the answer must name a recording, else None.
    """

    question: str
    plans: list[Plan]
    n_new: int
    verdict: dict[str, Any] | None = None


@dataclass(frozen=True)
class Script:
    """A conversation: `id` is `<file>/<template>/<number>`."""

    id: str
    turns: list[Turn]

    @property
    def n_songs(self) -> int:
        """How many recordings it is about."""
        return sum(turn.n_new for turn in self.turns)


def read_scripts(folder: Path, n: int) -> list[Script]:
    """Make `n` conversations of the templates of a folder, the same ones every time.

    The templates take turns, each with its next wording and other fillings, so that a few
    conversations already touch everything.

    Raises:
        ConfigError: There is no such folder, or a file in it is of another shape.
    """
    slots, templates = _read_folder(folder)
    scripts = []
    for i in range(n):
        path, template = templates[i % len(templates)]
        try:
            scripts.append(_fill(path, template, i // len(templates), slots))
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            name = template.get("name") if isinstance(template, Mapping) else template
            raise ConfigError(f"{path}: template '{name}' cannot be read: {error!r}") from error
    return scripts


def count_wordings(folder: Path) -> int:
    """Count the different wordings in a folder, before anything is filled in."""
    _, templates = _read_folder(folder)
    return len({text for _, t in templates for turn in t.get("turns", [t]) for text in turn["say"]})


def _read_folder(folder: Path) -> tuple[dict[str, list[dict[str, Any]]], list[tuple[Path, Any]]]:
    if not (folder / _SLOTS).is_file():
        raise ConfigError(
            f"{folder} holds no scripted conversations (no {_SLOTS}); give --scripts FOLDER, "
            "such as tests/conversations"
        )
    read = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            read[path] = yaml.safe_load(path.read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            raise ConfigError(f"{path} is no YAML: {error}") from error
    slots = read.pop(folder / _SLOTS)
    return slots, [(path, template) for path, listed in read.items() for template in listed]


def _fill(
    path: Path, template: Mapping[str, Any], number: int, slots: Mapping[str, list[dict[str, Any]]]
) -> Script:
    script_id = f"{path.stem}/{template['name']}/{number}"
    rng = Random(script_id)
    drawn = {name: rng.choice(slots[name]) for name in sorted(slots)}
    turns = []
    for i, turn in enumerate(template.get("turns", [template])):
        wordings: Sequence[str] = turn["say"]
        listed = turn["plans"] if "plans" in turn else [turn["calls"]]
        plans = [[_fill_call(call, drawn) for call in plan] for plan in listed]
        n_new = turn.get("adds", 0) if i else template.get("songs", 1)
        question = _fill_text(wordings[number % len(wordings)], drawn)
        turns.append(Turn(question, plans, n_new, _read_verdict(turn.get("verdict"))))
    return Script(script_id, turns)


def _read_verdict(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if given is None else {"field": given["field"], "about": list(given["about"])}


def _fill_call(call: Mapping[str, Mapping[str, Any]], drawn: Mapping[str, Any]) -> Call:
    [(tool, arguments)] = call.items()
    return tool, {name: _fill_value(value, drawn) for name, value in arguments.items()}


def _fill_value(value: Any, drawn: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_fill_value(item, drawn) for item in value]
    if not isinstance(value, str):
        return value
    if whole := _PLACE.fullmatch(value):
        return drawn[whole[1]][whole[2]]
    return _fill_text(value, drawn)


def _fill_text(text: str, drawn: Mapping[str, Any]) -> str:
    return _PLACE.sub(lambda place: str(drawn[place[1]][place[2]]), text)
