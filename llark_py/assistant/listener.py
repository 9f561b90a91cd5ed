"""Ears for models that only read: what the embedded encoder hears, as text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llark_py.audio import Audio
from llark_py.encoders.base import Encoded
from llark_py.errors import AudioError
from llark_py.messages import AudioPart
from llark_py.prompting import render_prompt
from llark_py.startup import lean_imports

from .frames import FrameCache


def tell_recording(audio_id: str, note: str) -> str:
    """Write what stands in the place of a recording."""
    return render_prompt("reader_recording", id=audio_id, note=note)


class Listener:
    """Writes notes of recordings, each only once, and lets the tools reuse what it heard.

    Args:
        encoder: A `MiniEncoder` that writes notes.
    """

    def __init__(self, encoder: Any):
        self._encoder = encoder
        self._heard = FrameCache(self.hear)

    def note(self, audio: Audio) -> str:
        """Tell in one line what is heard in a recording.

        Raises:
            AudioError: It is too short to hear anything.
        """
        return self._heard(audio).notes or ""

    def tell(self, parts: Iterable[AudioPart]) -> str:
        """Write all that is told of some recordings."""
        return "\n".join(tell_recording(part.id, self.note(part.audio)) for part in parts)

    def hear(self, audio: Audio) -> Encoded:
        """Hear a recording, even one that was heard before."""
        import torch

        from llark_py.analysis.listening import remember

        samples = audio.mono().resample(self._encoder.config.sample_rate).samples
        if len(samples) == 0:
            raise AudioError(f"the recording is too short to hear: {audio.duration_s:.3f} s")
        encoded = self._encoder.encode_recording(torch.from_numpy(samples))
        remember(audio, self._encoder, encoded.hearing)
        return encoded._replace(hearing=None)


def load_listener() -> Listener:
    """Load the embedded encoder; the tools listen with it too.

    Raises:
        CheckpointError: The embedded model is not installed.
    """
    with lean_imports():
        from llark_py.analysis.listening import listen_with
        from llark_py.encoders.mini import load_embedded

        encoder = load_embedded()
        listen_with(encoder)
    return Listener(encoder)
