"""What encoders promise: frame arithmetic, batching, pooling, parts loaded or refused."""

import subprocess
import sys

import pytest
import torch
from model_parts import CODEC, DECODER, fill_codebooks, sound, tiny_encoder_config
from safetensors.torch import load_file, save_file
from transformers import (
    AutoConfig,
    AutoModel,
    EncodecConfig,
    EncodecModel,
    MusicgenConfig,
    MusicgenDecoderConfig,
    MusicgenForCausalLM,
    MusicgenForConditionalGeneration,
    T5Config,
)

from llark_py import catalog
from llark_py.encoders import build_encoder, config_from_dict, encoder_config, load_encoder_module
from llark_py.encoders.base import AudioEncoder, AudioEncoderConfig, average_frames
from llark_py.errors import AudioError, CheckpointError, ConfigError, UnknownNameError

HEARING = ("encodec", "musicgen")


def build(name, **settings):
    torch.manual_seed(0)
    encoder = build_encoder(tiny_encoder_config(name, **settings)).eval()
    fill_codebooks(encoder)
    return encoder


def waves(*lengths):
    values = torch.zeros(len(lengths), max(lengths))
    mask = torch.zeros(len(lengths), max(lengths), dtype=torch.bool)
    for i, n in enumerate(lengths):
        values[i, :n], mask[i, :n] = torch.from_numpy(sound(n, seed=i)), True
    return values, mask


@pytest.mark.parametrize("name", catalog.names("encoders"))
def test_every_encoder_keeps_the_contract(name):
    part = load_encoder_module(name)
    assert issubclass(part.Config, AudioEncoderConfig)
    assert issubclass(part.Encoder, AudioEncoder)
    config = part.Config()
    assert config.encoder == name
    assert config.model_type == f"llark_{name}_encoder"
    assert config.sample_rate > 0 and config.width > 0 and config.frame_rate > 0
    assert config.licence != "unknown"


@pytest.mark.parametrize("name", catalog.names("encoders"))
def test_configuration_survives_its_saved_form(name):
    config = encoder_config(name)
    again = config_from_dict(config.to_dict())
    assert type(again) is type(config)
    assert again.to_dict() == config.to_dict()
    assert type(AutoConfig.for_model(**config.to_dict())) is type(config)


@pytest.mark.parametrize("name", HEARING)
@pytest.mark.parametrize("causal", [True, False])
def test_frames_are_as_many_as_the_configuration_says(name, causal):
    config = tiny_encoder_config(name)
    config = encoder_config(
        name,
        codec_config={**CODEC, "use_causal_conv": causal},
        target_frame_rate=30.0,
        **({"decoder_config": DECODER} if name == "musicgen" else {}),
    )
    encoder = build_encoder(config).eval()
    for n in (1, 19, 20, 21, 399, 400, 401, 1000):
        with torch.no_grad():
            assert encoder.encode(torch.randn(2, n)).shape[1] == config.num_native_frames(n)
            assert encoder(torch.randn(2, n)).shape == (2, config.num_frames(n), config.width)


def test_no_sound_makes_no_frames():
    assert tiny_encoder_config("encodec").num_frames(0) == 0


@pytest.mark.parametrize("name", HEARING)
def test_a_padded_batch_equals_one_by_one(name):
    encoder = build(name, target_frame_rate=40.0)
    lengths = (700, 411, 700, 33)
    values, mask = waves(*lengths)
    with torch.no_grad():
        together = encoder(values, mask)
        counts = encoder.frame_lengths(values, mask).tolist()
        for i, n in enumerate(lengths):
            alone = encoder(values[i : i + 1, :n])
            assert counts[i] == alone.shape[1]
            torch.testing.assert_close(together[i, : counts[i]], alone[0], atol=1e-5, rtol=1e-5)
            assert not together[i, counts[i] :].any()


def test_pooling_averages_whole_groups_and_the_tail():
    frames = torch.arange(10.0).reshape(1, 5, 2)
    pooled = average_frames(frames, 2)
    assert pooled[0, 0].tolist() == [1.0, 2.0]
    assert pooled[0, 2].tolist() == [8.0, 9.0]  # the last one stands alone


