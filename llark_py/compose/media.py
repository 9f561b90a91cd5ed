"""What recordings are kept on and sent through: records, tape, telephones, mp3 and ogg.

Nothing here moves music in time by more than about a millisecond or changes its length, so every
fact stays true.
"""

from __future__ import annotations

import io

import numpy as np
import soundfile
from scipy.signal import lfilter

_P_CODEC = 0.2
_P_COMPRESSED = 0.25
_P_COMBED = 0.15
# mp3 costs five times as much as ogg.
_P_MP3 = 0.4
_MEDIA = ("none", "vinyl", "tape", "line")
_P_MEDIA = (0.72, 0.09, 0.12, 0.07)
_BLOCK_S = 0.005
_COMB_S = (0.0002, 0.004)
_WRITE_BLOCK = 1 << 16
_CODECS = {"mp3": ("MP3", "MPEG_LAYER_III"), "ogg": ("OGG", "VORBIS")}


def keep_on_medium(samples: np.ndarray, rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """Send a recording through what old and new recordings have been through, each by chance.

    Args:
        samples: Mono float (n_samples,) of about unit deviation.
        rng: Source of the choices.
        sample_rate: In Hz.

    Returns:
        Float32 (n_samples,), aligned with what came.
    """
    if rng.random() < _P_COMBED:
        samples = comb(samples, rng, sample_rate)
    if rng.random() < _P_COMPRESSED:
        samples = compress(samples, rng, sample_rate)
    medium = rng.choice(_MEDIA, p=_P_MEDIA)
    if medium == "vinyl":
        samples = vinyl(samples, rng, sample_rate)
    elif medium == "tape":
        samples = tape(samples, rng, sample_rate)
    elif medium == "line":
        samples = line(samples, rng, sample_rate)
    if rng.random() < _P_CODEC:
        name = "mp3" if rng.random() < _P_MP3 else "ogg"
        samples = codec(samples, name, float(rng.uniform(0.0, 0.9)), sample_rate)
    return np.asarray(samples, np.float32)


def codec(samples: np.ndarray, name: str, loss: float, sample_rate: int) -> np.ndarray:
    """Write sound as mp3 or ogg and read it again.

    libsndfile takes the delay of the coder away; what the coder adds at the end is cut off.

    Args:
        samples: Mono float (n_samples,).
        name: `mp3` or `ogg`.
        loss: 0 (best) to 1 (smallest file).
        sample_rate: In Hz.

    Returns:
        Float32 (n_samples,).
    """
    form, subtype = _CODECS[name]
    peak = float(np.abs(samples).max()) + 1e-9
    file = io.BytesIO()
    scaled = np.asarray(samples * (0.9 / peak), np.float32)
    settings = {"format": form, "subtype": subtype, "compression_level": loss}
    with soundfile.SoundFile(file, "w", sample_rate, channels=1, **settings) as sink:
        # Second by second: libsndfile's vorbis coder overflows its stack on minutes at once.
        for first in range(0, len(scaled), sample_rate):
            sink.write(scaled[first : first + sample_rate])
    file.seek(0)
    decoded = soundfile.read(file, dtype="float32")[0][: len(samples)]
    decoded = np.pad(decoded, (0, len(samples) - len(decoded)))
    return np.asarray(decoded * (peak / 0.9), np.float32)


def vinyl(samples: np.ndarray, rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """Play a record: wow, a narrow band, rumble, crackle and pops."""
    turns_hz = rng.choice((0.556, 0.75, 1.3))
    out = _wavering(samples, turns_hz, rng.uniform(0.0002, 0.0015), rng, sample_rate)
    top_hz = np.exp(rng.uniform(np.log(3500), np.log(7500)))
    out = _band(out, rng.uniform(30, 180), top_hz, sample_rate)
    level = float(np.std(samples)) + 1e-9
    n = len(samples)
    crackle = np.zeros(n)
    count = rng.poisson(n / sample_rate * np.exp(rng.uniform(np.log(2), np.log(120))))
    crackle[rng.integers(0, n, count)] = rng.exponential(1.0, count) * rng.choice((-1, 1), count)
    crackle = lfilter([1.0], [1.0, -rng.uniform(0.2, 0.7)], crackle)
    crackle = _band(crackle, 300, 7000, sample_rate)
    hiss = rng.standard_normal(n) * 10 ** (-rng.uniform(30, 55) / 20)
    rumble = lfilter([0.02], [1.0, -0.98], rng.standard_normal(n)) * rng.uniform(0, 0.2)
    return out + level * (crackle * 10 ** (rng.uniform(-12, 6) / 20) + hiss + rumble)


def tape(samples: np.ndarray, rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """Play a tape: saturation, wow and flutter, dull treble, hiss."""
    level = float(np.std(samples)) + 1e-9
    drive = rng.uniform(1.2, 4.0) * level
    out = drive * np.tanh(samples / drive)
    out = _wavering(out, rng.uniform(0.4, 1.5), rng.uniform(0.0001, 0.001), rng, sample_rate)
    out = _wavering(out, rng.uniform(5, 11), rng.uniform(0.00005, 0.0006), rng, sample_rate)
    top_hz = np.exp(rng.uniform(np.log(3000), np.log(7800)))
    out = _band(out, rng.uniform(20, 80), top_hz, sample_rate)
    hiss = np.diff(rng.standard_normal(len(samples) + 1)) * 10 ** (-rng.uniform(26, 50) / 20)
    return out + level * hiss


def line(samples: np.ndarray, rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """Send sound through a telephone or an old radio: little but the middle is left."""
    low_hz = np.exp(rng.uniform(np.log(120), np.log(400)))
    high_hz = np.exp(rng.uniform(np.log(2600), np.log(5000)))
    out = _band(samples, low_hz, high_hz, sample_rate)
    level = float(np.std(out)) + 1e-9
    drive = rng.uniform(1.0, 4.0) * level
    out = drive * np.tanh(out / drive)
    noise = _band(rng.standard_normal(len(samples)), low_hz, high_hz, sample_rate)
    return out + level * 10 ** (-rng.uniform(18, 45) / 20) * noise


def comb(samples: np.ndarray, rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """Sum two channels or microphones that hear the same a little apart: a comb over frequency."""
    n = len(samples)
    padded = n + sample_rate // 10
    hz = np.fft.rfftfreq(padded, 1 / sample_rate)
    response = np.ones(len(hz), np.complex128)
    for _ in range(rng.integers(1, 3)):
        delay_s = rng.uniform(*_COMB_S)
        response += rng.uniform(-0.7, 0.7) * np.exp(-2j * np.pi * hz * delay_s)
    return np.fft.irfft(np.fft.rfft(samples, padded) * response, padded)[:n]


def compress(samples: np.ndarray, rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """Make loud moments less loud, fast or slowly, as a mastering compressor does."""
    block = max(1, round(_BLOCK_S * sample_rate))
    padded = np.pad(samples, (0, -len(samples) % block)).reshape(-1, block)
    level_db = 10 * np.log10(np.mean(np.square(padded), axis=1) + 1e-10)
    threshold = float(np.median(level_db)) + rng.uniform(-12, 3)
    wanted = np.maximum(0.0, level_db - threshold) * (1 - 1 / rng.uniform(2, 8))
    release_s = np.exp(rng.uniform(np.log(0.03), np.log(0.4)))
    share = np.exp(-_BLOCK_S / release_s)
    reduction = lfilter([1 - share], [1.0, -share], wanted)
    places = (np.arange(len(samples)) - block / 2) / block
    gain_db = np.interp(places, np.arange(len(reduction)), reduction)
    return samples * 10 ** (-gain_db / 20)


def _wavering(
    samples: np.ndarray, speed_hz: float, depth: float, rng: np.random.Generator, sample_rate: int
) -> np.ndarray:
    """Move the speed up and down by a share `depth`; times move by less than a millisecond."""
    n = len(samples)
    swing_s = min(depth / (2 * np.pi * speed_hz), 0.0008)
    place = np.arange(n) / sample_rate * speed_hz + rng.random()
    moved = np.arange(n) + swing_s * sample_rate * np.sin(2 * np.pi * place)
    return np.interp(moved, np.arange(n), samples)


def _band(samples: np.ndarray, low_hz: float, high_hz: float, sample_rate: int) -> np.ndarray:
    """Keep a band, 12 dB an octave below and 24 above it, without moving anything in time."""
    n = len(samples)
    padded = n + sample_rate // 10
    hz = np.fft.rfftfreq(padded, 1 / sample_rate)
    low = hz**2 / (hz**2 + low_hz**2)
    gain = low / np.sqrt(1 + (hz / high_hz) ** 8)
    return np.fft.irfft(np.fft.rfft(samples, padded) * gain, padded)[:n]
