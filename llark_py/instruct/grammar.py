"""Facts -> dialogue: chooses what is asked, and writes the messages of both sides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from llark_py.messages import Message, ToolCall, ToolResult, assistant, user
from llark_py.track import Track

from . import listening, measuring
from .balance import Rates, default_rates
from .colloquial import noisy
from .facts import Facts
from .phrases import pick
from .scene import Scene, Turn

P_RANDOM_RESULTS = 0.4
"""Share of dialogues whose tool results have nothing to do with the sound."""
_P_WHOLE_SONG = 0.4
_WHOLE_SONG_S = (20.0, 420.0)


def _talk(family: str, scene: Scene) -> Turn | None:
    scene.last = ""
    return Turn(scene.say(family, "questions"), lambda: scene.answer(family))


def _vocals(scene: Scene) -> Turn | None:
    if not scene.is_music:
        scene.last = ""
        return Turn(scene.say("vocals", "questions"), scene.not_music)
    return _talk("vocals", scene)


# Family -> (how often it is tried, who makes the turn). Yes/no families drop many of their
# draws (see balance.py), so they are tried more often than they are heard.
FAMILIES: dict[str, tuple[float, Callable[[Scene], Turn | None]]] = {
    "tempo": (7.0, measuring.ask_tempo),
    "key": (7.0, measuring.ask_key),
    "notes": (4.0, measuring.ask_notes),
    "beats": (2.0, measuring.ask_beats),
    "key_check": (1.5, measuring.ask_key_check),
    "mode": (2.5, measuring.ask_mode),
    "both": (3.0, measuring.ask_both),
    "tool_and_ear": (1.5, measuring.ask_tool_and_ear),
    "time_signature": (4.0, listening.ask_time_signature),
    "meter_check": (1.5, listening.ask_meter_check),
    "beat": (1.5, listening.ask_beat),
    "style": (6.0, listening.ask_style),
    "style_check": (4.0, listening.ask_style_check),
    "mood": (4.0, listening.ask_mood),
    "mood_check": (3.0, listening.ask_mood_check),
    "use": (1.2, listening.ask_use),
    "instruments": (8.0, listening.ask_instruments),
    "lead": (3.0, listening.ask_lead),
    "family_check": (20.0, listening.ask_family_check),
    "instrument_check": (14.0, listening.ask_instrument_check),
    "drums": (4.0, listening.ask_drums),
    "chords": (4.0, listening.ask_chords),
    "density": (2.0, listening.ask_density),
    "speed": (2.0, listening.ask_speed),
    "speed_check": (2.0, listening.ask_speed_check),
    "ear_pair": (2.0, listening.ask_ear_pair),
    "caption": (8.0, listening.ask_caption),
    "greeting": (0.8, partial(_talk, "greeting")),
    "thanks": (0.7, partial(_talk, "thanks")),
    "who": (0.6, partial(_talk, "who")),
    "abilities": (0.8, partial(_talk, "abilities")),
    "off_topic": (1.0, partial(_talk, "off_topic")),
    "unknowable": (1.8, partial(_talk, "unknowable")),
    "vocals": (1.0, _vocals),
    "language": (0.8, partial(_talk, "language")),
    "sure": (4.0, measuring.ask_sure),
    "how_known": (1.5, measuring.ask_how_known),
    "again": (1.5, measuring.ask_again),
    "relative": (6.0, measuring.ask_relative),
}
_NAMES = tuple(FAMILIES)
_WEIGHTS = tuple(weight for weight, _ in FAMILIES.values())
_TOTAL = sum(_WEIGHTS)
# A family that may be asked twice in a dialogue, since it asks for another thing each time.
_REPEATABLE = {"family_check", "instrument_check", "style_check", "mood_check", "unknowable"}
_YES_NO = {"family_check", "instrument_check", "drums", "style_check", "mood_check"} | {
    "meter_check",
    "speed_check",
}


def dialogue(
    track: Track | None,
    rng: Random,
    *,
    n_turns: int,
    tools: Sequence[str],
    audio_id: str = "audio_1",
    families: Sequence[str] | None = None,
    rates: Rates | None = None,
) -> list[Message]:
    """Write a conversation about a recording.

    The user's messages hold words only; `records.to_chat` puts the recording before the first.

    Args:
        track: The recording's facts; None writes a conversation without a recording.
        rng: Source of chance; the same state gives the same dialogue.
        n_turns: Number of questions.
        tools: Names of the tools that the assistant has.
        audio_id: Name under which tools know the recording.
        families: Ask only from these of `FAMILIES`; a turn that none of them can fill is left
            out.
        rates: How often things occur, for balanced yes/no questions; those of composed music
            by default.

    Returns:
        Messages of the roles user, assistant and tool.
    """
    whole_song = rng.random() < _P_WHOLE_SONG or track is None
    scene = Scene(
        facts=Facts(track) if track is not None else None,
        rng=rng,
        tools=frozenset(tools),
        rates=rates or default_rates(),
        faithful=rng.random() >= P_RANDOM_RESULTS,
        duration_s=rng.uniform(*_WHOLE_SONG_S) if whole_song or not track else track.duration_s,
    )
    messages: list[Message] = []
    asked: set[str] = set()
    for _ in range(n_turns):
        turn = _next_turn(scene, asked, families)
        if turn is not None:
            messages += _messages_of(turn, scene, audio_id, first_call=len(messages))
            scene.turns += 1
    return messages


def _next_turn(scene: Scene, asked: set[str], families: Sequence[str] | None) -> Turn | None:
    yes_no_dropped = False
    for _ in range(60):
        name = pick(families, scene.rng) if families else _draw_family(scene.rng)
        if name in asked or (yes_no_dropped and name in _YES_NO):
            continue
        before = scene.last
        turn = FAMILIES[name][1](scene)
        if turn is not None:
            if name not in _REPEATABLE:
                asked.add(name)
            return turn
        scene.last = before
        # Drawing yes/no questions until one is kept would undo their balance.
        yes_no_dropped = yes_no_dropped or name in _YES_NO
    return None


def _draw_family(rng: Random) -> str:
    at = rng.random() * _TOTAL
    for name, weight in zip(_NAMES, _WEIGHTS, strict=True):
        at -= weight
        if at < 0:
            return name
    return _NAMES[-1]


def _messages_of(turn: Turn, scene: Scene, audio_id: str, *, first_call: int) -> list[Message]:
    messages = [user(noisy(turn.question, scene.rng))]
    rounds = [turn.tools] if turn.at_once else [(tool,) for tool in turn.tools]
    n_calls = first_call
    for names in rounds if turn.tools else []:
        calls = []
        for name in names:
            n_calls += 1
            calls.append(ToolCall(f"call_{n_calls}", name, {"audio": audio_id}))
        messages.append(Message("assistant", tuple(calls)))
        messages += [
            Message("tool", (ToolResult(call.id, call.name, scene.run(call.name)),))
            for call in calls
        ]
    messages.append(assistant(turn.answer()))
    return messages
