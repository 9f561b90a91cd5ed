"""Turns about where and when: who enters and stops, who plays at a time, what changes."""

from __future__ import annotations

from .checks import is_plural, named
from .ensemble import names_of
from .facts import join_words, number_word
from .phrases import pick
from .scene import Asker, Scene, Turn, heard, past_end, unheard
from .timeline import Change, Timeline, clock

_P_FROM_START = 0.3
"""How often one asks for the entrance of who was there all along; most are."""
_P_QUIET = 0.4
_QUIET_S = 3.0
_TRIES = 8
_MAX_CHANGES = 3
_SINGER_NAMES = ("singer", "singer", "singing", "voice")
_ABOUT = ("activity",)


def _spoken(instrument: str, scene: Scene) -> str:
    return pick(_SINGER_NAMES, scene.rng) if instrument == "singer" else instrument


def _in_time(family: str, *, needs_name: bool = False, needs_time: bool = False) -> Asker:
    """Ask about time; the answer is written by the maker of that name in `_MAKERS`."""

    def ask(scene: Scene) -> Turn | None:
        timeline = scene.timeline
        if timeline is None or not scene.is_music:
            values: dict[str, str] = {}
            if needs_name:
                values = named(pick(list(scene.rates.instruments) or ["piano"], scene.rng))
            if needs_time:
                duration_s = timeline.track.duration_s if timeline else 60.0
                values["at"] = clock(scene.rng.random() * duration_s, duration_s)
            return unheard(scene, family, **values)
        late = past_end(scene, family) if needs_time else None
        if late is not None:
            return late
        return _MAKERS[family](scene, timeline) if timeline.spans else None

    return ask


def _entrance(scene: Scene, timeline: Timeline) -> Turn | None:
    later = [n for n in timeline.spans if n not in timeline.first]
    if later and scene.rng.random() >= _P_FROM_START:
        name = pick(later, scene.rng)
        at = timeline.clock(timeline.spans[name][0][0])
        return heard(scene, "enters", _ABOUT, at=at, **named(_spoken(name, scene)))
    if not timeline.first or (not later and scene.rng.random() >= _P_FROM_START):
        return None
    name = pick(timeline.first, scene.rng)
    return heard(scene, "enters", _ABOUT, "start", **named(_spoken(name, scene)))


def _exit(scene: Scene, timeline: Timeline) -> Turn | None:
    gone = [n for n in timeline.spans if timeline.exits(n)]
    if gone and scene.rng.random() >= _P_FROM_START:
        name = pick(gone, scene.rng)
        times = [timeline.clock(t) for t in timeline.exits(name)[:_MAX_CHANGES]]
        values = {"at": times[0], "times": join_words(times), **named(_spoken(name, scene))}
        back = [t for t in timeline.entrances(name) if t > timeline.exits(name)[0]]
        if back:
            return heard(scene, "leaves", _ABOUT, "back", back=timeline.clock(back[0]), **values)
        return heard(scene, "leaves", _ABOUT, **values)
    stay = [n for n in timeline.spans if n not in gone]
    if not stay or (not gone and scene.rng.random() >= _P_FROM_START):
        return None
    return heard(scene, "leaves", _ABOUT, "end", **named(_spoken(pick(stay, scene.rng), scene)))


def _draw_quiet_time(scene: Scene, timeline: Timeline) -> float | None:
    """Draw a whole second at which nothing changes."""
    for _ in range(_TRIES):
        time_s = float(int(scene.rng.random() * timeline.track.duration_s))
        if timeline.is_quiet(time_s, 1.0):
            return time_s
    return None


def _playing_at(scene: Scene, timeline: Timeline) -> Turn | None:
    time_s = _draw_quiet_time(scene, timeline)
    if time_s is None:
        return None
    playing, at = timeline.playing_at(time_s + 0.5), timeline.clock(time_s)
    if not playing:
        return heard(scene, "playing_at", _ABOUT, "none", at=at)
    about = ("activity", "instruments")
    return heard(scene, "playing_at", about, at=at, players=names_of(playing))


def tell_change(scene: Scene, change: Change) -> str:
    """Say in a clause what happens at a change: `the chorus begins, and the drums come in`."""
    clauses = []
    if change.section:
        clauses.append(scene.say("change_at", "begins", section=change.section))
    for case, names in (("enter", change.enter), ("leave", change.leave)):
        if names:
            ends = "" if len(names) > 1 or is_plural(names[0]) else "s"
            who = f"the {join_words(names)}"
            clauses.append(scene.say("change_at", case, who=who, ends=ends))
    return join_words(clauses)


def _change_at(scene: Scene, timeline: Timeline) -> Turn | None:
    about = ("activity", "sections")
    changes = [c for c in timeline.changes if round(c.time_s) < int(timeline.track.duration_s)]
    if changes and scene.rng.random() >= _P_QUIET:
        change = pick(changes, scene.rng)
        at, text = timeline.clock(change.time_s), tell_change(scene, change)
        return heard(scene, "change_at", about, at=at, change=text)
    time_s = _draw_quiet_time(scene, timeline)
    if time_s is None or not timeline.is_quiet(time_s, _QUIET_S):
        return None
    if not changes and scene.rng.random() >= _P_FROM_START:
        return None
    playing, at = timeline.playing_at(time_s + 0.5), timeline.clock(time_s)
    if not playing:
        return None
    goes = "" if len(playing) > 1 or is_plural(playing[0]) else "es"
    players = f"the {join_words(playing)}"
    return heard(scene, "change_at", about, "none", at=at, players=players, goes=goes)


