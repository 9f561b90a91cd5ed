"""Conversations as a chat API takes them, and its pieces put together to a reply."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from llark_py.audio import Audio
from llark_py.messages import Message, ToolCall, ToolResult

from .chat_api import CallPiece, Choice, FunctionPiece
from .listener import tell_recording
from .reply import UNREADABLE

_QUOTED = 200


def write_messages(
    messages: Sequence[Message], notes: Callable[[Audio], str]
) -> list[dict[str, Any]]:
    """Write a conversation for a model that reads: in the place of a recording stands its note.

    Args:
        messages: The conversation.
        notes: Tells what is heard in a recording.

    Returns:
        What the API takes as `messages`: words, `tool_calls`, and `tool` messages by call id.
    """
    written: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "tool":
            written += [
                {
                    "role": "tool",
                    "tool_call_id": part.call_id,
                    "content": json.dumps(part.content, ensure_ascii=False),
                }
                for part in message.parts
                if isinstance(part, ToolResult)
            ]
            continue
        told = [tell_recording(part.id, notes(part.audio)) for part in message.audios]
        turn: dict[str, Any] = {
            "role": message.role,
            "content": "\n".join([*told, message.text]),
        }
        if message.tool_calls:
            turn["content"] = message.text or None
            turn["tool_calls"] = [_write_call(call) for call in message.tool_calls]
        written.append(turn)
    return written


def _write_call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": json.dumps(call.arguments)}
    return {"id": call.id, "type": "function", "function": function}


@dataclass
class _Slot:
    """A call of which pieces are still coming."""

    index: int | None
    id: str = ""
    name: str = ""
    arguments: str = ""


class IncomingReply:
    """A reply that comes in pieces.

    Attributes:
        text: Its words so far.
        finish_reason: Why it ended, in the words of the API (`stop`, `length`, ...); empty before.
    """

    def __init__(self) -> None:
        self.text, self.finish_reason = "", ""
        self._slots: list[_Slot] = []

    def add(self, choice: Choice) -> str:
        """Take the next piece and give the words in it; white space in front is left out."""
        self.finish_reason = choice.finish_reason or self.finish_reason
        words = choice.delta or choice.message
        if words is None:
            return ""
        for piece in words.tool_calls or ():
            self._add_call(piece)
        new = words.content or ""
        new = new if self.text else new.lstrip()
        self.text += new
        return new

    def calls(self, taken: Collection[str]) -> tuple[list[ToolCall], dict[str, str]]:
        """Read the calls, once the reply is whole.

        Args:
            taken: Ids of calls in the conversation; some servers give an id more than once.

        Returns:
            All calls, and by id why one of them cannot be run.
        """
        calls: list[ToolCall] = []
        unreadable: dict[str, str] = {}
        used = set(taken)
        for slot in self._slots:
            number = len(used) + 1
            while not slot.id or slot.id in used:
                slot.id, number = f"call_{number}", number + 1
            used.add(slot.id)
            arguments, reason = _read_arguments(slot)
            if reason:
                unreadable[slot.id] = reason
            calls.append(ToolCall(slot.id, slot.name or UNREADABLE, arguments))
        return calls, unreadable

    def _add_call(self, piece: CallPiece) -> None:
        slot, function = self._slot_of(piece), piece.function or FunctionPiece()
        slot.id = slot.id or piece.id or ""
        slot.name = slot.name or function.name or ""
        more = function.arguments or ""
        slot.arguments += more if isinstance(more, str) else json.dumps(more)

    def _slot_of(self, piece: CallPiece) -> _Slot:
        """Find the call that a piece goes on with; servers without indices send new ids."""
        bare = piece.index is None and not piece.id
        if self._slots and bare and not (piece.function and piece.function.name):
            return self._slots[-1]
        for slot in () if bare else reversed(self._slots):
            same_id = not piece.id or not slot.id or piece.id == slot.id
            if same_id and (piece.index == slot.index if piece.index is not None else True):
                return slot
        self._slots.append(_Slot(piece.index))
        return self._slots[-1]


def _read_arguments(slot: _Slot) -> tuple[dict[str, Any], str]:
    """Give the arguments of a call; else none, and the reason for the model to read."""
    quoted = slot.arguments[:_QUOTED]
    if not slot.name:
        return {}, f"it names no tool: {quoted}"
    if not slot.arguments.strip():
        return {}, ""
    try:
        arguments = json.loads(slot.arguments)
    except (ValueError, RecursionError) as error:
        return {}, f"its arguments are not valid JSON ({error}): {quoted}"
    if not isinstance(arguments, dict):
        return {}, f"its arguments are not a JSON object: {quoted}"
    return arguments, ""
