"""Loads someone else's weights and configurations for the encoders that wrap them."""

from __future__ import annotations

from typing import Any

from safetensors import SafetensorError

from llark_py.errors import CheckpointError


def load_complete(model_class: Any, name_or_path: str, **options: Any) -> Any:
    """Load weights by Hub name or folder, and refuse to go on with any of them missing.

    `from_pretrained` fills what a file lacks with random numbers and a warning; here that is an
    error.

    Args:
        model_class: A transformers model or auto class.
        name_or_path: Hub name or local folder.
        **options: For `from_pretrained` (`dtype`, ...).

    Raises:
        CheckpointError: The weights cannot be found or read, lack keys or have other shapes.
    """
    try:
        model, info = model_class.from_pretrained(name_or_path, output_loading_info=True, **options)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        if isinstance(error, CheckpointError):
            raise
        reason = " ".join(str(error).split())  # on one line, as the command line prints it
        raise CheckpointError(
            f"cannot load {model_class.__name__} from '{name_or_path}': {reason}"
        ) from error
    if missing := sorted({*info["missing_keys"], *map(str, info["mismatched_keys"])}):
        raise CheckpointError(
            f"'{name_or_path}' lacks {len(missing)} weights of {type(model).__name__}: "
            + ", ".join(missing[:8])
            + (", ..." if len(missing) > 8 else "")
        )
    return model


def load_config(config_class: Any, name_or_path: str) -> Any:
    """Read a configuration by Hub name or folder.

    Raises:
        CheckpointError: It cannot be found or read.
    """
    try:
        return config_class.from_pretrained(name_or_path)
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"cannot read the configuration of '{name_or_path}': {error}"
        ) from error
