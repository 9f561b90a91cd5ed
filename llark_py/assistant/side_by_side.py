"""Many replies generated side by side: one row a recording, each with its own constraints.

What the prompts of a recording have in common (its frames above all) is computed once, alone and
without padding; then rows are padded on the left and grow together.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, NamedTuple

import torch
from transformers import (
    DynamicCache,
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
)
from transformers.cache_utils import DynamicLayer

from llark_py.audio import Audio
from llark_py.encoders.base import Encoded

from .generation import Decoder
from .repetition import loop_start
from .reply import TOOL_CALL

_STRETCH = 16
"""After so many tokens the replies that are over leave the batch."""
_LEAST_ROWS, _MOST_BYTES = 16, 1 << 29
"""Rows that are always generated together, and memory for the keys and values of more."""
_USUAL_ROOM = 64
"""Tokens of a reply that this memory is reckoned with; few replies are longer."""

Layers = list[tuple[torch.Tensor, torch.Tensor]]


class Heard(NamedTuple):
    """A recording with what the model's encoder made of it."""

    audio: Audio
    encoded: Encoded


class Begun(NamedTuple):
    """How a prompt begins: its tokens, and by layer keys and values `(1, heads, n, width)`."""

    ids: list[int]
    layers: Layers


@dataclass
class Row:
    """One reply that is wanted.

    Attributes:
        begun: What is computed of its prompt.
        prompt: All of its tokens, beginning with those of `begun`.
        room: Longest reply in tokens.
        constraints: Applied to the scores of every new token.
    """

    begun: Begun
    prompt: list[int]
    room: int
    constraints: list[LogitsProcessor] = field(default_factory=list)


