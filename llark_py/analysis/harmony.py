"""Key, modulations and tuning: the encoder says the key and the chords that tell where it changes,
spectral peaks how far it lies from A4 = 440 Hz."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llark_py.audio import Audio
from llark_py.theory import KEYS
from llark_py.track import KeySpan

from .keys import key_spans
from .listening import check_music, check_sounding, listen
from .spectrum import magnitudes

MIN_DURATION_S = 2.0
_SAMPLE_RATE, _WINDOW, _HOP = 16_000, 4096, 2048
_LOW_HZ, _HIGH_HZ = 150.0, 2000.0
_PEAK_FLOOR = 0.1
_WINDOW_S = 8.4  # of the embedded encoder: `MiniEncoderConfig.window_frames`
_SHARPER = 1.5
"""Power of the probabilities of a recording that is longer than one window of the encoder. Their
mean over the windows is too modest: where windows differ, most of them are right."""
_TUNING_SPAN_S = 30.0  # the tuning of half a minute is the tuning of the song


@dataclass(frozen=True)
class Harmony:
    """The key (`F# minor`), its rival, how sure the encoder is (0..1), tuning in cents.

    `keys` are the keys one after the other, without gaps; one where nothing modulates.
    """

    key: str
    runner_up: str
    confidence: float
    tuning_cents: float
    keys: tuple[KeySpan, ...] = ()


def measure_harmony(audio: Audio) -> Harmony:
    """Measure the key and the tuning of a recording.

    Args:
        audio: Any rate, mono or stereo, at least 2 s.

    Returns:
        `confidence` is the posterior probability of the key, sharpened where several windows were
        heard; `tuning_cents` lies in [-50, 50), 0 meaning A4 = 440 Hz.

    Raises:
        ToolError: Silent, too short, or not music.
    """
    check_sounding(audio, MIN_DURATION_S)
    posteriors = listen(audio)
    check_music(posteriors)
    second, first = np.argsort(posteriors.key)[-2:]
    chances = posteriors.key ** (_SHARPER if audio.duration_s > _WINDOW_S else 1.0)
    return Harmony(
        key=KEYS[first],
        runner_up=KEYS[second],
        confidence=float(np.clip(chances[first] / chances.sum(), 0.0, 1.0)),
        tuning_cents=measure_tuning(audio),
        keys=key_spans(posteriors),
    )


def measure_tuning(audio: Audio) -> float:
    """Measure how many cents the recording lies above A4 = 440 Hz, in [-50, 50).

    The circular mean, weighted by magnitude, of how far the spectral peaks of the middle half
    minute lie from the nearest semitone.
    """
    middle = audio.duration_s / 2
    excerpt = audio.slice(middle - _TUNING_SPAN_S / 2, middle + _TUNING_SPAN_S / 2)
    samples = excerpt.mono().resample(_SAMPLE_RATE).samples
    spectrum = magnitudes(samples, _WINDOW, _HOP)
    level = np.log(spectrum + 1e-9)
    before, here, after = level[:, :-2], level[:, 1:-1], level[:, 2:]
    loud = here > np.log(_PEAK_FLOOR * spectrum.max(1, keepdims=True) + 1e-9)
    hertz_per_bin = _SAMPLE_RATE / _WINDOW
    bins = np.arange(1, spectrum.shape[1] - 1)
    in_range = (bins * hertz_per_bin > _LOW_HZ) & (bins * hertz_per_bin < _HIGH_HZ)
    frame, place = np.nonzero((here > before) & (here >= after) & loud & in_range)
    if len(frame) == 0:
        return 0.0
    before, here, after = (x[frame, place] for x in (before, here, after))
    # The top of the parabola through a peak and its neighbours.
    shift = 0.5 * (before - after) / (before - 2 * here + after)
    semitones = 12 * np.log2((bins[place] + shift) * hertz_per_bin / 440.0)
    mean = np.sum(np.exp(here) * np.exp(2j * np.pi * semitones))
    return float((np.angle(mean) / (2 * np.pi) * 100 + 50) % 100 - 50)
