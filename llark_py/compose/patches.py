"""Makes a soundfont of a folder of Gravis UltraSound patches, such as Debian's `freepats`.

Patch layout as in the Gravis UltraSound Software Development Kit 2.22, appendix on patch files;
soundfont layout as in the SoundFont 2.04 technical specification, sections 4 to 8.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from llark_py.errors import ConfigError

_HEADER = struct.Struct("<12s10s60sBBBHHI36s2s16sIB40sBBIB40s")
_SAMPLE = struct.Struct("<7sBIIIHIIIhB6s6s6sBHH36s")
_IS_16_BIT, _IS_UNSIGNED, _LOOPS, _PING_PONG, _REVERSED, _SUSTAINS, _HAS_ENVELOPE = (
    1 << bit for bit in range(7)
)
_SHDR = struct.Struct("<20sIIIIIBbHH")
_FULL_SWING_S = 2**21 / 44_100
_STROKE_RELEASE_S = 2.0
_OFFSET_DB = 36.0  # what the whole range of an envelope offset stands for
_ATTACK, _DECAY, _SUSTAIN, _RELEASE = 34, 36, 37, 38
_KEY_RANGE, _SAMPLE_ID, _SAMPLE_MODES, _ROOT_KEY, _INSTRUMENT, _FINE_TUNE = 43, 53, 54, 58, 41, 52
_EXCLUSIVE_CLASS = 57
_HI_HATS = (42, 44, 46)
_DRUM_BANK = 128
_GUARD = 46  # zeros that must follow a sample


@dataclass(frozen=True)
class PatchSample:
    """One recording of a patch: keys it serves, its pitch (MIDI, fractional), loop, envelope.

    `attack_s`, `decay_s` and `release_s` are times, `sustain_db` how far the level falls.
    """

    samples: np.ndarray
    rate: int
    low: int
    high: int
    root: float
    loop: tuple[int, int] | None
    attack_s: float
    decay_s: float
    sustain_db: float
    release_s: float


class _Zone(NamedTuple):
    low: int
    high: int
    sample: PatchSample
    exclusive: int


def read_patch(path: Path) -> list[PatchSample]:
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


def _read_sample(fields: tuple, data: bytes) -> PatchSample:
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
    return PatchSample(
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
    presets: list[tuple[str, int, int, list[_Zone]]] = []
    for program, path in _numbered(folder / "Tone_000").items():
        found = sorted(read_patch(path), key=lambda s: (s.high, s.root))
        # The keys below the lowest and above the highest range are played too.
        tops = [s.high for s in found[:-1]] + [127]
        lows = [0, *(top + 1 for top in tops[:-1])]
        zones = [_Zone(*z, 0) for z in zip(lows, tops, found, strict=True) if z[0] <= z[1]]
        presets.append((path.stem, program, 0, zones))
    hits = [
        # Drums sound as they were recorded, whatever pitch the patch claims.
        _Zone(key, key, replace(read_patch(path)[0], root=float(key)), int(key in _HI_HATS))
        for key, path in _numbered(folder / "Drum_000").items()
    ]
    if not presets and not hits:
        raise ConfigError(f"no patches (Tone_000/NNN_name.pat) in {folder}")
    if hits:
        presets.append(("drums", 0, _DRUM_BANK, hits))
    return _soundfont(presets)


def _timecents(seconds: float) -> int:
    return round(1200 * math.log2(min(max(seconds, 0.001), 100.0)))


def _generators(zone: _Zone, sample_id: int) -> bytes:
    sample = zone.sample
    root = round(sample.root)
    pairs: list[tuple[int, int]] = [
        (_KEY_RANGE, zone.low | zone.high << 8),
        (_ATTACK, _timecents(sample.attack_s)),
        (_DECAY, _timecents(sample.decay_s)),
        (_SUSTAIN, round(min(sample.sustain_db, 100.0) * 10)),
        (_RELEASE, _timecents(sample.release_s)),
        (_FINE_TUNE, round((root - sample.root) * 100)),
        (_SAMPLE_MODES, 0 if sample.loop is None else 1),
        (_EXCLUSIVE_CLASS, zone.exclusive),
        (_ROOT_KEY, min(max(root, 0), 127)),
        (_SAMPLE_ID, sample_id),
    ]
    return b"".join(
        struct.pack("<HH", op, amount) if op == _KEY_RANGE else struct.pack("<Hh", op, amount)
        for op, amount in pairs
    )


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _list(name: bytes, chunks: Sequence[bytes]) -> bytes:
    return _chunk(b"LIST", name + b"".join(chunks))


def _soundfont(presets: list[tuple[str, int, int, list[_Zone]]]) -> bytes:
    """Write presets of one instrument each; the end of every table is a record of its own."""
    waves: list[np.ndarray] = []
    phdr, pbag, pgen, inst, ibag, igen, shdr = ([] for _ in range(7))  # type: ignore[var-annotated]
    at = zones_so_far = generators_so_far = 0
    for index, (name, program, bank, zones) in enumerate(presets):
        label = name.encode("ascii", "replace")[:19]
        phdr.append(struct.pack("<20sHHHIII", label, program, bank, index, 0, 0, 0))
        pbag.append(struct.pack("<HH", index, 0))
        pgen.append(struct.pack("<HH", _INSTRUMENT, index))
        inst.append(struct.pack("<20sH", label, zones_so_far))
        for zone in zones:
            sample, n = zone.sample, len(zone.sample.samples)
            start, end = sample.loop or (0, n)
            ibag.append(struct.pack("<HH", generators_so_far, 0))
            body = _generators(zone, len(shdr))
            igen.append(body)
            generators_so_far += len(body) // 4
            zones_so_far += 1
            root = min(max(round(sample.root), 0), 127)
            shdr.append(
                _SHDR.pack(label, at, at + n, at + start, at + end, sample.rate, root, 0, 0, 1)
            )
            waves += [sample.samples, np.zeros(_GUARD, np.int16)]
            at += n + _GUARD
    n = len(presets)
    phdr.append(struct.pack("<20sHHHIII", b"EOP", 0, 0, n, 0, 0, 0))
    pbag.append(struct.pack("<HH", n, 0))
    inst.append(struct.pack("<20sH", b"EOI", zones_so_far))
    ibag.append(struct.pack("<HH", generators_so_far, 0))
    shdr.append(_SHDR.pack(b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0))
    heads = [
        _list(
            b"INFO",
            [
                _chunk(b"ifil", struct.pack("<HH", 2, 1)),
                _chunk(b"isng", b"EMU8000\0"),
                _chunk(b"INAM", b"patches\0"),
            ],
        ),
        _list(b"sdta", [_chunk(b"smpl", np.concatenate(waves).astype("<i2").tobytes())]),
    ]
    tables = {
        b"phdr": phdr,
        b"pbag": pbag,
        b"pmod": [b"\0" * 10],
        b"pgen": [*pgen, b"\0" * 4],
        b"inst": inst,
        b"ibag": ibag,
        b"imod": [b"\0" * 10],
        b"igen": [*igen, b"\0" * 4],
        b"shdr": shdr,
    }
    heads.append(_list(b"pdta", [_chunk(name, b"".join(rows)) for name, rows in tables.items()]))
    return _chunk(b"RIFF", b"sfbk" + b"".join(heads))
