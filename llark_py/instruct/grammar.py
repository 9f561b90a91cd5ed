"""Facts -> dialogue: chooses what is asked, and writes the messages of both sides."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np

from llark_py.audio import Audio
from llark_py.messages import AudioPart, Message, ToolCall, ToolResult, assistant, user
from llark_py.track import Track

from . import (
    bars,
    captions,
    chains,
    chord_charts,
    comparing,
    ensemble,
    form,
    form_told,
    harmony,
    levels,
    listening,
    making,
    measuring,
    players,
    talk,
    timing,
    voices,
)
from .balance import Rates, default_rates
from .colloquial import noisy
from .facts import Facts
from .phrases import pick
from .scene import Asker, Scene, Turn
from .telling import tool_or_ear

P_RANDOM_RESULTS = 0.4
"""Share of dialogues whose tool results have nothing to do with the sound."""
_P_GOES_ON, _TRIES_TO_GO_ON = 0.5, 8
_P_ARRIVES_LATER, _P_MEASURED_BEFORE = 0.5, 0.5
_UNHEARD = Audio(np.zeros(1, np.float32), 1)
"""Stands for a recording in a dialogue, which is words; who trains on it brings the sound."""
_P_WHOLE_SONG, _P_WHOLE_SONG_FOR_CLIP = 0.4, 0.7
_CLIP_S = 20.0
_WHOLE_SONG_S = (20.0, 420.0)


# Family -> (how often it is tried, who makes the turn). Yes/no families drop many of their
# draws (see balance.py), so they are tried more often than they are heard.
FAMILIES: dict[str, tuple[float, Asker]] = {
    **measuring.FAMILIES,
    **making.FAMILIES,
    **chains.FAMILIES,
    **comparing.FAMILIES,
    **bars.FAMILIES,
    **chord_charts.FAMILIES,
    **players.FAMILIES,
    **form_told.FAMILIES,
    **levels.FAMILIES,
    **listening.FAMILIES,
    **ensemble.FAMILIES,
    **voices.FAMILIES,
    **harmony.FAMILIES,
    **form.FAMILIES,
    **timing.FAMILIES,
    **captions.FAMILIES,
    **talk.FAMILIES,
}
# What a tool tells comes from the tool where it is at hand: it measures times better than a small
# model reads them in the encoder's notes.
_TOOL_FIRST: tuple[tuple[dict[str, Asker], tuple[str, ...]], ...] = (
    (chord_charts.INSTEAD, ("progression",)),
    (chord_charts.KEY_INSTEAD, ("key",)),
    (form_told.INSTEAD, ("form",)),
    (players.INSTEAD, ("players", "singing")),
)
for _askers, _subjects in _TOOL_FIRST:
    for _name, _asker in _askers.items():
        _weight, _by_ear = FAMILIES[_name]
        FAMILIES[_name] = _weight, tool_or_ear(_asker, _by_ear, *_subjects)
TOOL_FIRST = tuple(name for askers, _ in _TOOL_FIRST for name in askers)
"""Families that a tool answers where it is at hand, and the ear elsewhere."""
TOLD = (
    *bars.FAMILIES,
    *chord_charts.FAMILIES,
    *players.FAMILIES,
    *form_told.FAMILIES,
    *levels.FAMILIES,
)
"""Families that only a tool can answer, beside `MEASURED`."""
MEASURED = ("tempo", "key", "notes")
"""Families whose answers quote a tool's result and nothing else."""
MADE = (*making.FAMILIES, *chains.FAMILIES)
"""Families that ask for what tools make of the sound: parts, stems, drum hits, chains of these."""
COMPARED = (*comparing.FAMILIES,)
"""Families that need two recordings."""
_OF_BOTH = tuple(n for n, (weight, _) in comparing.FAMILIES.items() for _ in range(round(weight)))
_BEFORE_ANOTHER = (*MEASURED * 4, *TOLD)
HEARD = (
    *("style", "style_check", "style_compare", "instruments", "time_signature", "meter_check"),
    *("waltz", "lead", "mood", "mood_check", "density", "feel", "drums", "vocals", "bass"),
    *("family_check", "instrument_check", "instrument_compare", "music"),
)
"""Families that are answered by ear, in few words."""
WHEN = (*form.FAMILIES, *timing.FAMILIES, "chord_at")
"""Families about form, and about where and when; most are answered with times."""
TALK = tuple(talk.FAMILIES)
"""Families that need no listening; some look back at the answer before."""
LOOKING_BACK = (
    *measuring.LOOKING_BACK,
    *chains.LOOKING_BACK,
    *comparing.LOOKING_BACK,
    *talk.LOOKING_BACK,
    "leads_it",
)
"""Families that need a turn before them."""
_COURTESIES = ("greeting", "thanks", "who", "off_topic", "unknowable", "compliment", "repeat")
_NAMES = tuple(FAMILIES)
_WEIGHTS = tuple(weight for weight, _ in FAMILIES.values())
_TOTAL = sum(_WEIGHTS)
# A family that may be asked twice in a dialogue, since it asks for another thing each time.
_REPEATABLE = {"family_check", "instrument_check", "style_check", "mood_check", "unknowable"}
_REPEATABLE |= {"instrument_compare", "chord_check", "off_topic"}
_REPEATABLE |= {"enters", "playing_at", "change_at", "section_at", "section_when"}
YES_NO = (*listening.YES_NO, *voices.YES_NO, *form.YES_NO, *harmony.YES_NO, "music")
"""Families whose answers are yes as often as no, over many tracks."""


