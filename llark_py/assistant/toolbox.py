"""Runs the tools of one turn in a thread of their own and tells what they do as events."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextvars import copy_context
from functools import partial
from pathlib import Path
from queue import Queue
from threading import Event as Flag
from threading import Thread

from llark_py.audio import Audio
from llark_py.errors import LlarkError
from llark_py.messages import AudioPart, ToolCall, ToolResult
from llark_py.tools import Cancelled, Workspace, run_tool

from .events import ArtefactReady, Event, ToolFinished, ToolProgress, ToolStarted

_Report = tuple[float, str]


class Toolbox:
    """The recordings, the desk and the stop button of one turn.

    Args:
        audios: The recordings of the conversation by id.
        folder: Where artefacts are written.
        first_artefact: Number of the first artefact of the turn.
        admit: Called with all recordings of the turn that tools made, whenever there are new
            ones; raises a `LlarkError` if the model cannot take them in.
        stop: Set it to stop the tool that runs and those that wait.
        sounds: Sounds that tools made in earlier turns, by id.
    """

    def __init__(
        self,
        audios: Mapping[str, Audio],
        folder: Path,
        *,
        first_artefact: int,
        admit: Callable[[Sequence[AudioPart]], None],
        stop: Flag,
        sounds: Mapping[str, Path] | None = None,
    ):
        self._audios, self._admit, self._stop = audios, admit, stop
        self._messages: Queue[_Report | ToolResult | BaseException] = Queue()
        self._workspace = Workspace(
            folder,
            first_number=first_artefact,
            report=lambda fraction, note: self._messages.put((fraction, note)),
            is_cancelled=stop.is_set,
            earlier_sounds=sounds,
        )

    def run(self, calls: Sequence[ToolCall]) -> Generator[Event, None, list[ToolResult]]:
        """Run calls one after another.

        Returns:
            Their results; fewer than calls when the turn was stopped.
        """
        results = []
        for call in calls:
            if self._stop.is_set():
                break
            yield ToolStarted(call)
            result = yield from self._run_one(call)
            if result is None:
                break
            results.append(result)
            yield ToolFinished(call, result)
            made = (a for a in self._workspace.artefacts if a.id in result.artefacts)
            yield from map(ArtefactReady, made)
        return results

    def recordings(self, results: Sequence[ToolResult]) -> tuple[AudioPart, ...]:
        """Give the recordings that the tools of some results made, in order."""
        made = self._workspace.recordings
        return tuple(made[audio_id] for result in results for audio_id in result.recordings)

    def reject(self, call: ToolCall, reason: str) -> Generator[Event, None, list[ToolResult]]:
        """Answer a call that could not be read with an error."""
        result = ToolResult(call.id, call.name, {"error": f"the tool call was not valid: {reason}"})
        yield ToolStarted(call)
        yield ToolFinished(call, result)
        return [result]

    def _run_one(self, call: ToolCall) -> Generator[Event, None, ToolResult | None]:
        # A thread begins with an empty context; the tool is to find the caller's.
        run = partial(copy_context().run, self._work, call)
        thread = Thread(target=run, name=f"llark-{call.name}", daemon=True)
        thread.start()
        try:
            while isinstance(message := self._messages.get(), tuple):
                yield ToolProgress(call, *message)
        except GeneratorExit:
            self._stop.set()
            raise
        finally:
            thread.join()
        if isinstance(message, ToolResult):
            return message
        if isinstance(message, Cancelled):
            return None
        raise message

    def _work(self, call: ToolCall) -> None:
        try:
            result = run_tool(
                call.name, call.arguments, self._audios, self._workspace, call_id=call.id
            )
            if result.recordings:
                result = self._let_in(result)
        except BaseException as error:  # handed to the thread that reads the messages
            self._messages.put(error)
        else:
            self._messages.put(result)

    def _let_in(self, result: ToolResult) -> ToolResult:
        """Take new recordings into the conversation; those the model cannot hear are an error."""
        try:
            self._admit(tuple(self._workspace.recordings.values()))
        except LlarkError as error:
            for audio_id in result.recordings:
                del self._workspace.recordings[audio_id]
            return ToolResult(result.call_id, result.name, {"error": str(error)})
        return result
