"""Writes SoundFont 2 files: recordings with keys, loops and envelopes -> bytes.

Layout as in the SoundFont 2.04 technical specification, sections 4 to 8.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

DRUM_BANK = 128
"""Bank whose presets are drum kits."""
_SHDR = struct.Struct("<20sIIIIIBbHH")
_ATTACK, _DECAY, _SUSTAIN, _RELEASE = 34, 36, 37, 38
_KEY_RANGE, _VELOCITY_RANGE, _SAMPLE_ID, _SAMPLE_MODES = 43, 44, 53, 54
_ROOT_KEY, _INSTRUMENT, _FINE_TUNE, _EXCLUSIVE_CLASS = 58, 41, 52, 57
_GUARD = 46  # zeros that must follow a sample


@dataclass(frozen=True)
class Sample:
    """One recording: int16 `samples`, its pitch (`root`, MIDI, fractional), loop and envelope.

    `low` and `high` are the keys it serves; `attack_s`, `decay_s` and `release_s` are times,
    `sustain_db` how far the level falls.
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


class Zone(NamedTuple):
    """Where a sample plays: its keys and velocities; sounds of one `exclusive` class (not 0)
    end each other."""

    low: int
    high: int
    sample: Sample
    exclusive: int = 0
    softest: int = 0
    loudest: int = 127


class Preset(NamedTuple):
    """One program of a soundfont."""

    name: str
    program: int
    bank: int
    zones: Sequence[Zone]


def key_zones(samples: Sequence[Sample]) -> list[Zone]:
    """Share all 128 keys among samples; the outermost also play beyond their own ranges."""
    found = sorted(samples, key=lambda s: (s.high, s.root))
    tops = [s.high for s in found[:-1]] + [127]
    lows = [0, *(top + 1 for top in tops[:-1])]
    return [Zone(*z) for z in zip(lows, tops, found, strict=True) if z[0] <= z[1]]


def _timecents(seconds: float) -> int:
    return round(1200 * math.log2(min(max(seconds, 0.001), 100.0)))


def _generators(zone: Zone, sample_id: int) -> bytes:
    sample = zone.sample
    root = round(sample.root)
    pairs: list[tuple[int, int]] = [
        (_KEY_RANGE, zone.low | zone.high << 8),
        (_VELOCITY_RANGE, zone.softest | zone.loudest << 8),
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
        struct.pack("<HH" if op in (_KEY_RANGE, _VELOCITY_RANGE) else "<Hh", op, amount)
        for op, amount in pairs
    )


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _list(name: bytes, chunks: Sequence[bytes]) -> bytes:
    return _chunk(b"LIST", name + b"".join(chunks))


def soundfont_bytes(presets: Sequence[Preset]) -> bytes:
    """Write presets of one instrument each; the end of every table is a record of its own.

    Samples that several zones share (the same array) are written once.
    """
    waves: list[np.ndarray] = []
    places: dict[int, int] = {}
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
            place = places.setdefault(id(sample.samples), at)
            spot = (place, place + n, place + start, place + end)
            shdr.append(_SHDR.pack(label, *spot, sample.rate, root, 0, 0, 1))
            if place == at:
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
