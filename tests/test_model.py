"""The model: frames stand where the placeholders stood, once, in order, in any batch or cache."""

import pytest
import torch
from model_parts import question, sound, tiny_model
from transformers import AutoModelForMultimodalLM, GPT2Config

from llark_py.errors import AudioError, ConfigError
from llark_py.model import LlarkConfig, LlarkForConditionalGeneration
from llark_py.model.checkpoint import build_model

ENCODERS = ("encodec", "musicgen")
FAMILIES = ("qwen2", "llama")


@pytest.fixture(scope="module", params=[(e, f) for e in ENCODERS for f in FAMILIES], ids="-".join)
def parts(request):
    encoder, family = request.param
    return tiny_model(encoder, family)


@pytest.fixture(scope="module")
def simple():
    return tiny_model()


def ask(processor, *lengths, text="How fast is it?", **options):
    chats = [question(text) for _ in lengths]
    audio = [sound(n, seed=i) for i, n in enumerate(lengths)]
    return processor.apply_chat_template(
        chats,
        audio=audio,
        tokenize=True,
        return_dict=True,
        add_generation_prompt=True,
        **options,
    )


def test_placeholders_equal_encoder_frames(parts):
    model, processor = parts
    for n in (20, 21, 399, 800):
        inputs = ask(processor, n)
        frames = model.encode_audio(inputs["input_values"], inputs["input_values_mask"])
        placeholders = (inputs["input_ids"] == model.config.audio_token_id).sum()
        assert placeholders == len(frames[0]) == model.config.audio_config.num_frames(n)


def test_the_model_equals_embeddings_built_by_hand(parts):
    model, processor = parts
    inputs = ask(processor, 500)
    frames = model.encode_audio(inputs["input_values"])[0]
    embeds = model.get_input_embeddings()(inputs["input_ids"]).clone()
    at = (inputs["input_ids"][0] == model.config.audio_token_id).nonzero()[:, 0]
    for place, frame in zip(at, frames, strict=True):
        embeds[0, place] = model.model.multi_modal_projector(frame)
    with torch.no_grad():
        by_hand = model.model.language_model(inputs_embeds=embeds).last_hidden_state
        expected = model.lm_head(by_hand)
        found = model(**inputs).logits
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_what_is_heard_changes_what_is_said(parts):
    model, processor = parts
    inputs = ask(processor, 500)
    with torch.no_grad():
        one = model(**inputs).logits[:, -1]
        other = model(**(inputs | {"input_values": inputs["input_values"].flip(1)})).logits[:, -1]
    assert (one - other).abs().max() > 1e-3


def test_generation_with_and_without_cache_agree(parts):
    model, processor = parts
    inputs = ask(processor, 500)
    cached = model.generate(**inputs, max_new_tokens=8, do_sample=False)
    full = model.generate(**inputs, max_new_tokens=8, do_sample=False, use_cache=False)
    assert torch.equal(cached, full)


def test_the_encoder_runs_once_in_generate(parts, monkeypatch):
    model, processor = parts
    calls = []
    tower = model.model.audio_tower
    forward = tower.forward
    monkeypatch.setattr(tower, "forward", lambda *a, **k: calls.append(1) or forward(*a, **k))
    out = model.generate(**ask(processor, 500), max_new_tokens=8, min_new_tokens=8)
    assert len(calls) == 1
    assert out.shape[1] > 8


def test_second_turn_from_cache_equals_recomputing(parts):
    model, processor = parts
    first = ask(processor, 500)
    options = {"do_sample": False, "max_new_tokens": 6, "return_dict_in_generate": True}
    turn = model.generate(**first, **options)
    more = processor.tokenizer(
        "<|im_end|>\n<|im_start|>user\nWhich key?<|im_end|>\n<|im_start|>assistant\n",
        return_tensors="pt",
        add_special_tokens=False,
    )["input_ids"]
    ids = torch.cat([turn.sequences, more], dim=1)
    mask = torch.ones_like(ids)
    recomputed = model.generate(**(first | {"input_ids": ids, "attention_mask": mask}), **options)
    # From the cache: the whole text, no audio.
    cached = model.generate(
        input_ids=ids, attention_mask=mask, past_key_values=turn.past_key_values, **options
    )
    assert torch.equal(cached.sequences, recomputed.sequences)


