"""The soundfonts the composer can play with: names, paths, blends and how to get them.

Which are independent matters for held-out numbers. Measured by waveform correlation of single
notes, `csound` and `timgm` share the samples of 46 of our 65 programs and of most drums, and
`musescore` grew out of `fluid`; between the two pairs nothing is shared. `opl3` is frequency
modulation, `sonivox` has a waveform or two for each program, `freepats` (Gravis patches, see
`patches.py`) no more than half of the programs, so it plays in blends. The synthesizer cannot play
the acoustic pianos of `musescore`, so its electric grand stands in (see `render.py`).
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import NamedTuple

from llark_py.errors import MissingExtraError, UnknownNameError

from .banks import playable, sound_folder

DEFAULT = "timgm"
"""The soundfont every installation has: it travels with pretty_midi."""
SYNTH = "synth"
"""Our own synthesizer (`synthesis.py`), which goes by the name of a soundfont."""
_BLEND, _SHIFTED = "+", "~"

KITS = "kits"
"""Recorded drum kits (`kits.py`), which play only drums."""
_INSTALLED = {
    "fluid": ("/usr/share/sounds/sf2/FluidR3_GM.sf2", "apt install fluid-soundfont-gm"),
    "musescore": (
        "/usr/share/sounds/sf3/MuseScore_General.sf3",
        "apt install musescore-general-soundfont",
    ),
    "csound": ("/usr/share/sounds/sf2/sf_GMbank.sf2", "apt install csound-soundfont"),
    "freepats": ("/usr/share/midi/freepats", "apt install freepats"),
    "opl3": ("/usr/share/sounds/sf2/OPL-3_FM_128M.sf2", "apt install opl3-soundfont"),
    "generaluser": (
        "/usr/share/minuet/soundfonts/GeneralUser-v1.47.sf2",
        "apt install minuet-data",
    ),
    KITS: (
        "/usr/share/hydrogen/data/drumkits",
        "apt install hydrogen-data hydrogen-drumkits",
    ),
}
RECORDINGS = "recordings"
"""Recorded notes from npm packages (`recordings.py`), which lie in the folder of sounds."""
SONIVOX = "sonivox"
"""Android's wavetable as a soundfont, from an npm package; it lies in the folder of sounds."""
_FETCH_COMMAND = "bash training/sounds.sh (it packs what npm has, see docs/data.md)"
SOUNDFONTS = (DEFAULT, *_INSTALLED, RECORDINGS, SONIVOX, SYNTH)
"""Names; `fluid+synth` blends them part by part, `fluid~` shifts the formants of each clip."""

DRUMS = 128
"""Stands for the drums where programs are listed."""
LEFT_OUT = {
    "freepats": frozenset({8, 13, 26, 53, 74, 75, 79}),
    "generaluser": frozenset({4, 8, 11, 12, 13, 26, 46, 53, 57, 58, 68, 74, 79, 80, 108, DRUMS}),
    SONIVOX: frozenset({8, 26, 35, 36, 38, 53, 72, 74, DRUMS}),
}
"""Programs that are not played in blends because their notes correlate with those of `timgm` (see
`training/independence.py`): what a model is judged with must not be what it was trained with."""


class Source(NamedTuple):
    """One of the soundfonts of a blend; `shifted` when every clip moves its formants."""

    name: str
    shifted: bool


def split_blend(soundfont: str | Path) -> tuple[Source, ...]:
    """Read the name of a soundfont or of a blend, such as `fluid~+synth`.

    A path to a file that exists is one source, whatever characters it has.
    """
    text = str(soundfont)
    if Path(text).is_file():
        return (Source(text, False),)
    names = text.split(_BLEND)
    return tuple(Source(n.removesuffix(_SHIFTED), n.endswith(_SHIFTED)) for n in names)


def check_soundfont(soundfont: str | Path) -> None:
    """Make sure that a soundfont, or every soundfont of a blend, can be played.

    What is made of recordings is made now, once, and not by every process that plays it.

    Raises:
        MissingExtraError: A known soundfont is not installed; the message says how to get it.
        UnknownNameError: Neither a known name nor an existing file.
    """
    for source in split_blend(soundfont):
        if source.name != SYNTH:
            playable(soundfont_path(source.name))


def soundfont_path(name_or_path: str | Path) -> Path:
    """Find the file of a soundfont by name or by path; the synthesizer and blends have none.

    Raises:
        MissingExtraError: A known soundfont is not installed; the message says how to get it.
        UnknownNameError: Neither a known name nor an existing file.
    """
    name = str(name_or_path)
    if name == DEFAULT:
        return Path(str(resources.files("pretty_midi") / "TimGM6mb.sf2"))
    if name == RECORDINGS:
        folder = sound_folder() / RECORDINGS
        if not any(folder.glob("*.tgz")):
            raise MissingExtraError(f"the soundfont '{name}' ({folder})", _FETCH_COMMAND)
        return folder
    if name == SONIVOX:
        file = sound_folder() / f"{SONIVOX}.sf2"
        if not file.exists():
            raise MissingExtraError(f"the soundfont '{name}' ({file})", _FETCH_COMMAND)
        return file
    if name in _INSTALLED:
        path, command = _INSTALLED[name]
        if not Path(path).exists():
            raise MissingExtraError(f"the soundfont '{name}' ({path})", command)
        return Path(path)
    if Path(name).is_file():
        return Path(name)
    raise UnknownNameError("soundfont", name, SOUNDFONTS)
