"""Soundfonts that are made here: of patches, of recorded notes, of drum kits. Made once, then kept.

What was made of recordings lies in `$LLARK_SOUNDS`, else in `~/.cache/llark/sounds`.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from llark_py.errors import ConfigError

from .kits import soundfont_of_kits
from .patches import soundfont_of_patches
from .recordings import soundfont_of_recordings

# Count up when the same recordings would be made into something else.
_VERSION = 1


def sound_folder() -> Path:
    """Tell where downloaded recordings lie and what is made of them is kept."""
    given = os.environ.get("LLARK_SOUNDS")
    return Path(given) if given else Path.home() / ".cache" / "llark" / "sounds"


def playable(path: Path) -> Path | bytes:
    """Return what a synthesizer can load: a soundfont file as it is, or one made of a folder.

    Args:
        path: An .sf2 or .sf3 file, a folder of Gravis patches, one of `tonejs-instrument-...`
            packages, or one of Hydrogen drum kits.

    Raises:
        ConfigError: The folder holds none of them, or what it holds is damaged.
    """
    if not path.is_dir():
        return path
    if any(path.glob("*.tgz")):
        return _kept(path, "*.tgz", soundfont_of_recordings)
    if any(path.glob("*/drumkit.xml")):
        return _kept(path, "*/*", soundfont_of_kits)
    return soundfont_of_patches(path)


def _kept(folder: Path, pattern: str, make: Callable[[Path], bytes]) -> Path:
    """Make a soundfont, or find the one that was made of the same files."""
    files = sorted((str(p.relative_to(folder)), p.stat().st_size) for p in folder.glob(pattern))
    digest = hashlib.sha256(repr((_VERSION, files)).encode()).hexdigest()[:16]
    made = sound_folder() / f"{folder.name}-{digest}.sf2"
    if not made.exists():
        data = make(folder)
        try:
            made.parent.mkdir(parents=True, exist_ok=True)
            # Beside its place, then moved there: processes that make it at once do no harm.
            handle, name = tempfile.mkstemp(dir=made.parent, prefix=".", suffix=".sf2")
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(name).replace(made)
        except OSError as error:
            raise ConfigError(
                f"the soundfont {made} cannot be written: {error}; set LLARK_SOUNDS to a folder"
            ) from error
    return made
