"""Stems: vocals, drums, bass and everything else, each as a sound of its own."""

from __future__ import annotations

from collections.abc import Collection

from llark_py.audio import Audio
from llark_py.errors import UnknownNameError

from .listening import Progress

STEMS = ("vocals", "drums", "bass", "other")


def _tell_nobody(fraction: float, note: str) -> None:
    pass


def separate(
    audio: Audio, stems: Collection[str] = STEMS, progress: Progress | None = None
) -> dict[str, Audio]:
    """Separate a recording into stems.

    Args:
        audio: Any rate, mono or stereo.
        stems: Which of `STEMS`.
        progress: Called with the fraction done and what is being done; may raise to stop.

    Returns:
        Stem -> its sound, of the same length, rate and channels as `audio`. All four together are
        the recording.

    Raises:
        UnknownNameError: There is no such stem.
        CheckpointError: This copy of the package holds no separator.
    """
    from .separator import separate_stems

    for stem in stems:
        if stem not in STEMS:
            raise UnknownNameError("stem", stem, STEMS)
    found = separate_stems(audio, progress or _tell_nobody)
    return {stem: found[stem] for stem in stems}