class BatchDecoder(Decoder):
    """A model with its processor, for recordings that somebody else has encoded."""

    def __init__(self, model: Any, processor: Any):
        super().__init__(model, processor)
        self._given: dict[str, Encoded] = {}
        self._prompts: dict[tuple[str, ...], list[int]] = {}
        self.frames = self._find  # type: ignore[assignment]

    def open(self, songs: Sequence[Heard]) -> None:
        """Take the recordings that are asked about from now on, and forget the ones before."""
        self._given = {song.audio.content_hash: song.encoded for song in songs}
        self._prompts = {}

    def prompt_ids(
        self, chat: list[dict[str, Any]], tools: list[dict[str, Any]], audios: Sequence[Audio]
    ) -> list[int]:
        """Tokenise a conversation as `Decoder` does, each only once: it is looked at repeatedly."""
        key = json.dumps([chat, tools]), *(audio.content_hash for audio in audios)
        if key not in self._prompts:
            self._prompts[key] = super().prompt_ids(chat, tools, audios)
        return self._prompts[key]

    def _find(self, audio: Audio) -> Encoded:
        return self._given.get(audio.content_hash) or self._encode(audio)

    @torch.inference_mode()
    def begin(self, ids: list[int], audios: Sequence[Audio]) -> Begun:
        """Compute the beginning of a prompt, with all its recordings."""
        cache = DynamicCache()
        input_ids = torch.tensor([ids], device=self.model.device)
        self.model(
            input_ids=input_ids,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
            **self._stack_frames(audios),
        )
        return Begun(ids, [(layer.keys, layer.values) for layer in cache.layers])

    def shared(self, prompts: Sequence[list[int]]) -> list[int]:
        """Find how all prompts begin, short of a whole one: one token has to be computed each."""
        first, last = min(prompts), max(prompts)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last)))
        return first[: min(same, *(len(prompt) - 1 for prompt in prompts))]

    def holds_audio(self, ids: Sequence[int]) -> bool:
        """Say whether a recording stands in some tokens."""
        return self.model.config.audio_token_id in ids

    def total_length(self, rows: Sequence[Row]) -> int:
        """Count the tokens of the padded prompts: where the new ones begin in every row."""
        begun = max(len(row.begun.ids) for row in rows)
        return begun + max(len(row.prompt) - len(row.begun.ids) for row in rows)

    def split(self, rows: Sequence[Row]) -> list[slice]:
        """Divide rows into runs whose keys and values fit into memory side by side."""
        capacity = self.total_length(rows) + _USUAL_ROOM
        a_token = sum(part[:, :, :1].nbytes for pair in rows[0].begun.layers for part in pair)
        most = max(_LEAST_ROWS, _MOST_BYTES // (capacity * a_token))
        return [slice(first, first + most) for first in range(0, len(rows), most)]

    @torch.inference_mode()
    def reply(self, rows: Sequence[Row]) -> list[str]:
        """Generate the replies of all rows, greedily.

        Returns:
            Raw text, control tokens included, of each.
        """
        cache = self._stack_layers(rows)
        ids, mask = self._stack_prompts(rows)
        ends, total = self._end_ids(), ids.shape[1]
        said: dict[int, list[int]] = {}
        left = list(range(len(rows)))
        while left:
            room = max(rows[i].room for i in left) - (ids.shape[1] - total)
            sequences = self.model.generate(
                input_ids=ids,
                attention_mask=mask,
                past_key_values=cache,
                generation_config=GenerationConfig(
                    do_sample=False,
                    max_new_tokens=min(room, _STRETCH),
                    eos_token_id=ends,
                    pad_token_id=self.tokenizer.pad_token_id,
                ),
                logits_processor=LogitsProcessorList([_EachRow([rows[i] for i in left], ends)]),
            )
            goes_on = []
            for place, i in enumerate(left):
                said[i] = sequences[place, total:].tolist()
                if not self._is_over(said[i], rows[i], ends):
                    goes_on.append(place)
            # Replies that are over would only be computed along.
            keep = torch.tensor(goes_on, dtype=torch.long, device=ids.device)
            for layer in cache.layers:
                layer.batch_select_indices(keep)
            new = sequences.shape[1] - ids.shape[1]
            ids, mask = sequences[keep], torch.nn.functional.pad(mask[keep], (0, new), value=1)
            left = [left[place] for place in goes_on]
        return [self._decode(said[i][: row.room], ends) for i, row in enumerate(rows)]

    def _is_over(self, new: list[int], row: Row, ends: Sequence[int]) -> bool:
        """Say whether a reply has ended, used up its room, or goes round in circles."""
        if len(new) >= row.room or not set(new).isdisjoint(ends):
            return True
        return loop_start(self._decode(new, ends).partition(TOOL_CALL)[0]) is not None

    def _decode(self, new: list[int], ends: Sequence[int]) -> str:
        return self.tokenizer.decode(
            list(takewhile(lambda i: i not in ends, new)),
            skip_special_tokens=False,
            clean_up_tokenization_spaces=False,
        )

    def _stack_prompts(self, rows: Sequence[Row]) -> tuple[torch.Tensor, torch.Tensor]:
        """Pad prompts, and say where they are padded: in front, and behind what is computed."""
        begun = max(len(row.begun.ids) for row in rows)
        rest = self.total_length(rows) - begun
        pad = self.tokenizer.pad_token_id
        ids, mask = [], []
        for row in rows:
            first, last = row.begun.ids, row.prompt[len(row.begun.ids) :]
            before, between = begun - len(first), rest - len(last)
            ids.append([pad] * before + first + [pad] * between + last)
            mask.append([0] * before + [1] * len(first) + [0] * between + [1] * len(last))
        device = self.model.device
        return torch.tensor(ids, device=device), torch.tensor(mask, device=device)

    def _stack_layers(self, rows: Sequence[Row]) -> DynamicCache:
        """Pad keys and values in front, and leave room behind them."""
        begun = max(len(row.begun.ids) for row in rows)
        capacity = self.total_length(rows) + _STRETCH
        parts = [row.begun.layers for row in rows]
        cache = DynamicCache()
        cache.layers = [
            _RoomyLayer([layers[number] for layers in parts], begun, capacity)
            for number in range(len(parts[0]))
        ]
        return cache


class _RoomyLayer(DynamicLayer):
    """Keys and values with room for what comes: a step copies one token, not all of them."""

    def __init__(self, parts: Layers, begun: int, capacity: int):
        super().__init__()
        one = parts[0][0]
        shape = len(parts), one.shape[1], capacity, one.shape[3]
        self._room = one.new_empty(shape), parts[0][1].new_empty(shape)
        for row, pair in enumerate(parts):
            for room, part in zip(self._room, pair, strict=True):
                first = begun - part.shape[2]
                room[row, :, :first] = 0  # masked, but what is no number would spread
                room[row, :, first:begun] = part[0]
        self.dtype, self.device = one.dtype, one.device
        self.is_initialized = True
        self._show(begun)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        first = self.get_seq_length()
        stop = first + key_states.shape[-2]
        for room, states in zip(self._room, (key_states, value_states), strict=True):
            room[:, :, first:stop] = states
        self._show(stop)
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep some rows, with room for another stretch."""
        length = self.get_seq_length()
        keys, values = self.keys, self.values
        self._room = _select(keys, indices), _select(values, indices)
        self._show(length)

    def _show(self, length: int) -> None:
        self.keys, self.values = (room[:, :, :length] for room in self._room)


def _select(part: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Copy some rows of keys or values `(rows, heads, n, width)`, with room for a stretch."""
    n = part.shape[2]
    chosen = part.new_empty(len(rows), part.shape[1], n + _STRETCH, part.shape[3])
    for new, row in zip(chosen, rows.tolist(), strict=True):
        new[:, :n] = part[row]
    return chosen


class _EachRow(LogitsProcessor):
    """Applies to each row its own constraints, until its reply is over."""

    def __init__(self, rows: Sequence[Row], ends: Sequence[int]):
        self._rows, self._ends = rows, frozenset(ends)
        self._over = [False] * len(rows)
        self._begun = False

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        last = input_ids[:, -1].tolist()
        for i, row in enumerate(self._rows):
            # The prompt may end with what ends a turn.
            self._over[i] |= self._begun and last[i] in self._ends
            if self._over[i]:
                continue
            for constraint in row.constraints:
                one = slice(i, i + 1)
                scores[one] = constraint(input_ids[one], scores[one])
        self._begun = True
        return scores
