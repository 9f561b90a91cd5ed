"""Which number formats this machine is fast at."""

from __future__ import annotations

import torch


def bf16_is_fast(device: str) -> bool:
    """Tell whether a kind of device (`cpu`, `cuda`, ...) multiplies bfloat16 in hardware.

    A CPU that has no instructions for it is about eighty times slower at it than at float32.
    """
    if device == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return device != "cuda" or torch.cuda.is_bf16_supported()
