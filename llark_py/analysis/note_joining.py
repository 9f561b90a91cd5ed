"""Joins what Basic Pitch hears in every frame into notes: repeated, pedalled and sustained ones.

The decoder of its package begins a note wherever sound rises, drops notes under 0.13 s and takes
what rings on (strings under the pedal, overtones) for more notes. Here a note needs an onset that
the network is sure of; sounds that begin without one (voices, bows) must be stronger. The numbers
were chosen on composed piano, winds, voices and bands of training soundfonts;
`llark evaluate transcription` compares both decoders on others.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

STRUCK, SUSTAINED_ONSET = 0.6, 0.35
"""Onset activation from which a key is struck, and that a sustained sound must have somewhere near
its beginning."""
SOUNDING, SUSTAINED, SUSTAINED_MEAN = 0.27, 0.3, 0.4
"""Note activation down to which a struck note sounds on, a sustained one does, and that a sustained
one reaches in the mean."""
_SHORTEST, _SHORTEST_SUSTAINED = 4, 11  # frames of 11.6 ms
_PAUSE = 11
"""A note is over when it is not heard for so many frames."""
_AGAIN = 5
"""A key is not struck twice within so many frames."""
_TOGETHER, _NEAR = 3, 5
_OVERTONES = (12, 19, 24, 28)
"""Semitones from a note to its second to fifth partial."""
_WEAKER, _UNSURE = 0.8, 0.7
"""What is so much weaker than a note below and not surely struck is a partial of it."""


class Joined(NamedTuple):
    """A note: first frame, frame after the last, row of the activations, mean activation."""

    start: int
    end: int
    row: int
    activation: float


def join_notes(activations: np.ndarray, onsets: np.ndarray) -> list[Joined]:
    """Find the notes.

    Args:
        activations: `(n_frames, pitches)` in [0, 1]: a note sounds.
        onsets: The same shape: a note begins.

    Returns:
        Notes in order of time.
    """
    notes, told = _struck(activations, onsets)
    notes += _sustained(np.where(told, 0.0, activations), onsets, told)
    return _without_overtones(sorted(notes), onsets)


def _struck(activations: np.ndarray, onsets: np.ndarray) -> tuple[list[Joined], np.ndarray]:
    """Begin a note at every sure peak of the onsets; it lasts until it fades or is struck again.

    Returns:
        The notes, and where they explain what sounds (a semitone around them too).
    """
    from scipy.ndimage import maximum_filter1d

    n_frames, n_rows = activations.shape
    told = np.zeros(activations.shape, bool)
    inner = onsets[1:-1]
    peaks = np.zeros(onsets.shape, bool)
    peaks[1:-1] = (inner > onsets[:-2]) & (inner >= onsets[2:]) & (inner >= STRUCK)
    # Frames at which the following silence begins, and the first of them from each frame on.
    loudest = maximum_filter1d(activations, _PAUSE, axis=0, mode="constant", origin=-(_PAUSE // 2))
    faded = np.where(loudest < SOUNDING, np.arange(n_frames)[:, None], n_frames)
    ends = np.minimum.accumulate(faded[::-1])[::-1]
    notes = []
    for row in range(n_rows):
        starts = np.flatnonzero(peaks[:, row])
        for number, start in enumerate(starts):
            if number and start - starts[number - 1] < _AGAIN:
                continue
            later = starts[number + 1 :][starts[number + 1 :] - start >= _AGAIN]
            last = later[0] if len(later) else n_frames
            end = min(int(ends[min(start + 1, n_frames - 1), row]), int(last))
            if end - start < _SHORTEST:
                continue
            notes.append(Joined(int(start), end, row, float(activations[start:end, row].mean())))
            told[start:end, max(0, row - 1) : row + 2] = True
    return notes, told


def _sustained(left: np.ndarray, onsets: np.ndarray, told: np.ndarray) -> list[Joined]:
    """Find long strong sounds among what is left, which begin without a stroke."""
    notes = []
    for row in range(left.shape[1]):
        edges = np.flatnonzero(np.diff(np.pad((left[:, row] >= SUSTAINED).astype(np.int8), 1)))
        spans: list[list[int]] = []
        for start, end in edges.reshape(-1, 2).tolist():
            if spans and start - spans[-1][1] < _PAUSE:
                spans[-1][1] = end
            else:
                spans.append([start, end])
        for start, end in spans:
            near = slice(max(0, start - _NEAR + 1), start + _NEAR)
            mean = float(left[start:end, row].mean())
            if (
                end - start >= _SHORTEST_SUSTAINED
                and mean >= SUSTAINED_MEAN
                and onsets[near, row].max() >= SUSTAINED_ONSET
                and not told[max(0, start - _TOGETHER) : start, row].any()  # a note rings on
            ):
                notes.append(Joined(start, end, row, mean))
    return notes


def _without_overtones(notes: list[Joined], onsets: np.ndarray) -> list[Joined]:
    """Drop notes that are likelier partials of a stronger one that begins with them."""
    rows: dict[int, list[Joined]] = {}
    for note in notes:
        rows.setdefault(note.row, []).append(note)

    def is_overtone(note: Joined) -> bool:
        if onsets[max(0, note.start - 1) : note.start + 2, note.row].max() >= _UNSURE:
            return False
        return any(
            abs(low.start - note.start) <= _TOGETHER and note.activation < _WEAKER * low.activation
            for interval in _OVERTONES
            for low in rows.get(note.row - interval, ())
        )

    return [note for note in notes if not is_overtone(note)]
