"""The prompts room: files are found and filled, and mini's template says what the contract says."""

from __future__ import annotations

import json
from functools import cache
from random import Random

import pytest

from llark_py.errors import PromptError
from llark_py.instruct.grammar import dialogue
from llark_py.instruct.records import to_chat
from llark_py.instruct.simulate import TOOLS
from llark_py.instruct.tokenizer import train_tokenizer
from llark_py.messages import assistant, system, user
from llark_py.prompting import read_prompt, read_prompt_data, render_prompt
from llark_py.track import Track

SCHEMAS = [
    {"type": "function", "function": {"name": name, "description": "", "parameters": {}}}
    for name in ("estimate_key", "estimate_tempo", "transcribe_notes")
]
TRACK = Track(id="x", duration_s=10.0, tempo_bpm=100.0, key="F# minor", genre="jazz")


@cache
def tokenizer():
    return train_tokenizer(["Hello there, it is in F# minor at 90.1 BPM."] * 3, vocab_size=400)


def render(messages, **options) -> str:
    return tokenizer().apply_chat_template(messages, tokenize=False, **options)


def test_prompts_are_found_with_and_without_suffix():
    assert read_prompt("system") == read_prompt("system.md")
    assert 1 <= read_prompt("system.md").count(". ") + 1 <= 2
    assert not read_prompt("system.md").endswith("\n")


def test_missing_prompts_say_what_there_is():
    with pytest.raises(PromptError, match=r"no prompt 'sytem'.*system\.md"):
        read_prompt("sytem")


def test_prompts_are_filled_or_refused(monkeypatch):
    monkeypatch.setattr("llark_py.prompting.read_prompt", lambda name: "Hi {{ name }}!")
    assert render_prompt("any", name="Ada") == "Hi Ada!"
    with pytest.raises(PromptError, match="name"):
        render_prompt("any")


def test_prompt_data_must_be_a_mapping(monkeypatch):
    monkeypatch.setattr("llark_py.prompting.read_prompt", lambda name: "- 1")
    with pytest.raises(PromptError, match="mapping"):
        read_prompt_data("any")
    monkeypatch.setattr("llark_py.prompting.read_prompt", lambda name: "a: [1")
    with pytest.raises(PromptError, match="not YAML"):
        read_prompt_data("any")


def test_template_writes_chatml_with_tool_names():
    chat = to_chat([system("Be kind."), user("How fast?")])
    text = render(chat, tools=SCHEMAS, add_generation_prompt=True)
    assert text == (
        "<|im_start|>system\nBe kind.\nTools: estimate_key, estimate_tempo, transcribe_notes"
        "<|im_end|>\n<|im_start|>user\naudio_1: <|audio|>\nHow fast?<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_template_needs_neither_system_nor_tools():
    chat = to_chat([user("Hi"), assistant("Hello!")], first_user_has_audio=False)
    expected = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello!<|im_end|>\n"
    assert render(chat) == expected
    assert render([{"role": "user", "content": "Hi"}]).startswith("<|im_start|>user\nHi<|im_end|>")


def test_template_numbers_recordings_without_id():
    item = {"type": "audio"}
    content = [item, item, {"type": "text", "text": "Which is faster?"}]
    text = render([{"role": "user", "content": content}])
    assert "audio_1: <|audio|>\naudio_2: <|audio|>\nWhich" in text


def test_tool_calls_and_results_are_rendered_as_the_protocol():
    messages = dialogue(TRACK, Random(1), n_turns=1, tools=TOOLS, families=("tempo",))
    text = render(to_chat(messages), tools=SCHEMAS)
    call = '{"name": "estimate_tempo", "arguments": {"audio": "audio_1"}}'
    assert f"<tool_call>\n{call}\n</tool_call><|im_end|>\n" in text
    result = json.dumps(messages[2].parts[0].content)
    assert f"<tool_response>\n{result}\n</tool_response><|im_end|>\n" in text


def test_loss_covers_exactly_what_the_assistant_says():
    rng = Random(2)
    for _ in range(50):
        messages = dialogue(TRACK, rng, n_turns=3, tools=TOOLS)
        encoded = tokenizer().apply_chat_template(
            to_chat(messages),
            tools=SCHEMAS,
            return_assistant_tokens_mask=True,
            return_dict=True,
        )
        pairs = zip(encoded["input_ids"], encoded["assistant_masks"], strict=True)
        learned = tokenizer().decode([token for token, is_learned in pairs if is_learned])
        expected = ""
        for message in messages:
            if message.role == "assistant":
                calls = [
                    json.dumps({"name": c.name, "arguments": c.arguments})
                    for c in message.tool_calls
                ]
                said = "\n".join(f"<tool_call>\n{c}\n</tool_call>" for c in calls)
                expected += message.text + said + "<|im_end|>"
        assert learned == expected


def test_the_prompt_of_a_turn_is_a_prefix_of_the_conversation():
    messages = dialogue(TRACK, Random(3), n_turns=3, tools=TOOLS)
    chat = to_chat(messages)
    whole = render(chat, tools=SCHEMAS)
    for n, turn in enumerate(chat):
        if turn["role"] == "assistant":
            assert whole.startswith(render(chat[:n], tools=SCHEMAS, add_generation_prompt=True))
