"""Turns whose answer a tool measures, or which say that no tool is at hand."""

from __future__ import annotations

from llark_py.theory import KEYS, parse_key

from .phrases import grammar, pick, sentence
from .scene import TOOL_OF, Asker, Call, Scene, Turn, case_of, words_of
from .two_questions import two_questions

_P_OTHER_PAIR = 0.6


def _measured_turn(scene: Scene, family: str, subject: str, **values: str) -> Turn | None:
    tool = TOOL_OF[subject]
    question = scene.ask(family, **values)
    scene.last = "ear"
    if scene.facts is None:
        return Turn(question, scene.not_music)
    if tool in scene.tools:
        scene.last = subject

        def answer() -> str:
            result = scene.run(Call(tool))
            return scene.answer(family, case_of(result), **words_of(result))

        return Turn(question, answer, (Call(tool),))
    if not scene.is_music:
        return Turn(question, scene.not_music)
    try_ear = {"tempo": "speed", "beats": "speed", "key": "mode"}.get(family)
    if try_ear and try_ear not in scene.facts.words:
        return None
    return Turn(
        question, lambda: scene.hedge(scene.answer(family, "by_ear"), [try_ear] if try_ear else [])
    )


def ask_tempo(scene: Scene) -> Turn | None:
    """Ask for beats a minute."""
    guess = str(50 + int(scene.rng.random() * 140))
    return _measured_turn(scene, "tempo", "tempo", guess=guess)


def ask_beats(scene: Scene) -> Turn | None:
    """Ask for the number of beats."""
    return _measured_turn(scene, "beats", "bars")


def ask_key(scene: Scene) -> Turn | None:
    """Ask for the key."""
    return _measured_turn(scene, "key", "key")


def ask_notes(scene: Scene) -> Turn | None:
    """Ask for a transcription."""
    return _measured_turn(scene, "notes", "notes")


def ask_key_check(scene: Scene) -> Turn | None:
    """Ask whether the key is a certain one; as often right as wrong by the tool's word."""
    tool = TOOL_OF["key"]
    if tool not in scene.tools or not scene.is_music:
        return None
    result = scene.run(Call(tool))
    asked = pick(KEYS, scene.rng)
    if "key" in result:
        draw = scene.rng.random()
        asked = result["key"] if draw < 0.5 else result["runner_up"] if draw < 0.75 else asked
    scene.last = "key"

    def answer() -> str:
        if case_of(result) != "measured":
            return scene.answer("key", case_of(result), **words_of(result))
        case = "yes" if asked == result["key"] else "no"
        return scene.answer("key_check", case, **words_of(result))

    return Turn(scene.say("key_check", "questions", asked=asked), answer, (Call(tool),))


def ask_mode(scene: Scene) -> Turn | None:
    """Ask for major or minor: by the key tool where there is one, else by ear."""
    tool = TOOL_OF["key"]
    question = scene.ask("mode")
    scene.last = "ear"
    if scene.facts is None or (not scene.is_music and tool not in scene.tools):
        return Turn(question, scene.not_music)
    if tool not in scene.tools:
        known = "mode" in scene.facts.words
        if not known:
            return None
        return Turn(question, lambda: scene.hedge(scene.answer("mode", "by_ear"), ["mode"]))
    scene.last = "key"

    def answer() -> str:
        result = scene.run(Call(tool))
        case = case_of(result)
        if case == "error":
            return scene.answer("key", case, **words_of(result))
        mode = parse_key(result["key"])[1]
        return scene.answer("mode", case, **{**words_of(result), "mode": mode})

    return Turn(question, answer, (Call(tool),))


def clause(scene: Scene, subject: str) -> str:
    """Tell the result of a tool as part of a longer sentence."""
    result = scene.run(Call(TOOL_OF[subject]))
    case = case_of(result)
    return scene.say("both", f"{subject}_{case}", **words_of(result))


def ask_both(scene: Scene) -> Turn | None:
    """Ask for two measured things in one sentence."""
    able = [subject for subject in grammar()["both"]["names"] if TOOL_OF[subject] in scene.tools]
    if scene.facts is None or len(able) < 2:
        return None
    # Tempo and key are what people ask for together most often.
    pair = ["tempo", "key"]
    if scene.rng.random() < _P_OTHER_PAIR or not set(pair) <= set(able):
        pair = able[:]
    scene.rng.shuffle(pair)
    first, second = pair[:2]
    names = grammar()["both"]["names"]
    question = two_questions(scene, first, second) or scene.say(
        "both",
        "questions",
        first=pick(names[first], scene.rng),
        second=pick(names[second], scene.rng),
    )
    scene.last = second

    def answer() -> str:
        return scene.answer("both", first=clause(scene, first), second=clause(scene, second))

    at_once = scene.rng.random() < 0.7
    return Turn(question, answer, (Call(TOOL_OF[first]), Call(TOOL_OF[second])), at_once)


