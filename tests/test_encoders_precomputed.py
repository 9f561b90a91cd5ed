"""Frames made elsewhere: read from disk, refused with a reason, and heard by a model."""

import numpy as np
import pytest
import torch
from model_parts import question, tiny_model
from safetensors.torch import save_file
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from llark_py.encoders import build_encoder, encoder_config
from llark_py.encoders.precomputed import load_frames
from llark_py.errors import AudioError
from llark_py.model.checkpoint import load_model, save_model


def test_precomputed_hears_nothing():
    config = encoder_config("precomputed")
    assert config.width == 4800
    assert config.frame_rate == pytest.approx(10.13, abs=0.01)
    with pytest.raises(AudioError, match="cannot hear"):
        build_encoder(config)(torch.zeros(1, 100))
    with pytest.raises(AudioError, match="cannot hear"):
        config.num_frames(100)


def test_frames_are_read_from_npy_and_safetensors(tmp_path):
    frames = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float16)
    np.save(tmp_path / "a.npy", frames)
    save_file({"frames": torch.from_numpy(frames), "x": torch.zeros(1)}, tmp_path / "b.safetensors")
    save_file({"any": torch.from_numpy(frames)}, tmp_path / "c.safetensors")
    for name in ("a.npy", "b.safetensors", "c.safetensors"):
        read = load_frames(tmp_path / name, width=5)
        assert read.dtype == np.float32
        np.testing.assert_array_equal(read, frames.astype(np.float32))


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("no.npy", None, "no file of frames"),
        ("a.txt", b"hello", "read from .npy or .safetensors"),
        ("a.npy", b"hello", "not a readable .npy"),
        ("a.npy", b"", "not a readable .npy"),
        ("a.safetensors", b"hello", "not a readable .safetensors"),
        ("a.npy", np.zeros((2, 3, 4)), "not \\(frames, width\\)"),
        ("a.npy", np.zeros((0, 5)), "not \\(frames, width\\)"),
        ("a.npy", np.full((2, 5), np.nan), "NaN"),
        ("a.npy", np.zeros((2, 6)), "6 numbers a frame; 5 are expected"),
        ("a.npy", np.array([["x"] * 5]), "not numbers"),
    ],
)
def test_bad_frame_files_are_refused(tmp_path, name, content, match):
    if isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    elif content is not None:
        np.save(tmp_path / name, content)
    with pytest.raises(AudioError, match=match):
        load_frames(tmp_path / name, width=5)


def test_a_model_hears_frames_from_disk(tmp_path, monkeypatch):
    # As in a fresh process, where no other encoder has been registered yet.
    monkeypatch.delitem(CONFIG_MAPPING._extra_content, "llark_encodec_encoder", raising=False)
    model, processor = tiny_model("precomputed")
    np.save(tmp_path / "song.npy", np.random.default_rng(0).normal(size=(12, 8)))
    frames = load_frames(tmp_path / "song.npy", width=model.config.audio_config.width)
    inputs = processor.apply_chat_template(
        question(), audio_frames=[frames], tokenize=True, return_dict=True
    )
    assert inputs["input_features"].shape == (1, 12, 8)
    save_model(model, processor, tmp_path / "model")
    again, _ = load_model(tmp_path / "model")
    with torch.no_grad():
        assert torch.equal(again(**inputs).logits, model(**inputs).logits)
    with pytest.raises(AudioError, match="cannot hear"):
        processor.apply_chat_template(
            question(), audio=[np.zeros(100)], tokenize=True, return_dict=True
        )
