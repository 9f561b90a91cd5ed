"""The soundfonts the composer can play with: names, paths and how to get them.

Which are independent matters for held-out numbers. Measured by waveform correlation of single
notes, `csound` and `timgm` share the samples of 46 of our 65 programs and of most drums, and
`musescore` grew out of `fluid`; between the two pairs nothing is shared. The synthesizer cannot
play the acoustic pianos of `musescore`, so its electric grand stands in (see `render.py`).
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from llark_py.errors import MissingExtraError, UnknownNameError

DEFAULT = "timgm"
"""The soundfont every installation has: it travels with pretty_midi."""

_INSTALLED = {
    "fluid": ("/usr/share/sounds/sf2/FluidR3_GM.sf2", "apt install fluid-soundfont-gm"),
    "musescore": (
        "/usr/share/sounds/sf3/MuseScore_General.sf3",
        "apt install musescore-general-soundfont",
    ),
    "csound": ("/usr/share/sounds/sf2/sf_GMbank.sf2", "apt install csound-soundfont"),
}
SOUNDFONTS = (DEFAULT, *_INSTALLED)


def soundfont_path(name_or_path: str | Path) -> Path:
    """Find a soundfont by name (one of `SOUNDFONTS`) or by path to an .sf2 or .sf3 file.

    Raises:
        MissingExtraError: A known soundfont is not installed; the message says how to get it.
        UnknownNameError: Neither a known name nor an existing file.
    """
    name = str(name_or_path)
    if name == DEFAULT:
        return Path(str(resources.files("pretty_midi") / "TimGM6mb.sf2"))
    if name in _INSTALLED:
        path, command = _INSTALLED[name]
        if not Path(path).is_file():
            raise MissingExtraError(f"the soundfont '{name}' ({path})", command)
        return Path(path)
    if Path(name).is_file():
        return Path(name)
    raise UnknownNameError("soundfont", name, SOUNDFONTS)
