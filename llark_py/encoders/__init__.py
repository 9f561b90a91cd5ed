"""Encoders: from a waveform to frames. One encoder a file; the file's name is its name.

The functions here find an encoder through the catalogue and tell transformers about it. Importing
the room loads no torch.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llark_py import catalog
from llark_py.errors import ConfigError

if TYPE_CHECKING:
    from types import ModuleType

    from .base import AudioEncoder, AudioEncoderConfig

# A file with an underscore in its name is a piece of the encoder before the underscore.
NOT_PARTS = ("base", *(m.name for m in pkgutil.iter_modules(__path__) if "_" in m.name))

_PREFIX, _SUFFIX = "llark_", "_encoder"


def load_encoder_module(name: str) -> ModuleType:
    """Import an encoder's file and register its classes with AutoConfig and AutoModel.

    Raises:
        UnknownNameError: No encoder has that name.
        ConfigError: The file breaks the room's contract.
    """
    from transformers import AutoConfig, AutoModel

    part = catalog.load("encoders", name)
    if part.Config.encoder != name:
        raise ConfigError(
            f"{part.__name__}.Config.encoder is '{part.Config.encoder}', not '{name}'"
        )
    AutoConfig.register(part.Config.model_type, part.Config, exist_ok=True)
    AutoModel.register(part.Config, part.Encoder, exist_ok=True)
    return part


def encoder_config(name: str, **settings: Any) -> AudioEncoderConfig:
    """Make an encoder's configuration by name.

    Args:
        name: A file of this room: `encodec`, `musicgen`, `mini`, `precomputed`.
        **settings: The fields of that encoder's `Config`. With `pretrained` (a Hub name or a
            folder) and no sizes given, the sizes are read from there.

    Raises:
        UnknownNameError: No encoder has that name.
        CheckpointError: `pretrained` cannot be read.
        ConfigError: A setting is not a field of that configuration.
    """
    config_class = load_encoder_module(name).Config
    known = set(config_class.__dataclass_fields__)
    if unknown := sorted(set(settings) - known):
        raise ConfigError(f"encoder '{name}' has no setting {', '.join(map(repr, unknown))}")
    if settings.get("pretrained") is not None:
        return config_class.from_parts(**settings)
    return config_class(**settings)


def config_from_dict(values: Mapping[str, Any]) -> AudioEncoderConfig:
    """Read an encoder's configuration from its saved form (`config.to_dict()`).

    Raises:
        ConfigError: The dict names no encoder.
        UnknownNameError: It names one that is not in this room.
    """
    name = values.get("encoder")
    if not name:
        model_type = str(values.get("model_type", ""))
        if not (model_type.startswith(_PREFIX) and model_type.endswith(_SUFFIX)):
            raise ConfigError("an audio configuration needs 'encoder', the name of an encoder")
        name = model_type[len(_PREFIX) : -len(_SUFFIX)]
    settings = {key: value for key, value in values.items() if key != "model_type"}
    return load_encoder_module(name).Config.from_dict(settings)


def build_encoder(config: AudioEncoderConfig, *, load_pretrained: bool = False) -> AudioEncoder:
    """Build the network of a configuration.

    Args:
        config: Of any encoder of this room.
        load_pretrained: Take the weights from `config.pretrained`; otherwise they are random, to
            be filled by `from_pretrained` of the whole model.

    Raises:
        CheckpointError: The weights cannot be loaded.
    """
    encoder = load_encoder_module(config.encoder).Encoder(config)
    if load_pretrained and config.pretrained is not None:
        encoder.load_parts()
    return encoder
