"""What the embedded `mini` encoder believes about a recording, and whether it is music at all."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from llark_py.audio import Audio
from llark_py.errors import ToolError

if TYPE_CHECKING:
    from llark_py.encoders.mini_config import MiniEncoderConfig
    from llark_py.encoders.mini_songs import Hearing

SILENCE_PEAK = 1e-4
"""Below this peak (-80 dB of full scale) a recording is silence."""
UNPLAYED_PROBABILITY = 0.8
"""From here on the tools refuse to measure what is only there in music."""
_CACHE_SIZE = 16
_HEARINGS = 4  # some 10 MB each for the longest songs

_posteriors: OrderedDict[str, Posteriors] = OrderedDict()
_hearings: OrderedDict[str, Hearing] = OrderedDict()
_listener: Any = None
_lock = Lock()


@dataclass(frozen=True, eq=False)
class Posteriors:
    """Probabilities of the heads of the encoder, averaged over the windows of a recording.

    Attributes:
        tempo: (bins,) over `tempo_bins_bpm`; sums to 1.
        tempo_bins_bpm: (bins,) centres in BPM, evenly spaced in log tempo.
        key: (24,) in the order of `theory.KEYS`; sums to 1.
        heads: Every head by name as the encoder gives it (`style`, `families`, ...).
        not_music: Probability that there is no music, but silence, noise, speech, nature, ...
        unplayed: The same without speech, for which melodies of one instrument are often taken.
    """

    tempo: np.ndarray
    tempo_bins_bpm: np.ndarray
    key: np.ndarray
    heads: dict[str, np.ndarray]
    not_music: float
    unplayed: float


def check_sounding(audio: Audio, min_duration_s: float) -> None:
    """Refuse recordings that hold nothing to measure.

    Args:
        audio: The recording.
        min_duration_s: The shortest length in seconds that the measurement can work with.

    Raises:
        ToolError: The recording is silent or too short.
    """
    if float(np.abs(audio.samples).max()) < SILENCE_PEAK:
        raise ToolError("the recording is silent")
    if audio.duration_s < min_duration_s:
        raise ToolError(f"the recording is shorter than {min_duration_s:g} seconds")


def check_music(posteriors: Posteriors) -> None:
    """Refuse recordings in which the encoder hears no music.

    An error rather than a low confidence: a small language model reads the sentence and says so,
    where it would repeat a number whatever stands beside it.

    Raises:
        ToolError: `unplayed` is above 0.8. Speech is measured, with a low confidence.
    """
    if posteriors.unplayed > UNPLAYED_PROBABILITY:
        raise ToolError("the recording does not sound like music")


def listen(audio: Audio) -> Posteriors:
    """Ask the embedded encoder about a whole recording; the answer is kept by content.

    Raises:
        CheckpointError: The embedded model is not installed.
    """
    key = audio.content_hash
    with _lock:
        if key not in _posteriors:
            encoder = _listener or _encoder()
            if encoder.config.song_frames:
                heads = _hear(audio, encoder).heads()
            else:
                heads = encoder.analyse(_samples(audio, encoder))
            _keep(_posteriors, key, _read_heads(heads, encoder.config))
        _posteriors.move_to_end(key)
        return _posteriors[key]


def hear(audio: Audio) -> Hearing:
    """Hear a whole recording with the encoder that `listen` asks; kept by content too.

    Raises:
        CheckpointError: The embedded model is not installed.
    """
    with _lock:
        return _hear(audio, _listener or _encoder())


def listener_config() -> MiniEncoderConfig:
    """Give the configuration of the encoder that `listen` asks: class names, thresholds.

    Raises:
        CheckpointError: The embedded model is not installed.
    """
    return (_listener or _encoder()).config


def remember(audio: Audio, encoder: Any, hearing: Hearing) -> None:
    """Keep what an encoder heard of a recording for the tools, if they listen with that encoder."""
    with _lock:
        if encoder is _listener:
            _keep(_hearings, audio.content_hash, hearing)


def _hear(audio: Audio, encoder: Any) -> Hearing:
    key = audio.content_hash
    if key not in _hearings:
        _keep(_hearings, key, encoder.listen(_samples(audio, encoder)))
    _hearings.move_to_end(key)
    return _hearings[key]


def _keep(cache: OrderedDict[str, Any], key: str, value: Any) -> None:
    cache[key] = value
    if len(cache) > (_HEARINGS if cache is _hearings else _CACHE_SIZE):
        cache.popitem(last=False)


def _samples(audio: Audio, encoder: Any) -> np.ndarray:
    return audio.mono().resample(encoder.config.sample_rate).samples


def _read_heads(heads: dict[str, np.ndarray], config: Any) -> Posteriors:
    sounds = dict(zip(config.sounds, heads["sound"].tolist(), strict=True))
    return Posteriors(
        tempo=heads["tempo"],
        tempo_bins_bpm=np.asarray(config.tempo_bins_bpm),
        key=heads["key"],
        heads=heads,
        not_music=1.0 - sounds["music"],
        unplayed=1.0 - sounds["music"] - sounds.get("speech", 0.0),
    )


def listen_with(encoder: Any) -> None:
    """Let this `MiniEncoder` listen for all tools of the process; None is the embedded one again.

    A loaded model of that kind lends its own, so that nothing is loaded twice.
    """
    global _listener
    with _lock:
        _listener = encoder
        _posteriors.clear()
        _hearings.clear()


@contextmanager
def hearing_with(encoder: Any) -> Iterator[None]:
    """Let another `MiniEncoder` than the current one listen, such as one in training."""
    before = _listener
    listen_with(encoder)
    try:
        yield
    finally:
        listen_with(before)


def _encoder() -> Any:
    from llark_py.encoders.mini import load_embedded

    return load_embedded()
