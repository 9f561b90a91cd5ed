"""An encoder that starts from another one's weights."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from llark_py.embedded import embedded_folder
from llark_py.encoders import build_encoder, encoder_config
from llark_py.encoders.mini import load_embedded
from llark_py.errors import CheckpointError, ConfigError
from llark_py.training.inherit import inherit, load_encoder
from llark_py.training.recipe import load_recipe
from llark_py.training.run import train_mini


def make_encoder(**settings):
    known = {"styles": ["rock", "jazz"], "families": ["piano", "bass"], "instruments": ["piano"]}
    return build_encoder(encoder_config("mini", width=64, n_layers=1, **{**known, **settings}))


@pytest.fixture
def saved(tmp_path):
    encoder = make_encoder()
    encoder.save_pretrained(tmp_path)
    return encoder, tmp_path


def test_the_same_encoder_inherits_everything(saved):
    first, folder = saved
    second = make_encoder()
    taken, n_tensors = inherit(second, folder)
    assert taken == n_tensors
    for name, weight in first.state_dict().items():
        assert torch.equal(weight, second.state_dict()[name]), name


def test_classes_are_inherited_by_name(saved):
    old, folder = saved
    new = make_encoder(styles=["jazz", "funk", "rock"], families=["bass", "organ", "piano"])
    fresh = {name: weight.clone() for name, weight in new.state_dict().items()}
    inherit(new, folder)
    before, now = old.state_dict(), new.state_dict()
    head = "network.heads.style.2.weight"
    assert torch.equal(now[head][[2, 0]], before[head])
    assert torch.equal(now[head][1], fresh[head][1])
    concept = "concepts.style.weight"
    assert torch.equal(now[concept][:, [2, 0]], before[concept])
    # Timbre heads read the mean and the peak of every family's activity after the frames.
    seen, frames = "network.heads.families.0.weight", 3 * 64
    assert torch.equal(now[seen][:, :frames], before[seen][:, :frames])
    assert torch.equal(now[seen][:, [frames + 2, frames]], before[seen][:, frames : frames + 2])
    assert torch.equal(now[seen][:, frames + 1], fresh[seen][:, frames + 1])


def test_a_new_head_and_another_stem_begin_fresh(saved):
    old, folder = saved
    new = make_encoder(stem="residual", stem_channels=16, feels=["straight", "swung"])
    fresh = {name: weight.clone() for name, weight in new.state_dict().items()}
    taken, n_tensors = inherit(new, folder)
    assert 0 < taken < n_tensors
    now = new.state_dict()
    for name in ("network.heads.feel.2.weight", "network.mel_stem.out.weight"):
        assert torch.equal(now[name], fresh[name])
    assert torch.equal(
        now["network.blocks.0.qkv.weight"], old.state_dict()["network.blocks.0.qkv.weight"]
    )


def test_who_plays_what_is_inherited_by_family(tmp_path):
    old = make_encoder(parts=True, stem="residual", stem_channels=16)
    old.save_pretrained(tmp_path)
    new = make_encoder(
        parts=True, stem="residual", stem_channels=16, families=["bass", "organ", "piano"]
    )
    inherit(new, tmp_path)
    before, now = old.state_dict(), new.state_dict()
    for name in ("network.parts.families.weight", "network.parts.families.bias"):
        assert torch.equal(now[name][[2, 0]], before[name])
    mixed = "network.activity_parts.weight"
    assert torch.equal(now[mixed][[2, 0]][:, [2, 0]], before[mixed])
    seen = "network.heads.families.0.weight"
    last_old, last_new = before[seen][:, -4:], now[seen][:, -6:]
    assert torch.equal(last_new[:, [2, 0, 5, 3]], last_old)


def test_the_embedded_model_can_be_inherited_from():
    from llark_py.embedded import embedded_folder
    from llark_py.encoders.mini import load_embedded

    embedded = load_embedded()
    encoder = build_encoder(encoder_config("mini", width=256, n_layers=4, styles=["metal"]))
    inherit(encoder, embedded_folder())
    row = embedded.config.styles.index("metal")
    name = "network.heads.style.2.bias"
    assert torch.equal(encoder.state_dict()[name][0], embedded.state_dict()[name][row])


def test_a_folder_without_an_encoder_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="holds no saved encoder"):
        inherit(make_encoder(), tmp_path)


def test_damaged_weights_are_refused(tmp_path):
    encoder = make_encoder()
    encoder.save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="holds no saved encoder"):
        inherit(encoder, tmp_path)


def test_a_fitted_encoder_is_loaded_from_its_folder_and_out_of_a_model(saved, tmp_path):
    encoder, folder = saved
    for name, weight in load_encoder(folder).state_dict().items():
        assert torch.equal(weight, encoder.state_dict()[name]), name
    embedded, loaded = load_embedded(), load_encoder(embedded_folder())
    assert loaded.config.temperatures == embedded.config.temperatures
    for name, weight in embedded.state_dict().items():
        assert torch.equal(weight.float(), loaded.state_dict()[name]), name
    state = encoder.state_dict()
    del state["network.norm.weight"]
    save_file({n: t.contiguous() for n, t in state.items()}, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match="holds no whole encoder"):
        load_encoder(folder)


def test_without_steps_the_language_model_is_trained_on_the_encoder_that_there_is(
    saved, tmp_path, monkeypatch
):
    encoder, folder = saved
    for name in ("generative", "encoder"):
        monkeypatch.setattr(f"llark_py.training.run.fit_{name}", None)  # not to be called
    monkeypatch.setattr("llark_py.training.run.make_shards", lambda *_: None)
    seen = {}

    def stop(recipe, encoder, clips, songs, out):
        seen["encoder"] = encoder
        raise InterruptedError

    monkeypatch.setattr("llark_py.training.run.fit_language", stop)
    kept = [f"encoder.init_from={folder}", "encoder.steps=0", f"work_dir={tmp_path / 'work'}"]
    own = ["songs.n=0", "language.kinds=[ear]", "language.basic_kinds=[ear]"]
    with pytest.raises(InterruptedError):
        train_mini(load_recipe("mini", [*kept, *own]))
    for name, weight in encoder.state_dict().items():
        assert torch.equal(weight, seen["encoder"].state_dict()[name]), name
    assert load_encoder(tmp_path / "work/encoder").config.styles == ["rock", "jazz"]
    with pytest.raises(ConfigError, match="steps=0 needs init_from"):
        load_recipe("mini", ["encoder.steps=0"])
