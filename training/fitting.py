"""What every stage shares: Trainer arguments from a recipe, resuming, precision, threads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset, Sampler, SequentialSampler
from transformers import Trainer, TrainerCallback, TrainingArguments

from llark_py.model.precision import bf16_is_fast

from .fit_settings import FitSettings
from .muon import Muon, parameter_groups

_STATE = "trainer_state.json"  # what the Trainer writes last into a checkpoint


def use_bf16(precision: str) -> bool:
    """Tell whether to compute in bfloat16; `auto` asks the hardware."""
    if precision != "auto":
        return precision == "bf16"
    return bf16_is_fast("cuda" if torch.cuda.is_available() else "cpu")


class Indices(Dataset):
    """Numbers 0 .. n - 1: the collator makes the batch from them, with its own augmentation."""

    def __init__(self, n: int):
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> int:
        return index


class Steps(Indices):
    """Numbers of steps, in order: the collator is given one and makes that step's whole batch.

    A batch that depends on its number alone is the same whether the run was stopped before it or
    not, and none comes twice after a stop.
    """


Loss = Callable[..., torch.Tensor]  # of (module, batch)


class _Trainer(Trainer):
    """A Trainer that may be given the loss of a batch, and knows Muon and `Steps`."""

    optimizer: Any

    def __init__(self, *args: Any, loss: Loss | None, muon: bool, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.loss, self.muon = loss, muon
        if loss is not None:
            self.model_accepts_loss_kwargs = False  # a mean over the batch, not over the step

    def create_optimizer(self, model=None):
        if self.muon and self.optimizer is None:
            groups = parameter_groups(model or self.model, self.args.weight_decay)
            betas = (self.args.adam_beta1, self.args.adam_beta2)
            dtype = torch.bfloat16 if self.args.bf16 else torch.float32
            self.optimizer = Muon(groups, self.args.learning_rate, betas=betas, dtype=dtype)
        return super().create_optimizer(model)

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Sampler | None:
        dataset = train_dataset or self.train_dataset
        if isinstance(dataset, Steps):
            return SequentialSampler(dataset)
        return super()._get_train_sampler(train_dataset)

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        if self.loss is None:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        loss = self.loss(model, inputs)
        return (loss, {}) if return_outputs else loss


def last_checkpoint(folder: Path) -> Path | None:
    """Find the latest whole checkpoint; one whose writing was cut short does not count."""
    for path in sorted(folder.glob("checkpoint-*"), key=_step_of, reverse=True):
        try:
            json.loads((path / _STATE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        return path
    return None


def _step_of(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def fit(
    module: torch.nn.Module,
    dataset: Dataset,
    collate: Callable[[list[Any]], dict[str, Any]],
    settings: FitSettings,
    folder: Path,
    seed: int,
    callbacks: list[TrainerCallback] | None = None,
    loss: Loss | None = None,
) -> Trainer:
    """Fit a module on `transformers.Trainer`, going on from the last checkpoint in `folder`.

    Args:
        module: `module(**batch)` returns a dict or output with `loss`.
        dataset: What the collator gets items of; of `Steps` one at a time, in order.
        collate: Items to a batch of keyword arguments.
        settings: Steps, batch size, learning rate, precision.
        folder: Checkpoints go here; an earlier one of the same stage is resumed.
        seed: Of sampling and dropout.
        callbacks: Of the Trainer.
        loss: Computes the loss of a batch; the module's own when None.

    Returns:
        The trainer, after its last step.
    """
    if settings.threads:
        torch.set_num_threads(settings.threads)
    accelerated = torch.cuda.is_available() or torch.backends.mps.is_available()
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=settings.steps,
        per_device_train_batch_size=1 if isinstance(dataset, Steps) else settings.batch_size,
        gradient_accumulation_steps=settings.gradient_accumulation_steps,
        # The name that transformers 5.0 knows; newer versions warn wherever it is given.
        **({"gradient_checkpointing": True} if settings.gradient_checkpointing else {}),
        learning_rate=settings.learning_rate,
        warmup_steps=settings.warmup_steps,
        lr_scheduler_type="cosine",
        weight_decay=settings.weight_decay,
        adam_beta2=0.98,
        bf16=use_bf16(settings.precision),
        use_cpu=not accelerated,
        seed=seed,
        save_steps=settings.save_steps,
        save_total_limit=1,
        logging_steps=max(1, settings.steps // 60),
        report_to=[],
        remove_unused_columns=False,
        dataloader_pin_memory=accelerated,
        dataloader_num_workers=settings.batch_workers,
        label_names=[],
    )
    trainer = _Trainer(
        model=module,
        args=arguments,
        train_dataset=dataset,
        data_collator=collate,
        callbacks=callbacks,
        loss=loss,
        muon=settings.optimizer == "muon",
    )
    last = last_checkpoint(folder)
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    return trainer
