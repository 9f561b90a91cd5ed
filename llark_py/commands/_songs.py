"""What commands that take recordings share: the batch border and the place of made files."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from llark_py.errors import LlarkError

EXIT_FAILED_ITEMS = 1


def for_each_song(
    songs: Sequence[Path],
    work: Callable[[Path], None],
    on_error: Callable[[Path, str], None] = lambda song, message: None,
) -> int:
    """Do something with each song; a bad one among several is told on stderr and left out.

    Args:
        songs: Paths.
        work: Called with each.
        on_error: Called after the complaint, with the song and the message.

    Returns:
        The exit code: 0, or 1 when a song failed.

    Raises:
        LlarkError: The only song failed.
    """
    failed = 0
    for song in songs:
        try:
            work(song)
        except LlarkError as error:
            if len(songs) == 1:
                raise
            message = str(error)
            print(f"llark: {song}: {' '.join(message.split())}", file=sys.stderr)
            on_error(song, message)
            failed += 1
    return EXIT_FAILED_ITEMS if failed else 0


def save_all(artefacts: Sequence[Any], folder: Path | None, song: Path) -> list[Path]:
    """Put artefacts where the user finds them, named after the song; tell it on stderr.

    Several of one kind take their own names too: `song.drums.wav`.

    Args:
        artefacts: What tools made (`Artefact`).
        folder: None is the current folder.
        song: Whose name they take.
    """
    from llark_py.assistant.artefacts import save_artefact

    endings = Counter(a.path.suffix for a in artefacts)
    paths = []
    for artefact in artefacts:
        several = endings[artefact.path.suffix] > 1
        stem = f"{song.stem}.{Path(artefact.name).stem}" if several else song.stem
        paths.append(save_artefact(artefact, folder or Path(), stem))
    for path in paths:
        print(f"wrote {path}", file=sys.stderr)
    return paths
