"""mini's tokenizer: numbers and keys are the same tokens in JSON and in prose."""

from __future__ import annotations

import json
from functools import cache
from random import Random

import pytest
from transformers import AutoTokenizer

from llark_py.instruct.grammar import dialogue
from llark_py.instruct.records import to_chat
from llark_py.instruct.simulate import TOOLS
from llark_py.instruct.tokenizer import SPECIAL_TOKENS, train_tokenizer
from llark_py.prompting import read_prompt
from llark_py.theory import KEYS
from llark_py.track import Track


def corpus() -> list[str]:
    rng = Random(0)
    texts = []
    for n in range(400):
        track = Track(id=str(n), duration_s=10.0, tempo_bpm=90.0, key=KEYS[n % 24], genre="folk")
        for turn in to_chat(dialogue(track, rng, n_turns=4, tools=TOOLS)):
            content = turn["content"]
            texts.append(content if isinstance(content, str) else content[-1]["text"])
    return texts


@cache
def tokenizer():
    return train_tokenizer(corpus(), vocab_size=1200)


def tokens(text: str) -> list[int]:
    return tokenizer()(text)["input_ids"]


def holds(text: str, part: list[int]) -> bool:
    ids = tokens(text)
    return any(ids[i : i + len(part)] == part for i in range(len(ids)))


@pytest.mark.parametrize("number", ["90.1", "85", "7", "1234", "119.9", "0.93"])
def test_numbers_are_single_digits_everywhere(number):
    alone = tokens(number)
    assert len(alone) == len(number)
    for text in (
        json.dumps({"tempo_bpm": 0}).replace("0", number),
        f"It runs at {number} BPM.",
        f"{number} BPM.",
        f"({number})",
        f"The tempo is {number}.",
        f"a\n{number}",
    ):
        assert holds(text, alone), text


@pytest.mark.parametrize("key", KEYS)
def test_keys_are_the_same_tokens_in_json_and_prose(key):
    alone = tokens(key)
    assert len(alone) == 2
    for text in (json.dumps({"key": key}), f"It is in {key}.", f"{key}.", f"No, {key}; or"):
        assert holds(text, alone), text


@pytest.mark.parametrize("note", ["C3", "F#4", "A#5", "C-1"])
def test_notes_are_the_same_tokens_in_json_and_prose(note):
    alone = tokens(note)
    for text in (json.dumps({"lowest_note": note}), f"from {note} to", f"{note}."):
        assert holds(text, alone), text


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "  two  spaces \n\n lines\t tab \r\n",
        "Ünïcödé ñ ß 日本語 한국어 русский العربية हिन्दी 🎵👩‍🎤",
        "don't; it’s 4/4 — “quoted” F♯ #hash a_b __x__ 1e-3 ½ ²",
        '{"name": "estimate_tempo", "arguments": {"audio": "audio_1"}}',
        "A Bb minor D7b9 Bbb G#3#",
        "\u200b\ufeff\x00\x7f",
    ],
)
def test_any_text_comes_back(text):
    assert tokenizer().decode(tokens(text)) == text


def test_special_tokens_are_one_id_and_survive_decoding():
    for token in SPECIAL_TOKENS:
        assert len(tokens(token)) == 1
    text = '<tool_call>\n{"name": "x"}\n</tool_call><|im_end|>'
    assert tokenizer().decode(tokens(text), skip_special_tokens=False) == text
    assert tokenizer().eos_token == "<|im_end|>" and tokenizer().pad_token == "<|endoftext|>"
    assert tokenizer().pad_token_id == 0 and tokenizer().unk_token is None


def test_training_is_deterministic_and_saved_whole(tmp_path):
    again = train_tokenizer(corpus(), vocab_size=1200)
    assert again.get_vocab() == tokenizer().get_vocab()
    again.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert loaded.chat_template == read_prompt("mini_chat_template.jinja")
    text = "It is in F# minor at 90.1 BPM.<|im_end|>"
    assert loaded(text)["input_ids"] == tokens(text)
    assert loaded.decode(tokens(text)) == text
    assert len(loaded) <= 1200
