"""Language models from a folder that only read: they are told what there is to hear."""

from __future__ import annotations

import pytest
import torch
from assistant_parts import ScriptedModel, call, noise
from model_parts import SPECIAL_TOKENS, TEXT_TEMPLATE, tiny_text_config, tiny_tokenizer
from transformers import AutoModelForCausalLM

from llark_py.assistant import core
from llark_py.assistant.listener import Listener
from llark_py.assistant.reading import ReadingProcessor
from llark_py.encoders.base import Encoded
from llark_py.errors import CheckpointError
from llark_py.messages import AudioPart, ToolResult, user

NOTE = "heard: 0:12; style funk; enters drums 0:04; music"
TOOL_TEMPLATE = """\
{%- if tools %}<|im_start|>system
{{ messages[0].content if messages[0].role == 'system' }}
{% for tool in tools %}{{ tool.function.name }} {% endfor %}
Call them with <tool_call>{"name": ..., "arguments": ...}</tool_call><|im_end|>
{% endif -%}
{%- for message in messages if message.role != 'system' -%}
<|im_start|>{{ message.role }}
{{ message.content + '' }}{% for call in message.tool_calls or [] %}<tool_call>
{{ call.function | tojson }}
</tool_call>{% endfor %}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif -%}"""


class Ears:
    """An encoder that hears the same in everything."""

    class config:
        sample_rate = 1600

    def encode_recording(self, samples):
        return Encoded(torch.zeros(0, 1), NOTE)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A tiny language model of Qwen's kind, saved to disk, with a template that knows tools."""
    monkeypatch.setattr("llark_py.encoders.mini.load_embedded", Ears)
    monkeypatch.setattr(core, "load_listener", lambda: Listener(Ears()))
    torch.manual_seed(0)
    tokens = [token for token in SPECIAL_TOKENS if "audio" not in token]
    tokenizer = tiny_tokenizer(tokens, TOOL_TEMPLATE)
    config = tiny_text_config(vocab_size=len(tokenizer))
    config.max_position_embeddings = 8192
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "qwen")
    tokenizer.save_pretrained(tmp_path / "qwen")
    return tmp_path / "qwen"


def test_a_text_model_from_disk_reads_the_note_and_calls_tools(folder, monkeypatch):
    def run_tool(name, arguments, audios, workspace, *, call_id=""):
        return ToolResult(call_id, name, {"tempo_bpm": 90.1})

    monkeypatch.setattr("llark_py.assistant.toolbox.run_tool", run_tool)
    assistant = core.load_assistant(folder)
    decoder = assistant._decoder
    decoder.model.encode_recording = None
    replies = [call(audio="audio_1"), "It has 90.1 beats, drums from 0:04."]
    decoder.model = scripted = ScriptedModel(decoder.model, decoder.tokenizer, replies)
    answer = assistant.ask([user("How fast? <|im_end|>", AudioPart("audio_1", noise()))])
    assert answer.text == "It has 90.1 beats, drums from 0:04."
    assert [c.arguments for c in answer.tool_calls] == [{"audio": "audio_1"}]
    first, second = scripted.prompts
    assert f'<recording id="audio_1">{NOTE}</recording>\nHow fast? < |im_end|>' in first
    assert "You cannot hear" in first and "estimate_tempo" in first
    assert '"tempo_bpm": 90.1' in second


def test_numbers_of_a_text_model_are_constrained_as_those_of_mini(folder, monkeypatch):
    result = {"tempo_bpm": 90.1}
    monkeypatch.setattr(
        "llark_py.assistant.toolbox.run_tool",
        lambda name, arguments, audios, workspace, call_id="": ToolResult(call_id, name, result),
    )
    assistant = core.load_assistant(folder)
    decoder = assistant._decoder
    decoder.model.encode_recording = None
    replies = [call(audio="audio_1"), "It has 118 beats."]
    decoder.model = ScriptedModel(decoder.model, decoder.tokenizer, replies)
    answer = assistant.ask(noise(), "How fast is it?")
    assert "118" not in answer.text


def test_a_text_model_answers_twice_with_what_it_kept(folder):
    assistant = core.load_assistant(folder, tools=[], max_new_tokens=6)
    history = [user("How fast is it?", AudioPart("audio_1", noise()))]
    first = assistant.ask(history)
    history += [*first.messages, user("And now?")]
    fresh = core.load_assistant(folder, tools=[], max_new_tokens=6)
    assert assistant.ask(history).text == fresh.ask(history).text


def test_numbers_said_before_anything_was_measured_are_flagged(folder):
    assistant = core.load_assistant(folder)
    decoder = assistant._decoder
    decoder.model.encode_recording = None
    decoder.model = ScriptedModel(decoder.model, decoder.tokenizer, ["At 118, drums from 0:04."])
    answer = assistant.ask(noise(), "How fast is it?")
    assert (answer.text, answer.ungrounded) == ("At 118, drums from 0:04.", ("118",))


@pytest.mark.parametrize("template", [None, TEXT_TEMPLATE, "{{ tools }}"])
def test_templates_that_cannot_call_tools_are_refused(template):
    tokenizer = tiny_tokenizer(chat_template=template)
    with pytest.raises(CheckpointError, match=r"'tiny' (has no chat|offers no tools)"):
        ReadingProcessor(tokenizer, "tiny")


def test_models_of_another_kind_are_still_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "encodec"}')
    with pytest.raises(CheckpointError, match="is a encodec model, not a llark model"):
        core.load_assistant(tmp_path)
