"""What a player's equipment does to a whole part: distortion, moving delays, tremolo."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import fft

from .oscillators import Body

Effect = Callable[[np.ndarray], np.ndarray]


def unchanged(samples: np.ndarray) -> np.ndarray:
    """Return the samples as they are."""
    return samples


def distortion(drive: float, skew: float, speaker: Body, top_hz: float, rate: int) -> Effect:
    """Make an amplifier: soft clipping at twice the rate, then a loudspeaker.

    Args:
        drive: How far above the clipping level the loudest sound is.
        skew: Offset of the curve, which adds even harmonics.
        speaker: What the loudspeaker does to the spectrum.
        top_hz: Where the loudspeaker stops.
        rate: Sample rate in Hz.
    """

    def apply(samples: np.ndarray) -> np.ndarray:
        n = len(samples)
        size = fft.next_fast_len(n + rate // 10, real=True)
        peak = float(np.abs(samples).max()) + 1e-9
        spectrum = fft.rfft(samples * np.float32(drive / peak), size)
        # A spectrum that is twice as long is the same sound at twice the rate.
        shaped = np.tanh(2 * fft.irfft(spectrum, 2 * size) + np.float32(skew))
        spectrum = fft.rfft(shaped)[: size // 2 + 1]
        hz = fft.rfftfreq(size, 1 / rate)
        high_pass = hz**2 / (hz**2 + 70.0**2)
        spectrum *= speaker(hz) * high_pass / np.sqrt(1 + (hz / top_hz) ** 8)
        return np.asarray(fft.irfft(spectrum, size)[:n], np.float32)

    return apply


def modulation(
    speed_hz: float, depth_s: float, mix: float, tremolo: float, phase: float, rate: int
) -> Effect:
    """Make a chorus, a rotating loudspeaker or a tremolo.

    Args:
        speed_hz: Speed of the movement.
        depth_s: How far the delay moves.
        mix: Share of the delayed sound: 1 is vibrato, 0.5 chorus, 0 none.
        tremolo: How much the loudness moves, 0..1.
        phase: Where the movement begins, in periods.
        rate: Sample rate in Hz.
    """

    def apply(samples: np.ndarray) -> np.ndarray:
        t = np.arange(len(samples), dtype=np.float32) * np.float32(2 * np.pi * speed_hz / rate)
        swing = np.sin(t + np.float32(2 * np.pi * phase))
        if mix > 0:
            back = np.arange(len(samples), dtype=np.float64)
            back -= (1 + swing) * (0.5 * depth_s * rate) + 1
            index = np.maximum(back.astype(np.int64), 0)
            part = np.clip(back - index, 0, 1).astype(np.float32)
            late = samples[index]
            late += part * (samples[np.minimum(index + 1, len(samples) - 1)] - late)
            samples = (1 - mix) * samples + mix * late
        return np.asarray(samples * (1 - tremolo * (0.5 + 0.5 * swing)), np.float32)

    return apply


def chain(*effects: Effect) -> Effect:
    """Apply effects one after another."""

    def apply(samples: np.ndarray) -> np.ndarray:
        for effect in effects:
            samples = effect(samples)
        return samples

    return apply
