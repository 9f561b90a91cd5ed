"""Turns about the form: sections, where they are, what follows what."""

from __future__ import annotations

from itertools import pairwise

from llark_py.track import Section

from .checks import yes_no
from .ensemble import names_of
from .facts import join_words, number_word
from .phrases import pick
from .scene import Asker, Scene, Turn, heard, past_end, unheard
from .timeline import Timeline, clock

_TOO_SHORT_S = 20.0
"""A shorter excerpt shows no form."""
_P_ABSENT = 0.2
_MAX_TIMES = 6
_MARGIN_S = 1.5
_ABOUT = ("sections",)


def _of_form(family: str, *, needs_name: bool = False, needs_time: bool = False) -> Asker:
    """Ask about the form; the answer is written by the maker of that name in `_MAKERS`."""

    def ask(scene: Scene) -> Turn | None:
        values = {}
        if needs_name:
            values["section"] = pick(list(scene.rates.sections) or ["chorus"], scene.rng)
        if needs_time:
            values["at"] = clock(scene.rng.random() * 60.0, 60.0)
            late = past_end(scene, family) if scene.is_music else None
            if late is not None:
                return late
        if scene.timeline is None or not scene.is_music:
            return unheard(scene, family, **values)
        timeline = scene.timeline
        if not timeline.has_form:
            if timeline.track.duration_s < _TOO_SHORT_S:
                if needs_time:
                    values["at"] = clock(scene.rng.random() * 60.0, timeline.track.duration_s)
                return heard(scene, family, _ABOUT, "short", **values)
            return None
        return _MAKERS[family](scene, timeline)

    return ask


def _structure(scene: Scene, timeline: Timeline) -> Turn | None:
    parts = [f"{s.label} at {timeline.clock(s.start_s)}" for s in timeline.sections]
    return heard(scene, "structure", _ABOUT, parts=", ".join(parts))


def _section_count(scene: Scene, timeline: Timeline) -> Turn | None:
    labels = [s.label for s in timeline.sections]
    number = number_word(len(labels))
    return heard(scene, "section_count", _ABOUT, number=number, parts=", ".join(labels))


def _draw_label(scene: Scene, timeline: Timeline) -> tuple[str, list[Section]]:
    """Draw a section to ask for, and its places: now and then one that is not there."""
    labels = list(dict.fromkeys(s.label for s in timeline.sections))
    absent = [label for label in scene.rates.sections if label not in labels]
    if absent and scene.rng.random() < _P_ABSENT:
        return pick(absent, scene.rng), []
    label = pick(labels, scene.rng)
    return label, [s for s in timeline.sections if s.label == label]


def _section_when(scene: Scene, timeline: Timeline) -> Turn | None:
    label, places = _draw_label(scene, timeline)
    if not places:
        return heard(scene, "section_when", _ABOUT, "none", section=label)
    times = [timeline.clock(s.start_s) for s in places]
    if len(times) > _MAX_TIMES:
        return None
    return heard(scene, "section_when", _ABOUT, section=label, times=join_words(times))


def _section_length(scene: Scene, timeline: Timeline) -> Turn | None:
    label, places = _draw_label(scene, timeline)
    if not places:
        return heard(scene, "section_length", _ABOUT, "none", section=label)
    start, end = (timeline.clock(t) for t in places[0][:2])
    case = "answers" if len(places) == 1 else "several"
    return heard(scene, "section_length", _ABOUT, case, section=label, start=start, end=end)


def _section_after(scene: Scene, timeline: Timeline) -> Turn | None:
    first: dict[str, Section | None] = {}
    for section, after in pairwise(timeline.sections):
        first.setdefault(section.label, after)
    first.setdefault(timeline.sections[-1].label, None)
    label = pick(list(first), scene.rng)
    following = first[label]
    if following is None:
        return heard(scene, "section_after", _ABOUT, "last", section=label)
    values = {"section": label, "next": following.label}
    return heard(scene, "section_after", _ABOUT, start=timeline.clock(following.start_s), **values)


def _section_at(scene: Scene, timeline: Timeline) -> Turn | None:
    time_s = float(int(scene.rng.random() * timeline.track.duration_s))
    section = timeline.section_at(time_s)
    if section is None or min(time_s - section.start_s, section.end_s - time_s) < _MARGIN_S:
        return None
    at = timeline.clock(time_s)
    return heard(scene, "section_at", _ABOUT, section=section.label, at=at)


def _section_players(scene: Scene, timeline: Timeline) -> Turn | None:
    section = pick(timeline.sections, scene.rng)
    playing = timeline.playing_in(*section[:2])
    alike = [s for s in timeline.sections if s.label == section.label]
    if not playing or any(timeline.playing_in(*s[:2]) != playing for s in alike):
        return None
    about = ("sections", "instruments")
    values = {"section": section.label, "players": names_of(playing)}
    return heard(scene, "section_players", about, **values)


def _ask_section_check(scene: Scene) -> Turn | None:
    timeline = scene.timeline
    present = [s.label for s in timeline.sections] if timeline else []
    known = timeline is not None and timeline.has_form
    return yes_no(scene, "section_check", present, scene.rates.sections, "sections", known=known)


_MAKERS = {
    "structure": _structure,
    "section_count": _section_count,
    "section_when": _section_when,
    "section_length": _section_length,
    "section_after": _section_after,
    "section_at": _section_at,
    "section_players": _section_players,
}
FAMILIES: dict[str, tuple[float, Asker]] = {
    "structure": (3.0, _of_form("structure")),
    "section_count": (1.0, _of_form("section_count")),
    "section_when": (2.0, _of_form("section_when", needs_name=True)),
    "section_length": (1.0, _of_form("section_length", needs_name=True)),
    "section_after": (1.0, _of_form("section_after", needs_name=True)),
    "section_at": (1.5, _of_form("section_at", needs_time=True)),
    "section_players": (1.0, _of_form("section_players", needs_name=True)),
    "section_check": (1.5, _ask_section_check),
}
YES_NO = ("section_check",)
