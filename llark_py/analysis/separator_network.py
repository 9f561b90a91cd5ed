"""The embedded separator: a U-Net over bands of a spectrogram that masks what a query asks for.

A mixture is encoded once. A decoder, steered by a query (a vector), then says for every bin of
the spectrogram which share of it belongs to what is asked for. Four queries are learned: vocals,
drums, bass and other. Any further one is made from an example of the sound that is wanted, by the
same encoder. (Bands: Luo and Yu, "Music source separation with band-split RNN", 2023. Queries:
Lee et al., "Audio query-based music source separation", 2019; FiLM: Perez et al., 2018.)
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, relu

SAMPLE_RATE = 44100
"""In Hz."""
STEMS = ("vocals", "drums", "bass", "other")
"""What the learned queries ask for, in order."""
FFT, HOP = 4096, 1024
# Widths of the bands in bins of 10.8 Hz: as narrow as a semitone needs, then ever wider.
_BANDS = ((40, 2), (16, 4), (8, 12), (8, 32), (8, 124))
N_BANDS = sum(n for n, _ in _BANDS)
N_BINS = sum(n * width for n, width in _BANDS)
"""Bins that are looked at, up to 16 kHz; those above take the mask of the highest band."""
STRIDE = 8
"""The number of frames is padded to a multiple of this."""
_COMPRESSION, _SCALE = 0.33, 8.0


@dataclass(frozen=True)
class SeparatorConfig:
    """Sizes of the separator.

    Attributes:
        channels: Of the four storeys of the U-Net.
        mixed: Width of the layer that mixes all bands.
        query: Width of a query.
        head: Width of the last hidden layer.
    """

    channels: tuple[int, int, int, int] = (32, 64, 96, 128)
    mixed: int = 256
    query: int = 64
    head: int = 64

    def as_dict(self) -> dict:
        """Give the settings as JSON knows them."""
        return asdict(self) | {"channels": list(self.channels)}


class _Bands(nn.Module):
    """Bins to bands: `(batch, frames, N_BINS)` to `(batch, channels, frames, N_BANDS)`."""

    def __init__(self, channels: int):
        super().__init__()
        self.embed = nn.ParameterList(
            nn.Parameter(torch.randn(n, width, channels) * width**-0.5) for n, width in _BANDS
        )
        self.embed_bias = nn.Parameter(0.1 * torch.randn(N_BANDS, channels))

    def forward(self, bins: Tensor) -> Tensor:
        batch, frames, _ = bins.shape
        parts = bins.split([n * width for n, width in _BANDS], dim=-1)
        bands = [
            torch.einsum("btnw,nwc->btnc", part.reshape(batch, frames, n, width), weight)
            for part, (n, width), weight in zip(parts, _BANDS, self.embed, strict=True)
        ]
        return (torch.cat(bands, 2) + self.embed_bias).permute(0, 3, 1, 2)


class _Head(nn.Module):
    """Bands to bins: `(batch, width, frames, N_BANDS)` to `(batch, frames, N_BINS)` logits."""

    def __init__(self, width: int):
        super().__init__()
        self.head = nn.ParameterList(
            nn.Parameter(torch.randn(n, width, bins) * width**-0.5) for n, bins in _BANDS
        )
        self.head_bias = nn.Parameter(torch.full((N_BINS,), -1.0))

    def forward(self, bands: Tensor) -> Tensor:
        parts = bands.permute(0, 2, 3, 1).split([n for n, _ in _BANDS], dim=2)
        bins = [
            torch.einsum("btnc,ncw->btnw", part, weight).flatten(2)
            for part, weight in zip(parts, self.head, strict=True)
        ]
        return torch.cat(bins, -1) + self.head_bias


class _Steered(nn.Module):
    """Normalises channels; a query then scales and shifts them (FiLM)."""

    def __init__(self, channels: int, query: int):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=query == 0)
        self.film = nn.Linear(query, 2 * channels) if query else None

    def forward(self, x: Tensor, query: Tensor | None = None) -> Tensor:
        x = self.norm(x)
        if self.film is None:
            return x
        scale, shift = self.film(query)[:, :, None, None].chunk(2, 1)
        return x * (1 + scale) + shift


class _Block(nn.Module):
    """Two convolutions beside a path that leaves everything as it is."""

    def __init__(self, channels: int, query: int = 0, dilation: int = 1):
        super().__init__()
        self.first_norm = _Steered(channels, query)
        self.first = nn.Conv2d(
            channels, channels, 3, padding=(dilation, 1), dilation=(dilation, 1), bias=False
        )
        self.second_norm = _Steered(channels, 0)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, query: Tensor | None = None) -> Tensor:
        y = self.first(relu(self.first_norm(x, query)))
        return x + self.second(relu(self.second_norm(y)))


class _Mixer(nn.Module):
    """Mixes all bands and a second or so of time: `(batch, channels, frames, bands)`."""

    def __init__(self, channels: int, bands: int, width: int):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.narrow = nn.Linear(channels * bands, width)
        self.over_time = nn.Conv1d(width, width, 7, padding=3, groups=4)
        self.widen = nn.Linear(width, channels * bands)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, frames, bands = x.shape
        flat = self.norm(x).permute(0, 2, 3, 1).reshape(batch, frames, bands * channels)
        mixed = relu(self.narrow(flat))
        mixed = relu(mixed + self.over_time(mixed.transpose(1, 2)).transpose(1, 2))
        y = self.widen(mixed).view(batch, frames, bands, channels)
        return x + y.permute(0, 3, 1, 2)


Encoded = tuple[Tensor, Tensor, Tensor, Tensor]


class SeparatorNetwork(nn.Module):
    """Spectrogram and query to mask.

    Args:
        config: Its sizes.
    """

    def __init__(self, config: SeparatorConfig):
        super().__init__()
        self.config = config
        first, second, third, last = config.channels
        query = config.query
        self.bands = _Bands(first)
        self.encode_first = _Block(first)
        self.down_first = nn.Conv2d(first, second, 2, stride=2)
        self.encode_second = _Block(second)
        self.down_second = nn.Conv2d(second, third, 2, stride=2)
        self.encode_third = nn.Sequential(_Block(third), _Block(third))
        self.down_third = nn.Conv2d(third, last, 2, stride=2)
        self.encode_last = nn.Sequential(
            _Block(last), _Mixer(last, N_BANDS // STRIDE, config.mixed), _Block(last, dilation=2)
        )
        self.stem_embed = nn.Parameter(torch.randn(len(STEMS), query))
        self.describe = nn.Sequential(
            nn.Linear(2 * last * N_BANDS // STRIDE, 2 * query),
            nn.ReLU(),
            nn.Linear(2 * query, query),
        )
        self.decode_last = _Block(last, query)
        self.up_third = nn.ConvTranspose2d(last, third, 2, stride=2)
        self.skip_third = _Steered(third, query)
        self.decode_third = _Block(third, query)
        self.up_second = nn.ConvTranspose2d(third, second, 2, stride=2)
        self.skip_second = _Steered(second, query)
        self.decode_second = nn.Conv2d(second, second, 3, padding=1)
        self.up_first = nn.ConvTranspose2d(second, first, 2, stride=2)
        self.skip_first = _Steered(first, query)
        self.norm = nn.BatchNorm2d(first)
        self.widen = nn.Conv2d(first, config.head, 1)
        self.mask = _Head(config.head)

    def encode(self, magnitudes: Tensor) -> Encoded:
        """Look at a mixture, or at an example.

        Args:
            magnitudes: `(batch, frames, >= N_BINS)`, of a sound whose RMS is about 0.1; frames a
                multiple of `STRIDE`.

        Returns:
            What each of the four storeys saw, `(batch, channels, frames / 2**i, bands / 2**i)`.
        """
        bins = magnitudes[..., :N_BINS].pow(_COMPRESSION) * _SCALE
        x = self.bands(bins).contiguous(memory_format=torch.channels_last)
        first = self.encode_first(x)
        second = self.encode_second(self.down_first(first))
        third = self.encode_third(self.down_second(second))
        last = self.encode_last(self.down_third(third))
        return first, second, third, last

    def query_stems(self) -> Tensor:
        """Give the queries of the four `STEMS`: `(4, query)`."""
        return self.stem_embed

    def query_example(self, encoded: Encoded) -> Tensor:
        """Make a query of an example.

        Args:
            encoded: What `encode` returned for it.

        Returns:
            `(batch, query)`.
        """
        last = encoded[-1].float().transpose(1, 2)  # frames second
        seen = torch.cat([last.mean(1), last.std(1, correction=0)], 1).flatten(1)
        return self.describe(seen)

    def decode(self, encoded: Encoded, queries: Tensor) -> Tensor:
        """Say which share of every bin belongs to what is asked for.

        Args:
            encoded: What `encode` returned for mixtures, batch b.
            queries: `(b, n, query)`: n questions about each mixture.

        Returns:
            Masks `(b, n, frames, N_BINS)` in [0, 1].
        """
        batch, n, width = queries.shape
        q = queries.reshape(batch * n, width)
        first, second, third, last = (x.repeat_interleave(n, 0) for x in encoded)
        x = self.decode_last(last, q)
        x = self.decode_third(self.up_third(x) + self.skip_third(third, q), q)
        x = self.up_second(x) + self.skip_second(second, q)
        x = x + self.decode_second(relu(x))
        x = self.up_first(x) + self.skip_first(first, q)
        x = relu(self.widen(relu(self.norm(x))))
        return torch.sigmoid(self.mask(x).float()).unflatten(0, (batch, n))


def spectrum(samples: Tensor) -> Tensor:
    """Transform sound at `SAMPLE_RATE`.

    Args:
        samples: `(..., n_samples)`.

    Returns:
        Complex `(..., frames, FFT // 2 + 1)`, frames = n_samples // HOP + 1, scaled so that a
        sine of amplitude 1 has the magnitude 1.
    """
    window = torch.hann_window(FFT)
    flat = samples.reshape(-1, samples.shape[-1])
    bins = torch.stft(flat, FFT, HOP, window=window, return_complex=True, pad_mode="constant")
    return (bins * (4.0 / FFT)).transpose(1, 2).reshape(*samples.shape[:-1], -1, FFT // 2 + 1)


def sound(bins: Tensor, n_samples: int) -> Tensor:
    """Turn a `spectrum` back into `(..., n_samples)`."""
    window = torch.hann_window(FFT)
    flat = bins.reshape(-1, *bins.shape[-2:]).transpose(1, 2) * (FFT / 4.0)
    samples = torch.istft(flat, FFT, HOP, window=window, length=n_samples)
    return samples.reshape(*bins.shape[:-2], n_samples)


def pad_frames(magnitudes: Tensor) -> Tensor:
    """Pad `(..., frames, bins)` with silence to a multiple of `STRIDE` frames."""
    return pad(magnitudes, (0, 0, 0, -magnitudes.shape[-2] % STRIDE))
