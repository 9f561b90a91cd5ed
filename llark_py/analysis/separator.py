"""Runs the embedded separator over a whole recording, piece by piece, and refines its masks.

The network looks at what all channels hold together and gives one mask for each query. Where there
are two channels a multichannel Wiener filter (Nugraha, Liutkus and Vincent, 2016; the package
norbert) then uses from which side each source comes. Pieces overlap and are faded into each other,
so memory is that of the results and not of spectra of the whole song.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from llark_py.audio import Audio, windows

from .separator_checkpoint import load_separator

if TYPE_CHECKING:
    from torch import Tensor

    from .listening import Progress
    from .separator_network import SeparatorNetwork

_LEVEL = 0.1
"""RMS that recordings are brought to before the network looks at them."""
_PIECE_FRAMES, _OVERLAP_FRAMES = 256, 32
_LONGEST_EXAMPLE_S = 20.0
_STEREO = 2
_LOUDEST = 10.0
_TINY = 1e-7


def separate_stems(
    audio: Audio,
    stems: Sequence[str],
    progress: Progress,
    network: SeparatorNetwork | None = None,
) -> dict[str, Audio]:
    """Separate a recording into stems; their sum is the recording.

    Args:
        audio: Any rate and number of channels.
        stems: Those of `STEMS` that there are, at least one.
        progress: Called with the fraction done and what is being done.
        network: None for the embedded one.

    Returns:
        Stem -> sound of the same shape and rate.
    """
    from .separator_network import STEMS

    if len(stems) == 1:
        return {stems[0]: audio}
    network = network or load_separator()
    queries = network.query_stems()[[STEMS.index(stem) for stem in stems]]
    *kept, last = stems
    found = dict(zip(kept, _separate(audio, network, queries, progress, len(kept)), strict=True))
    # What is left is the last one: exact, and a long song fits in memory.
    rest = audio.samples.copy()
    for part in found.values():
        rest -= part.samples
    return {**found, last: Audio(rest, audio.sample_rate)}


def separate_like(
    audio: Audio,
    example: Audio,
    progress: Progress,
    network: SeparatorNetwork | None = None,
) -> Audio:
    """Take out of a recording what sounds like an example.

    Args:
        audio: Any rate and number of channels.
        example: Sound of what is wanted; where it is long, its middle is listened to.
        progress: Called with the fraction done and what is being done.
        network: None for the embedded one.

    Returns:
        What was found, of the same shape and rate as `audio`.
    """
    import torch

    network = network or load_separator()
    with torch.inference_mode():
        query = network.query_example(network.encode(_magnitudes(_spectrum_of(example))))
    return _separate(audio, network, query, progress, 1)[0]


def _separate(
    audio: Audio, network: SeparatorNetwork, queries: Tensor, progress: Progress, n_kept: int
) -> list[Audio]:
    """Give what the first queries ask for, of the shape and rate of the recording."""
    import torch

    from .separator_network import SAMPLE_RATE

    samples = np.atleast_2d(audio.resample(SAMPLE_RATE).samples)
    gain = _gain(samples)
    found = [np.zeros_like(samples) for _ in range(n_kept)]
    pieces = _pieces(samples.shape[1])
    for number, (start, end) in enumerate(pieces):
        progress(number / len(pieces), "separating")
        with torch.inference_mode():
            parts = _separate_piece(samples[:, start:end] * gain, network, queries)
        for whole, part in zip(found, parts, strict=False):
            whole[:, start:end] += part * (_fade(start, end, samples.shape[1]) / gain)
    # One by one, since a long song at another rate would not fit in memory twice.
    return [like(Audio(found.pop(0), SAMPLE_RATE), audio) for _ in range(n_kept)]


def _gain(samples: np.ndarray) -> np.float32:
    """By what sound must be multiplied to have the level that the network knows."""
    energy = np.dot(samples.ravel(), samples.ravel()) / samples.size
    return np.float32(_LEVEL / max(_TINY, float(np.sqrt(energy))))


def like(part: Audio, whole: Audio) -> Audio:
    """Bring a part to the rate and the exact length of the whole."""
    samples = part.resample(whole.sample_rate).samples
    missing = whole.n_samples - samples.shape[-1]
    if missing > 0:
        samples = np.pad(samples, [(0, 0)] * (samples.ndim - 1) + [(0, missing)])
    return Audio(samples[..., : whole.n_samples], whole.sample_rate)


def _pieces(n_samples: int) -> list[tuple[int, int]]:
    """Cut a length into pieces that overlap; a short rest belongs to the last one."""
    from .separator_network import HOP

    length, overlap = _PIECE_FRAMES * HOP, _OVERLAP_FRAMES * HOP
    return windows(n_samples, length, length - overlap, overlap)


def _fade(start: int, end: int, n_samples: int) -> np.ndarray:
    """Give the gains of a piece; those of all pieces add up to 1 everywhere."""
    from .separator_network import HOP

    overlap = _OVERLAP_FRAMES * HOP
    rise = (np.arange(overlap, dtype=np.float32) + 0.5) / overlap
    fade = np.ones(end - start, np.float32)
    if start:
        fade[:overlap] = rise
    if end < n_samples:
        fade[-overlap:] = rise[::-1]
    return fade


def _separate_piece(samples: np.ndarray, network: SeparatorNetwork, queries: Tensor) -> np.ndarray:
    """Separate `(channels, n_samples)` into `(queries, channels, n_samples)`."""
    import torch

    from .separator_network import sound, spectrum

    bins = spectrum(torch.from_numpy(samples))  # (channels, frames, bins)
    masks = network.decode(network.encode(_magnitudes(bins)), queries[None])[0]
    masks = masks[:, : bins.shape[1]]
    above = masks[..., -1:].expand(*masks.shape[:2], bins.shape[2] - masks.shape[2])
    masks = torch.cat([masks, above], -1)
    if len(queries) == 1:
        masks = torch.cat([masks, 1 - masks])  # what is not asked for competes
    return sound(_refine(masks, bins)[: len(queries)], samples.shape[1]).numpy()


def _magnitudes(bins: Tensor) -> Tensor:
    """What all channels hold together: (channels, frames, bins) to (1, padded frames, bins)."""
    from .separator_network import pad_frames

    return pad_frames(bins.abs().square().mean(0, keepdim=True).sqrt())


def _refine(masks: Tensor, bins: Tensor) -> Tensor:
    """Wiener-filter: masks (sources, frames, bins) to spectra (sources, channels, frames, bins)."""
    import norbert
    import torch

    # norbert takes out white noise of a level that is fixed by the precision of its numbers.
    scale = _LOUDEST / max(_TINY, float(bins.abs().max()))
    mixture = (bins.permute(1, 2, 0) * scale).to(torch.complex128)
    magnitudes = masks.permute(1, 2, 0)[:, :, None] * mixture.abs()[..., None]
    iterations = 1 if len(bins) == _STEREO else 0
    parts = norbert.wiener(magnitudes.numpy(), mixture.numpy(), iterations)
    return torch.from_numpy(parts).permute(3, 2, 0, 1).to(torch.complex64) / scale


def _spectrum_of(example: Audio) -> Tensor:
    import torch

    from .separator_network import SAMPLE_RATE, spectrum

    samples = np.atleast_2d(example.resample(SAMPLE_RATE).samples)
    most = round(_LONGEST_EXAMPLE_S * SAMPLE_RATE)
    start = max(0, samples.shape[1] - most) // 2
    samples = samples[:, start : start + most]
    return spectrum(torch.from_numpy(samples * _gain(samples)))
