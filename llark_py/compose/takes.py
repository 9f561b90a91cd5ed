"""Makes recorded notes and strokes into samples of a soundfont: starts, pitches, loops, levels."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile
import soxr

from llark_py.errors import ConfigError

RATE = 32_000
"""Rate of the samples that are made, in Hz: what the synthesizer runs at."""
_BLOCK_S = 0.005
_ONSET_DB, _LEAD_S = -32.0, 0.004
_FADE_S = 0.05
_PEAK = 0.9
_HARMONICS = 6
_OUT_OF_TUNE = 0.5  # semitones
_ODD_SHARE, _BELOW_SHARE = 0.04, 0.35
_MATCH_S, _SHORTEST_LOOP_S, _LONGEST_LOOP_S = 0.04, 0.25, 1.6
_STEADY = 0.35


def read_take(source: Path | bytes, longest_s: float) -> np.ndarray:
    """Read a recording from its first sound on.

    Args:
        source: A file, or the bytes of one.
        longest_s: What is longer is faded out there.

    Returns:
        Mono float32 (n_samples,) at `RATE`, peak 0.9.

    Raises:
        ConfigError: It cannot be read or is silent.
    """
    name = source.name if isinstance(source, Path) else "a recording"
    try:
        stream = io.BytesIO(source) if isinstance(source, bytes) else str(source)
        samples, rate = soundfile.read(stream, dtype="float32", always_2d=True)
    except (OSError, RuntimeError) as error:
        raise ConfigError(f"{name} cannot be read: {error}") from error
    mono = soxr.resample(samples.mean(axis=1), rate, RATE)
    block = round(_BLOCK_S * RATE)
    loudness = np.sqrt(np.mean(mono[: len(mono) // block * block].reshape(-1, block) ** 2, axis=1))
    if len(loudness) == 0 or loudness.max() < 1e-4:
        raise ConfigError(f"{name} is silent")
    first = int(np.argmax(loudness > loudness.max() * 10 ** (_ONSET_DB / 20))) * block
    first = max(0, first - round(_LEAD_S * RATE))
    mono = mono[first : first + round(longest_s * RATE)].copy()
    fade = min(round(_FADE_S * RATE), len(mono))
    mono[len(mono) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return np.asarray(mono * (_PEAK / np.abs(mono).max()), np.float32)


def measured_pitch(samples: np.ndarray, named: int) -> float | None:
    """Measure the pitch of a note near the one it is named after.

    Args:
        samples: From `read_take`.
        named: MIDI pitch of its name.

    Returns:
        MIDI pitch, fractional; None when it sounds another note (or another octave).
    """
    segment = samples[round(0.08 * RATE) :][: round(0.7 * RATE)]
    spectrum = np.abs(np.fft.rfft(segment * np.hanning(len(segment)), 4 * RATE))

    def at(hz: np.ndarray) -> np.ndarray:
        return spectrum[np.minimum(np.round(hz * 4).astype(int), len(spectrum) - 1)]

    offsets = np.arange(-1.5, 1.51, 0.02)
    f0 = 440 * 2 ** ((named + offsets - 69) / 12)
    partials = np.stack([at(f0 * k) for k in range(1, _HARMONICS + 1)])
    best = int(np.argmax(np.sqrt(partials).sum(axis=0)))
    odd, even = partials[::2, best].max(), partials[1::2, best].max()
    below = at(f0[best] * np.array([0.5, 1.5])).max()  # what a note an octave lower would have
    octave_off = odd < _ODD_SHARE * even or below > _BELOW_SHARE * partials[:, best].max()
    if abs(offsets[best]) > _OUT_OF_TUNE or octave_off:
        return None
    return float(named + offsets[best])


def loop_of(samples: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """Find where a held note can be repeated, and blend the seam.

    Args:
        samples: From `read_take`, of an instrument that holds its notes.

    Returns:
        The samples to the end of the loop, and the loop (first sample, end).
    """
    block = round(0.05 * RATE)
    power = np.mean(samples[: len(samples) // block * block].reshape(-1, block) ** 2, axis=1)
    steady = np.flatnonzero(np.sqrt(power) > _STEADY * np.sqrt(power.max()))
    end = min(int(steady[-1]) * block, len(samples) - round(_FADE_S * RATE))
    width = round(_MATCH_S * RATE)
    first = max(width, end - round(_LONGEST_LOOP_S * RATE), round(0.15 * RATE))
    last = max(first + 1, end - round(_SHORTEST_LOOP_S * RATE))
    wanted = samples[end - width : end].astype(np.float64)
    around = samples[first - width : last].astype(np.float64)
    match = np.correlate(around, wanted, "valid")
    squares = np.concatenate([[0.0], np.cumsum(around**2)])
    match /= np.sqrt(squares[width:] - squares[:-width] + 1e-9)
    start = first + int(np.argmax(match))
    fade = np.linspace(0, 1, width, dtype=np.float32)
    looped = samples[:end].copy()
    looped[end - width :] *= 1 - fade
    looped[end - width :] += fade * samples[start - width : start]
    return looped, (start, end)


def as_int16(samples: np.ndarray) -> np.ndarray:
    """Scale float samples in [-1, 1] to int16."""
    return np.round(np.clip(samples, -1, 1) * 32_767).astype(np.int16)