def test_frame_rate_is_the_true_one_after_pooling():
    config = encoder_config("encodec", target_frame_rate=10.0)
    assert config.native_frame_rate == 75.0
    assert config.frame_rate == 75.0 / config.pooling
    assert abs(config.frame_rate - 10.0) < 1.0
    assert config.num_frames(24_000 * 60) == pytest.approx(config.frame_rate * 60, abs=1)


def test_encodec_latents_are_those_that_the_codec_quantises():
    codec = EncodecModel(EncodecConfig(**CODEC)).eval()
    encoder = build("encodec")
    fill_codebooks(codec)
    encoder.codec.encoder = codec.encoder
    x = torch.from_numpy(sound(1000))[None]
    with torch.no_grad():
        latents = encoder.encode(x).transpose(1, 2)
        ours = codec.quantizer.encode(latents, CODEC["target_bandwidths"][0])
        theirs = codec.encode(x[:, None]).audio_codes[0].transpose(0, 1)
    assert torch.equal(ours, theirs)
    assert len(ours.unique()) > 3


def test_a_stereo_codec_in_chunks_hears_mono():
    codec = {**CODEC, "audio_channels": 2, "chunk_length_s": 0.25, "overlap": 0.01}
    codec |= {"normalize": True, "norm_type": "time_group_norm", "use_causal_conv": False}
    config = encoder_config("encodec", codec_config=codec)
    encoder = build_encoder(config).eval()
    with torch.no_grad():
        frames = encoder(torch.from_numpy(sound(1010))[None])
        first = encoder(torch.from_numpy(sound(1010))[None, :400])
    assert frames.shape[1] == config.num_frames(1010) == 51
    torch.testing.assert_close(frames[:, :20], first)  # a chunk does not see its neighbours


@pytest.mark.parametrize("layer", [0, 1, 2, 3])
def test_musicgen_frames_are_the_hidden_states_of_the_whole_model(layer):
    torch.manual_seed(1)
    whole = MusicgenForCausalLM(MusicgenDecoderConfig(**DECODER)).eval()
    encoder = build("musicgen", layer=layer)
    encoder.decoder.load_state_dict(whole.model.decoder.state_dict(), strict=False)
    x = torch.from_numpy(sound(400))[None]
    with torch.no_grad():
        codes = encoder.encode_codes(x)
        ours = encoder.read_codes(codes)
        n = codes.shape[-1]
        steps = torch.full((2, n + 2), 16)  # the delay pattern by hand, for two codebooks
        steps[0, 1 : n + 1], steps[1, 2 : n + 2] = codes[0, 0], codes[0, 1]
        theirs = whole(input_ids=steps, output_hidden_states=True).hidden_states[layer]
    torch.testing.assert_close(ours, theirs[:, 2:])
    assert encoder.config.width == ours.shape[-1]


def test_musicgen_reads_long_audio_in_windows():
    encoder = build("musicgen", window_s=0.5)  # 40 frames
    values = torch.from_numpy(sound(2000))[None]
    with torch.no_grad():
        codes = encoder.encode_codes(values)
        frames = encoder(values)
        second = encoder.read_codes(codes[..., 40:80])
    assert frames.shape[1] == 100
    torch.testing.assert_close(frames[:, 40:80], second)


@pytest.mark.parametrize("layer", [9, -9])
def test_musicgen_refuses_a_layer_it_has_not(layer):
    with pytest.raises(ConfigError, match=r"is not one of 0 \.\.\. 3"):
        tiny_encoder_config("musicgen", layer=layer)


def tiny_musicgen():
    torch.manual_seed(2)
    text = T5Config(vocab_size=20, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2)
    config = MusicgenConfig(
        text_encoder=text.to_dict() | {"model_type": "t5"},
        audio_encoder=EncodecConfig(**CODEC).to_dict() | {"model_type": "encodec"},
        decoder=MusicgenDecoderConfig(**DECODER).to_dict(),
    )
    return MusicgenForConditionalGeneration(config)


