"""How a stage of a training is optimised, as recipes say it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from llark_py.config import Settings


class FitSettings(Settings):
    """How a stage is optimised (linear warm-up, cosine decay)."""

    optimizer: Literal["adamw", "muon"] = "adamw"
    """`muon` moves hidden matrices by orthogonalised momentum, everything else by AdamW."""
    steps: int = Field(1_000, ge=1)
    batch_size: int = Field(48, ge=1)
    learning_rate: float = Field(1e-3, gt=0)
    warmup_steps: int = Field(100, ge=0)
    weight_decay: float = Field(0.05, ge=0)
    save_steps: int = Field(250, ge=1)
    gradient_accumulation_steps: int = Field(1, ge=1)
    gradient_checkpointing: bool = False
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """`auto`: bf16 where the hardware multiplies it, else fp32."""
    threads: int = Field(0, ge=0)
    """CPU threads of torch; 0 = as torch likes."""
    batch_workers: int = Field(0, ge=0)
    """Processes that make the next batches during a step; 0 = they are made between the steps."""
