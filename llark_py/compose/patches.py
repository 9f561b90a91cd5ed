"""Makes a soundfont of a folder of Gravis UltraSound patches, such as Debian's `freepats`.

Patch layout as in the Gravis UltraSound Software Development Kit 2.22, appendix on patch files.
"""

from __future__ import annotations

import math
import re
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np

from llark_py.errors import ConfigError

from .sf2 import DRUM_BANK, Preset, Sample, Zone, key_zones, soundfont_bytes

_HEADER = struct.Struct("<12s10s60sBBBHHI36s2s16sIB40sBBIB40s")
_SAMPLE = struct.Struct("<7sBIIIHIIIhB6s6s6sBHH36s")
_IS_16_BIT, _IS_UNSIGNED, _LOOPS, _PING_PONG, _REVERSED, _SUSTAINS, _HAS_ENVELOPE = (
    1 << bit for bit in range(7)
)
_FULL_SWING_S = 2**21 / 44_100
_STROKE_RELEASE_S = 2.0
_OFFSET_DB = 36.0  # what the whole range of an envelope offset stands for
_HI_HATS = (42, 44, 46)


def read_patch(path: Path) -> list[Sample]:
    """Read the recordings of a `.pat` file.

    Raises:
        ConfigError: It is no patch or is cut short.
    """
    data = path.read_bytes()
    try:
        header = _HEADER.unpack_from(data)
        if not header[0].startswith(b"GF1PATCH"):
            raise ConfigError(f"{path} is not a Gravis UltraSound patch")
        position, found = _HEADER.size, []
        for _ in range(header[18]):
            fields = _SAMPLE.unpack_from(data, position)
            position += _SAMPLE.size
            found.append(_read_sample(fields, data[position : position + fields[2]]))
            position += fields[2]
    except struct.error as error:
        raise ConfigError(f"the patch {path} is cut short: {error}") from error
    return found


def _read_sample(fields: tuple, data: bytes) -> Sample:
    (_, _, _, start, end, rate, low_mhz, high_mhz, root_mhz, *_), modes = fields, fields[14]
    wide = bool(modes & _IS_16_BIT)
    kind = {(True, True): "<u2", (True, False): "<i2", (False, True): "u1", (False, False): "i1"}
    raw = np.frombuffer(data[: len(data) // 2 * 2], kind[wide, bool(modes & _IS_UNSIGNED)])
    samples = raw.astype(np.int32)
    if modes & _IS_UNSIGNED:
        samples -= 1 << (15 if wide else 7)
    samples = (samples << (0 if wide else 8)).astype(np.int16)
    loop = None
    if modes & _LOOPS:
        loop = (start // 2, end // 2) if wide else (start, end)
        loop = (loop[0], min(loop[1], len(samples)))
        if modes & _PING_PONG:
            back = samples[loop[0] : loop[1]][::-1]
            samples = np.concatenate([samples[: loop[1]], back])
            loop = (loop[0], len(samples))
        if loop[1] - loop[0] < 8:
            loop = None
    return Sample(
        samples,
        rate,
        math.ceil(_midi(low_mhz) - 0.5),
        math.ceil(_midi(high_mhz) - 0.5),
        _midi(root_mhz),
        loop,
        *_read_envelope(fields[11], fields[12], modes),
    )


def _midi(millihertz: int) -> float:
    return 69 + 12 * math.log2(max(millihertz, 1) / 440_000)


def _read_envelope(rates: bytes, offsets: bytes, modes: int) -> tuple[float, float, float, float]:
    """Fit six ramps to attack, decay, sustain, release: (s, s, dB, s)."""
    if not modes & _LOOPS:  # a stroke: it ends by itself
        return 0.001, 0.001, 0.0, _STROKE_RELEASE_S
    if not modes & _HAS_ENVELOPE:
        return 0.001, 0.001, 0.0, 0.1

    def ramp_s(stage: int, distance: float) -> float:
        mantissa, octaves = rates[stage] & 63, 3 * (3 - (rates[stage] >> 6))
        return distance / 255 * _FULL_SWING_S / max(1, mantissa << octaves)

    # The top level is where attack ends; then down over the other ramps before a key goes up.
    attack = ramp_s(0, offsets[0])
    if modes & _SUSTAINS:
        decay = ramp_s(1, abs(offsets[1] - offsets[0])) + ramp_s(2, abs(offsets[2] - offsets[1]))
        fall = max(0, offsets[0] - offsets[2]) / 255 * _OFFSET_DB
        return attack, decay, fall, ramp_s(3, 255)
    decay = sum(ramp_s(i, abs(offsets[i] - offsets[i - 1])) for i in range(1, 6))
    return attack, decay, 100.0, decay


def patch_programs(folder: Path) -> frozenset[int]:
    """List the General MIDI programs (from 0) that a folder in freepats' layout has."""
    return frozenset(_numbered(folder / "Tone_000"))


def _numbered(folder: Path) -> dict[int, Path]:
    found = {}
    for path in sorted(folder.glob("*.pat")):
        if match := re.match(r"(\d{3})_", path.name):
            found[int(match[1])] = path
    return found


def soundfont_of_patches(folder: Path) -> bytes:
    """Make a SoundFont 2 file of a folder with `Tone_000/NNN_*.pat` and `Drum_000/NNN_*.pat`.

    Raises:
        ConfigError: A patch cannot be read, or there are none.
    """
    presets: list[Preset] = []
    for program, path in _numbered(folder / "Tone_000").items():
        presets.append(Preset(path.stem, program, 0, key_zones(read_patch(path))))
    hits = [
        # Drums sound as they were recorded, whatever pitch the patch claims.
        Zone(key, key, replace(read_patch(path)[0], root=float(key)), int(key in _HI_HATS))
        for key, path in _numbered(folder / "Drum_000").items()
    ]
    if not presets and not hits:
        raise ConfigError(f"no patches (Tone_000/NNN_name.pat) in {folder}")
    if hits:
        presets.append(Preset("drums", 0, DRUM_BANK, hits))
    return soundfont_bytes(presets)
