"""Trains the tokenizer of `mini`: byte-level BPE in which every digit stands alone.

Digits and pieces of JSON are always cut in the same way, so that copying a number from a tool's
result into a sentence is copying tokens.
"""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from llark_py.prompting import read_prompt

PAD, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
AUDIO, AUDIO_BOS, AUDIO_EOS = "<|audio|>", "<|audio_bos|>", "<|audio_eos|>"
SPECIAL_TOKENS = (
    PAD,
    START,
    END,
    AUDIO,
    AUDIO_BOS,
    AUDIO_EOS,
    "<tool_call>",
    "</tool_call>",
    "<tool_response>",
    "</tool_response>",
)
VOCAB_SIZE = 4096

# In order: the space before a pitch name, and the pitch name, of a key or note ("F#" in "F# minor"
# and "F#3"), so that it is the same tokens after a quote and after a word; words and identifiers
# with their leading space; digits one by one, and the space before one; runs of marks, which so
# never join the words or digits beside them.
_PITCH = r"[A-G][#b]?(?=-?\d| (?:major|minor)\b)"
_SPLIT = Regex(
    rf" (?={_PITCH})|(?<![\p{{L}}]){_PITCH}"
    r"| ?[\p{L}_](?:['’]?[\p{L}\p{M}_])*|\p{N}| (?=\p{N})|#| ?[^\s\p{L}\p{N}_#]+|\n|\s+"
)


def train_tokenizer(texts: Iterable[str], vocab_size: int = VOCAB_SIZE) -> PreTrainedTokenizerFast:
    """Train the tokenizer on rendered dialogues; the same texts give the same tokenizer.

    Args:
        texts: What the model will read and write.
        vocab_size: Greatest number of tokens, the special ones and 256 bytes included.

    Returns:
        A tokenizer with mini's chat template; `<|im_end|>` ends a turn, `<|endoftext|>` pads.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(_SPLIT, behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        min_frequency=2,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        extra_special_tokens=[t for t in SPECIAL_TOKENS if t not in (END, PAD)],
        chat_template=read_prompt("mini_chat_template.jinja"),
        clean_up_tokenization_spaces=False,
        model_max_length=8192,
    )
