"""Scripted conversations over all tools: the right tool, its arguments, chains, grounded numbers.

The words were written by hand (`tests/conversations`), not by the grammar that trains the model.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

from llark_py.assistant.conversation import next_recording_number
from llark_py.assistant.core import Answer, Assistant
from llark_py.assistant.ears import ears_of
from llark_py.assistant.grounding import heard_numbers, told_times
from llark_py.compose.clip import make_song
from llark_py.compose.instruments import family_of
from llark_py.compose.score import compose
from llark_py.errors import ConfigError
from llark_py.messages import AudioPart, Message, ToolCall, ToolResult, user

from .answers import AnswerBook, Row
from .call_checks import fulfils, given_by, right_verdict, same_tools
from .clips import FIRST_SEED, Clip
from .estimates import Draws, Estimate
from .kept_report import keep_report
from .scripts import Script, read_scripts
from .separated_once import separating_once
from .table import describe_run, markdown_table
from .tool_use import is_grounded, is_readable
from .trial import Trial

SONG_S = 60.0
"""The scripts name times up to here."""
# Songs that somebody sings, with drums and bass, so that every tool finds something.
_STYLES = ("pop", "funk", "jazz", "rock", "country", "reggae")
_SEED = FIRST_SEED + 50_000_000
_TRIES = 40
_NEEDED = {"voice", "drums", "bass"}
_CHUNK = 10
ALL, NO_TOOL, CHAIN = "all", "no tool", "chain"


class Asked(Protocol):
    """Whoever answers with tools; `Assistant` is a model."""

    def ask(self, conversation: Sequence[Message]) -> Answer: ...


def compose_band_song(style: str, soundfont: str, skip: int = 0) -> Clip:
    """Compose a song of a minute in a style, with a singer, drums and bass."""
    first = _SEED + skip * _TRIES
    for seed in range(first, first + _TRIES):
        score = compose(seed, SONG_S, style=style, sung=True, whole=True)
        if {family_of(part.instrument) for part in score.parts} >= _NEEDED:
            break
    return Clip(*make_song(seed, SONG_S, soundfont, style=style, sung=True))


def ask_all(model: Any, processor: Any, trial: Trial, book: AnswerBook) -> None:
    """Hold `trial.n` conversations that the book does not hold yet.

    Args:
        model: A `LlarkForConditionalGeneration` in evaluation mode.
        processor: Its processor.
        trial: Its `scripts` are played; one song after the other, so that what was heard and
            separated of a song is still there for its next conversation.
        book: Keeps the turns, ten conversations at a time.

    Raises:
        ConfigError: No scripts are given, or they cannot be read.
    """
    if trial.scripts is None:
        raise ConfigError("'conversations' needs --scripts FOLDER (such as tests/conversations)")
    scripts = read_scripts(trial.scripts, trial.n)
    songs = [compose_band_song(style, trial.soundfont, trial.skip) for style in _STYLES]
    with ears_of(model), separating_once():
        assistant = Assistant(model, processor)
        for i in range(len(songs)):
            own = scripts[i :: len(songs)]
            pair = songs[i], songs[(i + 1) % len(songs)]
            for first in range(0, len(own), _CHUNK):
                chunk = own[first : first + _CHUNK]
                book.part(f"song-{i}-{first:04d}", partial(hold, assistant, pair, chunk))


def hold(assistant: Asked, songs: Sequence[Clip], scripts: Sequence[Script]) -> Iterator[Row]:
    """Hold conversations about a song, or about it and another one.

    Yields:
        One row a turn: `{"id", "turn", "question", "plans", "calls", "results", "answer",
        "known", "durations_s"}`; `known` is what had been measured or asked before, which may be
        quoted too.
    """
    for script in scripts:
        history: list[Message] = []
        known: list[str] = []
        durations_s: dict[str, float] = {}
        for number, turn in enumerate(script.turns):
            new = songs[len(durations_s) : len(durations_s) + turn.n_new]
            first = next_recording_number(history)
            sounds = [AudioPart(f"audio_{i}", s.audio) for i, s in enumerate(new, first)]
            durations_s |= {part.id: part.audio.duration_s for part in sounds}
            known += [heard_numbers(told_times(part.audio.duration_s)) for part in sounds]
            history.append(user(turn.question, *sounds))
            answer = assistant.ask(history)
            history += answer.messages
            known += [turn.question, *(json.dumps(r.content) for r in answer.tool_results)]
            yield {
                "id": script.id,
                "turn": number,
                "question": turn.question,
                "plans": turn.plans,
                "calls": [[call.name, call.arguments] for call in answer.tool_calls],
                "results": [result.content for result in answer.tool_results],
                "answer": answer.text,
                "known": "\n".join(known),
                "durations_s": dict(durations_s),
                "verdict": turn.verdict,
            }


def judge(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Check every turn.

    Args:
        rows: Turns of whole conversations, in order.

    Returns:
        For each row `id`, `want` (the tool, `chain` or `no tool`), `well_formed`, `right_tool`,
        `right_arguments` (None where other tools were called, or none are wanted),
        `chain_completed` (None where none is wanted), `right_verdict` (None where no recording is
        to be named, or nothing was compared), `grounded` (None without a call) and `answered`.
    """
    judged = []
    for script_id, turns in groupby(rows, key=lambda row: row["id"]):
        earlier: dict[str, Any] = {}
        for row in turns:
            judged.append({"id": script_id, **_judge_turn(row, earlier)})
            earlier |= dict(given_by(row["calls"], row["results"]))
    return judged


