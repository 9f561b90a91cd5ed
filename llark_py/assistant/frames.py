"""What the encoder made of recordings, by their content: no song is encoded twice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from llark_py.audio import Audio
from llark_py.encoders.base import Encoded


class FrameCache:
    """Keeps the frames and notes of the recordings used last.

    Args:
        encode: Turns a recording into frames (n_frames, width), with notes or without.
        size: How many recordings are kept.
    """

    def __init__(self, encode: Callable[[Audio], Encoded], size: int = 16):
        self._encode, self._size = encode, size
        self._frames: OrderedDict[str, Encoded] = OrderedDict()
        self._lock = Lock()

    def __call__(self, audio: Audio) -> Encoded:
        """Give the frames and notes of a recording, encoding it if it is new."""
        key = audio.content_hash
        with self._lock:
            if key not in self._frames:
                self._frames[key] = self._encode(audio)
                if len(self._frames) > self._size:
                    self._frames.popitem(last=False)
            self._frames.move_to_end(key)
            return self._frames[key]
