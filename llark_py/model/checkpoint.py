"""Loading, saving, and putting together a new model from an encoder and a language model."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.utils import cached_file

from llark_py.encoders import build_encoder
from llark_py.encoders.base import AudioEncoderConfig
from llark_py.encoders.base_weights import load_complete, load_config
from llark_py.errors import CheckpointError, ConfigError

from .configuration import LlarkConfig
from .feature_extraction import LlarkFeatureExtractor
from .modeling import LlarkForConditionalGeneration
from .precision import bf16_is_fast
from .processing import AUDIO_TOKENS, LlarkProcessor
from .projector import LlarkProjector

if TYPE_CHECKING:
    from peft import PeftModel

_ADAPTER_FILE = "adapter_config.json"
_BASE_FILE = "base_config.json"


def load_model(
    name_or_path: str | Path,
    device: str | torch.device | None = None,
    dtype: str | torch.dtype | None = None,
) -> tuple[LlarkForConditionalGeneration | PeftModel, LlarkProcessor]:
    """Load a model and its processor.

    Args:
        name_or_path: A folder or Hub name, of a whole model or of an adapter made by `add_lora`
            (its base is loaded too: from where it lies, or built anew as it was for training).
        device: Where to put it; default: where torch puts it (the CPU).
        dtype: Of the weights; default: as they were saved, except that a device that is slow at
            bfloat16 (many CPUs) computes in float32.

    Returns:
        The model in evaluation mode (a `PeftModel` for an adapter), and the processor.

    Raises:
        CheckpointError: Something is missing (weights are named), unreadable or does not fit.
    """
    name = str(name_or_path)
    if dtype is None and not bf16_is_fast(torch.device(device or "cpu").type):
        dtype = torch.float32
    model = _load_adapter(name, dtype) if is_adapter(name) else _load(name, dtype)
    processor = _load_processor(name)
    if processor.audio_token_id != model.config.audio_token_id:
        raise CheckpointError(
            f"'{name}': the processor's audio token is {processor.audio_token_id}, "
            f"the model's is {model.config.audio_token_id}"
        )
    return (model.to(device) if device is not None else model).eval(), processor


def is_adapter(name_or_path: str | Path) -> bool:
    """Say whether a folder or Hub name holds an adapter and not a whole model."""
    return _has_file(str(name_or_path), _ADAPTER_FILE)


def save_model(
    model: LlarkForConditionalGeneration | PeftModel,
    processor: LlarkProcessor,
    folder: str | Path,
) -> None:
    """Save everything `load_model` needs: weights (of an adapter: only its own) and processor.

    An adapter on a model that was never saved keeps that model's configuration, so that it can be
    built again from the same language model and encoder.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if hasattr(model, "peft_config"):
        model.save_pretrained(folder, save_embedding_layers=False)
        model.config.to_json_file(folder / _BASE_FILE, use_diff=False)
    else:
        for part in (model.config.audio_config, model.config.text_config):
            if Path(part.name_or_path).is_dir():  # where it once lay on this machine
                part.name_or_path = ""
        model.save_pretrained(folder)
    processor.save_pretrained(folder)


def build_model(
    audio_config: AudioEncoderConfig,
    text: str | Path | PreTrainedConfig,
    tokenizer: Any = None,
    *,
    projector: str = "mlp",
    projector_hidden_size: int | None = None,
    chat_template: str | None = None,
    dtype: str | torch.dtype | None = None,
) -> tuple[LlarkForConditionalGeneration, LlarkProcessor]:
    """Put a new model together: an encoder, a language model, and a projector yet to be trained.

    Args:
        audio_config: Of any encoder; its weights are loaded when it names `pretrained` ones.
        text: Hub name or folder of a causal language model, or a configuration (random weights).
        tokenizer: Default: the one beside the language model. Gets the audio tokens it lacks.
        projector: `mlp` or `linear`.
        projector_hidden_size: See `LlarkConfig`.
        chat_template: Jinja; default: the language model's own.
        dtype: Of all weights; default: as the language model was saved (float32 if random).

    Raises:
        CheckpointError: Weights cannot be loaded.
        ConfigError: The language model does more after its hidden states than a linear head
            without bias (soft-capped or scaled logits), which this model class would lose.
    """
    torch_dtype = _torch_dtype(dtype)
    if isinstance(text, PreTrainedConfig):
        lm = AutoModelForCausalLM.from_config(text)
    else:
        lm = load_complete(AutoModelForCausalLM, str(text))
        tokenizer = tokenizer if tokenizer is not None else _load_tokenizer(str(text))
    if tokenizer is None:
        raise ConfigError("a language model from a configuration needs a tokenizer")
    if torch_dtype is not None:
        lm.to(torch_dtype)
    _add_audio_tokens(lm, tokenizer)
    processor = LlarkProcessor(
        LlarkFeatureExtractor(audio_config), tokenizer, chat_template=chat_template
    )
    config = LlarkConfig(
        audio_config=audio_config,
        # A copy: a composite configuration resets the attention choice of its parts.
        text_config=copy.deepcopy(lm.config),
        projector=projector,
        projector_hidden_size=projector_hidden_size,
        audio_token_id=processor.audio_token_id,
        audio_bos_token_id=processor.audio_bos_token_id,
        audio_eos_token_id=processor.audio_eos_token_id,
        text_pretrained=None if isinstance(text, PreTrainedConfig) else str(text),
    )
    model = _assemble(config, lm)
    model.generation_config = _generation_config(lm.generation_config, tokenizer)
    return model.eval(), processor


