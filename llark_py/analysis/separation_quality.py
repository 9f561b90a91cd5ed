"""How good a separation is likely to be, judged by the sounds alone.

Where every bin of the spectrum belongs to one source only, separating was easy; where sources share
bins, each keeps some of the other. The ratio of what a source has alone to what it shares, and its
level, are what the ratio of signal to errors (SNR) is estimated from. The coefficients are fitted
on composed music whose stems are known (`training/separator_calibration.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from llark_py.audio import Audio

GOOD_SNR_DB = 5.0
"""A separation counts as usable from here on: errors are clearly fainter than the source."""
INAUDIBLE_DB = -45.0
"""A source that is this far below the whole recording is called silent."""
_MOST_DB = 60.0
_TINY = 1e-12
_PIECE_S = 20.0


class Traces(NamedTuple):
    """What a separation shows of its own quality.

    `level_db` is the level beside the whole recording, `alone_db` how far what a source has alone
    is above what it shares; both are cut off at 60 dB.
    """

    level_db: float
    alone_db: float


class Quality(NamedTuple):
    """The estimated ratio of signal to errors, and the probability that it is `GOOD_SNR_DB`."""

    snr_db: float
    confidence: float


def trace(sounds: Sequence[Audio]) -> list[Traces]:
    """Look at sources that together are a recording.

    Args:
        sounds: Of one length, rate and number of channels.
    """
    import torch

    from .separator_network import spectrum

    piece = round(_PIECE_S * sounds[0].sample_rate)
    totals = np.zeros((3, len(sounds)))
    for start in range(0, sounds[0].n_samples, piece):
        parts = np.stack([np.atleast_2d(s.samples)[:, start : start + piece] for s in sounds])
        power = spectrum(torch.from_numpy(parts)).abs().square().sum(1)  # (sources, frames, bins)
        whole = power.sum(0)
        shared = power * (whole - power) / (whole + _TINY)
        totals += [
            power.sum((1, 2)).numpy(),
            (power - shared).sum((1, 2)).numpy(),
            shared.sum((1, 2)).numpy(),
        ]
    energy, alone, both = totals
    return [
        Traces(_decibels(energy[i], energy.sum()), _decibels(alone[i], both[i]))
        for i in range(len(sounds))
    ]


def estimate(traces: Traces, coefficients: Sequence[float]) -> Quality:
    """Estimate the quality of a source.

    Args:
        traces: Of the source.
        coefficients: Three for the SNR and three for the logit of the probability: of
            `alone_db`, of `level_db`, and a constant.
    """
    a, b, c, d, e, f = coefficients
    logit = d * traces.alone_db + e * traces.level_db + f
    snr = a * traces.alone_db + b * traces.level_db + c
    return Quality(snr, 1 / (1 + math.exp(-max(-30.0, min(30.0, logit)))))


def _decibels(part: float, whole: float) -> float:
    return float(max(-_MOST_DB, min(_MOST_DB, 10 * np.log10((part + _TINY) / (whole + _TINY)))))
