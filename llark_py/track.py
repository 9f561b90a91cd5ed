"""The one record of what is known about a recording, whoever knows it.

Composed music, dataset items and tool output all fill the same `Track`, and say for each fact
where it comes from. Times are seconds from the start of the audio the record describes.
"""

from __future__ import annotations

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from .theory import transpose_chord, transpose_key


class Chord(NamedTuple):
    """A chord in Harte syntax (`A:min`, `G:7`, `N`) over a span of time."""

    start_s: float
    end_s: float
    label: str


class Section(NamedTuple):
    """A part of the form (`intro`, `verse`, `chorus`, ...)."""

    start_s: float
    end_s: float
    label: str


class KeySpan(NamedTuple):
    """A key (`F# minor`) over a span of time."""

    start_s: float
    end_s: float
    key: str


class Instrument(NamedTuple):
    """What plays: its name, family, part in the arrangement, and when it sounds."""

    name: str
    family: str
    role: str
    activity: tuple[tuple[float, float], ...] = ()


class Note(NamedTuple):
    """A sounding note. `pitch` is a MIDI number (C4 = 60), `velocity` 1..127."""

    start_s: float
    end_s: float
    pitch: int
    velocity: int
    instrument: str = ""


class Word(NamedTuple):
    """A word that is sung."""

    start_s: float
    end_s: float
    text: str


class DrumHit(NamedTuple):
    """A stroke on a piece of the kit (`kick`, `snare`, `closed hi-hat`, ...)."""

    time_s: float
    piece: str
    velocity: int


class Source(NamedTuple):
    """Who says so (`composer`, `dataset:<name>`, `tool:<name>`) and how surely, in [0, 1]."""

    name: str
    confidence: float = 1.0


class Track(BaseModel):
    """Facts about one recording; None or empty means unknown, never absent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    duration_s: float
    audio_path: str | None = None
    sound: str = "music"
    """`music`, or what it is instead: `silence`, `noise`, `tone`, ..."""
    tempo_bpm: float | None = None
    time_signature: str | None = None
    key: str | None = None
    """The key of most of the time ..."""
    keys: tuple[KeySpan, ...] = ()
    """... and every key with its time, where it is known."""
    feel: str | None = None
    """How it moves: `straight`, `swung`, `half-time`, `rubato` (`compose.styles.FEELS`)."""
    chords: tuple[Chord, ...] = ()
    beats_s: tuple[float, ...] = ()
    downbeats_s: tuple[float, ...] = ()
    sections: tuple[Section, ...] = ()
    instruments: tuple[Instrument, ...] = ()
    lead: str | None = None
    """The instrument that carries the melody; None when there is none or it is unknown."""
    notes: tuple[Note, ...] = ()
    drums: tuple[DrumHit, ...] = ()
    genre: str | None = None
    mood: str | None = None
    lyrics: str | None = None
    words: tuple[Word, ...] = ()
    sources: dict[str, Source] = {}
    """Field name -> source; `"*"` stands for every field not named."""

    @property
    def families(self) -> tuple[str, ...]:
        """The instrument families that play, each once, in order of the instruments."""
        return tuple(dict.fromkeys(i.family for i in self.instruments))


def transpose(track: Track, semitones: int) -> Track:
    """Return the track as it would be if every pitched sound were moved up by semitones."""
    if semitones == 0:
        return track
    return track.model_copy(
        update={
            "key": transpose_key(track.key, semitones) if track.key else None,
            "keys": tuple(k._replace(key=transpose_key(k.key, semitones)) for k in track.keys),
            "chords": tuple(
                c._replace(label=transpose_chord(c.label, semitones)) for c in track.chords
            ),
            "notes": tuple(n._replace(pitch=n.pitch + semitones) for n in track.notes),
        }
    )


def crop(track: Track, start_s: float, end_s: float, min_sounding_s: float = 0.3) -> Track:
    """Return the track of the excerpt from `start_s` to `end_s`, with times from its start.

    Instruments that sound for less than `min_sounding_s` in the excerpt are dropped, and with
    them a lead that no longer plays. Where keys change, the key is that of most of the excerpt.
    """

    def spans(items):
        return tuple(
            i._replace(
                start_s=max(i.start_s, start_s) - start_s, end_s=min(i.end_s, end_s) - start_s
            )
            for i in items
            if i.start_s < end_s and i.end_s > start_s
        )

    def times(items):
        return tuple(t - start_s for t in items if start_s <= t < end_s)

    instruments = []
    for inst in track.instruments:
        activity = tuple(
            (max(a, start_s) - start_s, min(b, end_s) - start_s)
            for a, b in inst.activity
            if a < end_s and b > start_s
        )
        if sum(b - a for a, b in activity) >= min_sounding_s:
            instruments.append(inst._replace(activity=activity))
    names = {i.name for i in instruments}
    keys = spans(track.keys)
    longest = max(keys, key=lambda k: k.end_s - k.start_s, default=None)
    return track.model_copy(
        update={
            "duration_s": end_s - start_s,
            "key": longest.key if longest else track.key,
            "keys": keys,
            "chords": spans(track.chords),
            "sections": spans(track.sections),
            "notes": spans(track.notes),
            "words": spans(track.words),
            "beats_s": times(track.beats_s),
            "downbeats_s": times(track.downbeats_s),
            "drums": tuple(
                d._replace(time_s=d.time_s - start_s)
                for d in track.drums
                if start_s <= d.time_s < end_s
            ),
            "instruments": tuple(instruments),
            "lead": track.lead if track.lead in names else None,
        }
    )


def stretch(track: Track, speed: float) -> Track:
    """Return the track as it would be if played `speed` times as fast, at the same pitch."""
    if speed == 1.0:
        return track

    def spans(items):
        return tuple(i._replace(start_s=i.start_s / speed, end_s=i.end_s / speed) for i in items)

    return track.model_copy(
        update={
            "duration_s": track.duration_s / speed,
            "tempo_bpm": track.tempo_bpm * speed if track.tempo_bpm else None,
            "keys": spans(track.keys),
            "chords": spans(track.chords),
            "sections": spans(track.sections),
            "notes": spans(track.notes),
            "words": spans(track.words),
            "beats_s": tuple(t / speed for t in track.beats_s),
            "downbeats_s": tuple(t / speed for t in track.downbeats_s),
            "drums": tuple(d._replace(time_s=d.time_s / speed) for d in track.drums),
            "instruments": tuple(
                i._replace(activity=tuple((a / speed, b / speed) for a, b in i.activity))
                for i in track.instruments
            ),
        }
    )
