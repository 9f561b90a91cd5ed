"""Ask a question about one recording or several."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llark_py.audio import load_audio
from llark_py.errors import ConfigError
from llark_py.messages import AudioPart, user

from ._answering import (
    EndpointModelOption,
    EndpointOption,
    ModelOption,
    check_choice,
    open_assistant,
)
from ._songs import for_each_song, save_all

if TYPE_CHECKING:
    from llark_py.assistant.turns import ToolLoop


def ask(
    songs_and_question: Annotated[
        list[str],
        typer.Argument(metavar="SONG... QUESTION", help="Recordings, then the question."),
    ],
    model: ModelOption = None,
    endpoint: EndpointOption = None,
    endpoint_model: EndpointModelOption = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for files that tools make; default: the current one."),
    ] = None,
    together: Annotated[
        bool,
        typer.Option(help="Ask once about all recordings, to compare them; else about each."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line per song.")] = False,
) -> int:
    """Ask a question about one recording or several; the answer is streamed.

    The answer goes to stdout, the steps of the tools to stderr.
    """
    songs, question = _split(songs_and_question)
    check_choice(model, endpoint, endpoint_model)
    shown = _Printer(out, as_json)
    assistant: ToolLoop | None = None

    def answer(asked: list[Path]) -> None:
        nonlocal assistant
        started = time.perf_counter()
        heard = [
            AudioPart(f"audio_{n}", load_audio(song), song.name) for n, song in enumerate(asked, 1)
        ]
        if assistant is None:
            assistant = open_assistant(model, endpoint, endpoint_model)
        if len(asked) < len(songs) and not as_json:
            print(f"# {asked[0].name}", flush=True)
        shown.answer(assistant, user(question, *heard), asked, started)

    def fail(song: Path, message: str) -> None:
        if as_json:
            print(json.dumps({"song": str(song), "error": message}, ensure_ascii=False), flush=True)

    if together:
        answer(songs)
        return 0
    return for_each_song(songs, lambda song: answer([song]), fail)


def _split(given: list[str]) -> tuple[list[Path], str]:
    *songs, question = given
    if not songs:
        raise ConfigError('give a recording and a question: llark ask SONG "Which key is it in?"')
    if not question.strip():
        raise ConfigError("the question is empty")
    if Path(question).is_file():
        raise ConfigError(f"the question is missing: the last argument, '{question}', is a file")
    return [Path(s) for s in songs], question


class _Printer:
    """Shows the events of an answer as text, or collects them for a line of JSON."""

    def __init__(self, out: Path | None, as_json: bool):
        self._out, self._as_json = out, as_json

    def answer(self, assistant: ToolLoop, message: Any, songs: list[Path], started: float) -> None:
        from llark_py.assistant import events

        tools, artefacts, text = [], [], ""
        ungrounded: tuple[str, ...] = ()
        for event in assistant.stream([message]):
            match event:
                case events.TextDelta(piece):
                    self._write(piece)
                case events.ToolStarted(call):
                    arguments = ", ".join(f"{k}={json.dumps(v)}" for k, v in call.arguments.items())
                    self._tell(f"[{call.name}] {arguments}")
                case events.ToolFinished(call, result):
                    self._tell(f"[{call.name}] {json.dumps(result.content, ensure_ascii=False)}")
                    tools.append(
                        {
                            "name": call.name,
                            "arguments": call.arguments,
                            "result": result.content,
                            "details": result.details,
                        }
                    )
                case events.ArtefactReady(artefact):
                    artefacts.append(artefact)
                case events.Done(text=text, ungrounded=ungrounded):
                    self._write("\n")
        if ungrounded:
            self._tell(f"not from a tool, the listener or the question: {', '.join(ungrounded)}")
        paths = save_all(artefacts, self._out, songs[0])
        if self._as_json:
            several = {"songs": [str(song) for song in songs]}
            line = {
                **({"song": str(songs[0])} if len(songs) == 1 else several),
                "question": message.text,
                "answer": text,
                "ungrounded": list(ungrounded),
                "tools": tools,
                "artefacts": [str(p) for p in paths],
                "model": assistant.name,
                "seconds": round(time.perf_counter() - started, 3),
            }
            print(json.dumps(line, ensure_ascii=False), flush=True)

    def _write(self, text: str) -> None:
        if not self._as_json:
            print(text, end="", flush=True)

    def _tell(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)
