"""The configuration of the whole model: encoder, projector, language model, audio tokens."""

from __future__ import annotations

from dataclasses import field
from typing import Any, ClassVar, Literal

from transformers import AutoConfig, PreTrainedConfig
from transformers.configuration_utils import SubConfigSpec

from llark_py.encoders import config_from_dict, encoder_config
from llark_py.encoders.base import AudioEncoderConfig
from llark_py.errors import ConfigError

PROJECTORS = ("linear", "mlp")


class LlarkConfig(PreTrainedConfig):
    """What a Llark model is made of.

    Attributes:
        audio_config: Configuration of any encoder of `llark_py.encoders`, or its dict.
        text_config: Configuration of any causal language model of transformers, or its dict.
        projector: `linear` (one matrix, as in LLark) or `mlp` (two with an activation between).
        projector_hidden_size: Width between the two matrices; None: that of the language model.
        projector_activation: Name of a transformers activation (`gelu`, `silu`, ...).
        audio_token_id: The placeholder; one stands in the text for every frame.
        audio_bos_token_id: Written before the placeholders of a recording; None: nothing is.
        audio_eos_token_id: Written after them; None: nothing is.
        text_pretrained: Hub name or folder the language model was taken from when the model was
            built; lets an adapter on an unsaved model be loaded again (`checkpoint.load_model`).
        tools: Names of the tools that the model was taught to call, and is offered; None: it
            reads the schemas of whatever it is offered.
        tool_results: By tool, the fields of its results that the model was taught to read, in
            order; it is shown all fields of other tools. What tools tell may grow so.
        tie_word_embeddings: Follows `text_config`.
    """

    model_type: ClassVar[str] = "llark"
    sub_configs_defaults: ClassVar[dict] = {
        # Of which encoder, __post_init__ finds out through our catalogue.
        "audio_config": SubConfigSpec(config_class=AudioEncoderConfig),
        "text_config": SubConfigSpec(config_class=AutoConfig, model_type="qwen2"),
    }

    audio_config: dict | PreTrainedConfig | None = None
    text_config: dict | PreTrainedConfig | None = None
    projector: Literal["linear", "mlp"] = "mlp"
    projector_hidden_size: int | None = None
    projector_activation: str = "gelu"
    audio_token_id: int | None = None
    audio_bos_token_id: int | None = None
    audio_eos_token_id: int | None = None
    text_pretrained: str | None = None
    tools: list[str] | None = None
    tool_results: dict[str, list[str]] = field(default_factory=dict)
    tie_word_embeddings: bool = False

    def __post_init__(self, **kwargs: Any) -> None:
        if self.audio_config is None:
            self.audio_config = encoder_config("encodec")
        elif isinstance(self.audio_config, dict):
            self.audio_config = config_from_dict(self.audio_config)
        if not isinstance(self.audio_config, AudioEncoderConfig):
            raise ConfigError(
                "audio_config must be the configuration of an encoder of llark_py.encoders, "
                f"not {type(self.audio_config).__name__}"
            )
        if self.projector not in PROJECTORS:
            raise ConfigError(f"no projector '{self.projector}'. Known: {', '.join(PROJECTORS)}")
        super().__post_init__(**kwargs)
        self.tie_word_embeddings = bool(getattr(self.text_config, "tie_word_embeddings", False))

    def check_tokens(self) -> None:
        """Refuse audio tokens that the language model has no row for.

        Raises:
            ConfigError: `audio_token_id` is unset, or an id is outside the vocabulary.
        """
        rows = self.text_config.vocab_size
        if self.audio_token_id is None:
            raise ConfigError("audio_token_id must be set: the id of the audio placeholder")
        for name in ("audio_token_id", "audio_bos_token_id", "audio_eos_token_id"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < rows:
                raise ConfigError(f"{name} {value} is outside the vocabulary of {rows} tokens")
