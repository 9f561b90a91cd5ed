"""The model: an encoder, a projector and a language model, as transformers expects them.

Importing this room loads torch and tells transformers' auto classes about the model.
"""

from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoModel,
    AutoModelForMultimodalLM,
    AutoProcessor,
)

from .configuration import LlarkConfig
from .feature_extraction import LlarkFeatureExtractor
from .modeling import LlarkForConditionalGeneration, LlarkModel, LlarkPreTrainedModel
from .processing import LlarkProcessor

AutoConfig.register(LlarkConfig.model_type, LlarkConfig, exist_ok=True)
AutoModel.register(LlarkConfig, LlarkModel, exist_ok=True)
AutoModelForMultimodalLM.register(LlarkConfig, LlarkForConditionalGeneration, exist_ok=True)
AutoFeatureExtractor.register(LlarkConfig, LlarkFeatureExtractor, exist_ok=True)
AutoProcessor.register(LlarkConfig, LlarkProcessor, exist_ok=True)

__all__ = [
    "LlarkConfig",
    "LlarkFeatureExtractor",
    "LlarkForConditionalGeneration",
    "LlarkModel",
    "LlarkPreTrainedModel",
    "LlarkProcessor",
]
