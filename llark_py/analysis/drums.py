"""Drums: which piece of the kit is struck when and how hard, by a network of our own.

The network (`drum_network.py`, fitted by `training/drums.py`) gives for every piece the
probability that a stroke begins in a frame of 10 ms; strokes are its peaks above a threshold of
the piece.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from llark_py.audio import Audio
from llark_py.errors import ToolError
from llark_py.track import DrumHit

from .drum_pieces import PIECES
from .listening import Progress, check_sounding
from .song_cache import SongAnalysis, describe_version

if TYPE_CHECKING:
    from torch import Tensor

    from .drum_network import DrumNetwork

MIN_DURATION_S = 0.25
_WINDOW_FRAMES = 3000
_PEAK_FRAMES = 5
"""Of strokes of a piece that are nearer than this the likelier one counts: 20 ms either way."""
_STROKE_S = 0.1
_FEWEST = 3
"""Fewer strokes are no drumming but clicks, such as where a recording is cut off."""
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Drums:
    """The strokes of a recording.

    Attributes:
        hits: In order of time.
        confidence: The onset F-measure that is to be expected of them, in [0, 1].
    """

    hits: tuple[DrumHit, ...]
    confidence: float


def transcribe_drums(audio: Audio) -> tuple[DrumHit, ...]:
    """Write down every stroke of drums and hand percussion; see `measure_drums`."""
    return measure_drums(audio).hits


def measure_drums(audio: Audio, progress: Progress | None = None) -> Drums:
    """Write down every stroke of drums and hand percussion in a recording.

    Args:
        audio: Any rate, mono or stereo; a whole mix or drums alone.
        progress: Called with the fraction done and what is being done; may raise to stop.

    Returns:
        Strokes of the pieces of `drum_pieces.PIECES`, never empty.

    Raises:
        ToolError: The recording is silent, too short, or there are no drums in it.
        CheckpointError: The network is not installed.
    """
    check_sounding(audio, MIN_DURATION_S)
    from .drum_network import ASSETS

    code = (_HERE / name for name in ("drums.py", "drum_network.py", "drum_kit.py"))
    files = (*code, *(ASSETS / name for name in _WEIGHT_FILES))
    found = SongAnalysis(audio).recall(
        "drums", _version(files), Drums, lambda: _measure(audio, progress)
    )
    if not found.hits:
        raise ToolError("there are no drums in the recording")
    return found


_WEIGHT_FILES = ("config.json", "model.safetensors")


def _version(files: Sequence[Path]) -> str:
    there = [path if path.is_file() else "missing" for path in files]
    return describe_version(*there)


def _measure(audio: Audio, progress: Progress | None) -> Drums:
    network, fitted = _shipped()
    chances, velocities = hear_strokes(network, audio, progress)
    hits, sums = pick_strokes(chances, velocities, fitted["thresholds"])
    confidence = expected_f(*sums, **fitted["confidence"])
    drummed = len(hits) >= _FEWEST and confidence >= fitted["least_confidence"]
    return Drums(hits if drummed else (), confidence)


@lru_cache(maxsize=1)
def _shipped() -> tuple[DrumNetwork, dict[str, Any]]:
    from .drum_network import ASSETS, load_network

    return load_network(ASSETS)


def hear_strokes(
    network: DrumNetwork, audio: Audio, progress: Progress | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Let the network hear a whole recording, window by window; windows change nothing.

    Returns:
        Probability that a stroke begins, and its velocity, each `(n_frames, pieces)` in [0, 1].
    """
    import torch

    from .drum_network import CONTEXT_FRAMES, mel_powers, scale_powers

    scaled = scale_powers(mel_powers(audio))
    outputs: list[tuple[Tensor, ...]] = []
    with torch.inference_mode():
        for start in range(0, len(scaled), _WINDOW_FRAMES):
            if progress is not None:
                progress(start / len(scaled), "listening for drums")
            first = max(0, start - CONTEXT_FRAMES)
            part = scaled[first : start + _WINDOW_FRAMES + CONTEXT_FRAMES]
            kept = slice(start - first, start - first + _WINDOW_FRAMES)
            outputs.append(tuple(output[0, kept] for output in network(part[None])))
        logits, velocities, frames = (torch.cat(parts) for parts in zip(*outputs, strict=True))
        chances = torch.sigmoid(network.reader(logits, frames))
    return chances.numpy(), velocities.numpy()


def pick_strokes(
    chances: np.ndarray, velocities: np.ndarray, thresholds: Mapping[str, float]
) -> tuple[tuple[DrumHit, ...], tuple[int, float, float]]:
    """Pick the peaks of every piece.

    Args:
        chances: `(n_frames, pieces)` in [0, 1], in the order of `PIECES`.
        velocities: The same of velocities.
        thresholds: Of each piece.

    Returns:
        The strokes in order of time; how many they are, the sum of their probabilities, and that
        of all peaks, those below the thresholds too.
    """
    from scipy.ndimage import maximum_filter1d

    from .drum_network import FRAME_RATE

    peaks = chances == maximum_filter1d(chances, _PEAK_FRAMES, axis=0, mode="constant")
    hits, sure, every = [], 0.0, 0.0
    for number, piece in enumerate(PIECES):
        curve = chances[:, number]
        frames = np.flatnonzero(peaks[:, number])
        every += float(curve[frames].sum())
        for frame in frames[curve[frames] >= thresholds[piece]]:
            around = np.arange(max(0, frame - 1), min(len(curve), frame + 2))
            time_s = float(np.average(around, weights=curve[around])) / FRAME_RATE
            velocity = int(np.clip(round(127 * float(velocities[frame, number])), 1, 127))
            hits.append(DrumHit(time_s, piece, velocity))
            sure += float(curve[frame])
    return tuple(sorted(hits)), (len(hits), sure, every)


def expected_f(n_hits: int, sure: float, every: float, slope: float, offset: float) -> float:
    """Estimate the F-measure of strokes from how sure the network is of them.

    Were the probabilities true, `sure` of the `n_hits` strokes would be right and `every` would be
    there in all. How far they are true is what slope and offset say.

    Args:
        n_hits: How many strokes were picked.
        sure: Sum of their probabilities.
        every: Sum of the probabilities of all peaks.
        slope: Fitted on composed clips.
        offset: The same.
    """
    if n_hits == 0:
        return 0.0
    return float(np.clip(slope * 2 * sure / (n_hits + every) + offset, 0.0, 1.0))


def write_drum_midi(hits: Sequence[DrumHit], path: Path) -> None:
    """Write strokes as a standard MIDI file: General MIDI drum keys on channel 10."""
    import pretty_midi

    midi = pretty_midi.PrettyMIDI(resolution=480, initial_tempo=120.0)
    kit = pretty_midi.Instrument(program=0, is_drum=True, name="drums")
    kit.notes = [
        pretty_midi.Note(h.velocity, PIECES[h.piece], h.time_s, h.time_s + _STROKE_S) for h in hits
    ]
    midi.instruments.append(kit)
    midi.write(str(path))
