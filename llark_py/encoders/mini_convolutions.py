"""Convolutions over time and frequency that the stems of the `mini` encoder are made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, relu


class TimeConv(nn.Conv2d):
    """A convolution over (time, frequency) that can also be run without a look at later times.

    The kernel is odd and the stride 1 in time, with half of the kernel as padding.
    """

    def forward(self, image: Tensor, causal: bool = False) -> Tensor:
        """Convolve `(batch, channels, times, bands)`; `causal` puts all padding before."""
        if not causal:
            return super().forward(image)
        padding = (2 * int(self.padding[0]), int(self.padding[1]))
        wider = conv2d(image, self.weight, self.bias, self.stride, padding)
        # A view of it would be four times as slow in what follows.
        return wider[:, :, : image.shape[2]].contiguous(memory_format=torch.channels_last)


class Residual(nn.Module):
    """Two convolutions beside a shortcut (He et al., 2016); `stride` bands become one."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1):
        super().__init__()
        self.first = TimeConv(inputs, outputs, 3, (1, stride), 1, bias=False)
        self.second = TimeConv(outputs, outputs, 3, 1, 1, bias=False)
        self.first_norm, self.second_norm = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)
        same = inputs == outputs and stride == 1
        self.skip = None if same else nn.Conv2d(inputs, outputs, 1, (1, stride), bias=False)

    def forward(self, image: Tensor, causal: bool = False) -> Tensor:
        """Convolve `(batch, inputs, times, bands)`."""
        kept = image if self.skip is None else self.skip(image)
        inner = relu(self.first_norm(self.first(image, causal)))
        return relu(self.second_norm(self.second(inner, causal)) + kept)


def pool_bands(image: Tensor) -> Tensor:
    """Mean and maximum over the bands of `(batch, channels, times, bands)`: `(..., 2 channels)`.

    Channels last, as they lie in memory: the other way is ten times as slow.
    """
    bands = image.permute(0, 2, 3, 1)
    return torch.cat([bands.mean(2), bands.amax(2)], -1)
