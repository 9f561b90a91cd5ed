"""Conversations with more than one recording: what was heard of parts, and of a second song."""

from __future__ import annotations

import random
from collections import Counter

import pytest
import torch
from test_training_conversations import CONFIG, TRACK, maker, settings

from llark_py.encoders import build_encoder
from llark_py.encoders.mini_form import Form, Section, Span
from llark_py.encoders.mini_network import N_GLOBAL
from llark_py.instruct.grammar import COMPARED, MADE
from llark_py.instruct.simulate import TOOLS
from llark_py.instruct.tokenizer import train_tokenizer
from llark_py.model import LlarkProcessor
from llark_py.model.feature_extraction import LlarkFeatureExtractor
from llark_py.training.dialogues import Sound, Topic, write_chats
from llark_py.training.hearing import cut_heard


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return build_encoder(CONFIG).eval()


@pytest.fixture(scope="module")
def processor():
    words = ["Cut out 0:10 to 0:20. <tool_call>"] * 9
    return LlarkProcessor(LlarkFeatureExtractor(CONFIG), train_tokenizer(words, 400))


def audio_items(chat):
    contents = [turn["content"] for turn in chat if isinstance(turn["content"], list)]
    return [[item for item in content if item["type"] == "audio"] for content in contents]


def test_a_part_is_what_was_heard_of_its_frames(encoder):
    with torch.no_grad():
        heard = encoder.hear(torch.randn(1, 80, 488))
    form = Form(
        8.0, {"piano": (Span(0.0, 8.0),)}, (Section(0.0, 3.0, "intro"), Section(3.0, 8.0, "A"))
    )
    part, course = cut_heard(heard, form, (2.0, 5.0), CONFIG)
    assert torch.equal(part.tokens[:, N_GLOBAL:], heard.tokens[:, N_GLOBAL + 20 : N_GLOBAL + 50])
    assert torch.equal(part.tokens[:, :N_GLOBAL], heard.tokens[:, :N_GLOBAL])
    for head, frames in part.frame_posteriors.items():
        assert torch.equal(frames, heard.frame_posteriors[head][:, 20:50])
    assert course.duration_s == 3.0
    assert course.sections == (Section(0.0, 1.0, "intro"), Section(1.0, 3.0, "A"))
    assert cut_heard(heard, form, (60.0, 90.0), CONFIG) == (heard, form)  # told of a longer one


def test_a_clip_follows_its_result_with_notes_of_its_own():
    def note_of(sound: Sound) -> str:
        return "heard whole" if sound.part_s is None else f"heard {sound.part_s}"

    topics = [Topic(TRACK, "heard whole")] * 60
    chats, sounds = write_chats(
        topics, "Listen.", TOOLS, 1, random.Random(0), ("cut",), note_of=note_of
    )
    cuts = 0
    for chat, row in zip(chats, sounds, strict=True):
        assert sum(map(len, audio_items(chat))) == len(row)
        if len(row) == 2:
            place = next(i for i, turn in enumerate(chat) if turn["role"] == "tool")
            after = chat[place + 1]
            assert after["role"] == "user" and after["content"][0]["type"] == "audio"
            words = "".join(item.get("text", "") for item in after["content"]).strip()
            assert words in ("", f"heard {row[1].part_s}")
            cuts += bool(words)
    assert cuts > 20


def test_a_second_song_stands_beside_the_first_or_before_a_later_question_with_its_notes():
    topics = [Topic(TRACK, f"heard {n}") for n in range(300)]
    chats, sounds = write_chats(topics, "Listen.", TOOLS, 2, random.Random(1), (*COMPARED, "who"))
    two = [i for i, row in enumerate(sounds) if len(row) > 1 and row[1].part_s is None]
    assert 5 < len(two) < 50
    places = Counter()
    for i in two:
        counts = tuple(map(len, audio_items(chats[i])))
        assert counts in ((2, 0), (1, 1)) and sounds[i][1].topic == (i + 1) % 300
        places[counts] += 1
        told = [
            item["text"].strip()
            for turn in chats[i][1:]
            if turn["role"] == "user"
            for item in turn["content"][:-1]
            if item["type"] == "text"
        ]
        assert told in ([], [f"heard {i}", f"heard {i + 1}"])
    assert min(places[2, 0], places[1, 1]) > 3


@pytest.mark.parametrize("max_text_tokens", [64, 4_000])
def test_every_recording_brings_its_frames_in_the_order_of_the_text(
    encoder, processor, max_text_tokens
):
    about = maker(
        encoder,
        settings=settings(max_text_tokens=max_text_tokens, macro_batches=2),
        families=MADE,
        turns=2,
    )
    several = 0
    for number in range(6):
        batch = about.batch(number, processor)
        counts = [
            count
            for heard, forms in batch["heard"]
            for count in [encoder.assemble(heard, forms).shape[1]] * len(heard.tokens)
        ]
        runs = []
        for row in (batch["input_ids"] == processor.audio_token_id).int():
            edges = torch.diff(row, prepend=row.new_zeros(1), append=row.new_zeros(1))
            runs += ((edges == -1).nonzero() - (edges == 1).nonzero()).flatten().tolist()
        assert runs == counts
        several += len(counts) > len(batch["input_ids"])
    assert several


def test_what_is_only_read_about_has_one_frame_for_every_recording(processor):
    about = maker(None, families=MADE, turns=2)
    for number in range(3):
        batch = about.batch(number, processor)
        n_audio = int((batch["input_ids"] == processor.audio_token_id).sum())
        assert batch["input_features"].shape[:2] == (n_audio, 1)