def ask_tool_and_ear(scene: Scene) -> Turn | None:
    """Ask for a measured and a heard thing in one sentence."""
    measurable = [s for s in ("tempo", "key") if TOOL_OF[s] in scene.tools]
    if not measurable or not scene.is_music or scene.facts is None:
        return None
    subject = pick(measurable, scene.rng)
    topic = pick(list(heard_topics(scene)) or [None], scene.rng)
    if topic is None:
        return None
    both = [subject, topic]
    scene.rng.shuffle(both)
    question = two_questions(scene, *both) or scene.say(
        "tool_and_ear",
        "questions",
        measured=pick(grammar()["both"]["names"][subject], scene.rng),
        heard=pick(grammar()["ear_pair"]["names"][topic], scene.rng),
    )
    scene.last = subject

    def answer() -> str:
        heard = scene.say("ear_pair", topic)
        # Only what was heard is hedged, so that the two can be told apart.
        return scene.answer(
            "tool_and_ear",
            "guess" if scene.is_unsure(topic) else "answers",
            measured=clause(scene, subject),
            heard=heard,
            heard_start=sentence(heard),
        )

    return Turn(question, answer, (Call(TOOL_OF[subject]),))


def ask_three(scene: Scene) -> Turn | None:
    """Ask for tempo, key and something heard at once."""
    subjects = ["tempo", "key"]
    topics = heard_topics(scene)
    able = all(TOOL_OF[subject] in scene.tools for subject in subjects)
    if not able or not scene.is_music or not topics:
        return None
    scene.rng.shuffle(subjects)
    topic = pick(topics, scene.rng)
    names = grammar()["both"]["names"]
    question = scene.say(
        "three",
        "questions",
        first=pick(names[subjects[0]], scene.rng),
        second=pick(names[subjects[1]], scene.rng),
        heard=pick(grammar()["ear_pair"]["names"][topic], scene.rng),
    )
    scene.last = subjects[1]

    def answer() -> str:
        heard = scene.say("ear_pair", topic)
        first, second = (clause(scene, subject) for subject in subjects)
        case = "guess" if scene.is_unsure(topic) else "answers"
        return scene.answer("three", case, first=first, second=second, heard=heard)

    return Turn(question, answer, tuple(Call(TOOL_OF[s]) for s in subjects))


def heard_topics(scene: Scene) -> list[str]:
    """List the topics of `ear_topics` that the facts can answer."""
    words = scene.facts.words if scene.facts else {}
    slots = {"time_signature": "meter"}
    return [t for t in ear_topics(scene) if slots.get(t, t) in words]


def ear_topics(scene: Scene) -> list[str]:
    """List the topics of `ear_pair` that no tool at hand tells."""
    by_tool = {"chords"} if TOOL_OF["progression"] in scene.tools else set()
    return [topic for topic in grammar()["ear_pair"]["names"] if topic not in by_tool]


def ask_look_back(family: str) -> Asker:
    """Make the asker of a family that asks how sure the answer before is, or how it is known."""

    def ask(scene: Scene) -> Turn | None:
        return _look_back(scene, family) if scene.last else None

    return ask


def _look_back(scene: Scene, family: str) -> Turn | None:
    result = scene.results.get(TOOL_OF.get(scene.last, ""), {})
    if scene.last in TOOL_OF and (not result or "error" in result):
        return None
    case = case_of(result) if result else "heard"
    if family == "sure" and result and "confidence" not in result:
        return None
    if family == "how_known" and result:
        case = "measured"
    if family == "sure" and case == "heard" and scene.hedged:
        case = "guess"
    tool = TOOL_OF.get(scene.last, "")
    question = scene.say(family, "questions")
    return Turn(question, lambda: scene.answer(family, case, tool=tool, **words_of(result)))


def ask_again(scene: Scene) -> Turn | None:
    """Ask once more for what was measured; the answer comes from the result, without a call."""
    measured = [s for s in ("tempo", "key") if TOOL_OF[s] in scene.results]
    if not measured:
        return None
    subject = pick(measured, scene.rng)
    result = scene.results[TOOL_OF[subject]]
    scene.last = subject
    name = pick(grammar()["both"]["names"][subject], scene.rng)
    return Turn(
        scene.say("again", "questions", name=name),
        lambda: scene.answer(subject, case_of(result), **words_of(result)),
    )


def ask_relative(scene: Scene) -> Turn | None:
    """Ask whether the key just told is major or minor; answered from it, without a call."""
    result = scene.results.get(TOOL_OF["key"], {})
    if scene.last != "key" or "key" not in result:
        return None
    question = scene.say("relative", "questions")
    mode = parse_key(result["key"])[1]
    named = [m for m in ("major", "minor") if m in question]
    case = "either" if len(named) == 2 else "yes" if named == [mode] else "no"
    return Turn(question, lambda: scene.answer("relative", case, key=result["key"], mode=mode))


FAMILIES: dict[str, tuple[float, Asker]] = {
    "tempo": (10.0, ask_tempo),
    "key": (10.0, ask_key),
    "notes": (6.0, ask_notes),
    "beats": (3.0, ask_beats),
    "key_check": (2.5, ask_key_check),
    "mode": (3.5, ask_mode),
    "both": (6.0, ask_both),
    "tool_and_ear": (2.5, ask_tool_and_ear),
    "three": (2.0, ask_three),
    "again": (1.5, ask_again),
    "relative": (6.0, ask_relative),
}
LOOKING_BACK = ("again", "relative")
"""Families that need a measurement before them."""
