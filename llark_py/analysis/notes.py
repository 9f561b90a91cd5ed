"""Notes: polyphonic transcription by Basic Pitch (Bittner et al., ICASSP 2022) on onnxruntime.

Only the network file of the `basic_pitch` package is used: its own runner would want tensorflow and
a file on disk, and `note_joining.py` makes better notes of what the network hears.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from llark_py.audio import Audio
from llark_py.errors import MissingExtraError, ToolError
from llark_py.track import Note

from .excerpt import check_span
from .listening import Progress, check_sounding
from .note_joining import join_notes
from .song_cache import SongAnalysis, describe_version

MIN_DURATION_S = 0.25
_OVERLAP_FRAMES = 30
_BATCH = 8
_READING_SHARE = 0.9  # of the time that both steps take, about
_HERE = Path(__file__).parent
_INSTALL = "pip install --no-deps basic-pitch==0.4.0 resampy"


def _tell_nobody(fraction: float, note: str) -> None:
    pass


@contextmanager
def _muted_logging() -> Iterator[None]:
    """Keep basic_pitch's import from advertising other runtimes and from setting up logging."""
    handler = logging.NullHandler()
    logging.root.addHandler(handler)
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
        logging.root.removeHandler(handler)


@lru_cache(maxsize=1)
def _session() -> Any:
    """Open the network once."""
    try:
        import onnxruntime

        with _muted_logging():
            from basic_pitch import FilenameSuffix, build_icassp_2022_model_path
    except ImportError as error:
        raise MissingExtraError("Basic Pitch", _INSTALL) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        str(build_icassp_2022_model_path(FilenameSuffix.onnx)),
        options,
        providers=["CPUExecutionProvider"],
    )


def transcribe(
    audio: Audio, start_s: float = 0.0, end_s: float | None = None, progress: Progress | None = None
) -> tuple[Note, ...]:
    """Write down the notes that sound in a recording.

    Args:
        audio: Any rate, mono or stereo.
        start_s: Where to begin, in seconds.
        end_s: Where to end; None is the end of the recording.
        progress: Called with the fraction done and what is being done; may raise to stop.

    Returns:
        Notes by start time, times from the start of `audio`; velocity is the mean activation
        x 127. Never empty.

    Raises:
        ToolError: The span is not in the recording, is silent or too short, or holds no notes.
        MissingExtraError: Basic Pitch is not installed.
    """
    end_s = check_span(audio, start_s, end_s)
    excerpt = audio.slice(start_s, end_s)
    check_sounding(excerpt, MIN_DURATION_S)
    tell = progress or _tell_nobody
    tell(0.0, "reading the notes")
    notes = SongAnalysis(audio).recall(
        "notes",
        describe_version(
            _installed_version(), Path(__file__), _HERE / "note_joining.py", start_s, end_s
        ),
        tuple[Note, ...],
        lambda: tuple(_joined(*hear_notes(excerpt, tell), tell)),
    )
    if not notes:
        raise ToolError("no notes were found")
    shifted = (n._replace(start_s=n.start_s + start_s, end_s=n.end_s + start_s) for n in notes)
    return tuple(sorted(shifted))


def _installed_version() -> str:
    try:
        return metadata.version("basic-pitch")
    except metadata.PackageNotFoundError as error:
        raise MissingExtraError("Basic Pitch", _INSTALL) from error


def hear_notes(audio: Audio, progress: Progress = _tell_nobody) -> tuple[np.ndarray, np.ndarray]:
    """Run the network over overlapping windows of 2 s, eight at a time.

    Returns:
        Note and onset activations, (n_frames, 88) float32 in [0, 1].
    """
    session = _session()
    with _muted_logging():
        from basic_pitch import constants
        from basic_pitch.inference import unwrap_output

    samples = audio.mono().resample(constants.AUDIO_SAMPLE_RATE).samples
    overlap = _OVERLAP_FRAMES * constants.FFT_HOP
    window, hop = constants.AUDIO_N_SAMPLES, constants.AUDIO_N_SAMPLES - overlap
    padded = np.concatenate([np.zeros(overlap // 2, np.float32), samples])
    starts = range(0, len(padded), hop)
    padded = np.pad(padded, (0, window))
    names = ["StatefulPartitionedCall:1", "StatefulPartitionedCall:2"]
    notes, onsets = [], []
    for first in range(0, len(starts), _BATCH):
        progress(_READING_SHARE * first / len(starts), "reading the notes")
        batch = np.stack([padded[s : s + window] for s in starts[first : first + _BATCH]])
        note, onset = session.run(names, {"serving_default_input_2:0": batch[..., None]})
        notes.append(note)
        onsets.append(onset)
    return (
        unwrap_output(np.concatenate(notes), len(samples), _OVERLAP_FRAMES),
        unwrap_output(np.concatenate(onsets), len(samples), _OVERLAP_FRAMES),
    )


def _joined(
    activations: np.ndarray, onsets: np.ndarray, progress: Progress = _tell_nobody
) -> list[Note]:
    """Turn activations (n_frames, 88) into notes with times in seconds."""
    progress(_READING_SHARE, "joining the notes")
    with _muted_logging():
        from basic_pitch import note_creation

    times_s = note_creation.model_frames_to_time(len(activations) + 1)
    return [
        Note(
            float(times_s[note.start]),
            float(times_s[note.end]),
            note.row + note_creation.MIDI_OFFSET,
            int(np.clip(round(127 * note.activation), 1, 127)),
        )
        for note in join_notes(activations, onsets)
    ]


def write_midi(notes: tuple[Note, ...], path: Path) -> None:
    """Write notes as a one-track standard MIDI file, times kept to the millisecond."""
    import pretty_midi

    midi = pretty_midi.PrettyMIDI(resolution=480, initial_tempo=120.0)
    track = pretty_midi.Instrument(program=0)
    track.notes = [
        pretty_midi.Note(velocity=n.velocity, pitch=n.pitch, start=n.start_s, end=n.end_s)
        for n in notes
    ]
    midi.instruments.append(track)
    midi.write(str(path))
