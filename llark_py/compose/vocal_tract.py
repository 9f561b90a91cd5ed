"""A voice as source and filter: glottal pulses and breath through moving formants.

The source is a table of harmonics read at the pitch (band-limited, so nothing folds back), the
filter a product of resonances (Fant, 1960; Klatt, 1980) that changes every 5 ms and is applied to
overlapping short spectra.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

FRAME_S = 0.005
_WINDOW_FRAMES = 4
_TABLE = 2048
_LOWEST_HZ = 55.0
_BANDS_PER_OCTAVE = 3
_N_BANDS = 16
# A tube of 17.5 cm resonates every 1000 Hz; the first three move and come from the phonemes.
_HIGH_FORMANTS_HZ = (3500.0, 4500.0, 5500.0, 6500.0, 7500.0)
_BANDWIDTHS_HZ = (80.0, 90.0, 130.0, 200.0, 260.0, 350.0, 450.0, 550.0)
_HISS = 0.8
_NASAL_CUT_DB = 26.0
_NASAL_ABOVE_HZ = 450.0


@dataclass
class Controls:
    """What a voice does, one row every `FRAME_S`; all arrays (n_frames,) unless said.

    Attributes:
        pitch: MIDI pitch.
        voicing, aspiration, frication: Amplitudes of pulses, breath and turbulence, 0..1.
        tilt: How fast harmonics fall: the exponent of 1 / k (0.6 pressed, 1.8 breathy).
        formants_hz: First three formants, (n_frames, 3), of the singer's own size.
        nasal: How far the mouth is closed, 0..1.
        band_hz: Edges of the turbulence noise, (n_frames, 2).
    """

    pitch: np.ndarray
    voicing: np.ndarray
    aspiration: np.ndarray
    frication: np.ndarray
    tilt: np.ndarray
    formants_hz: np.ndarray
    nasal: np.ndarray
    band_hz: np.ndarray


@dataclass(frozen=True)
class Tract:
    """A singer's instrument: length of the tract, sharpness of its resonances, breath.

    `size` multiplies all formants (1 a man, 1.17 a woman, 1.35 a child), `ring_db` lifts the
    region of 2.4 to 3.4 kHz as trained singers do (Sundberg, 1974), `damping` widens formants.
    """

    size: float = 1.0
    damping: float = 1.0
    ring_db: float = 0.0


def speak(
    controls: Controls, tract: Tract, n: int, rng: np.random.Generator, sample_rate: int
) -> np.ndarray:
    """Turn controls into sound.

    Args:
        controls: Rows every 5 ms; the last one is held.
        tract: The singer.
        n: Samples wanted.
        rng: Source of the noise.
        sample_rate: In Hz, at least 16 000 for clear consonants.

    Returns:
        Mono float32 (n,); where it is voiced, of unit power on average.
    """
    hop = round(FRAME_S * sample_rate)
    at = np.minimum(np.arange(n) / hop, len(controls.pitch) - 1)
    hz = 440.0 * 2.0 ** ((_held(controls.pitch, at) - 69) / 12)
    phase = np.cumsum(hz / sample_rate) % 1.0
    pulses = _harmonics(phase, hz, _held(controls.tilt, at), sample_rate)
    noise = rng.standard_normal(n)
    # Breath flows while the glottis is open: in the first part of each period.
    gate = 0.45 + 0.55 * np.where(phase < 0.55, np.sin(np.pi * phase / 0.55), 0.0)
    voiced = _held(controls.voicing, at)
    breath = 0.32 * noise * _held(controls.aspiration, at) * (1 - voiced * (1 - gate))
    throat = pulses * voiced + breath
    mouth = noise * _held(controls.frication, at)
    size = next_fast_len(_WINDOW_FRAMES * hop * 3 // 2, real=True)
    bins_hz = np.fft.rfftfreq(size, 1 / sample_rate)
    out = _filtered(throat, _resonances(controls, tract, bins_hz), hop, size)
    # Turbulence is loud beside the voice, whatever gain the formants happen to have.
    sounding = voiced > 0.5 * voiced.max()
    out /= np.sqrt(np.mean(out[sounding] ** 2)) + 1e-9
    hiss = _filtered(mouth, _noise_bands(controls, bins_hz), hop, size)
    return (out + _HISS * hiss).astype(np.float32)


def _held(rows: np.ndarray, at: np.ndarray) -> np.ndarray:
    return np.interp(at, np.arange(len(rows)), rows)


def _harmonics(phase: np.ndarray, hz: np.ndarray, tilt: np.ndarray, sample_rate: int) -> np.ndarray:
    """Read a pulse of unit power: every harmonic under half the rate, falling by the tilt."""
    tables = np.empty((2, _N_BANDS, _TABLE + 1), np.float32)
    slopes = (0.6, 2.0)
    tops = _LOWEST_HZ * 2.0 ** (np.arange(1, _N_BANDS + 1) / _BANDS_PER_OCTAVE)
    for row, slope in zip(tables, slopes, strict=True):
        for table, top in zip(row, tops, strict=True):
            spectrum = np.zeros(_TABLE // 2 + 1, complex)
            k = np.arange(1, max(2, min(_TABLE // 2, int(0.48 * sample_rate / top) + 1)))
            spectrum[k] = -1j * k**-slope
            wave = irfft(spectrum, _TABLE)
            table[:-1] = wave / np.sqrt(np.mean(wave**2))
            table[-1] = table[0]
    band = np.clip(np.log2(hz / _LOWEST_HZ) * _BANDS_PER_OCTAVE, 0, _N_BANDS - 1).astype(int)
    place = phase * _TABLE
    left = place.astype(int)
    share = place - left
    pressed, soft = (t[band, left] * (1 - share) + t[band, left + 1] * share for t in tables)
    mix = np.clip((tilt - slopes[0]) / (slopes[1] - slopes[0]), 0, 1)
    return pressed * (1 - mix) + soft * mix


def _resonances(controls: Controls, tract: Tract, bins_hz: np.ndarray) -> np.ndarray:
    """Gain of the tract (n_frames, n_bins)."""
    n = len(controls.pitch)
    high = np.broadcast_to(np.array(_HIGH_FORMANTS_HZ) * tract.size, (n, len(_HIGH_FORMANTS_HZ)))
    formants = np.concatenate([controls.formants_hz, high], 1)[:, :, None]
    half = np.array(_BANDWIDTHS_HZ)[None, :, None] * tract.damping * np.sqrt(tract.size) / 2
    f = bins_hz[None, None, :]
    peak = formants**2 + half**2
    gains = peak / np.sqrt(((f - formants) ** 2 + half**2) * ((f + formants) ** 2 + half**2))
    gain = gains.prod(1)
    # The lips radiate high frequencies better; the fall of the glottis is in the tilt.
    gain *= np.maximum(bins_hz, 60.0) / 1000.0 / (1 + bins_hz / 6000.0)
    ring = 10 ** (tract.ring_db / 20 * np.exp(-(((bins_hz - 2900) / 500) ** 2)))
    above = 1 / (1 + np.exp(-(bins_hz - _NASAL_ABOVE_HZ) / 80))
    closed = 10 ** (-_NASAL_CUT_DB / 20 * controls.nasal[:, None] * above)
    return gain * ring * closed


def _noise_bands(controls: Controls, bins_hz: np.ndarray) -> np.ndarray:
    """Gain of the turbulence behind lips and teeth (n_frames, n_bins)."""
    low, high = controls.band_hz[:, :1], controls.band_hz[:, 1:]
    f = bins_hz[None, :]
    return 1 / (1 + (low / np.maximum(f, 1.0)) ** 4) / (1 + (f / high) ** 6)


def _filtered(samples: np.ndarray, gains: np.ndarray, hop: int, size: int) -> np.ndarray:
    """Filter short spectra, one every `hop`, with one row of gains each, and join them again."""
    window = _WINDOW_FRAMES * hop
    n_frames = -(-len(samples) // hop) + _WINDOW_FRAMES
    padded = np.zeros((n_frames + _WINDOW_FRAMES) * hop)
    padded[window // 2 : window // 2 + len(samples)] = samples
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop][:n_frames]
    shape = np.hanning(window + 1)[:-1] * (2 / _WINDOW_FRAMES)
    lead = (size - window) // 2
    buffer = np.zeros((n_frames, size))
    buffer[:, lead : lead + window] = frames * shape
    rows = np.minimum(np.arange(n_frames), len(gains) - 1)
    buffer = irfft(rfft(buffer, axis=1) * gains[rows], size, axis=1)
    out = np.zeros(n_frames * hop + size + hop)
    for first in range(0, size, hop):
        piece = buffer[:, first : first + hop]
        whole = np.zeros((n_frames, hop))
        whole[:, : piece.shape[1]] = piece
        out[first : first + n_frames * hop] += whole.reshape(-1)
    start = window // 2 + lead
    return out[start : start + len(samples)]