def dialogue(
    track: Track | None,
    rng: Random,
    *,
    n_turns: int,
    tools: Sequence[str],
    audio_id: str = "audio_1",
    other_id: str = "",
    families: Sequence[str] | None = None,
    rates: Rates | None = None,
    unsure: Collection[str] = (),
    as_it_is: bool = False,
) -> list[Message]:
    """Write a conversation about a recording.

    The user's messages hold words only; `records.to_chat` puts the recording before the first.

    Args:
        track: The recording's facts; None writes a conversation without a recording.
        rng: Source of chance; the same state gives the same dialogue.
        n_turns: Number of questions.
        tools: Names of the tools that the assistant has.
        audio_id: Name under which tools know the recording.
        other_id: Name of a second recording; then the two are asked about. It stands before the
            first question, or comes with a later one.
        families: Ask only from these of `FAMILIES`; a turn that none of them can fill is left
            out.
        rates: How often things occur, for balanced yes/no questions; those of composed music
            by default.
        unsure: Slots of which the listener is not sure: `style`, `mood`, `meter`, `instruments`,
            `lead`, `density`, `speed`, `mode`, `chords`, `feel`, `voice`, `register`, `sections`,
            `activity`, `key`. Answers about them are hedged, and captions tell them as guesses.
        as_it_is: Keep to the recording's length and let no tool fail without need, for who calls
            the real tools; otherwise made-up lengths, results and failures are met as well.

    Returns:
        Messages of the roles user, assistant and tool.
    """
    # Times of whole songs must be met often, also where what sounds is a clip.
    is_clip = track is not None and track.duration_s < _CLIP_S
    p_whole_song = _P_WHOLE_SONG_FOR_CLIP if is_clip else _P_WHOLE_SONG
    whole_song = track is None or (rng.random() < p_whole_song and not as_it_is)
    scene = Scene(
        facts=Facts(track) if track is not None else None,
        rng=rng,
        tools=frozenset(tools),
        rates=rates or default_rates(),
        faithful=rng.random() >= P_RANDOM_RESULTS or as_it_is,
        may_fail=not as_it_is,
        duration_s=rng.uniform(*_WHOLE_SONG_S) if whole_song or not track else track.duration_s,
        audio_id=audio_id,
        other_id=other_id,
        unsure=frozenset(unsure),
    )
    messages: list[Message] = []
    # No tool may make a recording before the second one comes: that would have its name.
    asked = set(chains.CUTTING) if other_id else set()
    arrives = 0
    if other_id and n_turns > 1 and rng.random() < _P_ARRIVES_LATER:
        arrives, scene.other_id = 1 + int(rng.random() * (n_turns - 1)), ""
    for number in range(n_turns):
        new: tuple[AudioPart, ...] = ()
        if other_id and number == arrives:
            new, scene.other_id = (AudioPart(other_id, _UNHEARD),), other_id
        turn = _next_turn(
            scene, asked, _families_now(scene, families, other_id, arriving=bool(new))
        )
        if turn is None:
            arrives += bool(new)
            continue
        if new and messages:
            turn = replace(
                turn, question=scene.say("second_arrives", "openings", question=turn.question)
            )
        elif new:
            new = (AudioPart(audio_id, _UNHEARD), *new)
        spoken = _messages_of(turn, scene, first_call=len(messages))
        spoken[0] = user(spoken[0].text, *new)
        messages += spoken
        scene.said = messages[-1].text
        scene.turns += 1
    return messages


