"""Loading and saving: the same numbers come back, and what is missing is named."""

import json

import pytest
import torch
from model_parts import (
    TEXT_TEMPLATE,
    question,
    sound,
    tiny_encoder_config,
    tiny_model,
    tiny_text_config,
    tiny_tokenizer,
)
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMultimodalLM,
    EncodecModel,
    Gemma2Config,
    Qwen2ForCausalLM,
)

from llark_py.errors import CheckpointError, ConfigError
from llark_py.model import checkpoint
from llark_py.model.checkpoint import build_model, load_model, save_model


def logits(model, processor):
    inputs = processor.apply_chat_template(
        question(), audio=[sound(400)], tokenize=True, return_dict=True
    )
    with torch.no_grad():
        return model(**inputs).logits


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    model, processor = tiny_model()
    save_model(model, processor, folder)
    return folder, model, processor


def copy_of(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


@pytest.mark.parametrize(
    ("encoder", "family", "tied"),
    [("encodec", "qwen2", True), ("encodec", "llama", False), ("musicgen", "llama", True)],
)
def test_a_saved_model_gives_the_same_logits(tmp_path, encoder, family, tied):
    model, processor = tiny_model(encoder, family, tied)
    save_model(model, processor, tmp_path)
    again, processor_again = load_model(tmp_path)
    assert torch.equal(logits(again, processor_again), logits(model, processor))
    assert (again.lm_head.weight is again.get_input_embeddings().weight) == tied
    assert again.generation_config.eos_token_id == processor.tokenizer.eos_token_id
    assert not again.training
    for key, value in model.state_dict().items():
        assert torch.equal(again.state_dict()[key], value), key


def test_auto_class_loads_it(saved):
    folder, model, processor = saved
    again = AutoModelForMultimodalLM.from_pretrained(folder)
    assert torch.equal(logits(again, processor), logits(model, processor))


def test_dtype_is_kept_or_chosen(saved, tmp_path, monkeypatch):
    folder, _, processor = saved
    model, _ = load_model(folder, dtype="bfloat16", device="cpu")
    assert model.dtype == torch.bfloat16
    save_model(model, processor, tmp_path)
    monkeypatch.setattr(checkpoint, "bf16_is_fast", lambda device: True)
    assert load_model(tmp_path)[0].dtype == torch.bfloat16
    monkeypatch.setattr(checkpoint, "bf16_is_fast", lambda device: False)
    assert load_model(tmp_path)[0].dtype == torch.float32
    with pytest.raises(ConfigError, match="no dtype 'float23'"):
        load_model(folder, dtype="float23")


@pytest.mark.parametrize(
    "key",
    [
        "model.multi_modal_projector.layers.0.weight",
        "model.language_model.layers.1.mlp.up_proj.weight",
        "model.audio_tower.codec.encoder.layers.0.conv.bias",
    ],
)
def test_missing_weights_are_named(saved, tmp_path, key):
    folder = copy_of(saved[0], tmp_path)
    weights = load_file(folder / "model.safetensors")
    del weights[key]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=key.replace(".", r"\.")):
        load_model(folder)


def test_weights_of_another_shape_are_refused(saved, tmp_path):
    folder = copy_of(saved[0], tmp_path)
    weights = load_file(folder / "model.safetensors")
    weights["model.multi_modal_projector.layers.0.weight"] = torch.zeros(5, 5)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="cannot load LlarkForConditionalGeneration"):
        load_model(folder)


def test_a_broken_weights_file_is_refused(saved, tmp_path):
    folder = copy_of(saved[0], tmp_path)
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="cannot load"):
        load_model(folder)


@pytest.mark.parametrize("file", ["model.safetensors", "processor_config.json", "config.json"])
def test_a_missing_file_is_refused(saved, tmp_path, file):
    folder = copy_of(saved[0], tmp_path)
    (folder / file).unlink()
    with pytest.raises(CheckpointError):
        load_model(folder)


def test_a_name_that_leads_nowhere_is_refused(tmp_path):
    for name in (tmp_path / "nowhere", "nobody/no-such-model"):
        with pytest.raises(CheckpointError, match="no"):
            load_model(name)


def test_a_bare_language_model_is_refused(saved, tmp_path):
    processor = saved[2]
    Qwen2ForCausalLM(tiny_text_config()).save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="is a qwen2 model, not a llark model"):
        load_model(tmp_path)


