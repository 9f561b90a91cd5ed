"""Does it call the right tool, readably, and say the tool's numbers? Dialogues with real tools."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from llark_py.assistant.core import Assistant
from llark_py.assistant.ears import ears_of
from llark_py.assistant.grounded_keys import measured_modes
from llark_py.assistant.grounding import heard_numbers, told_times, ungrounded_numbers
from llark_py.instruct.grammar import dialogue
from llark_py.messages import AudioPart, Message, ToolCall, ToolResult, user
from llark_py.tools import names, schemas

from .answers import AnswerBook, Row
from .clips import Clip, compose_clips
from .kept_report import keep_report
from .table import describe_run, score_table
from .trial import Trial

MAX_CLIPS = 40
"""Dialogues share so many recordings at most: what is asked differs, not what is heard."""
MAX_TURNS = 3
CHUNK = 100


def questions_of(clip: Clip, seed: int) -> list[tuple[str, list[str]]]:
    """Draw the questions of a dialogue, each with the tools that its answer needs, by name."""
    rng = Random(f"tool use {seed}")
    n_turns = rng.randint(1, MAX_TURNS)
    messages = dialogue(clip.track, rng, n_turns=n_turns, tools=names(), as_it_is=True)
    asked: list[tuple[str, list[str]]] = []
    for message in messages:
        if message.text and message.role == "user":
            asked.append((message.text, []))
        asked[-1][1].extend(call.name for call in message.tool_calls)
    return asked


def ask(
    assistant: Assistant, clips: Sequence[Clip], n: int, skip: int, first: int = 0
) -> Iterator[Row]:
    """Hold `n` dialogues; the questions are the grammar's, everything else is the assistant's.

    Args:
        assistant: Who is asked.
        clips: What about; dialogues take turns with them.
        n: How many dialogues.
        skip: Leave out the questions of so many.
        first: Number of the first dialogue, after those.

    Yields:
        One row a turn: `{"id", "question", "wanted", "calls", "results", "answer", "known"}`;
        `known` is what had been measured or asked before, which may be quoted too.
    """
    for i in range(first, first + n):
        clip = clips[i % len(clips)]
        history: list[Message] = []
        known = [heard_numbers(told_times(clip.audio.duration_s))]
        for question, wanted in questions_of(clip, skip + i):
            sound = () if history else (AudioPart("audio_1", clip.audio),)
            history.append(user(question, *sound))
            answer = assistant.ask(history)
            history += answer.messages
            known += [question, *(json.dumps(r.content) for r in answer.tool_results)]
            yield {
                "id": f"{clip.track.id}/{skip + i}",
                "question": question,
                "wanted": wanted,
                "calls": [[call.name, call.arguments] for call in answer.tool_calls],
                "results": [result.content for result in answer.tool_results],
                "answer": answer.text,
                "known": "\n".join(known),
            }


def is_readable(call: ToolCall, result: ToolResult) -> bool:
    """Tell whether a call names a tool and gives it arguments that it has."""
    error = str(result.content.get("error", ""))
    if call.name not in names() or error.startswith("the tool call was not valid"):
        return False
    (schema,) = schemas([call.name])
    return set(call.arguments) <= set(schema["function"]["parameters"]["properties"])


def score(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Score the turns, all of them and by what they wanted.

    Returns:
        For `all`, each tool, `several` and `none`: `turns` (how many), `well_formed` (no call that
        cannot be read), `right_tool` (see `is_right_tool`), `grounded` (where tools were called:
        every number and every mode of a key is a measured one) and `answered` (something was
        said).
    """
    by_want: dict[str, list[Mapping[str, Any]]] = {"all": list(rows)}
    for row in rows:
        wanted = row["wanted"]
        want = "none" if not wanted else wanted[0] if len(wanted) == 1 else "several"
        by_want.setdefault(want, []).append(row)
    return {want: _score(by_want[want]) for want in sorted(by_want)}


def _score(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    def share(hits: Sequence[bool]) -> float:
        return round(sum(hits) / len(hits), 4) if hits else 0.0

    readable = [
        all(
            is_readable(ToolCall("", name, arguments), ToolResult("", name, content))
            for (name, arguments), content in zip(row["calls"], row["results"], strict=True)
        )
        for row in rows
    ]
    called = [is_grounded(row["answer"], row["known"]) for row in rows if row["calls"]]
    return {
        "turns": float(len(rows)),
        "well_formed": share(readable),
        "right_tool": share([is_right_tool(row) for row in rows]),
        "answered": share([bool(row["answer"].strip()) for row in rows]),
        **({"grounded": share(called)} if called else {}),
    }


def is_right_tool(row: Mapping[str, Any]) -> bool:
    """Tell whether exactly the tools that are wanted were called, in any order.

    Where a tool fails on this recording, those that would have been called after it are not needed.
    """
    called, wanted = [name for name, _ in row["calls"]], row["wanted"]
    if called and "error" in row["results"][-1] and called == wanted[: len(called)]:
        return True
    return set(called) == set(wanted)


def is_grounded(answer: str, known: str) -> bool:
    """Tell whether every number, and every mode of a tonic that was measured, is the tools'."""
    said, modes = measured_modes(answer), measured_modes(known)
    wrong = [tonic for tonic, mode in said.items() if modes.get(tonic, mode) != mode]
    return not wrong and not ungrounded_numbers(answer, known)


def ask_all(model: Any, processor: Any, trial: Trial, book: AnswerBook) -> None:
    """Hold dialogues of one to three questions that the book does not hold yet.

    Args:
        model: A `LlarkForConditionalGeneration` in evaluation mode.
        processor: Its processor.
        trial: What the dialogues are about.
        book: Keeps them, `CHUNK` at a time.
    """
    clips = compose_clips(
        min(trial.n, MAX_CLIPS), trial.soundfont, trial.seconds, trial.instruments, trial.skip
    )
    with ears_of(model):
        assistant = Assistant(model, processor)
        for first in range(0, trial.n, CHUNK):
            n = min(CHUNK, trial.n - first)
            book.part(
                f"dialogues-{first:06d}", partial(ask, assistant, clips, n, trial.skip, first)
            )


def report(rows: Sequence[Row], settings: dict[str, Any], folder: Path | None, plots: bool) -> str:
    """Score the turns; with a folder also write `scores.json` and `report.md`.

    Returns:
        The scores as Markdown: a column for all turns and one for each kind of want.
    """
    scores = score(rows)
    text = f"# Tool use\n{describe_run(settings)}\n\n{score_table(scores)}"
    return keep_report(folder, {"run": settings, "scores": scores}, text)
