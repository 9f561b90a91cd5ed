"""Key and tuning: the encoder says the key, librosa how far the pitch is from A4 = 440 Hz."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llark_py.audio import Audio
from llark_py.theory import KEYS

from .listening import check_music, check_sounding, listen

MIN_DURATION_S = 2.0
_TUNING_RATE = 22_050
_TUNING_SPAN_S = 30.0  # the tuning of half a minute is the tuning of the song


@dataclass(frozen=True)
class Harmony:
    """The key (`F# minor`), its rival, how sure the encoder is (0..1), tuning in cents."""

    key: str
    runner_up: str
    confidence: float
    tuning_cents: float


def measure_harmony(audio: Audio) -> Harmony:
    """Measure the key and the tuning of a recording.

    Args:
        audio: Any rate, mono or stereo, at least 2 s.

    Returns:
        `confidence` is the posterior probability of the key; `tuning_cents` lies in [-50, 50),
        0 meaning A4 = 440 Hz.

    Raises:
        ToolError: Silent, too short, or not music.
    """
    check_sounding(audio, MIN_DURATION_S, "a key")
    posteriors = listen(audio)
    check_music(posteriors)
    second, first = np.argsort(posteriors.key)[-2:]
    return Harmony(
        key=KEYS[first],
        runner_up=KEYS[second],
        confidence=float(np.clip(posteriors.key[first] / posteriors.key.sum(), 0.0, 1.0)),
        tuning_cents=measure_tuning(audio),
    )


def measure_tuning(audio: Audio) -> float:
    """Measure how many cents the recording lies above A4 = 440 Hz, in [-50, 50).

    Reads the middle half minute.
    """
    import librosa

    middle = audio.duration_s / 2
    excerpt = audio.slice(middle - _TUNING_SPAN_S / 2, middle + _TUNING_SPAN_S / 2)
    samples = excerpt.mono().resample(_TUNING_RATE).samples
    return 100.0 * float(librosa.estimate_tuning(y=samples, sr=_TUNING_RATE))
