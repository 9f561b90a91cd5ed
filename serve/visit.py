"""One visitor of the chat page: the songs, the conversation, and how they are shown.

Nothing here knows Gradio; messages are shown as the plain dicts its chat window takes.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event as Flag
from typing import Any, Protocol

from llark_py.assistant.artefacts import free_path
from llark_py.assistant.conversation import next_recording_number
from llark_py.assistant.events import (
    ArtefactReady,
    Done,
    Event,
    TextDelta,
    ToolFinished,
    ToolProgress,
    ToolStarted,
)
from llark_py.audio import load_audio
from llark_py.errors import LlarkError
from llark_py.messages import AudioPart, Message, ToolResult, user

NO_SONG = "Give me a song first: upload or record one, or pick an example on the left."
_SUMMARY_LENGTH = 70

Shown = dict[str, Any]


class Answers(Protocol):
    """What the page needs of an assistant."""

    def stream(self, messages: Sequence[Message], *, cancel: Flag | None = None) -> Iterator[Event]:
        """Answer the last message of a conversation, event by event, until `cancel` is set."""


class Visit:
    """What one visitor has given, asked and been told. Two visitors never share one."""

    def __init__(self) -> None:
        self.song: AudioPart | None = None
        self.other: AudioPart | None = None
        self.messages: list[Message] = []
        self.shown: list[Shown] = []
        self.files: list[str] = []
        self._folder: TemporaryDirectory[str] | None = None
        self._stop = Flag()

    def __deepcopy__(self, memo: dict[int, Any]) -> Visit:
        """Start anew: Gradio copies the visit it was given for each visitor."""
        return Visit()

    def clear(self) -> None:
        """Forget what was said, stop what is being said, keep the songs."""
        self._stop.set()
        self._stop = Flag()
        # New lists: an answer still on its way goes on writing into the old ones.
        self.messages, self.shown, self.files = [], [], []

    def open_song(self, path: str, name: str) -> None:
        """Take another song and begin a new conversation about it.

        Raises:
            AudioError: It cannot be used; then nothing changes.
        """
        self.song = AudioPart("audio_1", load_audio(path), name)
        self.clear()

    def open_other(self, path: str, name: str) -> None:
        """Take a song to compare: the next question is about both.

        In place of an earlier one it begins a new conversation.

        Raises:
            AudioError: It cannot be used; then nothing changes.
        """
        before, self.other = self.other, AudioPart("audio_2", load_audio(path), name)
        if before is not None:
            self.clear()

    def close_other(self) -> None:
        """Take the song to compare away; what was said about it goes as well."""
        if self.other is not None:
            self.other = None
            self.clear()

    def complain(self, text: str, shown: list[Shown] | None = None) -> None:
        """Show the visitor what went wrong, as a message in the chat (or in another one)."""
        sorry = {"role": "assistant", "content": f"**Sorry:** {text}"}
        (self.shown if shown is None else shown).append(sorry)

    def ask(self, assistant: Answers, question: str) -> Iterator[None]:
        """Put a question; `shown` and `files` grow, and each yield says that they have."""
        messages, shown, files = self.messages, self.shown, self.files
        shown.append({"role": "user", "content": question})
        yield
        if self.song is None:
            shown.append({"role": "assistant", "content": NO_SONG})
            yield
            return
        asked = user(question, *self._unheard())
        steps: dict[str, Shown] = {}
        started: dict[str, float] = {}
        words: Shown | None = None
        try:
            for event in assistant.stream([*messages, asked], cancel=self._stop):
                if isinstance(event, TextDelta):
                    if words is None:
                        words = {"role": "assistant", "content": ""}
                        shown.append(words)
                    words["content"] += event.text
                elif isinstance(event, ToolStarted):
                    words = None
                    started[event.call.id] = time.monotonic()
                    steps[event.call.id] = _step(event.call.name)
                    shown.append(steps[event.call.id])
                elif isinstance(event, ToolProgress):
                    steps[event.call.id]["content"] = f"{event.note} ({event.fraction:.0%})"
                elif isinstance(event, ToolFinished):
                    _finish(steps[event.call.id], event.result)
                    seconds = time.monotonic() - started[event.call.id]
                    steps[event.call.id]["metadata"]["duration"] = round(seconds, 1)
                elif isinstance(event, ArtefactReady):
                    files.append(self._keep(event.artefact.path, event.artefact.name))
                    if event.artefact.kind == "audio":
                        shown.append(_player(files[-1], event.artefact.name))
                elif isinstance(event, Done):
                    messages += [asked, *event.messages]
                    if event.ungrounded:
                        shown.append(_doubt(event.ungrounded))
                yield
        except LlarkError as error:
            self.complain(str(error), shown)
            yield
        finally:
            for step in steps.values():  # a step never spins on after its answer has stopped
                step["metadata"]["status"] = "done"

    def _unheard(self) -> list[AudioPart]:
        """List the songs that go with the next question, under the ids that are free."""
        heard = [part.audio for message in self.messages for part in message.audios]
        songs = [song for song in (self.song, self.other) if song is not None]
        new = [song for song in songs if not any(song.audio is audio for audio in heard)]
        first = next_recording_number(self.messages)
        return [replace(song, id=f"audio_{n}") for n, song in enumerate(new, first)]

    def _keep(self, path: Path, name: str) -> str:
        """Copy a file to where the page may serve it, named after the song."""
        if self._folder is None:
            self._folder = TemporaryDirectory(prefix="llark-page-")
        song = Path(self.song.name).stem if self.song else "song"
        kept = free_path(Path(self._folder.name) / f"{song} - {name}")
        shutil.copyfile(path, kept)
        return str(kept)


def _step(name: str) -> Shown:
    """Show a tool that has begun."""
    return {
        "role": "assistant",
        "content": "working …",
        "metadata": {"title": readable(name), "status": "pending"},
    }


def _finish(step: Shown, result: ToolResult) -> None:
    """Show what a tool found, or why it did not."""
    step["metadata"]["status"] = "done"
    if result.error:
        step["metadata"]["log"] = "could not answer"
        step["content"] = result.error
        return
    step["metadata"]["log"] = summary(result.content)
    step["content"] = f"```json\n{json.dumps(result.content, indent=2, ensure_ascii=False)}\n```"


def _player(path: str, name: str) -> Shown:
    """Let the visitor hear a sound that a tool made."""
    stem = Path(name).stem
    return {"role": "assistant", "content": [stem, {"path": path, "alt_text": stem}]}


def _doubt(ungrounded: Sequence[str]) -> Shown:
    """Warn of what the answer says without a source."""
    listed = ", ".join(ungrounded)
    return {
        "role": "assistant",
        "content": f"*Not from a tool, the listener or your question: {listed}.*",
    }


def readable(name: str) -> str:
    """Write a name of the code for people: `estimate_tempo` -> `Estimate tempo`."""
    return name.replace("_", " ").capitalize()


def summary(content: dict[str, Any], length: int = _SUMMARY_LENGTH) -> str:
    """Write the first findings of a tool in one short line."""
    findings: Sequence[str] = [
        f"{key.replace('_', ' ')} {value}"
        for key, value in content.items()
        if isinstance(value, (str, int, float))
    ]
    line = ", ".join(findings)
    return line if len(line) <= length else line[:length].rsplit(",", 1)[0] + ", …"
