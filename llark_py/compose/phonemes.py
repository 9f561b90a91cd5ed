"""The sounds of English for the singer: formants, noise bands and lengths, in ARPAbet.

Vowel formants are the men's averages of Peterson and Barney (1952); those of consonants are the
loci that Klatt (1980) gives for a formant synthesizer, rounded.
"""

from __future__ import annotations

from typing import NamedTuple

from llark_py.errors import UnknownNameError

VOWEL_FORMANTS_HZ = {
    "IY": (270, 2290, 3010),
    "IH": (390, 1990, 2550),
    "EH": (530, 1840, 2480),
    "AE": (660, 1720, 2410),
    "AH": (640, 1190, 2390),
    "AA": (730, 1090, 2440),
    "AO": (570, 840, 2410),
    "UH": (440, 1020, 2240),
    "UW": (300, 870, 2240),
    "ER": (490, 1350, 1690),
}
DIPHTHONGS = {
    "EY": ("EH", "IY"),
    "AY": ("AA", "IH"),
    "OW": ("AO", "UH"),
    "AW": ("AA", "UH"),
    "OY": ("AO", "IH"),
}
VOWELS = (*VOWEL_FORMANTS_HZ, *DIPHTHONGS)


class Phoneme(NamedTuple):
    """How a phoneme sounds at one moment.

    `formants_hz` are those of a man; None leaves them to the neighbours. `voicing`, `aspiration`
    and `frication` are amplitudes 0..1; frication is noise in `band_hz`. `nasal` takes away what
    lies above the first formant, 0..1.
    """

    formants_hz: tuple[float, float, float] | None
    length_s: float
    voicing: float = 0.0
    aspiration: float = 0.0
    frication: float = 0.0
    band_hz: tuple[float, float] = (1000.0, 6000.0)
    nasal: float = 0.0


_LABIAL, _DENTAL, _ALVEOLAR = (350.0, 2200.0), (1500.0, 7500.0), (3800.0, 7600.0)
_PALATAL, _VELAR = (2000.0, 5500.0), (1200.0, 3000.0)


def _closed(length_s: float, voicing: float = 0.0) -> Phoneme:
    return Phoneme(None, length_s, voicing, nasal=0.95)


def _stop(band_hz: tuple[float, float], voiced: bool, loudness: float) -> tuple[Phoneme, ...]:
    """A closure, a burst, and for a voiceless stop the breath behind it."""
    burst = Phoneme(None, 0.012, 0.0, 0.1, loudness, band_hz)
    if voiced:
        return (_closed(0.05, 0.12), burst)
    return (_closed(0.055), burst, Phoneme(None, 0.035, 0.0, 0.55, loudness / 4, band_hz))


def _hiss(band_hz: tuple[float, float], voiced: bool, loudness: float) -> tuple[Phoneme, ...]:
    formants_hz = (320.0, 1400.0, 2600.0)
    if voiced:
        return (Phoneme(formants_hz, 0.075, 0.35, 0.05, loudness * 0.55, band_hz, nasal=0.4),)
    return (Phoneme(formants_hz, 0.095, 0.0, 0.08, loudness, band_hz),)


def _nasal(second_hz: float) -> tuple[Phoneme, ...]:
    return (Phoneme((250.0, second_hz, 2500.0), 0.07, 0.55, nasal=0.85),)


def _glide(formants_hz: tuple[float, float, float]) -> tuple[Phoneme, ...]:
    return (Phoneme(formants_hz, 0.065, 0.7),)


CONSONANTS: dict[str, tuple[Phoneme, ...]] = {
    "P": _stop(_LABIAL, False, 0.25),
    "B": _stop(_LABIAL, True, 0.2),
    "T": _stop(_ALVEOLAR, False, 0.5),
    "D": _stop(_ALVEOLAR, True, 0.35),
    "K": _stop(_VELAR, False, 0.45),
    "G": _stop(_VELAR, True, 0.3),
    "CH": (_closed(0.045), *_hiss(_PALATAL, False, 0.55)),
    "JH": (_closed(0.04, 0.1), *_hiss(_PALATAL, True, 0.5)),
    "F": _hiss(_DENTAL, False, 0.16),
    "V": _hiss(_DENTAL, True, 0.16),
    "TH": _hiss(_DENTAL, False, 0.14),
    "DH": _hiss(_DENTAL, True, 0.12),
    "S": _hiss(_ALVEOLAR, False, 0.55),
    "Z": _hiss(_ALVEOLAR, True, 0.45),
    "SH": _hiss(_PALATAL, False, 0.6),
    "ZH": _hiss(_PALATAL, True, 0.5),
    "HH": (Phoneme(None, 0.06, 0.05, 0.5),),
    "M": _nasal(1000.0),
    "N": _nasal(1600.0),
    "NG": _nasal(2000.0),
    "L": _glide((360.0, 1250.0, 2700.0)),
    "R": _glide((330.0, 1080.0, 1500.0)),
    "W": _glide((290.0, 640.0, 2150.0)),
    "Y": _glide((260.0, 2150.0, 3000.0)),
}


def consonant(name: str) -> tuple[Phoneme, ...]:
    """Return what a consonant sounds like, moment by moment.

    Raises:
        UnknownNameError: There is no such consonant.
    """
    if name not in CONSONANTS:
        raise UnknownNameError("consonant", name, tuple(CONSONANTS))
    return CONSONANTS[name]


def vowel(name: str) -> tuple[Phoneme, ...]:
    """Return the targets of a vowel: one, or two of a diphthong.

    Raises:
        UnknownNameError: There is no such vowel.
    """
    if name not in VOWELS:
        raise UnknownNameError("vowel", name, VOWELS)
    return tuple(Phoneme(VOWEL_FORMANTS_HZ[v], 0.1, 1.0) for v in DIPHTHONGS.get(name, (name,)))
