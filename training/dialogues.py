"""Batches of conversations about composed windows, as model inputs with assistant-only labels."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from llark_py.instruct.balance import Rates
from llark_py.instruct.grammar import COMPARED, dialogue
from llark_py.instruct.records import to_chat
from llark_py.instruct.simulate import TOOLS
from llark_py.messages import Message, ToolResult
from llark_py.model import LlarkProcessor
from llark_py.model.chat import with_notes
from llark_py.track import Track

from .labels import IGNORE

_P_ALL_TOOLS, _P_NO_TOOLS = 0.7, 0.12
_P_OTHER_ID = 0.08
_P_NO_RECORDING = 0.03
_P_TWO_RECORDINGS = 0.18
# So often the audio embeddings alone must do, lest only the notes be read.
_P_NO_NOTES = 0.1


@dataclass(frozen=True)
class Topic:
    """What a conversation is about.

    Attributes:
        track: The facts.
        notes: What the encoder hears, as text; None: there are none.
        unsure: Slots whose answers are hedged.
    """

    track: Track
    notes: str | None = None
    unsure: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Sound:
    """A recording in a conversation.

    Attributes:
        topic: Number of what it is a recording of.
        part_s: Where the part begins and ends that a tool has cut out; None: all of it.
    """

    topic: int
    part_s: tuple[float, float] | None = None


def draw_tools(rng: random.Random) -> list[str]:
    """Draw what a batch of conversations has at hand: mostly every tool, else many, few, none."""
    draw = rng.random()
    if draw < _P_ALL_TOOLS:
        return list(TOOLS)
    if draw < _P_ALL_TOOLS + _P_NO_TOOLS:
        return []
    share = rng.random()
    return [tool for tool in TOOLS if rng.random() < share]


def tool_specs(tools: Sequence[str]) -> list[dict[str, Any]]:
    """The form in which a chat template is given tools; `mini` reads their names only."""
    return [{"type": "function", "function": {"name": name}} for name in tools]


def write_chats(
    topics: Sequence[Topic],
    system: str,
    tools: Sequence[str],
    turns: int,
    rng: random.Random,
    families: Sequence[str] | None = None,
    note_of: Callable[[Sound], str | None] | None = None,
    rates: Rates | None = None,
) -> tuple[list[list[dict[str, Any]]], list[list[Sound]]]:
    """Write one conversation for each topic.

    Args:
        topics: What the conversations are about.
        system: The system text.
        tools: Offered to all of them.
        turns: Questions in each.
        rng: Source of chance.
        families: Question families to draw from; None for all.
        note_of: Tells what the encoder hears in a recording; the notes of its topic where None.
        rates: How often things are told of, for balanced questions; as composed where None.

    Returns:
        The conversations, and for each the recordings in it, in order; now and then somebody
        asks without giving one.
    """
    opening = {"role": "system", "content": system}
    chats, sounds = [], []
    note_of = note_of or (lambda sound: topics[sound.topic].notes)
    for number, topic in enumerate(topics):
        with_recording = rng.random() >= _P_NO_RECORDING
        audio_id = "audio_2" if rng.random() < _P_OTHER_ID else "audio_1"
        comparable = families is None or not set(COMPARED).isdisjoint(families)
        two = with_recording and comparable and rng.random() < _P_TWO_RECORDINGS
        other_id = f"audio_{int(audio_id[-1]) + 1}" if two else ""
        spoken = dialogue(
            topic.track if with_recording else None,
            rng,
            n_turns=turns,
            tools=tools,
            audio_id=audio_id,
            other_id=other_id,
            families=families if with_recording and not other_id else None,
            rates=rates,
            unsure=topic.unsure,
        )
        chat = to_chat(spoken, first_user_has_audio=with_recording, audio_id=audio_id)
        there = [Sound(number)] if with_recording else []
        if any(part.id == other_id for message in spoken for part in message.audios):
            there.append(Sound((number + 1) % len(topics)))
        there += [Sound(number, part_s) for part_s in cut_parts(spoken)]
        if there and topic.notes is not None and rng.random() >= _P_NO_NOTES:
            chat = with_notes(chat, [note_of(sound) for sound in there])
        sounds.append(there)
        chats.append([opening, *chat])
    return chats, sounds


def cut_parts(messages: Sequence[Message]) -> list[tuple[float, float]]:
    """List the starts and ends, in seconds, of what tools have cut out in a conversation."""
    results = (part for m in messages for part in m.parts if isinstance(part, ToolResult))
    return [(r.content["start_s"], r.content["end_s"]) for r in results if r.recordings]


def encode_chats(
    processor: LlarkProcessor,
    chats: list[list[dict[str, Any]]],
    tools: Sequence[str],
    audio_tokens: Sequence[int],
    max_text_tokens: int,
) -> dict[str, Tensor]:
    """Tokenise conversations, with labels on what the assistant says.

    Args:
        processor: Of the model.
        chats: Conversations with any number of recordings.
        tools: Offered to all of them.
        audio_tokens: Frames of each recording, in the order of the conversations.
        max_text_tokens: Longer conversations are cut at their end, but never in a recording.

    Returns:
        `input_ids`, `attention_mask`, `labels`, all `(batch, length)`, padded on the right.
    """
    inputs = processor.apply_chat_template(
        chats,
        tools=tool_specs(tools) or None,
        tokenize=True,
        return_dict=True,
        audio_frames=list(audio_tokens) or None,
        processor_kwargs={"padding_side": "right"},
    )
    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    spoken = words_of(processor, ids, "assistant")
    labels = torch.where(spoken & mask.bool(), ids, IGNORE)
    heard = ids == processor.audio_token_id
    last = int((heard * torch.arange(1, ids.shape[1] + 1)).max())
    length = max(last, min(ids.shape[1], int(heard.sum(1).max()) + max_text_tokens))
    return {
        "input_ids": ids[:, :length],
        "attention_mask": mask[:, :length],
        "labels": labels[:, :length],
    }


def words_of(processor: LlarkProcessor, ids: Tensor, role: str) -> Tensor:
    """Mark the words of a role in ChatML: `(batch, length)` bool, the mark of the end included.

    For the assistant this is what the template's `{% generation %}` marks give; transformers finds
    those by walking over every character, which takes longer than a training step.
    """
    opening = processor.tokenizer.encode(f"<|im_start|>{role}\n", add_special_tokens=False)
    width, length = len(opening), ids.shape[1]
    found = (ids.unfold(1, width, 1) == torch.tensor(opening)).all(-1)
    place = torch.arange(length).expand_as(ids)
    begins = torch.full_like(ids, -1)
    begins[:, width - 1 :] = torch.where(found, place[:, width - 1 :], -1)
    ends = torch.where(ids == processor.tokenizer.eos_token_id, place, -1)
    last_begin, last_end = begins.cummax(1).values, ends.cummax(1).values
    ended_before = torch.cat([torch.full_like(last_end[:, :1], -1), last_end[:, :-1]], 1)
    return (last_begin > ended_before) & (place > last_begin)