def _judge_turn(row: Mapping[str, Any], earlier: Mapping[str, Any]) -> dict[str, Any]:
    calls, results, plans = row["calls"], row["results"], row["plans"]
    right = [plan for plan in plans if same_tools(calls, plan)]
    fulfilled = any(fulfils(calls, p, results, earlier, row["durations_s"]) for p in right)
    # A chain begins in this turn, or takes up what an earlier one gave.
    main: Sequence[Any] = plans[0]
    is_chain = any("$" in json.dumps(arguments) for _, arguments in main)
    return {
        "want": CHAIN if len(main) > 1 else main[0][0] if main else NO_TOOL,
        "well_formed": all(
            is_readable(ToolCall("", name, arguments), ToolResult("", name, content))
            for (name, arguments), content in zip(calls, results, strict=True)
        ),
        "right_tool": bool(right),
        "right_arguments": fulfilled if right and main else None,
        "chain_completed": fulfilled if is_chain else None,
        "right_verdict": right_verdict(row["answer"], row.get("verdict"), results),
        "grounded": is_grounded(row["answer"], row["known"]) if calls else None,
        "answered": bool(row["answer"].strip()),
    }


def score(judged: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Estimate | int]]:
    """Score judged turns, all of them and by what they wanted.

    Returns:
        By want: `conversations`, `turns`, and the share of turns of every check, with intervals
        over conversations; a check that no turn was put to is left out.
    """
    by_want: dict[str, list[Mapping[str, Any]]] = {ALL: list(judged)}
    for checks in sorted(judged, key=lambda c: c["want"]):
        by_want.setdefault(checks["want"], []).append(checks)
    scores: dict[str, dict[str, Estimate | int]] = {}
    for want, of in by_want.items():
        column: dict[str, Estimate | int] = {
            "conversations": len({checks["id"] for checks in of}),
            "turns": len(of),
        }
        for name in [key for key in of[0] if key not in ("id", "want")] if of else []:
            asked = [checks for checks in of if checks[name] is not None]
            if asked:
                draws = Draws([checks["id"] for checks in asked])
                column[name] = draws.mean([checks[name] for checks in asked])
        scores[want] = column
    return scores


def report(rows: Sequence[Row], settings: dict[str, Any], folder: Path | None, plots: bool) -> str:
    """Score the turns; with a folder also write `scores.json` and `report.md`.

    Returns:
        The scores as Markdown, and every turn that went wrong.
    """
    judged = judge(rows)
    scores = score(judged)
    names = list(dict.fromkeys(name for column in scores.values() for name in column))
    table = [[want, *(_cell(column.get(n)) for n in names)] for want, column in scores.items()]
    text = "\n\n".join(
        [
            f"# Scripted conversations\n{describe_run(settings)}\n\n"
            "Shares of turns, with 95 % bootstrap intervals over conversations.",
            markdown_table(["wanted", *names], table),
            "## What went wrong\n" + "\n".join(_mistakes(rows, judged)),
        ]
    )
    plain = {
        want: {k: v.as_dict() if isinstance(v, Estimate) else v for k, v in column.items()}
        for want, column in scores.items()
    }
    return keep_report(folder, {"run": settings, "scores": plain}, text)


def _cell(value: Estimate | int | None) -> str:
    if isinstance(value, Estimate):
        return f"{value.value:.3f} [{value.low:.3f}, {value.high:.3f}]"
    return "-" if value is None else str(value)


def _mistakes(rows: Sequence[Row], judged: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for row, checks in zip(rows, judged, strict=True):
        if failed := [name for name, passed in checks.items() if passed is False]:
            calls = "; ".join(f"{name} {json.dumps(a)}" for name, a in row["calls"]) or "nothing"
            wanted = " or ".join(json.dumps(plan) for plan in row["plans"])
            yield f"- **{row['question']}** ({row['id']}): {', '.join(failed)}"
            yield f"  - wanted `{wanted}`, called `{calls}`"
            yield f"  - {row['answer'] or '(nothing)'}"
