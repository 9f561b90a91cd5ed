"""Turns whose answer is read off the result of a tool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .phrases import grammar, pick
from .scene import TOOL_OF, Asker, Call, Scene, Turn, case_of, words_of

Result = dict[str, Any]


def told(
    scene: Scene,
    subject: str,
    question: str,
    answer: Callable[[Result], str],
    **arguments: Any,
) -> Turn:
    """Ask for something that a tool tells.

    Args:
        scene: State of the dialogue.
        subject: A key of `TOOL_OF`.
        question: Ready to be asked.
        answer: Says a result that is no error.
        **arguments: Of the call.
    """
    scene.last = "ear"
    tool, deeds = TOOL_OF[subject], grammar()["no_tool"][subject]
    if scene.facts is None or (tool not in scene.tools and not scene.is_music):
        return Turn(question, scene.not_music)
    if tool not in scene.tools:
        return Turn(question, lambda: scene.answer("no_tool", do=pick(deeds, scene.rng)))
    scene.last = subject
    call = Call(tool, arguments)

    def say() -> str:
        result = scene.run(call)
        if "error" in result:
            return scene.answer("failed", do=pick(deeds, scene.rng), reason=result["error"])
        return answer(result)

    return Turn(question, say, (call,))


def ask_told(family: str, subject: str, case: str = "", **arguments: Any) -> Asker:
    """Make the asker of a family whose answers quote a result.

    Args:
        family: Which phrasings.
        subject: A key of `TOOL_OF`.
        case: Which answers; empty: `measured` or `unsure`, by the confidence.
        **arguments: Of the call.
    """

    def ask(scene: Scene) -> Turn:
        def answer(result: Result) -> str:
            return scene.answer(family, case or case_of(result), **words_of(result))

        return told(scene, subject, scene.ask(family), answer, **arguments)

    return ask


def result_of(scene: Scene, subject: str) -> Result | None:
    """Return what the tool says without arguments; None where it has nothing to say."""
    if scene.facts is None or TOOL_OF[subject] not in scene.tools:
        return None
    result = scene.run(Call(TOOL_OF[subject]))
    return None if "error" in result else result


def tool_or_ear(by_tool: Asker, by_ear: Asker, *subjects: str) -> Asker:
    """Make the asker of a family that tools answer where they are at hand, and the ear elsewhere.

    Args:
        by_tool: Asks where all the tools are there.
        by_ear: Asks where none is, or where there is no recording.
        *subjects: Keys of `TOOL_OF`. With some of the tools nothing is asked.
    """
    tools = {TOOL_OF[subject] for subject in subjects}

    def ask(scene: Scene) -> Turn | None:
        if scene.facts is None or not tools & scene.tools:
            return by_ear(scene)
        return by_tool(scene) if tools <= scene.tools else None

    return ask