def test_frames_in_place_of_the_waveform_give_the_same(parts):
    model, processor = parts
    inputs = ask(processor, 500, 333)
    frames = model.encode_audio(inputs["input_values"], inputs["input_values_mask"])
    chats = [question(), question()]
    again = processor.apply_chat_template(
        chats, audio_frames=frames, tokenize=True, return_dict=True, add_generation_prompt=True
    )
    assert "input_values" not in again
    assert torch.equal(again["input_ids"], inputs["input_ids"])
    with torch.no_grad():
        torch.testing.assert_close(model(**again).logits, model(**inputs).logits)


def test_a_padded_batch_equals_one_by_one(parts):
    model, processor = parts
    lengths = (500, 180, 333)
    batch = ask(processor, *lengths)
    assert (batch["attention_mask"][:, 0] == 0).any()  # padded on the left
    with torch.no_grad():
        together = model(**batch).logits[:, -1]
        for i, n in enumerate(lengths):
            alone = processor.apply_chat_template(
                question(),
                audio=[sound(n, seed=i)],
                tokenize=True,
                return_dict=True,
                add_generation_prompt=True,
            )
            expected = model(**alone).logits[0, -1]
            torch.testing.assert_close(together[i], expected, atol=1e-4, rtol=1e-3)


def test_several_recordings_in_one_prompt_keep_their_order(simple):
    model, processor = simple
    songs = [sound(300, seed=1), sound(200, seed=2)]
    options = {"tokenize": True, "return_dict": True}
    inputs = processor.apply_chat_template(question(n_audio=2), audio=songs, **options)
    output = model.model(**inputs)
    alone = [model.get_audio_features(torch.from_numpy(song)[None]).pooler_output for song in songs]
    torch.testing.assert_close(output.audio_hidden_states, torch.cat(alone), atol=1e-5, rtol=1e-4)


def test_batched_generation_equals_one_by_one(simple):
    model, processor = simple
    options = {"max_new_tokens": 6, "min_new_tokens": 6, "do_sample": False}
    batch = model.generate(**ask(processor, 500, 180), **options)[:, -6:]
    assert torch.equal(batch[0], model.generate(**ask(processor, 500), **options)[0, -6:])


@pytest.mark.parametrize("encoder", ENCODERS)
def test_bfloat16_takes_float32_sound(encoder):
    model, processor = tiny_model(encoder)
    model.to(torch.bfloat16)
    inputs = ask(processor, 500, 200)
    assert inputs["input_values"].dtype == torch.float32
    out = model(**inputs)
    assert out.logits.dtype == torch.bfloat16
    assert torch.isfinite(out.logits).all()
    frames = [f.float() for f in model.encode_audio(inputs["input_values"])]
    assert torch.isfinite(frames[0]).all()
    assert model.generate(**inputs, max_new_tokens=3).shape[0] == 2


def test_wrong_numbers_of_frames_are_refused(simple):
    model, processor = simple
    inputs = ask(processor, 500)
    longer = {"input_values": torch.zeros(1, 900), "input_values_mask": None}
    with pytest.raises(AudioError, match="45 frames, 25 placeholders"):
        model(**(inputs | longer))
    silent = {k: v for k, v in inputs.items() if not k.startswith("input_values")}
    with pytest.raises(AudioError, match="0 frames, 25 placeholders"):
        model(**silent)
    with pytest.raises(ConfigError, match="either input_ids or inputs_embeds"):
        model(attention_mask=inputs["attention_mask"])
    with pytest.raises(AudioError, match="either input_values"):
        model(**inputs, input_features=torch.zeros(1, 25, 8))
    with pytest.raises(AudioError, match=r"must be \(n_audios, frames, 8\)"):
        model(**silent, input_features=torch.zeros(1, 25, 9))


