"""Other models that hear, on tiny random checkpoints of their own classes; our own beside them."""

from __future__ import annotations

import pytest
import torch
import transformers
from chat_server import ChatServer, words
from model_parts import SPECIAL_TOKENS, sound, tiny_text_config, tiny_tokenizer

from llark_py.audio import Audio
from llark_py.benchmarks.qa import audio_models
from llark_py.benchmarks.qa.answerers import AssistantAnswerer, open_answerer
from llark_py.benchmarks.qa.audio_models import CLASSES, AudioModel, is_audio_model
from llark_py.errors import AudioError, CheckpointError, ConfigError

RATE = 16_000
SOUND, BOS, EOS = "<sound>", "<|sound_bos|>", "<|sound_eos|>"
QWEN_SOUND = "<|AUDIO|>"
TEMPLATE = """\
{%- for message in messages %}<|im_start|>{{ message.role }}
{% for item in message.content %}
{%- if item.type == 'audio' %}SOUND{% else %}{{ item.text }}{% endif %}
{%- endfor %}<|im_end|>
{% endfor %}<|im_start|>assistant
"""
# As the names of the configurations want it.
WHISPER = {"d_model": 8, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 8}
FLAMINGO = {
    "model_type": "audioflamingo3_encoder",
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
}


def tiny(kind, folder):
    """Save a tiny random checkpoint of a model type, in bfloat16, with a whole processor."""
    placeholder = QWEN_SOUND if kind == "qwen2_audio" else SOUND
    extra = [QWEN_SOUND, SOUND, BOS, EOS]
    tokenizer = tiny_tokenizer([*SPECIAL_TOKENS, *extra], TEMPLATE.replace("SOUND", placeholder))
    number = tokenizer.convert_tokens_to_ids
    settings = {
        "qwen2_audio": {"audio_token_index": number(QWEN_SOUND)},
        "audioflamingo3": {"audio_token_id": number(SOUND)},
        "musicflamingo": {
            "audio_token_id": number(SOUND),
            "audio_bos_token_id": number(BOS),
            "audio_eos_token_id": number(EOS),
        },
    }[kind]
    name = CLASSES[kind].removesuffix("ForConditionalGeneration")
    ear = WHISPER if kind == "qwen2_audio" else FLAMINGO
    text = {**tiny_text_config("qwen2", len(tokenizer)).to_dict(), "max_position_embeddings": 2048}
    config = getattr(transformers, f"{name}Config")(
        audio_config={**ear, "num_mel_bins": 8}, text_config=text, **settings
    )
    torch.manual_seed(0)
    model = getattr(transformers, CLASSES[kind])(config)
    features = transformers.WhisperFeatureExtractor(feature_size=8)
    processor = getattr(transformers, f"{name}Processor")(
        features, tokenizer, chat_template=tokenizer.chat_template
    )
    model.to(torch.bfloat16).save_pretrained(folder)
    processor.save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize("kind", CLASSES)
def test_a_model_hears_with_its_own_class_and_answers_the_same_again(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(audio_models, "_MAX_NEW_TOKENS", 4)
    name = tiny(kind, tmp_path)
    assert is_audio_model(name)
    answerer = open_answerer(name, None, None, None)
    assert isinstance(answerer, AudioModel)
    assert answerer.settings["model_type"] == kind and len(answerer.settings["weights"]) == 12
    first, second = (Audio(sound(RATE * 2, seed), RATE) for seed in (1, 2))
    said = [answerer.answer("How fast?", heard).text for heard in (first, second, first, None)]
    assert said[0] == said[2]
    # What is heard counts; without a sound the question is still answered.
    assert len({said[0], said[1], said[3]}) > 1 and said[3]
    assert "How fast" not in said[0]


def test_what_a_model_cannot_take_is_a_failed_question(tmp_path, monkeypatch):
    answerer = open_answerer(tiny("qwen2_audio", tmp_path), None, None, None)

    def full(**_):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(answerer._model, "generate", full)
    with pytest.raises(AudioError, match="cannot answer about this recording: out of memory"):
        answerer.answer("How fast?", Audio(sound(RATE), RATE))


def test_a_model_without_tools_or_template_is_refused(tmp_path):
    name = tiny("qwen2_audio", tmp_path)
    with pytest.raises(ConfigError, match="calls no tools; leave out --tools"):
        open_answerer(name, None, None, True)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        open_answerer(name, None, None, None)


def test_other_folders_are_left_to_our_own_loader(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "llark"}')
    assert not is_audio_model(str(tmp_path)) and not is_audio_model(str(tmp_path / "nowhere"))


def test_an_endpoint_with_tools_reads_what_our_encoder_hears():
    with ChatServer().running() as server:
        server.replies.append(words("It is noise."))
        answerer = open_answerer(None, server.url, "reader", True)
        said = answerer.answer("What do you hear?", Audio(sound(RATE * 2, 1), RATE))
    assert said.text == "It is noise."
    request = server.requests[0]
    assert "input_audio" not in str(request) and "heard:" in str(request["messages"])
    assert len(request["tools"]) == len(answerer.settings["tools"]) > 3
    assert answerer.settings["endpoint"] == server.url


def test_the_embedded_model_answers_with_and_without_tools():
    audio = Audio(sound(RATE * 3, 1), RATE)
    with_tools = open_answerer(None, None, None, None)
    assert isinstance(with_tools, AssistantAnswerer)
    assert with_tools.settings["model"] == "mini" and with_tools.settings["weights"]
    assert "estimate_key" in with_tools.settings["tools"]
    without = open_answerer(None, None, None, False)
    assert without.settings["tools"] == []
    assert without.settings["weights"] == with_tools.settings["weights"]
    said = without.answer("What do you hear?", audio)
    assert said.text and said.calls == ()
    assert without.answer("What is a chord?", None).text
