"""The codec of the `mini` encoder and the layer that writes its codes on.

A standardised feature frame (0.1 s, 488 numbers) is brought to its principal components, and these
are told by residual vector quantisation: each codebook tells what the books before it left over
(Zeghidour et al., "SoundStream", 2021). The encoder, run causally, foresees the codes of the next
frame, as Jukebox does with the codes of its VQ-VAE (Dhariwal et al., 2020).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from .mini_features import FEATURE_WIDTH

_ROUNDS = 12


class FrameCodec(nn.Module):
    """Spectral frames to codes and back.

    Args:
        n_components: Principal components that are kept of a frame.
        n_books: Codebooks.
        n_codes: Codes in each.
    """

    mean: Tensor
    components: Tensor
    books: Tensor

    def __init__(self, n_components: int, n_books: int, n_codes: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(FEATURE_WIDTH))
        self.register_buffer("components", torch.zeros(FEATURE_WIDTH, n_components))
        self.register_buffer("books", torch.zeros(n_books, n_codes, n_components))

    @torch.no_grad()
    def fit(self, frames: Tensor, seed: int) -> float:
        """Fit components and codebooks.

        Args:
            frames: `(n, 488)` standardised; at least as many as a book has codes.
            seed: Of the first guesses of k-means.

        Returns:
            The share of the variance of the frames that their codes explain.
        """
        n_books, n_codes, n_components = self.books.shape
        mean = frames.mean(0)
        centred = frames - mean
        # The largest eigenvalues come last.
        _, vectors = torch.linalg.eigh(centred.T @ centred)
        self.mean.copy_(mean)
        self.components.copy_(vectors.flip(1)[:, :n_components])
        left = centred @ self.components
        generator = torch.Generator().manual_seed(seed)
        for book in range(n_books):
            codes = k_means(left, n_codes, generator)
            self.books[book] = codes
            left = left - codes[_nearest(left, codes)]
        error = (self.decode(self.encode(frames)) - frames).square().sum()
        return 1 - float(error / centred.square().sum())

    @torch.no_grad()
    def encode(self, frames: Tensor) -> Tensor:
        """Turn standardised frames `(..., 488)` into codes `(..., n_books)` int64."""
        left = ((frames.float() - self.mean.float()) @ self.components.float()).flatten(0, -2)
        codes = []
        for book in self.books.float():
            codes.append(_nearest(left, book))
            left = left - book[codes[-1]]
        return torch.stack(codes, -1).view(*frames.shape[:-1], -1)

    @torch.no_grad()
    def decode(self, codes: Tensor) -> Tensor:
        """Turn codes `(..., n_books)` into standardised frames `(..., 488)`."""
        parts = [book[codes[..., i]] for i, book in enumerate(self.books.float())]
        return torch.stack(parts).sum(0) @ self.components.float().T + self.mean.float()


class CodeWriter(nn.Module):
    """Foresees the codes of the next frame, book after book, from what the encoder has read.

    Args:
        width: Of the encoder's tokens.
        n_books: Codebooks.
        n_codes: Codes in each.
    """

    def __init__(self, width: int, n_books: int, n_codes: int):
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(n_codes, width) for _ in range(n_books - 1))
        self.heads = nn.ModuleList(nn.Linear(width, n_codes) for _ in range(n_books))

    def forward(self, read: Tensor, codes: Tensor) -> Tensor:
        """Score the codes that come next, each book knowing those before it.

        Args:
            read: `(..., width)`, what has been read up to a frame.
            codes: `(..., n_books)` of the frame after it.

        Returns:
            `(..., n_books, n_codes)` logits.
        """
        logits = [self.heads[0](gelu(read))]
        for book, embedding in enumerate(self.embeddings):
            read = read + embedding(codes[..., book])
            logits.append(self.heads[book + 1](gelu(read)))
        return torch.stack(logits, -2)

    @torch.no_grad()
    def draw(self, read: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
        """Draw the codes `(n_books,)` that follow what has been read `(width,)`."""
        codes: list[Tensor] = []
        for book, head in enumerate(self.heads):
            if book:
                read = read + self.embeddings[book - 1](codes[-1])
            chances = (head(gelu(read)).float() / temperature).softmax(-1)
            codes.append(torch.multinomial(chances, 1, generator=generator)[0])
        return torch.stack(codes)


def k_means(points: Tensor, n_codes: int, generator: torch.Generator) -> Tensor:
    """Find `n_codes` centres `(n_codes, dims)` of points `(n, dims)` by Lloyd's algorithm.

    A centre that no point is nearest to begins again at a random point.
    """

    def some(n: int) -> Tensor:
        return points[torch.randint(len(points), (n,), generator=generator)]

    centres = points[torch.randperm(len(points), generator=generator)[:n_codes]].clone()
    for _ in range(_ROUNDS):
        nearest = _nearest(points, centres)
        counts = torch.bincount(nearest, minlength=n_codes)
        centres = torch.zeros_like(centres).index_add_(0, nearest, points)
        centres = centres / counts.clamp(min=1)[:, None]
        centres[counts == 0] = some(int((counts == 0).sum()))
    return centres


def _nearest(points: Tensor, centres: Tensor) -> Tensor:
    """The number of the centre that is nearest to each point `(n, dims)`."""
    return (points @ centres.T - centres.square().sum(-1) / 2).argmax(-1)
