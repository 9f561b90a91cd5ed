"""Questions as people type them, about composed songs, answered with real tools, to be read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from llark_py.assistant.core import Answer, Assistant
from llark_py.assistant.ears import ears_of
from llark_py.assistant.grounding import heard_numbers, told_times
from llark_py.errors import ConfigError
from llark_py.messages import AudioPart, Message, user
from llark_py.track import Track

from .answers import AnswerBook, Row
from .clips import Clip
from .kept_report import keep_report
from .songs import compose_songs
from .table import describe_run, markdown_table
from .tool_use import is_grounded
from .trial import Trial
from .typed_checks import check_answer, check_tools
from .typed_questions import Question, read_questions

N_SONGS = 5


class Asked(Protocol):
    """Whoever answers with tools; `Assistant` is a model."""

    def ask(self, conversation: Sequence[Message]) -> Answer: ...


def ask_all(model: Any, processor: Any, trial: Trial, book: AnswerBook) -> None:
    """Ask every question of the file about one of a few songs, each in a dialogue of its own.

    Args:
        model: A `LlarkForConditionalGeneration` in evaluation mode.
        processor: Its processor.
        trial: Its `questions` are asked; `n` does not count here.
        book: Keeps the answers, song by song.

    Raises:
        ConfigError: No questions are given, or they cannot be read.
    """
    if trial.questions is None:
        raise ConfigError("'typed' needs --questions FILE (such as tests/questions/typed.yaml)")
    questions = read_questions(trial.questions)
    songs = compose_songs(N_SONGS, trial.soundfont, trial.skip)
    with ears_of(model):
        assistant = Assistant(model, processor)
        for i, song in enumerate(songs):
            asked = questions[i :: len(songs)]
            book.part(f"song-{i}", partial(ask_song, assistant, song, asked))


def ask_song(assistant: Asked, song: Clip, questions: Sequence[Question]) -> Iterable[Row]:
    """Ask about one song.

    Yields:
        `{"id", "facts", "half", "question", "wants", "instead", "calls", "results", "answer",
        "known"}`.
    """
    facts = facts_of(song.track)
    for question in questions:
        answer = assistant.ask([user(question.text, AudioPart("audio_1", song.audio))])
        known = [
            question.text,
            heard_numbers(told_times(song.audio.duration_s)),
            *(json.dumps(result.content) for result in answer.tool_results),
        ]
        yield {
            "id": song.track.id,
            "facts": facts,
            "half": question.half,
            "question": question.text,
            "wants": list(question.wants),
            "instead": list(question.instead),
            "calls": [[call.name, call.arguments] for call in answer.tool_calls],
            "results": [result.content for result in answer.tool_results],
            "answer": answer.text,
            "known": "\n".join(known),
        }


def facts_of(track: Track) -> str:
    """Write what is true of a song, for the person who reads the answers."""
    players = ", ".join(
        f"{i.name} (from {_clock(i.activity[0][0])})" if i.activity else i.name
        for i in track.instruments
    )
    sections = ", ".join(f"{_clock(s.start_s)} {s.label}" for s in track.sections)
    chords = " ".join(dict.fromkeys(c.label for c in track.chords))
    tempo = f"{track.tempo_bpm:.1f} BPM" if track.tempo_bpm else None
    facts = {
        "style": track.genre,
        "mood": track.mood,
        "tempo": tempo,
        "time signature": track.time_signature,
        "key": track.key,
        "lead": track.lead,
        "instruments": players,
        "sections": sections,
        "chords": chords,
        "length": _clock(track.duration_s),
    }
    return "; ".join(f"{name}: {value}" for name, value in facts.items() if value)


def _clock(time_s: float) -> str:
    return f"{int(time_s) // 60}:{int(time_s) % 60:02d}"


def judge(row: Row) -> dict[str, bool]:
    """Check what can be checked of an answer.

    Returns:
        `right_tools` (those wanted, or one that does as well), `grounded` (every number is
        measured, heard or asked), `right_kind` (both, and of the kind that is wanted; see
        `typed_checks`).
    """
    answered = [
        name
        for (name, _), result in zip(row["calls"], row["results"], strict=True)
        if "error" not in result
    ]
    grounded = is_grounded(row["answer"], row["known"])
    return {
        "right_tools": check_tools(
            row["wants"], [name for name, _ in row["calls"]], row["instead"]
        ),
        "grounded": grounded,
        "right_kind": grounded
        and check_answer(row["wants"], answered, row["answer"], row["instead"]),
    }


def report(rows: Sequence[Row], settings: dict[str, Any], folder: Path | None, plots: bool) -> str:
    """Count the checks by half; with a folder also write `scores.json` and `typed.md`.

    Returns:
        The counts as Markdown, followed by every question with its answer.
    """
    judged = [(row, judge(row)) for row in rows]
    halves = ["all", *dict.fromkeys(row["half"] for row in rows)]
    scores: dict[str, dict[str, int]] = {}
    for half in halves:
        of = [checks for row, checks in judged if half in ("all", row["half"])]
        scores[half] = {"questions": len(of)}
        scores[half] |= {name: sum(c[name] for c in of) for name in of[0]} if of else {}
    names = list(scores["all"])
    table = markdown_table(
        ["", *names], [[half, *(counts[n] for n in names)] for half, counts in scores.items()]
    )
    text = "\n\n".join(
        [
            f"# Typed questions\n{describe_run(settings)}\n\n"
            "Checked by word lists; whether an answer is true, and sensible, is for the reader.",
            table,
            *(_write_half(half, judged) for half in halves[1:]),
        ]
    )
    found = {"run": settings, "scores": scores}
    return keep_report(folder, found, text, name="typed.md")


def _write_half(half: str, judged: Sequence[tuple[Row, dict[str, bool]]]) -> str:
    lines = [f"## {half}"]
    song = None
    for row, checks in judged:
        if row["half"] != half:
            continue
        if row["id"] != song:
            song = row["id"]
            lines.append(f"\n### {song}\n{row['facts']}\n")
        failed = ", ".join(name for name, passed in checks.items() if not passed)
        calls = "; ".join(
            f"{name} {json.dumps(result)}"
            for (name, _), result in zip(row["calls"], row["results"], strict=True)
        )
        wants = " or ".join([", ".join(row["wants"]), *row["instead"]])
        lines.append(f"- **{row['question']}** ({wants})")
        if calls:
            lines.append(f"  - called: `{calls}`")
        lines.append(
            f"  - {row['answer'] or '(nothing)'}{f' [failed: {failed}]' if failed else ''}"
        )
    return "\n".join(lines)
