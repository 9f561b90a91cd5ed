"""The stage of the tools: what was heard of a song to facts, each with its source.

Runs in worker processes, with the tools that `llark tools` runs. They listen to what the encoder
has heard elsewhere, so a song is encoded once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from llark_py.audio import Audio
from llark_py.errors import ToolError
from llark_py.track import Section

from .hearing import HeardSong, unpack
from .record import MODEL, Chords, Fact, Facts, Player, Vocals, tool_source

T = TypeVar("T")
_NOT_MUSIC = "it does not sound like music"
_NO_LANGUAGE = "nothing here tells languages apart yet"
_DIGITS = 2


class Measured(NamedTuple):
    """Facts of a song as JSON (which can travel between processes), and why others are missing."""

    facts_json: str
    unknown: dict[str, str]

    @property
    def facts(self) -> Facts:
        """The facts."""
        return Facts.model_validate_json(self.facts_json)


class _Ears:
    """Stands for the encoder that has heard a song somewhere else."""

    def __init__(self, config: Any):
        self.config = config


def measure_song(
    audio: Audio, heard: HeardSong, loudness_lufs: float | str, config: Any
) -> Measured:
    """Measure everything that a record tells of a song but its mood.

    Args:
        audio: Mono, at the rate of the encoder.
        heard: What the encoder heard of it; no tool that is run here asks for the tokens.
        loudness_lufs: Measured before, or why it could not be.
        config: Of the encoder.
    """
    with _listening(audio, heard, config):
        return _measure(audio, heard, loudness_lufs, config)


def _measure(audio: Audio, heard: HeardSong, loudness_lufs: float | str, config: Any) -> Measured:
    found: dict[str, Any] = {}
    unknown: dict[str, str] = {"vocals_language": _NO_LANGUAGE}

    def note(names: tuple[str, ...], measure: Callable[[], dict[str, Fact]]) -> None:
        try:
            found.update(measure())
        except ToolError as error:
            unknown.update(dict.fromkeys(names, str(error)))

    sound = _sound(heard, config)
    found["sound"] = sound
    if sound.value == "music":
        found["style"] = _likeliest(heard, config, "style")
    else:
        unknown["style"] = _NOT_MUSIC
    note(("tempo_bpm",), lambda: _tempo(audio))
    note(("time_signature",), lambda: _metre(audio))
    note(("key",), lambda: _key(audio))
    note(("chords",), lambda: _chords(audio))
    note(("instruments",), lambda: _instruments(audio))
    note(("vocals",), lambda: _vocals(audio))
    note(("sections",), lambda: _sections(audio))
    if isinstance(loudness_lufs, str):
        unknown["loudness_lufs"] = loudness_lufs
    else:
        found["loudness_lufs"] = _told("measure_loudness", loudness_lufs, None)
    return Measured(Facts(**found).model_dump_json(), unknown)


@contextmanager
def _listening(audio: Audio, heard: HeardSong, config: Any) -> Iterator[None]:
    """Let the tools find what was heard, and nothing else: no other song, nothing on the disk."""
    from llark_py.analysis.listening import hearing_with, remember

    ears = _Ears(config)
    with hearing_with(ears):
        remember(audio, ears, unpack(heard))
        yield


def _told(tool: str, value: T, confidence: float | None) -> Fact[T]:
    return Fact(value=value, source=tool_source(tool), confidence=confidence)


def _sound(heard: HeardSong, config: Any) -> Fact[str]:
    if heard.silent:
        return Fact(value="silence", source=MODEL, confidence=1.0)
    return _likeliest(heard, config, "sound")


def _likeliest(heard: HeardSong, config: Any, head: str) -> Fact[str]:
    p = heard.posteriors[head]
    best = int(p.argmax())
    return Fact(
        value=config.labels[head][best],
        source=MODEL,
        confidence=round(min(float(p[best]), 1.0), _DIGITS),
    )


def _tempo(audio: Audio) -> dict[str, Fact]:
    from llark_py.tools.estimate_tempo import estimate_tempo

    tempo = estimate_tempo(audio, _desk())
    return {"tempo_bpm": _told("estimate_tempo", tempo.tempo_bpm, tempo.confidence)}


def _metre(audio: Audio) -> dict[str, Fact]:
    from llark_py.tools.track_beats import track_beats

    beats = track_beats(audio, _desk())
    return {"time_signature": _told("track_beats", beats.time_signature, beats.confidence)}


def _key(audio: Audio) -> dict[str, Fact]:
    from llark_py.tools.estimate_key import estimate_key

    key = estimate_key(audio, _desk())
    return {"key": _told("estimate_key", key.key, key.confidence)}


def _chords(audio: Audio) -> dict[str, Fact]:
    from llark_py.tools.recognize_chords import recognize_chords

    chords = recognize_chords(audio, _desk())
    common = tuple(chords.common_chords.split(", "))
    told = Chords(progression=chords.progression, common=common)
    return {"chords": _told("recognize_chords", told, chords.confidence)}


def _instruments(audio: Audio) -> dict[str, Fact]:
    from llark_py.tools.detect_instruments import detect_instruments

    families = detect_instruments(audio, _desk()).players
    players = tuple(
        Player(
            family=f.family,
            confidence=f.confidence,
            share=min(f.share, 1.0),
            instruments=tuple(f.instruments),
        )
        for f in families
    )
    return {"instruments": _told("detect_instruments", players, None)}


def _vocals(audio: Audio) -> dict[str, Fact]:
    from llark_py.tools.detect_vocals import detect_vocals

    vocals = detect_vocals(audio, _desk())
    told = Vocals(
        singer=vocals.singing, choir=vocals.choir, sung_percent=min(vocals.sung_percent, 100.0)
    )
    return {"vocals": _told("detect_vocals", told, vocals.confidence)}


def _sections(audio: Audio) -> dict[str, Fact]:
    from llark_py.tools.find_sections import find_sections

    parts = find_sections(audio, _desk()).sections
    told = tuple(Section(part.start_s, part.end_s, part.label) for part in parts)
    return {"sections": _told("find_sections", told, None)}


def _desk() -> Any:
    from llark_py.tools import Workspace

    return Workspace()
