"""Makes a soundfont of recorded notes: npm's `tonejs-instrument-NAME-mp3` packages, as packed.

The notes are by nbrosowsky and others, edited for tonejs-instruments, under CC-BY 3.0. What sounds
another note than its name says is left out.
"""

from __future__ import annotations

import re
import tarfile
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from llark_py.errors import ConfigError

from .sf2 import Preset, Sample, key_zones, soundfont_bytes
from .takes import RATE, as_int16, loop_of, measured_pitch, read_take

_PITCH_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_LONGEST_S = 4.0


class _Instrument(NamedTuple):
    programs: tuple[int, ...]
    held: bool
    release_s: float


_INSTRUMENTS = {
    "bass-electric": _Instrument((33, 34), False, 0.12),
    "bassoon": _Instrument((70,), True, 0.15),
    "cello": _Instrument((42,), True, 0.2),
    "clarinet": _Instrument((71,), True, 0.15),
    "contrabass": _Instrument((43,), True, 0.2),
    "flute": _Instrument((73,), True, 0.15),
    "french-horn": _Instrument((60,), True, 0.2),
    "guitar-acoustic": _Instrument((25,), False, 0.25),
    "guitar-electric": _Instrument((26, 27), False, 0.2),
    "guitar-nylon": _Instrument((24,), False, 0.25),
    "harmonium": _Instrument((20,), True, 0.15),
    "harp": _Instrument((46,), False, 1.5),
    "organ": _Instrument((19,), True, 0.3),
    "piano": _Instrument((0, 1), False, 0.3),
    "saxophone": _Instrument((65, 66), True, 0.12),
    "trombone": _Instrument((57,), True, 0.15),
    "trumpet": _Instrument((56,), True, 0.12),
    "tuba": _Instrument((58,), True, 0.2),
    "violin": _Instrument((40,), True, 0.2),
    "xylophone": _Instrument((13,), False, 1.5),
}
PACKAGES = tuple(f"tonejs-instrument-{name}-mp3" for name in _INSTRUMENTS)
"""What `npm pack` is to be given, in the folder of the recordings."""


def soundfont_of_recordings(folder: Path) -> bytes:
    """Make a SoundFont 2 file of the packages that lie in a folder.

    Args:
        folder: Holds `tonejs-instrument-NAME-mp3-VERSION.tgz`.

    Raises:
        ConfigError: There are none, or one is damaged.
    """
    presets = []
    for name, instrument in _INSTRUMENTS.items():
        packages = sorted(folder.glob(f"tonejs-instrument-{name}-mp3-*.tgz"))
        if not packages:
            continue
        notes = _notes(packages[-1], instrument)
        presets += [Preset(name, program, 0, key_zones(notes)) for program in instrument.programs]
    if not presets:
        raise ConfigError(f"no packages (tonejs-instrument-NAME-mp3-VERSION.tgz) in {folder}")
    return soundfont_bytes(sorted(presets, key=lambda p: p.program))


def _notes(package: Path, instrument: _Instrument) -> list[Sample]:
    """Read the notes of a package, each for the keys that are nearest to it."""
    takes: dict[int, bytes] = {}
    try:
        with tarfile.open(package) as archive:
            for member in archive:
                found = re.fullmatch(r"package/([A-G])(s?)(\d)\.mp3", member.name)
                file = archive.extractfile(member) if found else None
                if found and file:
                    pitch = _PITCH_CLASSES[found[1]] + len(found[2]) + 12 * (int(found[3]) + 1)
                    takes[pitch] = file.read()
    except (tarfile.TarError, OSError) as error:
        raise ConfigError(f"the package {package} is damaged; download it anew") from error
    kept = {}
    for pitch, data in takes.items():
        samples = read_take(data, _LONGEST_S)
        root = measured_pitch(samples, pitch)
        if root is not None:
            kept[pitch] = (samples, root)
    if not kept:
        raise ConfigError(f"the package {package} holds no notes")
    pitches = sorted(kept)
    tops = [(a + b) // 2 for a, b in pairwise(pitches)] + [127]
    lows = [0, *(top + 1 for top in tops[:-1])]
    notes = []
    for pitch, low, high in zip(pitches, lows, tops, strict=True):
        samples, root = kept[pitch]
        loop = None
        if instrument.held:
            samples, loop = loop_of(samples)
        notes.append(
            Sample(
                as_int16(samples), RATE, low, high, root, loop, 0.001, 0.001, 0.0,
                instrument.release_s,
            )
        )  # fmt: skip
    return notes
