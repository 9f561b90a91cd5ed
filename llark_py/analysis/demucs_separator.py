"""Separation by Demucs (Défossez, 2021; Rouard et al., 2023), where somebody has its weights.

Its package is not among ours, and its weights are nobody's here. `LLARK_SEPARATOR` names them: a
model of the package such as `htdemucs`, which it downloads, or the path of a checkpoint (`.th`).
Such a file may run code when it is read, as all pickles do: name only one whose source you trust.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from llark_py.audio import Audio
from llark_py.errors import CheckpointError, MissingExtraError

from .separator import like

if TYPE_CHECKING:
    from .listening import Progress

SETTING = "LLARK_SEPARATOR"
_OTHER = "other"
_TINY = 1e-8


def demucs_name() -> str | None:
    """Give the model or checkpoint of Demucs that the user set; None: the embedded separator."""
    return os.environ.get(SETTING, "").strip() or None


@lru_cache(maxsize=1)
def _load(name: str) -> Any:
    """Load a model by name or path.

    Raises:
        MissingExtraError: The package is not installed.
        CheckpointError: There is no such model, or it cannot be read.
    """
    try:
        from demucs.pretrained import get_model
        from demucs.states import load_model
    except ImportError as error:
        raise MissingExtraError("Demucs", "pip install demucs") from error
    path = Path(name).expanduser()
    try:
        return (load_model(path) if path.is_file() else get_model(name)).eval()
    # Pickles, downloads and foreign constructors fail in every way; demucs exits over some names.
    except (Exception, SystemExit) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CheckpointError(
            f"Demucs cannot load '{name}' ({SETTING}): {reason}; give the name of a model, such "
            f"as htdemucs, or the path of a checkpoint, or unset {SETTING}"
        ) from error


def separate_with_demucs(audio: Audio, name: str, progress: Progress) -> dict[str, Audio]:
    """Separate a recording into vocals, drums, bass and other.

    Args:
        audio: Any rate and number of channels.
        name: As `demucs_name` gives it.
        progress: Called with the fraction done and what is being done.

    Returns:
        Stem -> sound of the same length, rate and channels; what a model names beyond the four
        (guitar, piano) belongs to other.

    Raises:
        MissingExtraError: The package is not installed.
        CheckpointError: The model cannot be loaded, or separates other things.
    """
    import torch
    from demucs.apply import apply_model

    model = _load(name)
    if missing := {"vocals", "drums", "bass"} - set(model.sources):
        raise CheckpointError(
            f"'{name}' ({SETTING}) separates {', '.join(model.sources)}; it must know "
            f"{', '.join(sorted(missing))} too"
        )
    samples = np.atleast_2d(audio.resample(model.samplerate).samples)
    wanted = model.audio_channels
    if len(samples) != wanted:
        samples = np.repeat(samples.mean(0, keepdims=True), wanted, 0)
    mean, scale = samples.mean(), samples.std() + _TINY
    mixture = torch.from_numpy((samples - mean) / scale)[None]

    def told(state: dict[str, Any]) -> None:
        progress(min(1.0, state["segment_offset"] / samples.shape[1]), "separating")

    with torch.inference_mode():
        found = apply_model(model, mixture, callback=told, shifts=0)[0].numpy() * scale + mean
    parts: dict[str, np.ndarray] = {}
    for source, part in zip(model.sources, found, strict=True):
        stem = source if source in ("vocals", "drums", "bass") else _OTHER
        part = part.mean(0) if audio.n_channels == 1 else part[: audio.n_channels]
        parts[stem] = parts[stem] + part if stem in parts else part
    return {stem: like(Audio(part, model.samplerate), audio) for stem, part in parts.items()}
