"""Muon: hidden matrices move by orthogonalised momentum, everything else by AdamW.

The momentum of a matrix is replaced by the nearest matrix whose singular values are all about 1
(Jordan et al., 2024, "Muon"), so that every direction is learned at one pace. Its length is then
made that of an AdamW step (Liu et al., 2025, "Muon is scalable for LLM training"), so that one
learning rate and one weight decay serve both. `torch.optim.Muon` multiplies in bfloat16, which
CPUs without such units do seven times slower than float32 (and others four times faster); here the
number format is the trainer's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

# A quintic that takes singular values of (0, 1] to about [0.7, 1.2] in five rounds.
_QUINTIC = (3.4445, -4.7750, 2.0315)
_ROUNDS = 5
_ADAMW_RMS = 0.2  # of a usual AdamW step, in learning rates
_TINY = 1e-7
# What stands between numbers and classes or words: each row has a meaning of its own.
_OUTER = re.compile(r"embed|head|concept|clock")


def orthogonalise(matrix: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Bring all singular values of a matrix near 1 by Newton-Schulz iteration.

    Args:
        matrix: `(rows, columns)`, any float dtype.
        dtype: What is multiplied in.

    Returns:
        The same shape, float32; its singular vectors are those of `matrix`.
    """
    a, b, c = _QUINTIC
    x = matrix.float()
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.T
    x = (x / (x.norm() + _TINY)).to(dtype)
    for _ in range(_ROUNDS):
        square = x @ x.T
        mixed = torch.addmm(square, square, square, beta=b, alpha=c)
        x = torch.addmm(x, mixed, x, beta=a)
    x = x.float()
    return x.T if tall else x


def is_hidden(name: str, weight: Tensor) -> bool:
    """Tell whether a weight is a hidden matrix (or convolution), by its full name and shape."""
    return weight.ndim >= 2 and not _OUTER.search(name)


def parameter_groups(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Sort the weights that are trained: hidden matrices, other matrices, vectors.

    Norms and biases do not decay. Groups without a weight are left out.
    """
    named = [(n, p) for n, p in module.named_parameters() if p.requires_grad]
    hidden = [p for n, p in named if is_hidden(n, p)]
    outer = [p for n, p in named if p.ndim >= 2 and not is_hidden(n, p)]
    vectors = [p for _, p in named if p.ndim < 2]
    groups: list[dict[str, Any]] = [
        {"params": hidden, "orthogonal": True, "weight_decay": weight_decay},
        {"params": outer, "orthogonal": False, "weight_decay": weight_decay},
        {"params": vectors, "orthogonal": False, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


class Muon(Optimizer):
    """Muon for groups with `orthogonal=True`, AdamW for the others.

    Args:
        params: Groups as of `parameter_groups`.
        lr: Learning rate, as for AdamW.
        momentum: Of the orthogonalised steps (Nesterov's form).
        betas: Of AdamW.
        eps: Of AdamW.
        weight_decay: Decoupled; of groups that name none.
        dtype: What matrices are multiplied in to orthogonalise them.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.98),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        dtype: torch.dtype = torch.float32,
    ):
        self.dtype = dtype
        defaults = {"lr": lr, "momentum": momentum, "betas": betas, "eps": eps}
        super().__init__(params, {**defaults, "weight_decay": weight_decay, "orthogonal": False})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Take one step; the loss of `closure` is returned if one is given."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            move = self._orthogonal_step if group["orthogonal"] else self._adamw_step
            for weight in group["params"]:
                if weight.grad is not None:
                    weight.mul_(1 - group["lr"] * group["weight_decay"])
                    move(weight, weight.grad, group)
        return loss

    def _orthogonal_step(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        momentum = state["momentum"].lerp_(gradient, 1 - group["momentum"])
        ahead = gradient.lerp(momentum, group["momentum"]).flatten(1)
        step = orthogonalise(ahead, self.dtype).view_as(weight).to(weight.dtype)
        weight.add_(step, alpha=-group["lr"] * _ADAMW_RMS * max(ahead.shape) ** 0.5)

    def _adamw_step(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if not state:
            state |= {"steps": 0, "mean": torch.zeros_like(weight)}
            state["square"] = torch.zeros_like(weight)
        first, second = group["betas"]
        state["steps"] += 1
        state["mean"].lerp_(gradient, 1 - first)
        state["square"].mul_(second).addcmul_(gradient, gradient, value=1 - second)
        spread = (state["square"] / (1 - second ** state["steps"])).sqrt_().add_(group["eps"])
        step_size = group["lr"] / (1 - first ** state["steps"])
        weight.addcdiv_(state["mean"], spread, value=-step_size)
