"""What an ear can tell of a Track, in the words that answers use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from llark_py.compose.instruments import FAMILIES
from llark_py.theory import MAJOR_TONICS, MINOR_TONICS, parse_key, pitch_class, spell
from llark_py.track import Track

SPEEDS = ("slow", "moderate", "fast")
DENSITIES = ("sparse", "moderately full", "busy")
FAMILY_WORDS = {
    "woodwind": "woodwinds",
    "synth": "synthesizers",
    "mallet": "mallet percussion",
    "voice": "singing",
}
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
_NUMBERS = (
    *("no", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen"),
)
_ENSEMBLES = ("", "a solo", "a duo", "a trio", "a quartet")
# One name in the list of instruments, but many players.
_SECTIONS = ("section", "ensemble", "strings", "choir", "oohs")
# An instrument that needs current; drums and voices count for neither side.
_ELECTRIC = (
    *("electric", "distorted", "overdriven", "muted guitar", "jazz guitar"),
    *("slap", "fretless", "synth", "rock organ"),
)
_NEUTRAL = ("drums", "voice", "choir")
# Median pitch of a singer from which a voice is middling, and high.
_REGISTERS, _REGISTER_LIMITS = ("low", "middle", "high"), (57, 66)


def may_play(unsure: Collection[str]) -> frozenset[str]:
    """Pick the families out of what a listener is not sure of; `voice` there is a slot."""
    return frozenset(FAMILIES).intersection(unsure) - {"voice"}


def speed_word(tempo_bpm: float, time_signature: str | None) -> str:
    """Call a tempo slow, moderate or fast."""
    slow, fast = _SPEED_LIMITS.get(time_signature or "", _SPEED_LIMITS_SIMPLE)
    return SPEEDS[(tempo_bpm >= slow) + (tempo_bpm >= fast)]


def chord_symbol(label: str, key: str | None = None) -> str | None:
    """Write a Harte label as musicians do: `A:min7` -> `Am`; None for no chord.

    The root is spelled as the key has it (Ab in F minor, G# in E major).
    """
    if label in ("N", "X"):
        return None
    root, _, quality = label.partition(":")
    quality = quality.partition("/")[0].partition("(")[0]
    tonic = pitch_class(root.partition("/")[0])
    suffix = "dim" if quality in _DIMINISHED else _TRIADS.get(quality, "")
    if key:
        return spell(tonic, key, raised=suffix == "dim") + suffix
    return (MINOR_TONICS if suffix else MAJOR_TONICS)[tonic] + suffix


def chord_cycle(labels: list[str], key: str | None = None) -> list[str]:
    """Name the chords in order, once round if they repeat, at most eight."""
    return _once_round([chord_symbol(label, key) for label in labels])


def _once_round(chords: Sequence[str | None]) -> list[str]:
    symbols: list[str] = []
    for symbol in chords:
        if symbol and (not symbols or symbols[-1] != symbol):
            symbols.append(symbol)
    for period in range(2, _MAX_CHORDS + 1):
        repeats = all(symbols[i] == symbols[i - period] for i in range(period, len(symbols)))
        if repeats and len(symbols) > period:
            return symbols[:period]
    return symbols[:_MAX_CHORDS]


def key_at(track: Track, time_s: float) -> str | None:
    """Return the key at a time, that of most of the track where keys have no times."""
    return next((k.key for k in track.keys if k.start_s <= time_s < k.end_s), track.key)


def number_word(number: int) -> str:
    """Write a small number as a word, as counts are told by ear; `many` beyond thirteen."""
    return _NUMBERS[number] if number < len(_NUMBERS) else "many"


def spoken_name(instrument: str) -> str:
    """Name an instrument in a list: people are given an article."""
    return f"a {instrument}" if instrument == "singer" else instrument


def join_words(words: Sequence[str]) -> str:
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
    def symbols(self) -> list[str | None]:
        """The symbol of each of the Track's chords, spelled in the key of its time."""
        return [chord_symbol(c.label, key_at(self.track, c.start_s)) for c in self.track.chords]

    @cached_property
    def chords(self) -> list[str]:
        """Chord symbols in order, see `chord_cycle`."""
        return _once_round(self.symbols)

    @cached_property
    def chord_names(self) -> list[str]:
        """The different chord symbols, in order of their first appearance."""
        return list(dict.fromkeys(s for s in self.symbols if s))

    @cached_property
    def ensemble(self) -> str | None:
        """What a line-up is called: `a solo`, `a duo`, ..., `a band`, `a larger group`."""
        names = self.instruments
        if not names:
            return None
        if any(section in name for name in names for section in _SECTIONS):
            return "a larger group" if len(names) > 1 else None
        return _ENSEMBLES[len(names)] if len(names) < len(_ENSEMBLES) else "a band"

    @cached_property
    def amplified(self) -> str | None:
        """`acoustic`, `electric` or `half acoustic, half electric`, by what plays."""
        sides = {
            any(piece in i.name for piece in _ELECTRIC)
            for i in self.track.instruments
            if i.family not in _NEUTRAL or "synth" in i.name
        }
        if len(sides) == 2:
            return "half acoustic, half electric"
        return None if not sides else "electric" if sides.pop() else "acoustic"

    @cached_property
    def voice(self) -> str | None:
        """`singer`, `choir` or `none`; None when the instruments are unknown."""
        if not self.track.instruments:
            return None
        kinds = (("singer", "voice"), ("choir", "choir"))
        return next((kind for kind, family in kinds if family in self.families), "none")

    @cached_property
    def register(self) -> str | None:
        """How high somebody sings, one of `low`, `middle`, `high`, by the median note."""
        voices = {i.name for i in self.track.instruments if i.family == "voice"}
        pitches = [n.pitch for n in self.track.notes if n.instrument in voices]
        if not pitches:
            return None
        low, high = _REGISTER_LIMITS
        return _REGISTERS[(median(pitches) >= low) + (median(pitches) >= high)]

    def playing(self, *roles: str) -> list[str]:
        """List the instruments that have one of the roles."""
        return list(dict.fromkeys(i.name for i in self.track.instruments if i.role in roles))

    @cached_property
    def kit(self) -> list[str]:
        """Pieces of the drum kit that are struck, the most frequent first."""
        return [piece for piece, _ in Counter(d.piece for d in self.track.drums).most_common()]

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
            "instruments": join_words([spoken_name(n) for n in self.instruments])
            if self.instruments
            else None,
            "chords": " - ".join(self.chords) if self.chords else None,
            "feel": self.track.feel,
            "ensemble": self.ensemble,
            "amplified": self.amplified,
            "register": self.register,
        }
        return {name: word for name, word in known.items() if word}
