"""LoRA changes what it should, nothing else, and comes back with its projector."""

import subprocess
import sys

import pytest
import torch
from model_parts import question, sound, tiny_encoder_config, tiny_model
from safetensors.torch import load_file, save_file
from test_model_checkpoint import language_model, logits
from transformers import EncodecModel

from llark_py.errors import CheckpointError, ConfigError
from llark_py.model.checkpoint import build_model, load_model, save_model
from llark_py.model.lora import add_lora

CASES = [("encodec", "qwen2", True), ("musicgen", "llama", False)]


def train(model, processor, steps=3):
    """Take a few large steps on one dialogue."""
    chat = [*question(), {"role": "assistant", "content": "It is 120 beats per minute."}]
    inputs = processor.apply_chat_template(
        chat,
        audio=[sound(400)],
        tokenize=True,
        return_dict=True,
        return_assistant_tokens_mask=True,
    )
    mask = inputs.pop("assistant_masks")
    labels = inputs["input_ids"].masked_fill(mask == 0, -100)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=0.05)
    model.train()
    losses = []
    for _ in range(steps):
        loss = model(**inputs, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    return losses


@pytest.mark.parametrize(("encoder", "family", "tied"), CASES)
def test_only_adapter_projector_and_audio_rows_are_trained(encoder, family, tied):
    model, processor = tiny_model(encoder, family, tied)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    plain = logits(model, processor)
    adapted = add_lora(model, r=4, alpha=8, dropout=0.0)
    torch.testing.assert_close(logits(adapted, processor), plain)  # a new adapter does nothing

    trained = {name for name, p in adapted.named_parameters() if p.requires_grad}
    kinds = ("lora_A", "lora_B", "multi_modal_projector.modules_to_save", "trainable_tokens_delta")
    assert all(any(kind in name for kind in kinds) for name in trained)
    assert {kind for kind in kinds if any(kind in name for name in trained)} == set(kinds)
    assert not any("audio_tower" in name for name in trained)

    start = {n: p.detach().clone() for n, p in adapted.named_parameters() if p.requires_grad}
    losses = train(adapted, processor)
    assert losses[-1] < losses[0]
    assert not torch.equal(logits(adapted, processor), plain)
    now = dict(adapted.named_parameters())
    for kind in kinds:
        assert any(not torch.equal(now[n], v) for n, v in start.items() if kind in n), kind
    # What lay there before lies there still: encoder, language model, embeddings, old projector.
    after = adapted.state_dict()
    for name, value in before.items():
        found = [
            after[key]
            for key in after
            if key.removeprefix("base_model.model.")
            .replace(".base_layer", "")
            .replace(".original_module", "")
            .replace(".token_adapter", "")
            == name
        ]
        assert found and all(torch.equal(value, kept) for kept in found), name


@pytest.mark.parametrize("encoder", ["encodec", "musicgen"])
def test_no_module_of_the_encoder_is_touched(encoder):
    model, _ = tiny_model(encoder)
    adapted = add_lora(model, r=2, targets=("q_proj", "v_proj"))
    inside = {type(m).__name__ for m in adapted.model.model.audio_tower.modules()}
    assert not any("lora" in name.lower() for name in inside)
    named = [n for n, _ in adapted.named_modules() if n.endswith("lora_A")]
    assert len(named) == 4  # two layers, two targets
    if encoder == "musicgen":  # its layers bear the same names
        assert any(n.endswith("q_proj") for n, _ in model.model.audio_tower.named_modules())


@pytest.mark.parametrize(("encoder", "family", "tied"), CASES)
def test_an_adapter_comes_back_with_its_projector(tmp_path, encoder, family, tied):
    model, processor = tiny_model(encoder, family, tied)
    save_model(model, processor, tmp_path / "base")
    base, processor = load_model(tmp_path / "base")
    plain = logits(base, processor)
    adapted = add_lora(base, r=4, dropout=0.0)
    train(adapted, processor)
    expected = logits(adapted, processor)
    save_model(adapted, processor, tmp_path / "adapter")

    files = {path.name: path.stat().st_size for path in (tmp_path / "adapter").iterdir()}
    assert "model.safetensors" not in files
    keys = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    assert any("multi_modal_projector" in key for key in keys)
    assert not any("audio_tower" in key for key in keys)

    again, processor_again = load_model(tmp_path / "adapter")
    assert not torch.equal(expected, plain)
    assert torch.equal(logits(again, processor_again), expected)
    with again.disable_adapter():
        torch.testing.assert_close(logits(again, processor_again), plain)


def test_an_adapter_loads_in_a_process_of_its_own(tmp_path):
    """A lean start must not leave out what peft needs: `llark ask --model ADAPTER`."""
    model, processor = tiny_model(*CASES[0])
    save_model(model, processor, tmp_path / "base")
    base, processor = load_model(tmp_path / "base")
    save_model(add_lora(base, r=4, dropout=0.0), processor, tmp_path / "adapter")
    script = "import llark_py, sys; print(len(llark_py.load_assistant(sys.argv[1]).tools) > 0)"
    run = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "adapter")], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "True"


