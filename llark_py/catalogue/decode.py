"""The first stage: a file to sound, its features for the encoder, and its loudness.

Runs in worker processes. Sound leaves them mono and at the rates that are listened to, so that a
song weighs a tenth of what its file decodes to.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from llark_py.audio import MAX_DURATION_S, Audio, load_audio
from llark_py.decoding import expected_values
from llark_py.errors import AudioError, ToolError
from llark_py.files import hash_file

from .record import Failure
from .scan import Song, look_at

LEAST_S = 0.1
"""One frame of the encoder."""
_COPIES = 5
"""So many times the decoded sound is in memory while it is decoded and its loudness measured."""
_UNPACKED = 60
"""Bytes of decoded sound for one of a compressed file, at low bit rates."""
_VALUE_BYTES = 4
_LONGEST_BYTES = round(MAX_DURATION_S) * 48_000 * 2 * _VALUE_BYTES
"""Of the longest usual recording, decoded."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Decoded:
    """A song ready to be heard.

    Attributes:
        song: The file; as it was before it was read.
        content_hash: SHA-256 of the file.
        duration_s: Of the recording.
        heard: Mono, at the rate of the encoder that listens for the tools.
        spoken: Mono, at the rate of the encoder of the model; the same object where it is that one.
        features: `(T, 488)` float32, as `mini` encoders hear it.
        loudness_lufs: Of the recording as it is, all channels; or why it has none.
    """

    song: Song
    content_hash: str
    duration_s: float
    heard: Audio
    spoken: Audio
    features: np.ndarray
    loudness_lufs: float | str

    @property
    def size_bytes(self) -> int:
        """Memory that it takes."""
        return self.features.nbytes + sum(
            a.samples.nbytes for a in {id(a): a for a in (self.heard, self.spoken)}.values()
        )


def needed_bytes(song: Song) -> int:
    """Guess from what a file promises, or from its size, how much memory it takes to decode it."""
    values = expected_values(song.path, MAX_DURATION_S)
    if values is None:
        # Either it will not be decoded, or it is packed in a way that tells nothing.
        return min(song.size_bytes * _UNPACKED, _LONGEST_BYTES) * _COPIES
    return values * _VALUE_BYTES * _COPIES


def decode_song(song: Song, heard_rate: int, spoken_rate: int) -> Decoded | Failure:
    """Read one song.

    Args:
        song: The file.
        heard_rate: Of the encoder that listens for the tools, in Hz.
        spoken_rate: Of the encoder of the model, in Hz.

    Returns:
        The song, or why it cannot be used.
    """
    try:
        return _decode(song, heard_rate, spoken_rate)
    except AudioError as error:
        return fail(song, str(error))
    except OSError as error:
        return fail(song, f"it cannot be opened: {error.strerror or error}")
    except MemoryError:
        return fail(song, "it is too large for the memory of this machine")
    except Exception as error:  # the border of a batch: no song stops the others
        _log.exception("decoding %s failed", song.path)
        return fail(song, f"decoding failed: {type(error).__name__}: {error}")


def fail(song: Song, reason: str) -> Failure:
    """Say why a file becomes no record."""
    return Failure(
        path=song.path,
        size_bytes=song.size_bytes,
        modified_ns=song.modified_ns,
        reason=" ".join(reason.split()),
    )


def _decode(song: Song, heard_rate: int, spoken_rate: int) -> Decoded | Failure:
    import torch

    from llark_py.encoders.mini_songs import extract_song_features

    # Looked at anew: it may have changed since it was found, which the next run is to notice.
    looked = look_at(song.path)
    if isinstance(looked, Failure):
        return looked
    content_hash = hash_file(song.path)
    audio = load_audio(song.path)
    if audio.duration_s < LEAST_S:
        return fail(looked, f"it is too short to hear anything: {audio.duration_s:.3f} s")
    loudness = _loudness(audio)
    mono = audio.mono()
    heard = mono.resample(heard_rate)
    spoken = heard if spoken_rate == heard_rate else mono.resample(spoken_rate)
    spoken.content_hash, heard.content_hash  # noqa: B018 - computed here, it travels along
    with torch.inference_mode():
        features = extract_song_features(torch.from_numpy(heard.samples)).numpy()
    return Decoded(looked, content_hash, audio.duration_s, heard, spoken, features, loudness)


def _loudness(audio: Audio) -> float | str:
    from llark_py.analysis.loudness import measure_loudness

    try:
        return round(measure_loudness(audio).integrated_lufs, 1)
    except ToolError as error:
        return str(error)
