"""Makes a soundfont of recorded drum kits: Debian's Hydrogen kits, one program of bank 128 each."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from llark_py.errors import ConfigError

from .sf2 import DRUM_BANK, Preset, Sample, Zone, soundfont_bytes
from .takes import RATE, as_int16, read_take

_LONGEST_S = 3.0
_RELEASE_S = 3.0  # strokes end by themselves
_LAYERS = 3
_HI_HATS = (42, 44, 46)
_KITS = {
    "GMRockKit": "GMRockKit",
    "TR808EmulationKit": "TR-808",
    "The Black Pearl 1.0": "Black Pearl",
    "ForzeeStereo": "Forzee",
    "BJA_Pacific": "Pacific",
    "ColomboAcousticDrumkit": "Colombo",
    "Millo_MultiLayered2": "Millo 2",
    "Millo_MultiLayered3": "Millo 3",
    "Millo-Drums_v.1": "Millo 1",
    "ElectricEmpireKit": "Electric Empire",
    "HardElectro1": "Hard Electro",
    "VariBreaks": "VariBreaks",
    "Audiophob": "Audiophob",
    "rumpf_kit_z01_h2": "Rumpf",
}
_ELECTRONIC = ("TR-808", "Electric Empire", "Hard Electro", "VariBreaks", "Audiophob")
_ELECTRONIC_PROGRAMS = (24, 25, 26)
_P_OTHER_KIND = 0.15
KIT_KEYS = frozenset(
    {35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 53, 54, 56, 57, 59}
    | {60, 61, 62, 63, 64, 70, 75, 82}
)
"""General MIDI keys that every kit has."""

# What the name of an instrument says, the first that fits: key and pattern.
_NAMES = (
    (39, r"clap"),
    (37, r"stick|rim ?click|\brim\b"),
    (38, r"snare|\bsd\b"),
    (36, r"kick|bass ?drum|\bbd\b"),
    (44, r"(hat|hh).*(pedal|\bpd)|pedal.*(hat|hh)"),
    (46, r"(hat|hh).*(semi|open|\bop)|(semi|open).*(hat|hh)"),
    (42, r"(hat|hh)"),
    (45, r"\btom.*(low|floor|3)|(low|floor).*tom"),
    (47, r"\btom.*(mid|2)|(mid|middle) tom"),
    (50, r"\btom"),
    (51, r"\bride(?!.*(bell|cup))"),
    (49, r"crash"),
    (56, r"cow ?bell"),
    (53, r"\bbell"),
    (60, r"bongo hi"),
    (61, r"bongo lo"),
    (63, r"conga"),
    (70, r"shaker|maraca"),
    (75, r"clave"),
    (54, r"tambourine"),
)
_NEEDED = {36, 38, 42}
# Whose pieces complete a kit; the last is hand percussion only.
_LENDERS = ("GMRockKit", "TR808EmulationKit", "Gimme A Hand 1.0")
# Where a kit lacks a piece, a relative plays it, some semitones away.
_RELATIVES = {
    35: ((36, -2),),
    40: ((38, 1),),
    44: ((42, -1),),
    46: ((42, 0),),
    50: ((47, 3), (45, 7)),
    47: ((45, 4), (50, -3)),
    45: ((47, -4), (50, -7)),
    48: ((50, -1), (47, 2)),
    43: ((45, -2),),
    41: ((45, -4),),
    49: ((51, 1),),
    57: ((49, -2),),
    51: ((49, 3),),
    59: ((51, 2),),
    53: ((56, 5),),
    62: ((63, 2),),
    64: ((63, -4),),
    82: ((70, -2),),
}


class _Layer(NamedTuple):
    path: Path
    least: float
    volume: float


def soundfont_of_kits(folder: Path) -> bytes:
    """Make a SoundFont 2 file of Hydrogen drum kits.

    A piece that a kit lacks is a relative of it, else that of another kit, so that every kit has
    all of `KIT_KEYS`.

    Args:
        folder: Holds `NAME/drumkit.xml` and the recordings.

    Raises:
        ConfigError: No kit is there, or one is damaged.
    """
    kits = {name: _strokes(folder / name) for name in _KITS if (folder / name).is_dir()}
    kits = {name: kit for name, kit in kits.items() if kit.keys() >= _NEEDED}
    if not kits:
        raise ConfigError(f"no drum kits (NAME/drumkit.xml) in {folder}")
    lenders = [_completed(_strokes(folder / n)) for n in _LENDERS if (folder / n).is_dir()]
    presets = []
    for program, (name, title) in enumerate(_KITS.items()):
        if name not in kits:
            continue
        kit = _completed(kits[name])
        for lender in lenders:
            kit = {**lender, **kit}
        if missing := KIT_KEYS - kit.keys():
            raise ConfigError(f"the drum kits in {folder} are not whole: no key {min(missing)}")
        zones = [zone for key in sorted(kit) for zone in _zones(key, kit[key])]
        presets.append(Preset(title, program, DRUM_BANK, zones))
    return soundfont_bytes(presets)


def draw_kit(program: int, rng: random.Random) -> int:
    """Draw a kit of the soundfont for the General MIDI kit a part asks for, mostly of its kind."""
    electronic = (program in _ELECTRONIC_PROGRAMS) != (rng.random() < _P_OTHER_KIND)
    titles = list(_KITS.values())
    return titles.index(rng.choice([t for t in titles if (t in _ELECTRONIC) == electronic]))


def _strokes(folder: Path) -> dict[int, list[Sample]]:
    """Read the pieces of a kit: General MIDI key -> recordings from soft to loud."""
    # The files differ in their namespaces, which say nothing.
    text = (folder / "drumkit.xml").read_text(encoding="utf-8", errors="replace")
    text = re.sub(r'\s(xmlns(:\w+)?|xsi:\w+)="[^"]*"', "", text)
    try:
        kit = ElementTree.fromstring(text.encode())
    except ElementTree.ParseError as error:
        raise ConfigError(f"{folder}/drumkit.xml cannot be read: {error}") from error
    pieces: dict[int, list[Sample]] = {}
    for instrument in kit.iter("instrument"):
        key = _key_of(instrument.findtext("name") or "")
        layers = _layers(instrument, folder)
        if key is not None and layers and key not in pieces:
            pieces[key] = [_sample(layer, key) for layer in layers]
    return pieces


def _key_of(name: str) -> int | None:
    """Tell which General MIDI key an instrument belongs to by its name."""
    return next((key for key, pattern in _NAMES if re.search(pattern, name.lower())), None)


def _layers(instrument: ElementTree.Element, folder: Path) -> list[_Layer]:
    """List some of an instrument's recordings, from soft to loud."""
    volume = float(instrument.findtext("volume") or 1.0)
    found = []
    for layer in instrument.iter("layer"):
        path = folder / (layer.findtext("filename") or "")
        if path.is_file():
            found.append(_Layer(path, float(layer.findtext("min") or 0.0), volume))
    if not found and (name := instrument.findtext("filename")) and (folder / name).is_file():
        found = [_Layer(folder / name, 0.0, volume)]
    found.sort(key=lambda layer: layer.least)
    # The softest of many are too near to noise to be raised.
    found = found[len(found) // 4 :]
    step = max(1, -(-len(found) // _LAYERS))
    return found[::-1][::step][::-1]


def _sample(layer: _Layer, key: int) -> Sample:
    samples = as_int16(read_take(layer.path, _LONGEST_S) * min(layer.volume, 1.0))
    return Sample(samples, RATE, key, key, float(key), None, 0.001, 0.001, 0.0, _RELEASE_S)


def _completed(kit: dict[int, list[Sample]]) -> dict[int, list[Sample]]:
    """Add the relatives of pieces (and theirs), played at other speeds."""
    whole = dict(kit)
    for key, relatives in _RELATIVES.items():
        for other, semitones in relatives:
            if key not in whole and other in whole:
                whole[key] = [
                    replace(s, root=s.root + key - other - semitones) for s in whole[other]
                ]
    return whole


def _zones(key: int, samples: list[Sample]) -> list[Zone]:
    """Share the velocities of a key among its recordings."""
    edges = [round(128 * i / len(samples)) for i in range(len(samples) + 1)]
    exclusive = int(key in _HI_HATS)
    return [
        Zone(key, key, sample, exclusive, low, high - 1)
        for sample, low, high in zip(samples, edges[:-1], edges[1:], strict=True)
    ]