def test_tied_rows_move_in_the_head_too():
    model, processor = tiny_model(tied=True)
    row = model.config.audio_bos_token_id
    before = logits(model, processor)[..., row]
    adapted = add_lora(model, r=2)
    delta = [p for n, p in adapted.named_parameters() if "trainable_tokens_delta" in n]
    with torch.no_grad():
        for rows in delta:
            rows += 1.0
    assert (logits(adapted, processor)[..., row] - before).abs().max() > 0.1


def test_a_merged_adapter_gives_the_same_and_saves_as_a_whole(tmp_path):
    model, processor = tiny_model()
    adapted = add_lora(model, r=4, dropout=0.0)
    train(adapted, processor)
    expected = logits(adapted, processor)
    merged = adapted.merge_and_unload()
    torch.testing.assert_close(logits(merged, processor), expected, atol=1e-4, rtol=1e-4)
    save_model(merged, processor, tmp_path)
    again, _ = load_model(tmp_path)
    torch.testing.assert_close(logits(again, processor), expected, atol=1e-4, rtol=1e-4)


def test_an_adapter_on_a_model_never_saved_builds_it_again(tmp_path):
    """The way of `llark train lora`: a named language model, and only the adapter is kept."""
    language_model(tmp_path / "lm", "llama", tied=False)
    torch.manual_seed(4)
    codec = tiny_model()[0].model.audio_tower.codec
    whole = EncodecModel(codec.config)
    whole.save_pretrained(tmp_path / "codec")
    audio_config = tiny_encoder_config(pretrained=str(tmp_path / "codec"))
    model, processor = build_model(audio_config, tmp_path / "lm", projector="linear")
    adapted = add_lora(model, r=4, dropout=0.0)
    train(adapted, processor)
    save_model(adapted, processor, tmp_path / "adapter")
    again, processor_again = load_model(tmp_path / "adapter")
    assert torch.equal(logits(again, processor_again), logits(adapted, processor))


def test_an_adapter_generates_and_encodes():
    model, processor = tiny_model()
    adapted = add_lora(model, r=2)
    inputs = processor.apply_chat_template(
        question(), audio=[sound(400)], tokenize=True, return_dict=True
    )
    assert adapted.generate(**inputs, max_new_tokens=3).shape[1] > inputs["input_ids"].shape[1]
    assert adapted.encode_audio(inputs["input_values"])[0].shape == (20, 8)


def test_unknown_targets_are_refused():
    model, _ = tiny_model()
    with pytest.raises(ConfigError, match=r"cannot target q_prj: .* are down_proj, .*q_proj"):
        add_lora(model, targets=("q_prj", "v_proj"))
    with pytest.raises(ConfigError, match="cannot target nothing"):
        add_lora(model, targets=())


def test_an_adapter_that_lost_its_projector_is_refused(tmp_path):
    model, processor = tiny_model()
    save_model(model, processor, tmp_path / "base")
    base, processor = load_model(tmp_path / "base")
    save_model(add_lora(base, r=2), processor, tmp_path / "adapter")
    path = tmp_path / "adapter" / "adapter_model.safetensors"
    kept = {k: v for k, v in load_file(path).items() if "multi_modal_projector" not in k}
    save_file(kept, path, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"lacks .*multi_modal_projector"):
        load_model(tmp_path / "adapter")


def test_an_adapter_without_its_base_is_refused(tmp_path):
    model, processor = tiny_model()
    save_model(add_lora(model, r=2), processor, tmp_path)
    with pytest.raises(CheckpointError, match="never saved"):
        load_model(tmp_path)
