"""What an ear can tell of a Track, in the words that answers use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from llark_py.theory import MAJOR_TONICS, MINOR_TONICS, parse_key, pitch_class
from llark_py.track import Track

SPEEDS = ("slow", "moderate", "fast")
DENSITIES = ("sparse", "moderately full", "busy")
FAMILY_WORDS = {"woodwind": "woodwinds", "synth": "synthesizers", "mallet": "mallet percussion"}
"""What a family is called in a sentence, where that is not its own name."""

# Beats a minute from which a piece is moderate, and fast; 6/8 counts dotted quarters.
_SPEED_LIMITS = {"6/8": (65.0, 85.0)}
_SPEED_LIMITS_SIMPLE = (90.0, 125.0)
# Onsets a second from which a texture is moderately full, and busy.
_DENSITY_LIMITS = (3.2, 5.6)
_ONSET_GRID_S = 0.05
# Sevenths and suspensions are told as the triad under them, which is what an ear is surest of.
_TRIADS = {"min": "m", "min7": "m", "min6": "m", "minmaj7": "m", "min9": "m"}
_DIMINISHED = {"dim", "dim7", "hdim7"}
_MAX_CHORDS = 8


def speed_word(tempo_bpm: float, time_signature: str | None) -> str:
    """Call a tempo slow, moderate or fast."""
    slow, fast = _SPEED_LIMITS.get(time_signature or "", _SPEED_LIMITS_SIMPLE)
    return SPEEDS[(tempo_bpm >= slow) + (tempo_bpm >= fast)]


def chord_symbol(label: str) -> str | None:
    """Write a Harte label as musicians do: `A:min7` -> `Am`; None for no chord."""
    if label in ("N", "X"):
        return None
    root, _, quality = label.partition(":")
    quality = quality.partition("/")[0].partition("(")[0]
    tonic = pitch_class(root.partition("/")[0])
    if quality in _DIMINISHED:
        return f"{MINOR_TONICS[tonic]}dim"
    if quality in _TRIADS:
        return f"{MINOR_TONICS[tonic]}{_TRIADS[quality]}"
    return MAJOR_TONICS[tonic]


def chord_cycle(labels: list[str]) -> list[str]:
    """Name the chords in order, once round if they repeat, at most eight."""
    symbols: list[str] = []
    for label in labels:
        symbol = chord_symbol(label)
        if symbol and (not symbols or symbols[-1] != symbol):
            symbols.append(symbol)
    for period in range(2, _MAX_CHORDS + 1):
        repeats = all(symbols[i] == symbols[i - period] for i in range(period, len(symbols)))
        if repeats and len(symbols) > period:
            return symbols[:period]
    return symbols[:_MAX_CHORDS]


def join_words(words: list[str]) -> str:
    """Join a list as in speech: `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


@dataclass(frozen=True)
class Facts:
    """A Track in words; None or empty where the Track does not know."""

    track: Track

    @cached_property
    def is_music(self) -> bool:
        """Whether the recording is music at all."""
        return self.track.sound == "music"

    @cached_property
    def mode(self) -> str | None:
        """`major` or `minor`."""
        return parse_key(self.track.key)[1] if self.track.key else None

    @cached_property
    def speed(self) -> str | None:
        """One of `SPEEDS`."""
        if self.track.tempo_bpm is None:
            return None
        return speed_word(self.track.tempo_bpm, self.track.time_signature)

    @cached_property
    def density(self) -> str | None:
        """One of `DENSITIES`, from the moments a second at which something starts."""
        track = self.track
        starts = {int(n.start_s / _ONSET_GRID_S) for n in track.notes}
        starts |= {int(d.time_s / _ONSET_GRID_S) for d in track.drums}
        if not starts:
            return None
        rate = len(starts) / track.duration_s
        return DENSITIES[(rate >= _DENSITY_LIMITS[0]) + (rate >= _DENSITY_LIMITS[1])]

    @cached_property
    def instruments(self) -> list[str]:
        """Instrument names, each once."""
        return list(dict.fromkeys(i.name for i in self.track.instruments))

    @cached_property
    def families(self) -> tuple[str, ...]:
        """Families of instruments that play."""
        return self.track.families

    @cached_property
    def has_drums(self) -> bool | None:
        """Whether drums play; None when the instruments are unknown."""
        return "drums" in self.families if self.track.instruments else None

    @cached_property
    def chords(self) -> list[str]:
        """Chord symbols in order, see `chord_cycle`."""
        return chord_cycle([c.label for c in self.track.chords])

    @cached_property
    def words(self) -> dict[str, str]:
        """The known facts by the name of the slot that they fill."""
        known = {
            "mode": self.mode,
            "speed": self.speed,
            "density": self.density,
            "meter": self.track.time_signature,
            "style": self.track.genre,
            "mood": self.track.mood,
            "lead": self.track.lead,
            "instruments": join_words(self.instruments) if self.instruments else None,
            "chords": " - ".join(self.chords) if self.chords else None,
        }
        return {name: word for name, word in known.items() if word}