def _assemble(config: LlarkConfig, lm: PreTrainedModel) -> LlarkForConditionalGeneration:
    """Fill the frame of a model with real parts, without ever holding the weights twice."""
    sample = torch.arange(min(8, config.text_config.vocab_size), device=lm.device)[None]
    keep = sample != config.audio_token_id
    with torch.no_grad():
        expected = lm.eval()(sample[keep][None]).logits
    with torch.device("meta"):
        model = LlarkForConditionalGeneration(config)
    audio_config = cast(AudioEncoderConfig, config.audio_config)
    model.model.audio_tower = build_encoder(audio_config, load_pretrained=True)
    model.model.audio_tower.to(lm.device, lm.dtype)
    model.model.multi_modal_projector = LlarkProjector(config).to(lm.device, lm.dtype)
    model.model.language_model = lm.base_model
    model.lm_head = lm.get_output_embeddings()
    model.config.dtype = lm.dtype
    with torch.no_grad():
        found = model.eval()(sample[keep][None]).logits
    if not torch.allclose(found, expected, rtol=1e-3, atol=1e-4):
        raise ConfigError(
            f"{type(lm).__name__} changes its logits after the head (bias, scale or cap); "
            "LlarkForConditionalGeneration cannot stand in for it"
        )
    return model


def _add_audio_tokens(lm: PreTrainedModel, tokenizer: Any) -> None:
    """Make the audio tokens known; their rows begin as the mean of all others."""
    vocabulary = tokenizer.get_vocab()
    missing = [token for token in AUDIO_TOKENS if token not in vocabulary]
    if not missing:
        return
    known_rows = len(tokenizer)
    tokenizer.add_tokens(missing, special_tokens=True)
    if len(tokenizer) > lm.get_input_embeddings().weight.shape[0]:
        lm.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    ids = tokenizer.convert_tokens_to_ids(missing)
    with torch.no_grad():
        for layer in (lm.get_input_embeddings(), lm.get_output_embeddings()):
            layer.weight[ids] = layer.weight[:known_rows].float().mean(0).to(layer.weight.dtype)


def _generation_config(own: GenerationConfig, tokenizer: Any) -> GenerationConfig:
    """Keep how the language model ends and samples; fill in what it leaves open."""
    if own.eos_token_id is None:
        own.eos_token_id = tokenizer.eos_token_id
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    if own.pad_token_id is None:
        own.pad_token_id = tokenizer.pad_token_id
    return own


def _load(name: str, dtype: str | torch.dtype | None) -> LlarkForConditionalGeneration:
    config = load_config(AutoConfig, name)
    if not isinstance(config, LlarkConfig):
        raise CheckpointError(
            f"'{name}' is a {config.model_type} model, not a llark model; "
            "a language model becomes one by training (`llark train`)"
        )
    options = {} if dtype is None else {"dtype": _torch_dtype(dtype)}
    return load_complete(LlarkForConditionalGeneration, name, config=config, **options)


def _load_adapter(name: str, dtype: str | torch.dtype | None) -> PeftModel:
    # Here and not above: peft takes seconds to import, and most models have no adapter.
    from peft import PeftConfig, get_peft_model_state_dict
    from peft.utils import load_peft_weights

    from .lora import PeftModel

    adapter_config = load_config(PeftConfig, name)
    base_name = adapter_config.base_model_name_or_path
    base: LlarkForConditionalGeneration
    if base_name:
        beside = Path(name, base_name)
        base = _load(str(beside) if beside.is_dir() else base_name, dtype)
    elif _has_file(name, _BASE_FILE):
        base = _rebuild(name, dtype)
    else:
        raise CheckpointError(f"the adapter '{name}' does not say which model it belongs to")
    try:
        with warnings.catch_warnings(action="ignore", category=FutureWarning):
            model = PeftModel.from_pretrained(base, name)
        saved = set(load_peft_weights(name, device="cpu"))
    except KeyError as error:  # how peft says that modules_to_save are not in the file
        raise CheckpointError(f"the adapter '{name}' lacks {error}") from error
    except (OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"cannot load the adapter '{name}': {error}") from error
    needed = set(get_peft_model_state_dict(model, save_embedding_layers=False))
    if missing := sorted(needed - saved):
        raise CheckpointError(f"the adapter '{name}' lacks {', '.join(missing[:8])}")
    return model


def _rebuild(name: str, dtype: str | torch.dtype | None) -> LlarkForConditionalGeneration:
    """Build the base of an adapter again as `build_model` did (its projector is in the adapter)."""
    path = cached_file(name, _BASE_FILE)
    config = LlarkConfig.from_json_file(path)
    if config.text_pretrained is None:
        raise CheckpointError(
            f"the adapter '{name}' was trained on a model that was never saved; "
            "save that model first, then train the adapter on it"
        )
    model, _ = build_model(
        config.audio_config,
        config.text_pretrained,
        projector=config.projector,
        projector_hidden_size=config.projector_hidden_size,
        dtype=dtype if dtype is not None else config.dtype,
    )
    return model


def _load_processor(name: str) -> LlarkProcessor:
    try:
        return LlarkProcessor.from_pretrained(name)
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(f"cannot load the processor of '{name}': {error}") from error


def _load_tokenizer(name: str) -> Any:
    try:
        return AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot load the tokenizer of '{name}': {error}") from error


def _has_file(name: str, file: str) -> bool:
    if Path(name).is_dir():
        return Path(name, file).is_file()
    try:
        return cached_file(name, file, _raise_exceptions_for_missing_entries=False) is not None
    except OSError:  # the Hub cannot be reached: loading the weights will say so, in full
        return False


def _torch_dtype(dtype: str | torch.dtype | None) -> torch.dtype | None:
    if not isinstance(dtype, str):
        return dtype
    found = getattr(torch, dtype, None)
    if not isinstance(found, torch.dtype):
        raise ConfigError(f"no dtype '{dtype}'; try float32, bfloat16 or float16")
    return found