def test_processor_and_model_must_agree(saved, tmp_path):
    folder = copy_of(saved[0], tmp_path)
    values = json.loads((folder / "config.json").read_text())
    values["audio_token_id"] = 7
    (folder / "config.json").write_text(json.dumps(values))
    with pytest.raises(CheckpointError, match="the model's is 7"):
        load_model(folder)


def language_model(tmp_path, family="qwen2", tied=True):
    """Save a language model whose tokenizer has never heard of audio."""
    torch.manual_seed(3)
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = tiny_tokenizer(special, chat_template=TEXT_TEMPLATE)
    lm = AutoModelForCausalLM.from_config(tiny_text_config(family, len(tokenizer), tied)).eval()
    lm.generation_config.eos_token_id = [tokenizer.eos_token_id, 0]
    lm.generation_config.temperature = 0.7
    lm.generation_config.do_sample = True
    lm.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return lm, tokenizer


@pytest.mark.parametrize(("family", "tied"), [("qwen2", True), ("llama", False)])
def test_building_on_a_language_model_keeps_it_whole(tmp_path, family, tied):
    lm, tokenizer = language_model(tmp_path, family, tied)
    codec = EncodecModel(tiny_encoder_config().codec_config)
    codec.save_pretrained(tmp_path / "codec")
    audio_config = tiny_encoder_config(pretrained=str(tmp_path / "codec"))
    model, processor = build_model(audio_config, tmp_path)

    ids = tokenizer("The key is F major", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        expected, found = lm(ids).logits, model(input_ids=ids).logits
    torch.testing.assert_close(found[..., : len(tokenizer)], expected)
    assert found.shape[-1] == len(tokenizer) + 3 == model.config.text_config.vocab_size
    assert model.config.audio_token_id == len(tokenizer)
    assert processor.chat_template == TEXT_TEMPLATE
    assert model.generation_config.eos_token_id == [tokenizer.eos_token_id, 0]
    assert model.generation_config.temperature == 0.7
    rows = model.get_input_embeddings().weight
    torch.testing.assert_close(rows[-1], rows[:-3].mean(0))
    assert (model.lm_head.weight is rows) == tied
    codec_weights = model.model.audio_tower.codec.encoder.state_dict()
    assert all(torch.equal(codec_weights[k], v) for k, v in codec.encoder.state_dict().items())
    assert not any(p.is_meta for p in [*model.parameters(), *model.buffers()])

    save_model(model, processor, tmp_path / "whole")
    again, processor_again = load_model(tmp_path / "whole")
    assert torch.equal(logits(again, processor_again), logits(model, processor))


def test_spare_rows_of_a_language_model_are_used(tmp_path):
    """Qwen has more rows than tokens: adding ours must not change its size."""
    tokenizer = tiny_tokenizer(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    text = tiny_text_config(vocab_size=400)
    model, _ = build_model(tiny_encoder_config(), text, tokenizer, dtype="bfloat16")
    assert model.config.text_config.vocab_size == 400
    assert model.config.audio_token_id == len(tokenizer) - 3
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}


def test_a_language_model_that_caps_its_logits_is_refused():
    tokenizer = tiny_tokenizer()
    sizes = tiny_text_config().to_dict()
    names = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    text = Gemma2Config(
        **{name: sizes[name] for name in names},
        vocab_size=len(tokenizer),
        num_key_value_heads=2,
        head_dim=8,
        final_logit_softcapping=0.5,
    )
    with pytest.raises(ConfigError, match="Gemma2ForCausalLM changes its logits"):
        build_model(tiny_encoder_config(), text, tokenizer)


def test_a_configuration_needs_a_tokenizer():
    with pytest.raises(ConfigError, match="needs a tokenizer"):
        build_model(tiny_encoder_config(), tiny_text_config())


def test_a_language_model_that_cannot_be_found_is_an_error(tmp_path):
    with pytest.raises(CheckpointError, match="nowhere"):
        build_model(tiny_encoder_config(), tmp_path / "nowhere")


def test_where_parts_once_lay_is_not_saved(tmp_path):
    model, processor = tiny_model("encodec", "qwen2", True)
    model.config.audio_config.name_or_path = str(tmp_path)
    save_model(model, processor, tmp_path / "model")
    assert str(tmp_path) not in (tmp_path / "model" / "config.json").read_text()
