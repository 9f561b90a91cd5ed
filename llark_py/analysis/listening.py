"""What the embedded `mini` encoder believes about a recording, and whether it is music at all.

What it heard is kept twice: of the last recordings in memory, and on disk (`song_cache`), where the
next process finds it without loading the encoder.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from llark_py.audio import Audio
from llark_py.errors import ToolError

from .kept_hearing import pack_hearing, unpack_heads, unpack_hearing
from .song_cache import SongAnalysis

if TYPE_CHECKING:
    from llark_py.encoders.mini_config import MiniEncoderConfig
    from llark_py.encoders.mini_songs import Hearing

ENCODER_RATE = 10
"""Frames a second of what the heads say of every moment (`..._frames`)."""
SILENCE_PEAK = 1e-4
"""Below this peak (-80 dB of full scale) a recording is silence."""
UNPLAYED_PROBABILITY = 0.8
"""From here on the tools refuse to measure what is only there in music."""
_ENTRY = "hearing"
_PATIENCE_S = 0.2
_CACHE_SIZE = 16
_HEARINGS = 4  # some 10 MB each for the longest songs

_posteriors: OrderedDict[str, Posteriors] = OrderedDict()
_hearings: OrderedDict[str, Hearing] = OrderedDict()
_listener: Any = None
_listener_version: str | None = None
_listener_is_fixed = True
_lock = Lock()

Progress = Callable[[float, str], None]
_progress: ContextVar[Progress | None] = ContextVar("progress", default=None)


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
        unit = "second" if min_duration_s == 1 else "seconds"
        raise ToolError(f"the recording is shorter than {min_duration_s:g} {unit}")


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
    with _our_turn():
        if key not in _posteriors:
            _keep(_posteriors, key, _recall_posteriors(audio) or _listen(audio))
        _posteriors.move_to_end(key)
        return _posteriors[key]


def hear(audio: Audio) -> Hearing:
    """Hear a whole recording with the encoder that `listen` asks; kept by content too.

    Raises:
        CheckpointError: The embedded model is not installed.
    """
    with _our_turn():
        return _hear(audio)


@contextmanager
def progress_to(progress: Progress) -> Iterator[None]:
    """Let whatever listens inside this block, in this thread, tell how far it is.

    A context and not an argument: listening lies below every measurement, and none of them would
    do more with the argument than hand it on.

    Args:
        progress: Called with a fraction in [0, 1] and a short note before each batch of windows;
            may raise to stop.
    """
    token = _progress.set(progress)
    try:
        yield
    finally:
        _progress.reset(token)


@contextmanager
def _our_turn() -> Iterator[None]:
    """Wait until nobody else listens; who waits can be stopped too."""
    while not _lock.acquire(timeout=_PATIENCE_S):
        if (tell := _progress.get()) is not None:
            tell(0.0, "waiting to listen")
    try:
        yield
    finally:
        _lock.release()


def listener_config() -> MiniEncoderConfig:
    """Give the configuration of the encoder that `listen` asks: class names, thresholds.

    Raises:
        CheckpointError: The embedded model is not installed.
    """
    return (_listener or _encoder()).config


def remember(audio: Audio, encoder: Any, hearing: Hearing) -> None:
    """Keep what an encoder heard of a recording for the tools, if they listen with that encoder.

    In memory only: who calls this waits for the first word of an answer.
    """
    with _lock:
        if encoder is _listener:
            _keep(_hearings, audio.content_hash, hearing)


def _listen(audio: Audio) -> Posteriors:
    encoder = _listener or _encoder()
    if encoder.config.song_frames:
        heads = _hear(audio).heads()
    else:
        heads = encoder.analyse(_samples(audio, encoder))
    return _read_heads(heads, encoder.config)


def _recall_posteriors(audio: Audio) -> Posteriors | None:
    if audio.content_hash in _hearings or not (version := _version()):
        return None
    return SongAnalysis(audio).read(
        _ENTRY, version, lambda arrays, facts: _read_heads(*unpack_heads(arrays, facts))
    )


def _hear(audio: Audio) -> Hearing:
    key = audio.content_hash
    if key not in _hearings:
        song, version = SongAnalysis(audio), _version()
        hearing = song.read(_ENTRY, version, unpack_hearing) if version else None
        if hearing is None:
            encoder = _listener or _encoder()
            hearing = encoder.listen(_samples(audio, encoder), progress=_progress.get())
            # Older encoders tell heads and hearing from different windows.
            if version and encoder.config.song_frames:
                song.write(_ENTRY, version, *pack_hearing(hearing, encoder.config))
        _keep(_hearings, key, hearing)
    _hearings.move_to_end(key)
    return _hearings[key]


def _version() -> str | None:
    """Name the encoder that listens, as far as what it hears may be kept on disk."""
    global _listener_version
    if _listener_version is None and _listener_is_fixed:
        from llark_py.encoders.mini_version import embedded_version, weights_version

        _listener_version = embedded_version() if _listener is None else weights_version(_listener)
    return _listener_version


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

    A loaded model of that kind lends its own, so that nothing is loaded twice. Its weights must not
    change any more: what it hears is kept on disk under their hash.
    """
    _let_listen(encoder, fixed=True)


@contextmanager
def hearing_with(encoder: Any) -> Iterator[None]:
    """Let another `MiniEncoder` than the current one listen, such as one in training.

    Its weights may change, so it neither reads nor writes what is kept on disk.
    """
    before, was_fixed = _listener, _listener_is_fixed
    _let_listen(encoder, fixed=False)
    try:
        yield
    finally:
        _let_listen(before, was_fixed)


def _let_listen(encoder: Any, fixed: bool) -> None:
    global _listener, _listener_version, _listener_is_fixed
    with _lock:
        _listener, _listener_version, _listener_is_fixed = encoder, None, fixed
        _posteriors.clear()
        _hearings.clear()


def _encoder() -> Any:
    from llark_py.encoders.mini import load_embedded

    return load_embedded()


def classes_heard(audio: Audio, head: str) -> tuple[str, ...]:
    """Name the classes of a head with several (`families`, `instruments`) that are there.

    Returns:
        The likeliest first; those above the threshold that training found for each.
    """
    config, posterior = listener_config(), listen(audio).heads[head]
    there = posterior > config.present_from(head)
    return tuple(config.labels[head][i] for i in np.argsort(-posterior) if there[i])
