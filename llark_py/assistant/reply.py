"""From raw generated text to what the user sees: tool calls and control tokens stay hidden."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from llark_py.messages import ToolCall

from .repetition import settled_length, without_loop

TOOL_CALL, TOOL_CALL_END = "<tool_call>", "</tool_call>"
UNREADABLE = "unreadable_call"
"""Name given to a call of which not even the name can be read."""
_OPEN_END = re.compile(r"[0-9.,;:/\s-]+$")
_log = logging.getLogger(__name__)
_NAME = re.compile(r'"name"\s*:\s*"([^"]+)"')


def control_tokens(tokenizer: Any) -> dict[int, str]:
    """List the tokens of a tokenizer that are no text, those without a role of their own too."""
    added = tokenizer.added_tokens_decoder.items()
    special = {i: token.content for i, token in added if token.special}
    return special | dict(zip(tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True))


@dataclass
class Reply:
    """What one round of speaking gave.

    Attributes:
        text: What was shown of it.
        calls: The tools it asks for.
        unreadable: Why a call cannot be run, by its id.
    """

    text: str = ""
    calls: list[ToolCall] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)


class ReplyFilter:
    """Cuts a stream of raw text into what may be shown at once.

    Held back until it is known what follows: what might be the beginning of a tool call or control
    token, white space, a number (it may go on, or turn out to be cut off), and words that have been
    said before in this order (what repeats itself is left out).

    Args:
        controls: Spellings of the tokenizer's control tokens.
    """

    def __init__(self, controls: Iterable[str]):
        self._controls = sorted({*controls, TOOL_CALL_END} - {TOOL_CALL}, key=len, reverse=True)
        self._shown = ""
        self.raw = ""

    @property
    def shown(self) -> str:
        """All that has been given out."""
        return self._shown

    def feed(self, piece: str) -> str:
        """Take the next raw piece; give the text that has become safe to show."""
        self.raw += piece
        return self._show(self._hold_back(self._visible()))

    def finish(self, clean: Callable[[str], str] = str) -> str:
        """Give what was held back, after the last piece.

        Args:
            clean: Last correction of the whole text; may only shorten what was held back.
        """
        return self._show(without_loop(clean(self._visible().rstrip())))

    def without_controls(self) -> str:
        """Give the raw text, tool calls included, without the other control tokens."""
        text = self.raw
        for token in self._controls:
            if token != TOOL_CALL_END:
                text = text.replace(token, "")
        return text

    def _visible(self) -> str:
        # Tool markers can be control tokens of the tokenizer too: cut before cleaning.
        text = self.raw.partition(TOOL_CALL)[0]
        for token in self._controls:
            text = text.replace(token, "")
        return text.lstrip()

    def _hold_back(self, text: str) -> str:
        for marker in (TOOL_CALL, *self._controls):
            for length in range(min(len(marker) - 1, len(text)), 0, -1):
                if text.endswith(marker[:length]):
                    return self._hold_back(text[:-length])
        return _OPEN_END.sub("", text[: settled_length(text)])

    def _show(self, text: str) -> str:
        new = text[len(self._shown) :]
        self._shown += new
        return new


def unreadable_call(call_id: str, raw: str) -> ToolCall:
    """Stand in for a call that is no valid JSON, with the name if that can be read."""
    name = _NAME.search(raw.partition(TOOL_CALL)[2])
    return ToolCall(call_id, name.group(1) if name else UNREADABLE, {})


def read_calls(processor: Any, visible: ReplyFilter, reply: Reply, first: int) -> None:
    """Put the tool calls of a whole reply into it, also one that cannot be read.

    A call that is made twice is one: its answer would be the same, and told twice.

    Args:
        processor: Knows how the model writes calls.
        visible: Was fed the reply.
        reply: Takes the calls.
        first: Number of the first call in the conversation.
    """
    raw = visible.without_controls()
    try:
        _, calls = processor.parse_tool_calls(raw)
    except ValueError as error:
        _log.info("unreadable tool call: %s", raw)
        call = unreadable_call(f"call_{first}", raw)
        reply.calls, reply.unreadable = [call], {call.id: str(error)}
        return
    different = [call for i, call in enumerate(calls) if call not in calls[:i]]
    reply.calls = [
        ToolCall(f"call_{first + i}", call["name"], call["arguments"])
        for i, call in enumerate(different)
    ]
