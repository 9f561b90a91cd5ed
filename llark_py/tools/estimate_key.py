"""The tool that measures the key of a recording."""

from __future__ import annotations

from dataclasses import dataclass

from llark_py.analysis.harmony import measure_harmony
from llark_py.audio import Audio
from llark_py.instruct.listing import list_modulations
from llark_py.track import KeySpan

from ._result import as_confidence, detail
from ._workspace import Workspace


@dataclass(frozen=True)
class Key:
    """The key, the next likeliest key, which other keys begin when, the tuning in cents from
    A4 = 440 Hz, and every key with its time."""

    key: str
    runner_up: str
    confidence: float
    modulations: str | None
    tuning_cents: float
    keys: tuple[KeySpan, ...] = detail()


def estimate_key(audio: Audio, workspace: Workspace) -> Key:
    """Measure the musical key (tonic and mode) of a recording.

    Args:
        audio: Id of the recording, such as audio_1.

    Returns:
        The key of most of it, the runner-up and a confidence from 0 to 1, which other keys begin
        when such as 'C major 1:20', and how many cents it is tuned above A4 = 440 Hz.
    """
    workspace.progress(0.0, "finding the key")
    harmony = measure_harmony(audio)
    return Key(
        key=harmony.key,
        runner_up=harmony.runner_up,
        confidence=as_confidence(harmony.confidence),
        modulations=list_modulations([(a, key) for a, _, key in harmony.keys], audio.duration_s),
        tuning_cents=round(harmony.tuning_cents, 1),
        keys=tuple(KeySpan(round(a, 1), round(b, 1), key) for a, b, key in harmony.keys),
    )
