"""Other models that hear, through their own classes in transformers.

Qwen2-Audio hears the first 30 s, Audio Flamingo 3 ten minutes, Music Flamingo twenty.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llark_py.audio import Audio
from llark_py.errors import AudioError, CheckpointError, ConfigError

from .asking import InTurn, Said

CLASSES = {
    "qwen2_audio": "Qwen2AudioForConditionalGeneration",
    "audioflamingo3": "AudioFlamingo3ForConditionalGeneration",
    "musicflamingo": "MusicFlamingoForConditionalGeneration",
}
"""Classes of transformers by model type."""
_MAX_NEW_TOKENS = 512


def is_audio_model(name: str) -> bool:
    """Tell whether a folder or Hub name holds a model of `CLASSES`."""
    return _model_type(name) in CLASSES


def _model_type(name: str) -> str:
    from transformers import PreTrainedConfig

    try:
        config, _ = PreTrainedConfig.get_config_dict(name)
    except (OSError, ValueError):
        return ""  # not a model of transformers, or not there: its loader says so
    return config.get("model_type", "")


class AudioModel(InTurn):
    """A model that hears and answers in words, greedily.

    Args:
        model: Of one of `CLASSES`, in evaluation mode.
        processor: Its processor, with a chat template.
        name: What it is called in reports.
    """

    def __init__(self, model: Any, processor: Any, name: str):
        self._model, self._processor = model, processor
        self._rate: int = processor.feature_extractor.sampling_rate
        self.settings: dict[str, Any] = {
            "model": name,
            "model_type": model.config.model_type,
            "tools": [],
        }

    @classmethod
    def load(cls, name: str, *, tools: bool = False) -> AudioModel:
        """Load a model, onto a CUDA card if there is one.

        Args:
            name: A folder or Hub name.
            tools: Refused: these models call none.

        Raises:
            CheckpointError: The weights are missing or do not fit.
            ConfigError: Tools are wanted.
        """
        import torch
        import transformers

        if tools:
            raise ConfigError(f"'{name}' calls no tools; leave out --tools")
        kind = getattr(transformers, CLASSES[_model_type(name)])
        device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            model = kind.from_pretrained(name).to(device).eval()
            processor = transformers.AutoProcessor.from_pretrained(name)
        except (OSError, ValueError, RuntimeError) as error:
            raise CheckpointError(f"'{name}' cannot be loaded: {error}") from error
        if not processor.chat_template:
            raise CheckpointError(f"'{name}' has no chat template")
        answerer = cls(model, processor, name)
        from .answerers import weights_hash

        answerer.settings["weights"] = weights_hash(Path(name))
        return answerer

    def answer(self, prompt: str, audio: Audio | None) -> Said:
        """Answer a question about a recording, or one without.

        Raises:
            AudioError: The model's own code cannot take this recording.
        """
        try:
            return Said(self._answer(prompt, audio))
        except (RuntimeError, ValueError) as error:
            name = self.settings["model"]
            raise AudioError(f"'{name}' cannot answer about this recording: {error}") from error

    def _answer(self, prompt: str, audio: Audio | None) -> str:
        import torch

        words = {"type": "text", "text": prompt}
        items = [words] if audio is None else [{"type": "audio"}, words]
        chat = [{"role": "user", "content": items}]
        text = self._processor.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
        heard: dict[str, Any] = {}
        if audio is not None:
            samples = audio.mono().resample(self._rate).samples
            heard = {"audio": [samples], "sampling_rate": self._rate}
        inputs = self._processor(text=[text], return_tensors="pt", **heard)
        # These classes do not cast features to the type of their weights themselves.
        weight = next(self._model.parameters())
        inputs = {
            name: tensor.to(weight.device, weight.dtype if tensor.is_floating_point() else None)
            for name, tensor in inputs.items()
        }
        with torch.inference_mode():
            output = self._model.generate(**inputs, max_new_tokens=_MAX_NEW_TOKENS, do_sample=False)
        new = output[0, inputs["input_ids"].shape[1] :]
        return self._processor.tokenizer.decode(new, skip_special_tokens=True).strip()