def test_parts_are_loaded_from_a_saved_codec_and_a_saved_musicgen(tmp_path):
    codec = EncodecModel(EncodecConfig(**CODEC))
    codec.save_pretrained(tmp_path / "codec")
    musicgen = tiny_musicgen()
    musicgen.save_pretrained(tmp_path / "musicgen")

    config = encoder_config("encodec", pretrained=str(tmp_path / "codec"))
    assert (config.sample_rate, config.width) == (1600, 8)
    loaded = build_encoder(config, load_pretrained=True)
    for key, value in codec.encoder.state_dict().items():
        assert torch.equal(loaded.codec.encoder.state_dict()[key], value), key

    config = encoder_config("musicgen", pretrained=str(tmp_path / "musicgen"), layer=2)
    loaded = build_encoder(config, load_pretrained=True)
    assert len(loaded.decoder.layers) == 2
    theirs = musicgen.decoder.model.decoder.layers[1].fc1.weight
    assert torch.equal(loaded.decoder.layers[1].fc1.weight, theirs)
    again = AutoModel.from_config(config)
    assert again.state_dict().keys() == loaded.state_dict().keys()


def test_a_codec_in_the_older_key_style_loads(tmp_path):
    codec = EncodecModel(EncodecConfig(**CODEC))
    codec.save_pretrained(tmp_path)
    old = {
        key.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): value
        for key, value in load_file(tmp_path / "model.safetensors").items()
    }
    assert any(key.endswith("weight_g") for key in old)
    save_file(old, tmp_path / "model.safetensors", metadata={"format": "pt"})
    config = encoder_config("encodec", pretrained=str(tmp_path))
    loaded = build_encoder(config, load_pretrained=True)
    for key, value in codec.encoder.state_dict().items():
        assert torch.equal(loaded.codec.encoder.state_dict()[key], value), key


def test_missing_weights_of_a_part_are_named(tmp_path):
    EncodecModel(EncodecConfig(**CODEC)).save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    weights.pop("encoder.layers.0.conv.bias")
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    config = encoder_config("encodec", pretrained=str(tmp_path))
    with pytest.raises(CheckpointError, match=r"encoder\.layers\.0\.conv\.bias"):
        build_encoder(config, load_pretrained=True)


def test_a_part_that_cannot_be_found_is_an_error(tmp_path):
    with pytest.raises(CheckpointError, match="nowhere"):
        encoder_config("encodec", pretrained=str(tmp_path / "nowhere"))
    config = tiny_encoder_config("encodec", pretrained=str(tmp_path / "nowhere"))
    with pytest.raises(CheckpointError, match="nowhere"):
        build_encoder(config, load_pretrained=True)


def test_another_codec_than_configured_is_refused(tmp_path):
    EncodecModel(EncodecConfig(**{**CODEC, "hidden_size": 16})).save_pretrained(tmp_path)
    config = tiny_encoder_config("encodec", pretrained=str(tmp_path))
    with pytest.raises(CheckpointError, match="hidden_size 16, the configuration says 8"):
        build_encoder(config, load_pretrained=True)


def test_bad_names_and_settings_are_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'musicgen'"):
        encoder_config("musicgn")
    with pytest.raises(ConfigError, match="no setting 'laier'"):
        encoder_config("musicgen", laier=3)
    with pytest.raises(ConfigError, match="needs 'encoder'"):
        config_from_dict({"width": 3})
    with pytest.raises(ConfigError, match="above 0 Hz"):
        encoder_config("encodec", target_frame_rate=0.0)


def test_wrong_shapes_are_refused():
    encoder = build("encodec")
    with pytest.raises(AudioError, match=r"takes waveforms \(batch, n_samples\)"):
        encoder(torch.zeros(1, 2, 3))
    with pytest.raises(AudioError, match="must have the shape"):
        encoder(torch.zeros(1, 30), torch.ones(1, 20, dtype=torch.bool))


def test_listing_encoders_loads_no_torch():
    code = "import sys; from llark_py import catalog; catalog.names('encoders')"
    code += "; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