def _changes(scene: Scene, timeline: Timeline) -> Turn | None:
    about = ("activity", "sections")
    if not timeline.changes:
        if scene.rng.random() >= _P_FROM_START:
            return None
        return heard(scene, "changes", about, "none")
    told = [
        f"at {timeline.clock(c.time_s)} {tell_change(scene, c)}"
        for c in timeline.changes[:_MAX_CHANGES]
    ]
    case = "answers" if len(timeline.changes) <= _MAX_CHANGES else "many"
    return heard(scene, "changes", about, case, told="; ".join(told))


def _throughout(scene: Scene, timeline: Timeline) -> Turn | None:
    always = [n for n in timeline.spans if timeline.plays_throughout(n)]
    at_times = [n for n in timeline.spans if n not in always]
    if not always or not at_times:
        return None
    if scene.rng.random() < 0.5:
        name = _spoken(pick(always, scene.rng), scene)
        return heard(scene, "throughout", _ABOUT, "yes", **named(name))
    name = pick(at_times, scene.rng)
    start, end = (timeline.clock(t) for t in timeline.spans[name][0])
    case = "no" if len(timeline.spans[name]) == 1 else "pauses"
    values = {"start": start, "end": end, **named(_spoken(name, scene))}
    return heard(scene, "throughout", _ABOUT, case, **values)


def _last_in(scene: Scene, timeline: Timeline) -> Turn | None:
    if timeline.last_in is None:
        if len(timeline.first) < len(timeline.spans) or len(timeline.spans) < 2:
            return None
        return heard(scene, "last_in", _ABOUT, "together")
    name, time_s = timeline.last_in
    return heard(scene, "last_in", _ABOUT, at=timeline.clock(time_s), **named(name))


def _begins(scene: Scene, timeline: Timeline) -> Turn | None:
    first = timeline.first
    if not first:
        return None
    alone = len(first) == 1 and len(timeline.spans) > 1
    case = "alone" if alone else "all" if len(first) == len(timeline.spans) else "answers"
    return heard(scene, "begins", _ABOUT, case, players=names_of(first))


def _fullest(scene: Scene, timeline: Timeline) -> Turn | None:
    if timeline.fullest is None:
        return heard(scene, "fullest", _ABOUT, "none") if scene.rng.random() < 0.3 else None
    time_s, playing = timeline.fullest
    values = {"number": number_word(len(playing)), "players": names_of(playing)}
    return heard(scene, "fullest", _ABOUT, at=timeline.clock(time_s), **values)


def _halves(scene: Scene, timeline: Timeline) -> Turn | None:
    middle, end = timeline.track.duration_s / 2, timeline.track.duration_s
    first, second = timeline.playing_in(0.0, middle), timeline.playing_in(middle, end)
    new, gone = [n for n in second if n not in first], [n for n in first if n not in second]
    if new and gone:
        values = {"new": f"the {join_words(new)}", "gone": f"the {join_words(gone)}"}
        return heard(scene, "halves", _ABOUT, "both", **values)
    if new or gone:
        case, who = ("new", new) if new else ("gone", gone)
        return heard(scene, "halves", _ABOUT, case, **{case: f"the {join_words(who)}"})
    return heard(scene, "halves", _ABOUT, "same") if scene.rng.random() < _P_FROM_START else None


def _ask_case(family: str, fact: str) -> Asker:
    """Ask for a fact of the timeline whose value names the answers."""

    def ask(scene: Scene) -> Turn | None:
        if scene.timeline is None or not scene.is_music:
            return unheard(scene, family)
        case = getattr(scene.timeline, fact)
        if case is None or (case in ("even", "steady") and scene.rng.random() >= 0.5):
            return None
        return heard(scene, family, _ABOUT, case)

    return ask


def _ask_length(scene: Scene) -> Turn | None:
    if scene.timeline is None:
        return unheard(scene, "length")
    end = scene.timeline.clock(scene.timeline.track.duration_s)
    return heard(scene, "length", (), end=end)


_MAKERS = {
    "enters": _entrance,
    "leaves": _exit,
    "playing_at": _playing_at,
    "change_at": _change_at,
    "changes": _changes,
    "throughout": _throughout,
    "last_in": _last_in,
    "begins": _begins,
    "fullest": _fullest,
    "halves": _halves,
}
_WITH_NAME, _WITH_TIME = ("enters", "leaves", "throughout"), ("playing_at", "change_at")
_WEIGHTS = {"enters": 4.0, "playing_at": 2.0, "change_at": 2.5, "leaves": 2.0, "throughout": 2.0}
FAMILIES: dict[str, tuple[float, Asker]] = {
    **{
        name: (
            _WEIGHTS.get(name, 1.0),
            _in_time(name, needs_name=name in _WITH_NAME, needs_time=name in _WITH_TIME),
        )
        for name in _MAKERS
    },
    "ending": (1.0, _ask_case("ending", "ending")),
    "dynamics": (1.0, _ask_case("dynamics", "dynamics")),
    "build": (1.0, _ask_case("build", "build")),
    "length": (1.0, _ask_length),
}
