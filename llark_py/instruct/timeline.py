"""What happens when: who enters and stops, which section is on, what changes.

An ear, and a model of it, tells times to the second; what is shorter than that is not told.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from llark_py.track import Section, Track

from .facts import chord_symbol, key_at

PAUSE_S = 4.0
"""A shorter silence of an instrument is a rest, not an exit."""
START_S = 1.5
"""Who plays by then was there from the start."""
_MIN_SECTION_S = 2.0
_TOGETHER_S = 1.5
_END_S = 0.7
_HELD_S = 1.2
_LOUDER, _SOFTER = 1.6, 0.62
_BUILD = 1.0

Span = tuple[float, float]


class Change(NamedTuple):
    """A moment at which a section begins, or somebody comes in or stops."""

    time_s: float
    section: str
    enter: tuple[str, ...]
    leave: tuple[str, ...]


def clock(time_s: float, duration_s: float) -> str:
    """Write a time as m:ss, rounded to a second that is not past the end."""
    seconds = max(0, min(round(time_s), int(duration_s)))
    return f"{seconds // 60}:{seconds % 60:02d}"


@dataclass(frozen=True)
class Timeline:
    """A Track in order of time; empty where the Track does not know."""

    track: Track

    def clock(self, time_s: float) -> str:
        """Write a time of this recording as m:ss."""
        return clock(time_s, self.track.duration_s)

    @cached_property
    def sections(self) -> list[Section]:
        """The sections, without slivers that an excerpt has cut off at its edges."""
        kept = [s for s in self.track.sections if s.end_s - s.start_s >= _MIN_SECTION_S]
        if kept and kept[0].start_s < _MIN_SECTION_S:
            kept[0] = kept[0]._replace(start_s=0.0)
        return kept

    @cached_property
    def has_form(self) -> bool:
        """Whether there is more than one section."""
        return len(self.sections) > 1

    def section_at(self, time_s: float) -> Section | None:
        """Return the section that is on at a time."""
        return next((s for s in self.sections if s.start_s <= time_s < s.end_s), None)

    @cached_property
    def spans(self) -> dict[str, list[Span]]:
        """Instrument -> when it plays, with rests shorter than `PAUSE_S` filled."""
        by_name: dict[str, list[Span]] = {}
        for instrument in self.track.instruments:
            by_name.setdefault(instrument.name, []).extend(instrument.activity)
        return {name: _filled(sorted(spans)) for name, spans in by_name.items() if spans}

    def entrances(self, name: str) -> list[float]:
        """List when an instrument comes in, or in again; not the start of the recording."""
        return [start for start, _ in self.spans.get(name, ()) if start >= START_S]

    def exits(self, name: str) -> list[float]:
        """List when an instrument stops, for a while or for good; not the end."""
        last = self.track.duration_s - PAUSE_S
        return [end for _, end in self.spans.get(name, ()) if end <= last]

    def plays_throughout(self, name: str) -> bool:
        """Tell whether an instrument is there from start to end, but for rests."""
        starts_early = bool(self.spans.get(name)) and self.spans[name][0][0] < START_S
        return starts_early and not self.entrances(name) and not self.exits(name)

    def playing_at(self, time_s: float) -> list[str]:
        """List who plays at a time."""
        return [n for n, spans in self.spans.items() if any(a <= time_s < b for a, b in spans)]

    def playing_in(self, start_s: float, end_s: float) -> list[str]:
        """List who plays for half of a stretch of time or more."""

        def share(spans: list[Span]) -> float:
            return sum(max(0.0, min(b, end_s) - max(a, start_s)) for a, b in spans)

        return [n for n, s in self.spans.items() if share(s) >= (end_s - start_s) / 2]

    @cached_property
    def first(self) -> list[str]:
        """Who plays at the start."""
        return [n for n, spans in self.spans.items() if spans[0][0] < START_S]

    @cached_property
    def last_in(self) -> tuple[str, float] | None:
        """Who comes in last, and when; None when two come in together or all at the start."""
        begins = sorted((spans[0][0], name) for name, spans in self.spans.items())
        if len(begins) < 2 or begins[-1][0] < START_S:
            return None
        alone = begins[-1][0] - begins[-2][0] >= START_S
        return (begins[-1][1], begins[-1][0]) if alone else None

    @cached_property
    def changes(self) -> list[Change]:
        """Moments at which a section begins or somebody comes in or stops, in order."""
        events: list[tuple[float, int, str]] = [(s.start_s, 0, s.label) for s in self.sections[1:]]
        for name in self.spans:
            events += [(t, 1, name) for t in self.entrances(name)]
            events += [(t, 2, name) for t in self.exits(name)]
        groups: list[list[tuple[float, int, str]]] = []
        for event in sorted(events):
            if groups and event[0] - groups[-1][0][0] < _TOGETHER_S:
                groups[-1].append(event)
            else:
                groups.append([event])
        return [_change(group) for group in groups]

    def is_quiet(self, time_s: float, around_s: float) -> bool:
        """Tell whether nothing changes near a time."""
        return all(abs(c.time_s - time_s) > around_s + _TOGETHER_S for c in self.changes)

    @cached_property
    def fullest(self) -> tuple[float, list[str]] | None:
        """When most instruments play, and which; None when it is all the same."""
        moments = sorted({0.0, *(c.time_s for c in self.changes)})
        later = [*moments[1:], self.track.duration_s]
        counts = [
            (len(playing), -start, playing)
            for start, end in zip(moments, later, strict=True)
            if end - start > 2 * _TOGETHER_S and (playing := self.playing_at((start + end) / 2))
        ]
        if not counts or max(counts)[0] == min(counts)[0]:
            return None
        _, start, playing = max(counts, key=lambda c: c[:2])
        return -start, playing

    def chord_at(self, time_s: float, margin_s: float) -> str | None:
        """Name the chord at a time; None when it changes within the margin."""
        for chord in self.track.chords:
            if chord.start_s + margin_s <= time_s < chord.end_s - margin_s:
                return chord_symbol(chord.label, key_at(self.track, time_s))
        return None

    @cached_property
    def key_changes(self) -> list[float]:
        """When another key begins; keys that an excerpt has cut to a sliver are left out."""
        keys = [k for k in self.track.keys if k.end_s - k.start_s >= _MIN_SECTION_S]
        return [b.start_s for a, b in pairwise(keys) if a.key != b.key]

    @cached_property
    def ending(self) -> str | None:
        """How it ends, by the last notes: `held`, `short`, or `cut` while they sound."""
        if not self.track.notes:
            return None
        end_s = max(n.end_s for n in self.track.notes)
        if self.track.duration_s - end_s < _END_S:
            return "cut"
        last = [n for n in self.track.notes if n.end_s > end_s - _END_S / 2]
        return "held" if max(n.end_s - n.start_s for n in last) >= _HELD_S else "short"

    @cached_property
    def dynamics(self) -> str | None:
        """`louder`, `softer` or `even`: the last third against the first, by how hard is played."""
        if not self.track.notes and not self.track.drums:
            return None
        third = self.track.duration_s / 3
        moments = [(n.start_s, n.velocity) for n in self.track.notes]
        moments += [(d.time_s, d.velocity) for d in self.track.drums]
        first = sum(v for t, v in moments if t < third)
        last = sum(v for t, v in moments if t >= 2 * third)
        if last > first * _LOUDER:
            return "louder"
        return "softer" if last < first * _SOFTER else "even"

    @cached_property
    def build(self) -> str | None:
        """`builds`, `thins` or `steady`: how many play in the last third against the first."""
        if not self.spans:
            return None
        third = self.track.duration_s / 3

        def players(start_s: float) -> float:
            steps = [start_s + third * (i + 0.5) / 8 for i in range(8)]
            return sum(len(self.playing_at(t)) for t in steps) / len(steps)

        more = players(2 * third) - players(0.0)
        return "builds" if more >= _BUILD else "thins" if more <= -_BUILD else "steady"


def _filled(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in spans:
        if joined and start - joined[-1][1] < PAUSE_S:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _change(events: list[tuple[float, int, str]]) -> Change:
    names: list[list[str]] = [[], [], []]
    for _, kind, name in events:
        names[kind].append(name)
    # A section that begins is the moment that is told; who comes in is early or late for it.
    time_s = next((t for t, kind, _ in events if kind == 0), events[0][0])
    return Change(time_s, "".join(names[0][:1]), tuple(names[1]), tuple(names[2]))