def _families_now(
    scene: Scene, families: Sequence[str] | None, other_id: str, *, arriving: bool
) -> Sequence[str] | None:
    """Choose what may be asked, given whether a second recording will come, comes or is there."""
    if families or not other_id:
        return families
    if not scene.other_id:
        return _BEFORE_ANOTHER if scene.rng.random() < _P_MEASURED_BEFORE else None
    if arriving and scene.last:
        return (*_OF_BOTH, *("second_same",) * len(_OF_BOTH))
    return (*_OF_BOTH * 2, *_COURTESIES)


def _next_turn(scene: Scene, asked: set[str], families: Sequence[str] | None) -> Turn | None:
    yes_no_dropped = False
    # What was just made is seldom left alone.
    back = [name for name in chains.LOOKING_BACK if name in (families or FAMILIES)]
    goes_on = back and scene.topic in chains.MAKERS and scene.rng.random() < _P_GOES_ON
    for attempt in range(60):
        name = pick(families, scene.rng) if families else _draw_family(scene.rng)
        if goes_on and attempt < _TRIES_TO_GO_ON:
            [name] = scene.rng.choices(back, [FAMILIES[name][0] for name in back])
        if name in asked or (yes_no_dropped and name in YES_NO):
            continue
        before, hedged = scene.last, scene.hedged
        turn = FAMILIES[name][1](scene)
        if turn is not None:
            if name not in _REPEATABLE:
                asked.add(name)
            scene.topic = name
            # What was a guess stays one while the talk is about it.
            scene.hedged = hedged and name in talk.LOOKING_BACK
            return turn
        scene.last = before
        # Drawing yes/no questions until one is kept would undo their balance.
        yes_no_dropped = yes_no_dropped or name in YES_NO
    return None


def _draw_family(rng: Random) -> str:
    at = rng.random() * _TOTAL
    for name, weight in zip(_NAMES, _WEIGHTS, strict=True):
        at -= weight
        if at < 0:
            return name
    return _NAMES[-1]


def _messages_of(turn: Turn, scene: Scene, *, first_call: int) -> list[Message]:
    messages = [user(noisy(turn.question, scene.rng))]
    rounds = [turn.calls] if turn.at_once else [(call,) for call in turn.calls]
    number = first_call
    for calls in rounds if turn.calls else []:
        spoken, results = [], []
        for call in calls:
            number += 1
            spoken.append(ToolCall(f"call_{number}", call.name, call.given(scene.audio_id)))
            results.append(_result(spoken[-1], scene.run(call)))
        messages.append(Message("assistant", tuple(spoken)))
        messages += [Message("tool", (result,)) for result in results]
        if made := [audio_id for result in results for audio_id in result.recordings]:
            # As in use: who hears them is given them in a message without words.
            messages.append(Message("user", tuple(AudioPart(i, _UNHEARD) for i in made)))
    messages.append(assistant(turn.answer()))
    return messages


def _result(call: ToolCall, content: dict[str, Any]) -> ToolResult:
    recordings = (content["audio"],) if "audio" in content else ()
    return ToolResult(call.id, call.name, content, recordings=recordings)
