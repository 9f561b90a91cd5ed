"""What repeats: tempogram, bar-level self-similarity and pitch profile of the `mini` encoder.

Each is a summary of a whole window that a transformer over 0.1 s frames learns only slowly, so
it is computed outright and handed over as a global token. The tempogram is read at multiples of
the beat period of every tempo bin (a beat shows at half, one, two, three and four periods), so
the network sees the same pattern at every tempo, shifted along one axis.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import relu

from .mini_features import BINS_PER_SEMITONE, MEL_STEPS, PITCH_BINS

FRAMES_PER_SECOND = 10
MEL_PER_SECOND = FRAMES_PER_SECOND * MEL_STEPS
_BANDS = ((0, 10), (10, 26), (26, 45), (45, 64))
TEMPO_MULTIPLES = (0.5, 1.0, 2.0, 3.0, 4.0)
METRE_MULTIPLES = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
TEMPO_ROWS = len(_BANDS) * len(TEMPO_MULTIPLES)
METRE_ROWS = 3 * len(METRE_MULTIPLES)
PROFILE_WIDTH = PITCH_BINS + 12 * BINS_PER_SEMITONE
_OCTAVE = 12 * BINS_PER_SEMITONE


def _autocorrelation(signal: Tensor, n_lags: int) -> Tensor:
    """Autocorrelation `(..., n_lags)` of `(..., n)`, relative to lag 0."""
    if signal.shape[-1] == 0:  # a single frame has no changes to compare
        return signal.new_zeros(*signal.shape[:-1], n_lags)
    centred = signal - signal.mean(-1, keepdim=True)
    spectrum = torch.fft.rfft(centred, 2 * signal.shape[-1])
    lags = torch.fft.irfft(spectrum * spectrum.conj(), 2 * signal.shape[-1])
    lags = lags[..., : min(n_lags, signal.shape[-1])]
    lags = torch.nn.functional.pad(lags, (0, n_lags - lags.shape[-1]))
    return lags / (lags[..., :1] + 1e-4)


def _read_lags(curve: Tensor, lags: Tensor, multiples: tuple[float, ...]) -> Tensor:
    """Read `(batch, rows, n_lags)` at multiples of lags: `(batch, rows * multiples, bins)`."""
    columns = []
    for multiple in multiples:
        position = (lags * multiple).clamp(max=curve.shape[-1] - 2)
        index = position.long()
        weight = position - index
        columns.append(curve[..., index] * (1 - weight) + curve[..., index + 1] * weight)
    return torch.stack(columns, 2).flatten(1, 2)


def periodicities(mel: Tensor, pitch: Tensor, beat_seconds: Tensor) -> tuple[Tensor, Tensor]:
    """Measure how strongly a window repeats at each tempo.

    Args:
        mel: `(batch, 5 T, 64)` log-mel, 50 columns a second.
        pitch: `(batch, T, 168)` log-frequency spectrum, 10 columns a second.
        beat_seconds: `(bins,)` beat period of each tempo bin.

    Returns:
        Rows for the tempo `(batch, 20, bins)` and rows for the metre `(batch, 21, bins)`.
    """
    onset = relu(mel[:, 1:] - mel[:, :-1])
    bands = torch.stack([onset[..., low:high].mean(-1) for low, high in _BANDS], 1)
    slowest = float(beat_seconds.max())
    tempogram = _autocorrelation(bands, int(slowest * MEL_PER_SECOND * 4) + 2)
    n_lags = int(slowest * FRAMES_PER_SECOND * 8) + 2

    pitch_onset = relu(pitch[:, 1:] - pitch[:, :-1]).mean(-1)[:, None]
    change = _autocorrelation(pitch_onset, n_lags)

    chroma = pitch.unflatten(-1, (-1, _OCTAVE)).mean(2)
    chroma = chroma - chroma.mean(-1, keepdim=True)
    chroma = (chroma - chroma.mean(1, keepdim=True)).transpose(1, 2)
    n_frames = chroma.shape[-1]
    spectrum = torch.fft.rfft(chroma, 2 * n_frames)
    similarity = torch.fft.irfft((spectrum * spectrum.conj()).sum(1), 2 * n_frames)[:, None]
    similarity = similarity[..., : min(n_lags, n_frames)]
    # fewer pairs of frames meet at long lags: without this every curve would just fall
    overlap = 1 - torch.arange(similarity.shape[-1], device=pitch.device) / n_frames
    similarity = similarity / (similarity[..., :1] + 1e-4) / overlap.clamp(min=0.25)
    similarity = torch.nn.functional.pad(similarity, (0, n_lags - similarity.shape[-1]))

    frame_lags = beat_seconds * FRAMES_PER_SECOND
    tempo_rows = _read_lags(tempogram, beat_seconds * MEL_PER_SECOND, TEMPO_MULTIPLES)
    metre_rows = torch.cat(
        [
            _read_lags(tempogram.mean(1, True), beat_seconds * MEL_PER_SECOND, METRE_MULTIPLES),
            _read_lags(change, frame_lags, METRE_MULTIPLES),
            _read_lags(similarity, frame_lags, METRE_MULTIPLES),
        ],
        1,
    )
    return tempo_rows * 3, metre_rows * 2


def pitch_profile(pitch: Tensor) -> Tensor:
    """Mean spectrum and folded chroma `(batch, 192)` of `(batch, T, 168)`."""
    chroma = pitch.exp().mean(1).unflatten(-1, (-1, _OCTAVE)).sum(1)
    chroma = chroma / (chroma.amax(-1, keepdim=True) + 1e-6)
    return torch.cat([pitch.mean(1), chroma * 2 - 1], -1)
