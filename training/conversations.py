"""Batches of the language stage: conversations about clips and songs that were heard.

A batch depends on its number alone, so that a run that was stopped goes on with batches that it has
not seen. Conversations are written for several batches at once and sorted by length, because a
batch is as long as its longest row: cut without sorting, up to a third of it was padding.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from llark_py.encoders.mini import Heard, MiniEncoder, blur
from llark_py.encoders.mini_config import MiniEncoderConfig
from llark_py.encoders.mini_form import Form
from llark_py.encoders.mini_notes import notes_of, write_notes
from llark_py.encoders.mini_songs import Hearing, read_form
from llark_py.instruct.records import Chat
from llark_py.model import LlarkProcessor
from llark_py.prompting import render_prompt

from .dialogues import TOOLS, Sound, Topic, draw_tools, encode_chats, write_chats
from .heard_rates import heard_rates
from .hearing import cut_heard, join_rows, judge, pick_rows
from .recipe import Kind, LanguageSettings
from .shards import Shards
from .songs import Songs
from .windows import draw_batch

Batch = dict[str, Any]
_WINDOWS_AT_ONCE = 32


@dataclass(frozen=True)
class Subject:
    """A recording to talk about.

    Attributes:
        topic: What is said of it.
        heard: What the encoder heard of it, one row; None: it is only read about.
        form: Its course; None: to be read from what was heard.
        told: What the notes tell of; None: there are none.
        config: Of the encoder that heard it.
    """

    topic: Topic
    heard: Heard | None = None
    form: Form | None = None
    told: Heard | None = None
    config: MiniEncoderConfig | None = None

    def part(self, part_s: tuple[float, float]) -> Subject:
        """Cut out a part, with notes of its own; what is only read about has no parts."""
        if self.heard is None or self.config is None:
            return self
        config = self.config
        form = self.form or read_form(self.heard, 0, config)
        heard, course = cut_heard(self.heard, form, part_s, config)
        notes = None
        if self.told is not None:
            told, _ = cut_heard(self.told, form, part_s, config)
            notes = write_notes(Hearing(told, course), config)
        return replace(self, topic=replace(self.topic, notes=notes), heard=heard, form=course)


class BatchMaker:
    """Writes conversations about recordings, and makes batches of them.

    Args:
        settings: Of the language stage.
        turns: Questions in a conversation.
        families: What is asked; None for everything.
        seed: The same seed gives the same batches.
        batch_size: Conversations in a batch.
    """

    def __init__(
        self,
        settings: LanguageSettings,
        *,
        turns: int,
        families: Sequence[str] | None,
        seed: str,
        batch_size: int,
    ):
        self.settings, self.turns, self.families = settings, turns, families
        self.seed, self.batch_size = seed, batch_size
        self.system = render_prompt("system")
        self._made: tuple[int, list[Batch]] = (-1, [])

    def draw(self, n: int, rng: random.Random) -> list[Subject]:
        """Draw what `n` conversations are about."""
        raise NotImplementedError(f"{type(self).__name__} must say what it talks about")

    def offer(self, rng: random.Random) -> list[str]:
        """Draw the tools at hand; where only some things are asked, all are there to answer."""
        return list(TOOLS) if self.families else draw_tools(rng)

    def batch(self, number: int, processor: LlarkProcessor) -> Batch:
        """Make batch `number` as inputs of `spoken_loss`."""
        macro, place = divmod(number, self.settings.macro_batches)
        if self._made[0] != macro:
            self._made = (macro, self._macro(macro, processor))
        return self._made[1][place]

    def write(self, macro: int) -> tuple[list[Chat], list[list[Subject]], list[str]]:
        """Write the conversations of some batches in a row.

        Returns:
            The conversations, the recordings in each of them, and the tools of all of them.
        """
        rng = random.Random(f"{self.seed} {macro}")
        subjects = self.draw(self.settings.macro_batches * self.batch_size, rng)
        tools = self.offer(rng)

        def recording(sound: Sound) -> Subject:
            subject = subjects[sound.topic]
            return subject if sound.part_s is None else subject.part(sound.part_s)

        topics = [s.topic for s in subjects]
        chats, sounds = write_chats(
            topics,
            self.system,
            tools,
            self.turns,
            rng,
            self.families,
            lambda sound: recording(sound).topic.notes,
            heard_rates(topics),
        )
        return chats, [[recording(sound) for sound in row] for row in sounds], tools

    def _macro(self, macro: int, processor: LlarkProcessor) -> list[Batch]:
        chats, subjects, tools = self.write(macro)
        config = processor.feature_extractor.audio_config

        def n_audio(subject: Subject) -> int:
            return config.num_output_frames(_n_frames(subject.heard)) if subject.heard else 1

        whole = encode_chats(
            processor,
            chats,
            tools,
            [n_audio(s) for row in subjects for s in row],
            self.settings.max_text_tokens,
        )
        lengths = whole["attention_mask"].sum(1)
        batches = []
        for rows in lengths.argsort(stable=True).split(self.batch_size):
            longest = int(lengths[rows].max())
            batch: Batch = {name: values[rows, :longest] for name, values in whole.items()}
            if about := [s for i in rows.tolist() for s in subjects[i]]:
                batch |= _audio_inputs(about, config.width)
            batches.append(batch)
        random.Random(f"{self.seed} {macro} order").shuffle(batches)
        return batches


class AboutClips(BatchMaker):
    """Conversations about windows of clips.

    Args:
        shards: The clips.
        encoder: Hears them; None: they are only read about, which costs less.
        **options: See `BatchMaker`.
    """

    def __init__(self, shards: Shards, encoder: MiniEncoder | None, **options: Any):
        super().__init__(**options)
        self.shards, self.encoder = shards, encoder

    def draw(self, n: int, rng: random.Random) -> list[Subject]:
        """Draw augmented windows, and hear them as one hears what training has not heard."""
        indices = [rng.randrange(len(self.shards)) for _ in range(n)]
        if self.encoder is None:
            return [Subject(Topic(self.shards.tracks[i])) for i in indices]
        config = self.encoder.config
        features, tracks = draw_batch(self.shards, indices, rng)
        clear, heard = hear_blurred(self.encoder, features, rng.getrandbits(32))
        # Frames may be missing, but never what the notes tell of them.
        told = replace(clear, posteriors=heard.posteriors)
        notes = notes_of(told, config) if self.settings.notes else [None] * n
        subjects = []
        for i, track in enumerate(tracks):
            known, unsure = judge(track, told, i, config, read_form(told, i, config))
            of_notes = pick_rows(told, [i]) if self.settings.notes else None
            topic = Topic(known, notes[i], unsure)
            subjects.append(Subject(topic, pick_rows(heard, [i]), None, of_notes, config))
        return subjects


class AboutSongs(BatchMaker):
    """Conversations about whole songs, which were heard once and for all.

    Args:
        songs: What was composed and heard.
        config: Of the encoder that heard them.
        **options: See `BatchMaker`.
    """

    def __init__(self, songs: Songs, config: MiniEncoderConfig, **options: Any):
        super().__init__(**options)
        self.songs, self.config = songs, config

    def draw(self, n: int, rng: random.Random) -> list[Subject]:
        """Draw songs."""
        config, subjects = self.config, []
        for _ in range(n):
            song = self.songs[rng.randrange(len(self.songs))]
            known, unsure = judge(song.track, song.heard, 0, config, song.form)
            notes = song.notes if self.settings.notes else None
            told = song.heard if self.settings.notes else None
            subjects.append(
                Subject(Topic(known, notes, unsure), song.heard, song.form, told, config)
            )
        return subjects

    def offer(self, rng: random.Random) -> list[str]:
        """Draw the tools at hand: what is told of a song is also to be read from its notes."""
        return draw_tools(rng)


class Schedule:
    """Takes batches of several kinds in turn; step `n` always gives the same batch.

    Args:
        kinds: What to take, round and round.
        makers: Who makes each kind.
        processor: Of the model.
    """

    def __init__(
        self, kinds: Sequence[Kind], makers: Mapping[Kind, BatchMaker], processor: LlarkProcessor
    ):
        self.kinds, self.makers, self.processor = list(kinds), makers, processor

    def __call__(self, steps: list[int]) -> Batch:
        """Make the batch of a step (a list of one, as a collator is given it)."""
        (step,) = steps
        rounds, place = divmod(step, len(self.kinds))
        kind = self.kinds[place]
        number = rounds * self.kinds.count(kind) + self.kinds[:place].count(kind)
        return self.makers[kind].batch(number, self.processor)


@torch.no_grad()
def hear_blurred(encoder: MiniEncoder, features: Tensor, seed: int) -> tuple[Heard, Heard]:
    """Hear windows `(n, T, 488)`: as they are, and as unheard-of sounds would be heard."""
    parts = features.to(encoder.device).split(_WINDOWS_AT_ONCE)
    clear = join_rows([encoder.hear(part) for part in parts])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return clear, blur(clear)


def _n_frames(heard: Heard) -> int:
    return next(iter(heard.frame_posteriors.values())).shape[1]


def _audio_inputs(subjects: Sequence[Subject], width: int) -> Batch:
    """What the model is given of recordings: what was heard, or one empty frame for each.

    Windows of one length are joined; recordings of their own lengths stay by themselves.
    """
    heard = [(s.heard, s.form) for s in subjects if s.heard is not None]
    if not heard:
        return {"input_features": torch.zeros(len(subjects), 1, width)}
    items: list[tuple[Heard, list[Form] | None]] = []
    for _, alike in groupby(heard, key=lambda item: (_n_frames(item[0]), item[1] is None)):
        group = list(alike)
        forms = [form for _, form in group if form is not None]
        if forms:
            items += [(one, [form]) for (one, _), form in zip(group, forms, strict=True)]
        else:
            items.append((join_rows([one for one, _ in group]), None))
    return {"heard": items}
