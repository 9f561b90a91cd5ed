"""Tiny random parts of the real classes, for the tests of model, encoders and LoRA."""

from __future__ import annotations

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import EncodecModel, LlamaConfig, PreTrainedTokenizerFast, Qwen2Config
from transformers.models.encodec.modeling_encodec import EncodecResidualVectorQuantizer

from llark_py.encoders import encoder_config
from llark_py.model.checkpoint import build_model

SPECIAL_TOKENS = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|audio|>",
    "<|audio_bos|>",
    "<|audio_eos|>",
    "<tool_call>",
    "</tool_call>",
    "<tool_response>",
    "</tool_response>",
]
CORPUS = [
    "How fast is the song? It is 120 beats per minute in 4/4.",
    "Which key is it in? The key is F major, with a piano and drums.",
    "Describe the music: a slow waltz for strings, sad and quiet.",
]
# As a music assistant's template: it knows audio items and marks what the assistant says.
CHAT_TEMPLATE = """\
{%- if tools %}<|im_start|>system
Tools: {% for t in tools %}{{ t.function.name }} {% endfor %}<|im_end|>
{% endif -%}
{%- for message in messages -%}
<|im_start|>{{ message.role }}
{% if message.role == 'assistant' -%}
{% generation %}{{ message.content }}{% for call in message.tool_calls or [] %}<tool_call>
{{ call.function | tojson }}
</tool_call>{% endfor %}<|im_end|>{% endgeneration %}{{ '\n' }}
{%- else -%}
{%- if message.content is string %}{{ message.content }}
{%- else -%}
{%- for item in message.content -%}
{%- if item.type == 'audio' %}<|audio|>
{% else %}{{ item.text }}{% endif -%}
{%- endfor -%}
{%- endif -%}
<|im_end|>
{% endif -%}
{%- endfor -%}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif -%}"""
# As a text-only language model's own template: strings only, no marks.
TEXT_TEMPLATE = """\
{%- for message in messages -%}
{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif -%}"""

CODEC = {
    "sampling_rate": 1600,
    "hidden_size": 8,
    "num_filters": 4,
    "num_lstm_layers": 1,
    "upsampling_ratios": [5, 4],
    "codebook_size": 16,
    "target_bandwidths": [1.28],
}
DECODER = {
    "vocab_size": 16,
    "hidden_size": 12,
    "num_hidden_layers": 3,
    "ffn_dim": 16,
    "num_attention_heads": 2,
    "num_codebooks": 2,
    "pad_token_id": 16,
    "bos_token_id": 16,
    "max_position_embeddings": 256,
}
SIZES = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}


def tiny_tokenizer(special_tokens=SPECIAL_TOKENS, chat_template=CHAT_TEMPLATE):
    """Train a byte-level BPE of a few hundred tokens that carries the special tokens."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=list(special_tokens),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(CORPUS, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=chat_template,
    )


def tiny_encoder_config(name="encodec", **settings):
    """Configure an encoder of some thousand weights at 1600 Hz, 80 frames a second."""
    if name == "encodec":
        return encoder_config(name, codec_config=dict(CODEC), **settings)
    if name == "musicgen":
        parts = {"codec_config": dict(CODEC), "decoder_config": dict(DECODER)}
        return encoder_config(name, **parts, **settings)
    return encoder_config(name, width=8, frame_rate=10.0, **settings)


def tiny_text_config(family="qwen2", vocab_size=320, tied=True):
    """Configure a two-layer language model of a real family."""
    kind = {"qwen2": Qwen2Config, "llama": LlamaConfig}[family]
    # Larger initial weights than usual, so that differences in the input show in the output.
    return kind(vocab_size=vocab_size, tie_word_embeddings=tied, initializer_range=0.2, **SIZES)


def tiny_model(encoder="encodec", family="qwen2", tied=True, seed=0, **settings):
    """Build a whole tiny model and its processor with random weights."""
    torch.manual_seed(seed)
    audio_config = tiny_encoder_config(encoder, **settings)
    tokenizer = tiny_tokenizer()
    text_config = tiny_text_config(family, len(tokenizer), tied)
    model, processor = build_model(audio_config, text_config, tokenizer)
    fill_codebooks(model)
    return model, processor


def fill_codebooks(model):
    """Fill the codebooks of every codec in a model, all zeros when new, so that codes vary.

    The first takes latents of noise as its entries, the others small numbers of that spread.
    """
    for codec in [m for m in model.modules() if isinstance(m, EncodecModel)]:
        if not isinstance(codec.quantizer, EncodecResidualVectorQuantizer):
            continue
        size, hop = codec.config.codebook_size, codec.config.hop_length
        with torch.no_grad():
            latents = codec.encoder(torch.from_numpy(sound(size * hop, seed=9))[None, None])[0].T
            spread = latents.std(0).mean()
            for i, layer in enumerate(codec.quantizer.layers):
                entries = latents if i == 0 else spread * torch.randn_like(latents)
                layer.codebook.embed.copy_(entries)


def sound(n_samples=800, seed=0):
    """Make noise, float32 (n_samples,)."""
    return np.random.default_rng(seed).normal(0, 0.3, n_samples).astype(np.float32)


def question(text="How fast is it?", n_audio=1):
    """Ask about recordings, as a chat."""
    items = [{"type": "audio", "id": f"audio_{i + 1}"} for i in range(n_audio)]
    return [{"role": "user", "content": [*items, {"type": "text", "text": text}]}]
