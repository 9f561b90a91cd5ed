"""Makes a language model deeper without changing what it says, so that its training can go on.

Further blocks are copies of the blocks before them that add nothing yet: what attention and MLP
write back is multiplied by zeros, which training soon moves (Wu et al., "LLaMA Pro: progressive
LLaMA with block expansion", ACL 2024).
"""

from __future__ import annotations

import re

import torch
from torch import Tensor

from llark_py.errors import ConfigError

_BLOCK = re.compile(r"^(?P<before>.*language_model\.layers\.)(?P<index>\d+)(?P<behind>\..*)$")
_WRITES_BACK = ("self_attn.o_proj.weight", "mlp.down_proj.weight")


def count_blocks(weights: dict[str, Tensor]) -> int:
    """Count the blocks of the language model among the weights of a model."""
    found = (_BLOCK.match(name) for name in weights)
    return 1 + max((int(match["index"]) for match in found if match), default=-1)


def place_blocks(n_old: int, n_new: int) -> list[tuple[int, bool]]:
    """Spread the blocks of a model over a deeper one.

    Args:
        n_old: How many blocks there are.
        n_new: How many there are to be.

    Returns:
        For each of the `n_new` blocks the old one that it comes from, and whether it is a further
        copy of it. Copies come behind the block they are of, evenly spread.

    Raises:
        ConfigError: There would be fewer blocks, or more than twice as many.
    """
    if not n_old <= n_new <= 2 * n_old:
        raise ConfigError(f"{n_old} blocks can become {n_old} to {2 * n_old}, not {n_new}")
    places, extra = [], n_new - n_old
    for block in range(n_old):
        places.append((block, False))
        if (block + 1) * extra // n_old > block * extra // n_old:
            places.append((block, True))
    return places


def expand_blocks(weights: dict[str, Tensor], n_blocks: int) -> dict[str, Tensor]:
    """Give the weights of a model whose language model has more blocks and says the same.

    Args:
        weights: Of the model, by name.
        n_blocks: How many blocks there are to be.

    Returns:
        Weights by name; those that are in no block, and of blocks that are no copies, are not
        copied.

    Raises:
        ConfigError: As `place_blocks`.
    """
    by_block: dict[int, list[tuple[re.Match[str], Tensor]]] = {}
    expanded = {}
    for name, weight in weights.items():
        match = _BLOCK.match(name)
        if match is None:
            expanded[name] = weight
        else:
            by_block.setdefault(int(match["index"]), []).append((match, weight))
    for number, (block, is_copy) in enumerate(place_blocks(len(by_block), n_blocks)):
        for match, weight in by_block[block]:
            if is_copy:
                silent = match["behind"].endswith(_WRITES_BACK)
                weight = torch.zeros_like(weight) if silent else weight.clone()
            expanded[f"{match['before']}{number}{match['behind']}"] = weight
    return expanded
