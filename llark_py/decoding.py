"""Decodes sound files of every kind to samples, and refuses what is damaged or cut short."""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

import av
import numpy as np
import soundfile

from .errors import AudioError

KNOWN = "wav, flac, ogg, opus, mp3, m4a, aac, mp4 or webm"
# Containers that PyAV may open. Playlist formats are left out: they name other files.
_CONTAINERS = "aac,aiff,asf,avi,flac,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,ogg,wav"
# How much less than a header's promise may be decoded: encoder padding and rounding.
_SLACK_S = 0.25
_XING = (b"Xing", b"Info")
_STREAMED_WAV_SIZES = (0, 0x7FFFFFFF, 0xFFFFFFFF)


def decode(file: BinaryIO, name: str, max_duration_s: float) -> tuple[np.ndarray, int]:
    """Decode a file from its start.

    Args:
        file: Opened for binary reading; seekable, or else read into memory.
        name: What to call it in errors.
        max_duration_s: Longest recording that is accepted, in seconds.

    Returns:
        Samples as float32 of shape (channels, n_samples), and the sample rate in Hz.

    Raises:
        AudioError: The file is empty, not audio, damaged, cut short or too long.
    """
    if not file.seekable():
        file = io.BytesIO(file.read())
    file.seek(0)
    head = file.read(4096)
    if not head:
        raise AudioError(f"{name} is empty (0 bytes); give a recording as {KNOWN}")
    if _is_text(head):
        raise AudioError(f"{name} is a text file; give a recording as {KNOWN}")
    for ends_early in (_wav_ends_early, _ogg_ends_early, _mp3_ends_early):
        if ends_early(file, head):
            raise _cut_short(name)
    without_length = _mp3_without_length(file, head)
    file.seek(0)
    if without_length:
        return _decode_av(file, name, max_duration_s)
    try:
        sound = soundfile.SoundFile(_Nameless(file))
    except soundfile.LibsndfileError:
        file.seek(0)
        return _decode_av(file, name, max_duration_s)
    with sound:
        return _decode_soundfile(sound, name, max_duration_s)


def expected_values(path: str, max_duration_s: float) -> int | None:
    """Read from its header, or guess from its bit rate, how much a file decodes to.

    Args:
        path: Of the file, which is not decoded.
        max_duration_s: As for `decode`, which stops there.

    Returns:
        Samples of all channels together; None where nothing tells.
    """
    try:
        with open(path, "rb") as file:
            if not _mp3_without_length(file, file.read(4096)):
                file.seek(0)
                try:
                    with soundfile.SoundFile(_Nameless(file)) as sound:
                        longest = max_duration_s * sound.samplerate
                        return round(min(sound.frames, longest) * sound.channels)
                except soundfile.LibsndfileError:
                    pass  # PyAV may know it
            file.seek(0)
            with _open_av(file) as container:
                if not container.streams.audio or container.duration is None:
                    return None
                stream = container.streams.audio[0]
                seconds = min(container.duration / av.time_base, max_duration_s)
                return round(seconds * stream.rate * stream.channels)
    except (OSError, av.FFmpegError, ValueError):
        return None


