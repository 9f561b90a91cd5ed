"""Real recordings with known facts: a folder with a `manifest.jsonl`, a line a file.

Each line has `file` (relative to the folder) and `facts`, only what a source states:
`tempo_bpm`, `key` (`E minor`) or `key_center` (`F`), `genre`, `instruments` (names; with
`stem: mix` or `stem: backing` maybe not all), `has_vocals`, `not_music`, `time_signature`. Values
whose names end in `_dsp` are estimates and are not used; other facts are not asked for.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from llark_py.audio import load_audio
from llark_py.compose.instruments import FAMILIES
from llark_py.compose.styles import TIME_SIGNATURES
from llark_py.errors import ConfigError
from llark_py.theory import parse_key

from .clips import VOICE
from .parsing import parse_families, parse_style
from .questions import Item
from .trial import MANIFEST

# Names that sources use and the composer does not.
_FAMILY_OF = {
    "electric guitar": "guitar",
    "violin": "strings",
    "string orchestra": "strings",
    "string quartet": "strings",
    "voice": VOICE,
    "vocals": VOICE,
    "singer": VOICE,
    "percussion": "drums",
    "tabla": "drums",
    "mridangam": "drums",
    "bendir": "drums",
    "synthesizer": "synth",
}
_PARTIAL_STEMS = ("mix", "backing")


def read_real(folder: Path) -> list[Item]:
    """Read a folder of real recordings.

    Returns:
        One item a file, in the order of the manifest; every file is asked whether it is music.

    Raises:
        ConfigError: A line of the manifest cannot be read.
        AudioError: A file cannot be read.
    """
    path = folder / MANIFEST
    items = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            file, facts = entry["file"], facts_of(entry["facts"])
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{path}, line {number}: not a recording with facts: {error}") from (
                error
            )
        items.append(Item(file, load_audio(folder / file), facts))
    return items


def facts_of(stated: dict[str, Any]) -> dict[str, Any]:
    """Turn the facts of a manifest into those that are asked: what is not stated is left out."""
    facts: dict[str, Any] = {"not_music": bool(stated.get("not_music", False))}
    if facts["not_music"]:
        return facts | {"kind": str(stated.get("content", "other"))}
    if stated.get("tempo_bpm"):
        facts["tempo"] = float(stated["tempo_bpm"])
    if stated.get("key"):
        parse_key(stated["key"])
        facts["key"] = stated["key"]
    elif stated.get("key_center"):
        facts["tonic"] = stated["key_center"]
    if stated.get("time_signature") in TIME_SIGNATURES:
        facts["time_signature"] = stated["time_signature"]
    style = parse_style(stated.get("genre") or "")
    if style is not None:
        facts["style"] = style
    families = families_of(stated.get("instruments") or [])
    if families:
        facts["instruments"] = families
    if stated.get("has_vocals") is not None:
        facts["vocals"] = bool(stated["has_vocals"])
    elif families and stated.get("stem") not in _PARTIAL_STEMS:
        facts["vocals"] = VOICE in families
    return facts


def families_of(instruments: list[str]) -> list[str]:
    """Name the families of instruments; none where one of them has no family among ours."""
    found: set[str] = set()
    for name in instruments:
        known = _FAMILY_OF.get(name.lower())
        families = {known} if known else parse_families(name)
        if not families:
            return []
        found |= families
    return sorted(found & {*FAMILIES, VOICE})
