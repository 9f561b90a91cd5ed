"""Songs to try the page with, composed by our own composer when it is first opened."""

from __future__ import annotations

import os
from pathlib import Path

from llark_py import __version__
from llark_py.audio import save_audio
from llark_py.compose.clip import make_clip
from llark_py.files import whole_file

_DURATION_S = 20.0
_SAMPLE_RATE = 32000
# Title and the seed and style of the composer. Titles give away no more than a record sleeve.
_PIECES = (
    ("A small jazz band", 11, "jazz"),
    ("A song for dancing", 23, "electronic dance"),
    ("A folk tune", 5, "folk"),
    ("A piano piece", 8, "classical piano"),
)


def compose_examples(folder: Path | None = None) -> list[tuple[str, Path]]:
    """Compose the example songs, or find those composed before.

    Args:
        folder: Where they are kept; None is the user's cache folder.

    Returns:
        Title and path of each.
    """
    if folder is None:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = cache / "llark_py" / f"examples-{__version__}"
    folder.mkdir(parents=True, exist_ok=True)
    examples = []
    for title, seed, style in _PIECES:
        path = folder / f"{title}.ogg"
        if not path.exists():
            _, audio = make_clip(
                seed, _DURATION_S, augment=False, style=style, sample_rate=_SAMPLE_RATE
            )
            with whole_file(path) as unfinished:
                save_audio(audio, unfinished)
        examples.append((title, path))
    return examples