class _Nameless(io.RawIOBase):
    """A file without a name, so that soundfile judges it by its content and not its ending."""

    def __init__(self, file: BinaryIO):
        self._file = file

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _decode_soundfile(
    sound: soundfile.SoundFile, name: str, max_duration_s: float
) -> tuple[np.ndarray, int]:
    rate, promised = sound.samplerate, sound.frames
    if promised > max_duration_s * rate:
        raise _too_long(name, promised / rate, max_duration_s)
    try:
        samples = sound.read(dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise _damaged(name, str(error)) from error
    if _falls_short(len(samples) / rate, promised / rate):
        raise _cut_short(name, len(samples) / rate, promised / rate)
    return samples.T, rate


def _decode_av(file: BinaryIO, name: str, max_duration_s: float) -> tuple[np.ndarray, int]:
    try:
        container = _open_av(file)
    except (av.FFmpegError, ValueError) as error:
        raise AudioError(
            f"{name} is not a recording that can be read: it is of another kind or its start or "
            f"end is missing; give a whole file as {KNOWN}"
        ) from error
    with container:
        if not container.streams.audio:
            raise AudioError(f"{name} has no sound in it, only pictures; give a file with sound")
        stream = container.streams.audio[0]
        promised_s = _promised_s(container, stream)
        if promised_s is not None and promised_s > max_duration_s:
            raise _too_long(name, promised_s, max_duration_s)
        resampler = av.AudioResampler(format="fltp")
        blocks: list[np.ndarray] = []
        rate, n_samples = 0, 0
        try:
            for frame in container.decode(stream):
                rate = frame.sample_rate
                for converted in resampler.resample(frame):
                    block = converted.to_ndarray()
                    n_samples += block.shape[1]
                    blocks.append(block)
                if n_samples > max_duration_s * rate:
                    raise _too_long(name, None, max_duration_s)
            if rate:
                blocks += [f.to_ndarray() for f in resampler.resample(None)]
        except (av.FFmpegError, ValueError) as error:
            raise _damaged(name, str(error)) from error
    if not blocks:
        if promised_s:
            raise _cut_short(name, 0.0, promised_s)
        raise AudioError(f"{name} has no sound in it: its length is zero")
    samples = np.concatenate(blocks, axis=1)
    if promised_s is not None and _falls_short(samples.shape[1] / rate, promised_s):
        raise _cut_short(name, samples.shape[1] / rate, promised_s)
    return samples, rate


def _open_av(file: BinaryIO) -> av.container.InputContainer:
    options = {"format_whitelist": _CONTAINERS}
    return av.open(file, "r", options=options, metadata_errors="ignore")


def _promised_s(container: av.container.InputContainer, stream: av.AudioStream) -> float | None:
    """Read how long the header says the sound is; None where it does not say or only guesses."""
    if container.format.name in ("aac", "mp3"):
        return None  # FFmpeg estimates these from the bit rate.
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if tag := stream.metadata.get("DURATION"):  # Matroska: 00:03:00.021000000
        hours, minutes, seconds = tag.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    if container.duration is not None and len(container.streams) == 1:
        return container.duration / av.time_base
    return None


def _is_text(head: bytes) -> bool:
    """Tell whether the first bytes of a file read as text."""
    if b"\0" in head:
        return False
    try:
        # The last character may be cut by the end of the block.
        text = head[:-3].decode() if len(head) == 4096 else head.decode()
    except UnicodeDecodeError:
        return False
    return all(c.isprintable() or c.isspace() for c in text)


def _wav_ends_early(file: BinaryIO, head: bytes) -> bool:
    """Tell whether a wav file holds less data than its header says; libsndfile hides this."""
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return False
    end = file.seek(0, io.SEEK_END)
    place = 12
    while True:
        file.seek(place)
        chunk = file.read(8)
        if len(chunk) < 8:
            # Only a recording that lost its data chunk ends inside the list of chunks.
            return True
        size = struct.unpack("<I", chunk[4:])[0]
        if chunk[:4] == b"data":
            # Recorders that stream leave a size that means "until the end".
            return size not in _STREAMED_WAV_SIZES and place + 8 + size > end
        place += 8 + size + size % 2


def _ogg_ends_early(file: BinaryIO, head: bytes) -> bool:
    """Tell whether the last page of an ogg file is incomplete; libsndfile hides this."""
    if head[:4] != b"OggS":
        return False
    end = file.seek(0, io.SEEK_END)
    file.seek(max(0, end - (1 << 17)))  # a page is at most 65,307 bytes long
    tail = file.read()
    place = tail.rfind(b"OggS")
    page = tail[place:]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return True
    return len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]])


def _mp3_ends_early(file: BinaryIO, head: bytes) -> bool:
    """Tell whether an mp3 holds fewer bytes than its Xing header says.

    The decoder would notice too, but mpg123 then writes warnings of its own on stderr.
    """
    start, frame = _first_mp3_frame(file, head)
    mark = max(frame.find(name, 4, 200) for name in _XING)
    if mark < 0 or len(frame) < mark + 16:
        return False
    flags, _, n_bytes = struct.unpack(">III", frame[mark + 4 : mark + 16])
    has_both = flags & 3 == 3
    return bool(has_both and start + n_bytes > file.seek(0, io.SEEK_END))


def _mp3_without_length(file: BinaryIO, head: bytes) -> bool:
    """Tell whether an mp3 does not say how long it is.

    libsndfile then guesses from the bit rate of the first frame and stops there, in the middle of
    a recording whose bit rate varies.
    """
    _, frame = _first_mp3_frame(file, head)
    return bool(frame) and all(frame.find(mark, 4, 200) < 0 for mark in (*_XING, b"VBRI"))


def _first_mp3_frame(file: BinaryIO, head: bytes) -> tuple[int, bytes]:
    """Find where the sound of an mp3 begins, behind tags, and what stands there; else nothing."""
    start = 0
    if head[:3] == b"ID3":
        sizes = head[6:10]  # seven bits a byte
        start = 10 + sum(byte << 7 * (3 - i) for i, byte in enumerate(sizes))
        file.seek(start)
        head = file.read(4096)
    is_frame = len(head) >= 4 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0
    # Layer bits 0 are those of AAC in ADTS frames.
    return (start, head) if is_frame and head[1] & 0x06 else (0, b"")


def _falls_short(decoded_s: float, promised_s: float) -> bool:
    return decoded_s < promised_s - _SLACK_S


def _cut_short(
    name: str, decoded_s: float | None = None, promised_s: float | None = None
) -> AudioError:
    found = ""
    if decoded_s is not None and promised_s is not None:
        found = f" ({decoded_s:.1f} s of {promised_s:.1f} s are there)"
    return AudioError(f"{name} is cut short{found}; copy or download the whole file again")


def _damaged(name: str, reason: str) -> AudioError:
    return AudioError(
        f"{name} is damaged and cannot be decoded to its end ({reason}); get it again"
    )


def _too_long(name: str, duration_s: float | None, max_duration_s: float) -> AudioError:
    length = (
        f"{duration_s:.0f} s" if duration_s is not None else f"more than {max_duration_s:.0f} s"
    )
    return AudioError(
        f"{name} is {length} long, and at most {max_duration_s:.0f} s are allowed; "
        "cut it or raise the limit"
    )
