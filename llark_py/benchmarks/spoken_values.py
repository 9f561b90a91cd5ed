"""Reads keys, tonics and tempi out of answers in words."""

from __future__ import annotations

import re

from llark_py.theory import key_name, pitch_class

_TONIC = r"(?<![A-Za-z0-9#])([A-G])(?:[ -]?([#♯♭]|b(?![a-z])|(?i:sharp|flat)))?"
_KEY = re.compile(_TONIC + r"[\s-]*((?i:major|minor|maj|min)|m)\b")
_BARE = re.compile(_TONIC + r"(?![\w#'’])(?!\s+[a-z])")
_BPM = re.compile(r"(\d+(?:\.\d+)?)\s*-?(?:bpm\b|beats?\b)", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_BPM_RANGE = (30.0, 300.0)


def keys_named(text: str) -> list[str]:
    """Read the keys of an answer in order (`C minor`, `F#m`); the tonic is a capital letter."""
    return [_key_of(*found) for found in _KEY.findall(text)]


def tonics_named(text: str) -> list[str]:
    """Read the tonics that stand without a mode, each as its major key.

    A letter in front of a small one is no tonic but an article (`A lively piece`).
    """
    return [_key_of(tonic, sign, "major") for tonic, sign in _BARE.findall(text)]


def _key_of(tonic: str, sign: str, mode: str) -> str:
    sign = {"♯": "#", "♭": "b", "sharp": "#", "flat": "b"}.get(sign.lower(), sign)
    minor = mode == "m" or mode.lower().startswith("min")
    return key_name(pitch_class(tonic + sign), "minor" if minor else "major")


def tempi_named(text: str) -> list[float]:
    """Read the tempi that an answer gives in BPM, in order."""
    return [float(number) for number in _BPM.findall(text)]


def tempi_or_numbers(text: str) -> list[float]:
    """Read the tempi in BPM; where there are none, the numbers between 30 and 300."""
    numbers = [float(number) for number in _NUMBER.findall(text)]
    return tempi_named(text) or [n for n in numbers if _BPM_RANGE[0] <= n <= _BPM_RANGE[1]]
