"""A folder that `llark compose` wrote: NAME.wav with its facts in NAME.json."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from llark_py.errors import ConfigError
from llark_py.track import Source, Track


def read_tracks(root: Path) -> Iterator[Track]:
    """Read every clip of the folder, in order of name.

    Args:
        root: The folder.

    Yields:
        The facts as they were composed; `audio_path` is absolute.

    Raises:
        ConfigError: There is no such folder, no clip in it, facts that are no Track, or no sound.
    """
    if not root.is_dir():
        raise ConfigError(f"no folder '{root}'; expected clips made by `llark compose`")
    files = sorted(root.glob("*.json"))
    if not files:
        raise ConfigError(f"'{root}' holds no clips; make some with: llark compose {root}")
    for file in files:
        try:
            track = Track.model_validate_json(file.read_text(encoding="utf-8"))
        except ValidationError as error:
            problem = error.errors()[0]["msg"]
            raise ConfigError(f"{file} holds no facts of a clip: {problem}") from error
        audio = root / (track.audio_path or f"{file.stem}.wav")
        if not audio.is_file():
            raise ConfigError(f"{file} has no sound beside it; expected {audio.name}")
        yield track.model_copy(
            update={
                "audio_path": str(audio.resolve()),
                "sources": {"*": Source("dataset:composed")},
            }
        )