def test_text_alone_equals_the_language_model(simple):
    model, processor = simple
    ids = processor.tokenizer("The key is F major", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        expected = model.lm_head(model.model.language_model(input_ids=ids).last_hidden_state)
        torch.testing.assert_close(model(input_ids=ids).logits, expected)


def test_embeddings_given_directly_generate_the_same(simple):
    model, processor = simple
    inputs = ask(processor, 500)
    features = model.get_audio_features(inputs["input_values"]).pooler_output
    mask = model.model.get_placeholder_mask(inputs["input_ids"], len(features))
    embeds = model.get_input_embeddings()(inputs["input_ids"]).masked_scatter(mask, features)
    options = {"max_new_tokens": 5, "do_sample": False}
    new = model.generate(inputs_embeds=embeds, attention_mask=inputs["attention_mask"], **options)
    assert torch.equal(new, model.generate(**inputs, **options)[:, -new.shape[1] :])


def test_a_frozen_encoder_gets_no_gradient_and_no_dropout():
    model, processor = tiny_model("musicgen")
    model.freeze_audio_tower()
    model.train()
    assert not model.model.audio_tower.training
    assert model.model.language_model.training
    inputs = ask(processor, 300)
    model(**inputs, labels=inputs["input_ids"]).loss.backward()
    assert all(p.grad is None for p in model.model.audio_tower.parameters())
    assert all(p.grad is not None for p in model.model.multi_modal_projector.parameters())


def test_a_trained_encoder_gets_gradients():
    model, processor = tiny_model("encodec")
    model.train()
    inputs = ask(processor, 300)
    model(**inputs, labels=inputs["input_ids"]).loss.backward()
    assert any(p.grad is not None and p.grad.any() for p in model.model.audio_tower.parameters())


def test_gradient_checkpointing_gives_the_same_gradients():
    grads = []
    for checkpointing in (False, True):
        model, processor = tiny_model("encodec")
        model.freeze_audio_tower()
        if checkpointing:
            model.gradient_checkpointing_enable()
        model.train()
        inputs = ask(processor, 300)
        model(**inputs, labels=inputs["input_ids"]).loss.backward()
        grads.append(model.model.multi_modal_projector.layers[0].weight.grad)
    torch.testing.assert_close(*grads)


@pytest.mark.parametrize(("projector", "n_weights"), [("linear", 2), ("mlp", 4)])
def test_projectors(projector, n_weights):
    source, processor = tiny_model()
    config = LlarkConfig(**(source.config.to_dict() | {"projector": projector}))
    model = LlarkForConditionalGeneration(config)
    assert len(list(model.model.multi_modal_projector.parameters())) == n_weights
    assert torch.isfinite(model(**ask(processor, 100)).logits).all()


def test_bad_configurations_are_refused(simple):
    values = simple[0].config.to_dict()
    with pytest.raises(ConfigError, match="no projector 'qformer'"):
        LlarkConfig(**(values | {"projector": "qformer"}))
    with pytest.raises(ConfigError, match="outside the vocabulary"):
        LlarkForConditionalGeneration(LlarkConfig(**(values | {"audio_token_id": 99999})))
    with pytest.raises(ConfigError, match="audio_token_id must be set"):
        LlarkForConditionalGeneration(LlarkConfig(**(values | {"audio_token_id": None})))


def test_auto_class_knows_the_model(simple):
    model = AutoModelForMultimodalLM.from_config(simple[0].config)
    assert isinstance(model, LlarkForConditionalGeneration)


def test_a_language_model_of_another_build_works():
    """GPT-2 names its parts differently and counts positions absolutely."""
    _, processor = tiny_model()
    text = GPT2Config(vocab_size=320, n_embd=32, n_layer=2, n_head=2, n_positions=256)
    audio_config = processor.feature_extractor.audio_config
    model, processor = build_model(audio_config, text, processor.tokenizer)
    assert model.lm_head.weight is model.get_input_embeddings().weight
    options = {"max_new_tokens": 5, "min_new_tokens": 5, "do_sample": False}
    batch = model.generate(**ask(processor, 500, 180), **options)
    alone = model.generate(**ask(processor, 500), **options)
    assert torch.equal(batch[0, -5:], alone[0, -5:])
