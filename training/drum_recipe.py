"""The recipe of the drum network, as validated settings."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from .fit_settings import FitSettings


class DrumRecipe(FitSettings):
    """The network of `transcribe_drums`: its clips, how it is fitted, where it is put."""

    kind: Literal["drums"] = "drums"
    work_dir: Path = Path("runs/drums")
    output_dir: Path = Path("runs/drums/model")
    seed: int = Field(0, ge=0)
    n: int = Field(700, ge=1)
    """Clips of composed music, with what else plays."""
    n_loose: int = Field(1_000, ge=1)
    """Clips of drums alone that leave the grooves of the composer."""
    n_dev: int = Field(150, ge=4)
    """Clips of each of the two kinds that thresholds and confidence are fitted on."""
    init_from: Path | None = None
    """Folder of a network to go on from; `kept_share`: how far towards the fitted weights to go."""
    kept_share: float = Field(1.0, gt=0, le=1)
    reader_epochs: int = Field(12, ge=1)
    """Of the second look at strokes, when the network is fitted."""
    seconds: float = Field(10.0, ge=6.0)
    soundfonts: list[str] = ["fluid", "musescore"]
    shard_size: int = Field(50, ge=1)
    workers: int = Field(0, ge=0)
    """Processes that render; 0 = one a core."""

    @model_validator(mode="after")
    def _check_kept(self) -> DrumRecipe:
        if not self.init_from and self.kept_share < 1:
            raise ValueError("kept_share needs init_from: weights worth keeping")
        return self
