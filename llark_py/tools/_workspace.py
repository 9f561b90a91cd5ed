"""What a tool is given besides its arguments: a place for files, a way to report, a way to stop."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from llark_py.audio import Audio, save_audio
from llark_py.messages import AudioPart

ArtefactKind = Literal["midi", "audio", "image"]
_PREFIX = "artefact_"
_AUDIO_ID = re.compile(r"^audio_(\d+)$")


@dataclass(frozen=True)
class Artefact:
    """A file that a tool made.

    Attributes:
        id: The name it has in the conversation (`artefact_1`).
        kind: `midi`, `audio` or `image`.
        name: A file name for people (`transcription.mid`).
        media_type: Such as `audio/midi`.
        path: Where it lies.
    """

    id: str
    kind: ArtefactKind
    name: str
    media_type: str
    path: Path


class Cancelled(Exception):
    """Raised inside a tool when nobody waits for its answer any more."""


def _report_nothing(fraction: float, note: str) -> None:
    pass


def _never() -> bool:
    return False


class Workspace:
    """The desk of one tool call or of several in a row.

    Args:
        folder: Where artefacts are written; None makes a temporary folder that lives as long as
            the workspace.
        first_number: Number of the first artefact, so that ids stay unique in a conversation.
        report: Called with a fraction in [0, 1] and a short note.
        is_cancelled: Asked before every report; when true the tool is stopped.
        earlier_sounds: Sounds that tools made before, by id.

    Attributes:
        artefacts: The files that tools made here.
        recordings: The recordings that tools made here, by the id that later calls may name.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        first_number: int = 1,
        report: Callable[[float, str], None] = _report_nothing,
        is_cancelled: Callable[[], bool] = _never,
        earlier_sounds: Mapping[str, Path] | None = None,
    ):
        self._temporary = tempfile.TemporaryDirectory(prefix="llark-") if folder is None else None
        self.folder = Path(self._temporary.name) if self._temporary else Path(folder or "")
        self.artefacts: list[Artefact] = []
        self.recordings: dict[str, AudioPart] = {}
        self._next_number, self._last_audio = first_number, 0
        self._report, self._is_cancelled = report, is_cancelled
        self._earlier_sounds = dict(earlier_sounds or {})

    @property
    def sounds(self) -> dict[str, Path]:
        """The sounds of this conversation that tools made and that are still there, by id."""
        made = {a.id: a.path for a in self.artefacts if a.kind == "audio"}
        return {i: path for i, path in (self._earlier_sounds | made).items() if path.is_file()}

    def new_artefact(self, kind: ArtefactKind, name: str, media_type: str) -> Artefact:
        """Reserve an id and a path; the tool then writes the file.

        Args:
            kind: What it is.
            name: File name for people, with its ending.
            media_type: Such as `audio/midi`.
        """
        artefact_id = f"{_PREFIX}{self._next_number}"
        self._next_number += 1
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{artefact_id}{Path(name).suffix}"
        artefact = Artefact(artefact_id, kind, name, media_type, path)
        self.artefacts.append(artefact)
        return artefact

    def reserve(self, audio_ids: Iterable[str]) -> None:
        """Let no new recording take an id that one of the conversation has."""
        numbers = (int(found[1]) for i in audio_ids if (found := _AUDIO_ID.match(i)))
        self._last_audio = max(self._last_audio, *numbers, 0)

    def new_sound(self, audio: Audio, name: str) -> Artefact:
        """Make a sound that later calls may name by its id, though the model does not hear it.

        Args:
            audio: The sound.
            name: File name for people, ending in `.wav`.
        """
        artefact = self.new_artefact("audio", name, "audio/wav")
        save_audio(audio, artefact.path)
        return artefact

    def new_recording(self, audio: Audio, name: str) -> tuple[AudioPart, Artefact]:
        """Add a recording to the conversation, and its file to the artefacts.

        Args:
            audio: What the model is to hear and other tools may measure.
            name: File name for people, ending in `.wav`.
        """
        artefact = self.new_sound(audio, name)
        self._last_audio += 1
        part = AudioPart(f"audio_{self._last_audio}", audio, name)
        self.recordings[part.id] = part
        return part, artefact

    def progress(self, fraction: float, note: str) -> None:
        """Say how far the work is.

        Raises:
            Cancelled: The caller has gone.
        """
        if self._is_cancelled():
            raise Cancelled
        self._report(min(1.0, max(0.0, fraction)), note)
