"""Recordings as values, and how they are read, written and cut into windows.

soundfile decodes wav, flac, ogg (vorbis, opus) and mp3; PyAV decodes what it cannot: m4a, aac,
mp4, webm. A file is read whole or not at all: what is damaged or cut short raises `AudioError`.
Nothing here loads torch.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
import soxr

from .decoding import decode
from .errors import AudioError

MAX_DURATION_S = 900.0
"""Longest recording that is read unless the caller says otherwise."""
_MAX_CHANNELS = 64
_WRITE_BLOCK = 1 << 16


@dataclass(frozen=True, eq=False)
class Audio:
    """A recording in memory.

    Attributes:
        samples: float32 of shape (n_samples,) for mono, else (channels, n_samples), in [-1, 1].
            Finite, and at least one sample.
        sample_rate: Hz.

    Raises:
        AudioError: The samples are empty, not finite or of another shape, or the rate is no
            positive whole number.
    """

    samples: np.ndarray
    sample_rate: int

    def __post_init__(self) -> None:
        samples = np.asarray(self.samples, dtype=np.float32, order="C")
        if samples.ndim == 2 and samples.shape[0] == 1:
            samples = samples[0]
        if samples.ndim not in (1, 2) or (samples.ndim == 2 and samples.shape[0] > _MAX_CHANNELS):
            raise AudioError(
                f"samples of shape {samples.shape} are no recording; "
                "expected (n_samples,) or (channels, n_samples)"
            )
        if samples.size == 0:
            raise AudioError("the recording has no sound in it: its length is zero")
        if not np.isfinite(samples).all():
            raise AudioError(
                "the recording holds samples that are not numbers (NaN or infinite); "
                "export it again from the program that made it"
            )
        if int(self.sample_rate) != self.sample_rate or self.sample_rate <= 0:
            raise AudioError(
                f"a sample rate of {self.sample_rate} Hz is not a positive whole number"
            )
        object.__setattr__(self, "samples", samples)
        object.__setattr__(self, "sample_rate", int(self.sample_rate))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Audio):
            return NotImplemented
        return self is other or self.content_hash == other.content_hash

    def __hash__(self) -> int:
        return hash(self.content_hash)

    def __repr__(self) -> str:
        return (
            f"Audio({self.duration_s:.2f} s, {self.n_channels} channel(s), {self.sample_rate} Hz)"
        )

    @property
    def n_samples(self) -> int:
        """Samples per channel."""
        return self.samples.shape[-1]

    @property
    def n_channels(self) -> int:
        """1 for mono, 2 for stereo."""
        return 1 if self.samples.ndim == 1 else self.samples.shape[0]

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of rate, channels and samples: the key under which results are cached."""
        digest = hashlib.sha256(f"{self.sample_rate}:{self.samples.shape}:".encode())
        digest.update(self.samples.data)
        return digest.hexdigest()

    def mono(self) -> Audio:
        """Return the mean of the channels."""
        if self.samples.ndim == 1:
            return self
        return Audio(self.samples.mean(axis=0), self.sample_rate)

    def resample(self, sample_rate: int) -> Audio:
        """Return the same sound at another rate in Hz (soxr, high quality)."""
        if sample_rate == self.sample_rate:
            return self
        # soxr takes (n_samples, channels).
        resampled = soxr.resample(self.samples.T, self.sample_rate, sample_rate)
        return Audio(resampled.T, sample_rate)

    def slice(self, start_s: float, end_s: float) -> Audio:
        """Return the excerpt from `start_s` to `end_s`, cut to what there is.

        Raises:
            AudioError: The span holds no sample of the recording.
        """
        start = max(0, round(start_s * self.sample_rate))
        end = min(self.n_samples, round(end_s * self.sample_rate))
        if end <= start:
            raise AudioError(
                f"nothing lies between {start_s:g} s and {end_s:g} s; "
                f"the recording is {self.duration_s:.1f} s long"
            )
        return Audio(self.samples[..., start:end], self.sample_rate)


def load_audio(
    source: str | Path | bytes | BinaryIO,
    *,
    sample_rate: int | None = None,
    mono: bool = False,
    max_duration_s: float = MAX_DURATION_S,
) -> Audio:
    """Read a whole recording.

    A recording louder than full scale (float files, mp3 overshoot) is turned down to a peak of
    1, not clipped.

    Args:
        source: A path, the bytes of a file, or a file opened for binary reading.
        sample_rate: Rate in Hz to resample to; None keeps the file's own.
        mono: Whether to mix the channels down to one.
        max_duration_s: Longest recording that is accepted, in seconds.

    Returns:
        The recording, float32.

    Raises:
        AudioError: The source is missing, a folder, empty, not audio, damaged, cut short, too
            long, or holds no sound. The message is one sentence for the user.
    """
    if isinstance(source, (str, Path)):
        path = Path(source).expanduser()
        name = f"'{path.name or path}'"
        if path.is_dir():
            raise AudioError(f"'{path}' is a folder; name one recording in it")
        if not path.is_file():
            raise AudioError(f"there is no file '{path}'; check the name")
        try:
            with path.open("rb") as file:
                samples, rate = decode(file, name, max_duration_s)
        except OSError as error:
            raise AudioError(f"{name} cannot be opened: {error.strerror or error}") from error
    else:
        name = "the recording"
        stream = io.BytesIO(source) if isinstance(source, bytes) else source
        samples, rate = decode(stream, name, max_duration_s)
    try:
        audio = Audio(samples, rate)
    except AudioError as error:
        raise AudioError(str(error).replace("the recording", name, 1)) from error
    if mono:
        audio = audio.mono()
    if sample_rate is not None:
        audio = audio.resample(sample_rate)
    peak = max(float(audio.samples.max()), -float(audio.samples.min()))
    return Audio(audio.samples / peak, audio.sample_rate) if peak > 1.0 else audio


def save_audio(audio: Audio, path: str | Path) -> None:
    """Write a recording; the ending of the name chooses the format (wav, flac, ogg, mp3).

    Raises:
        AudioError: No such format can be written, or the place cannot be written to.
    """
    path = Path(path)
    try:
        with soundfile.SoundFile(path, "w", audio.sample_rate, audio.n_channels) as file:
            # libsndfile's vorbis encoder overflows its stack when given minutes at once.
            for start in range(0, audio.n_samples, _WRITE_BLOCK):
                file.write(audio.samples[..., start : start + _WRITE_BLOCK].T)
    except (soundfile.LibsndfileError, ValueError, TypeError) as error:
        known = "wav, flac, ogg or mp3"
        raise AudioError(f"'{path}' cannot be written as {known}: {error}") from error


def windows(n_samples: int, window: int, hop: int, min_tail: int) -> list[tuple[int, int]]:
    """Cut a length into windows that overlap by `window - hop` and together cover all of it.

    Args:
        n_samples: Length of the recording in samples.
        window: Length of a window.
        hop: Distance between the starts of windows, at most `window`.
        min_tail: If fewer samples than this lie beyond the last full window, they are merged
            into it, which then is longer than `window`; otherwise a shorter window follows.

    Returns:
        (start, end) of each window, in order; empty if there are no samples.
    """
    if not 0 < hop <= window:
        raise ValueError(f"hop must lie in 1..window={window}, not {hop}")
    if n_samples <= 0:
        return []
    spans = [(0, min(window, n_samples))]
    while (tail := n_samples - spans[-1][1]) > 0:
        start = spans[-1][0]
        if tail < min_tail:
            spans[-1] = (start, n_samples)
        else:
            spans.append((start + hop, min(start + hop + window, n_samples)))
    return spans
