"""What an encoder heard of songs, as arrays that travel between processes."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from llark_py.encoders.mini_form import Form


class HeardSong(NamedTuple):
    """What an encoder heard of one song.

    Attributes:
        tokens: `(3 + T, width)`, the global ones first; None where nobody needs them.
        posteriors: `(classes,)` of the whole song, by head.
        frame_posteriors: `(T, classes)` at 10 Hz, by head.
        form: Who sounds when, and the sections.
        silent: There is nothing to hear.
    """

    tokens: np.ndarray | None
    posteriors: dict[str, np.ndarray]
    frame_posteriors: dict[str, np.ndarray]
    form: Form
    silent: bool


def hear_with(encoder: Any, features: Sequence[np.ndarray]) -> list[HeardSong]:
    """Hear some songs side by side.

    Args:
        encoder: A `MiniEncoder`.
        features: `(T, 488)` of each.
    """
    import torch

    from llark_py.encoders.mini_songs import hear_songs

    with torch.inference_mode():
        songs = [torch.from_numpy(item).to(encoder.device) for item in features]
        return [_pack(hearing) for hearing in hear_songs(encoder, songs)]


def hear_embedded(features: Sequence[np.ndarray]) -> list[HeardSong]:
    """Hear some songs with the embedded encoder, in whichever process this is."""
    return hear_with(_embedded_encoder(), features)


@lru_cache(maxsize=1)
def _embedded_encoder() -> Any:
    """Load the embedded encoder in the precision in which the chat hears as well."""
    import torch

    from llark_py.encoders.mini import load_embedded
    from llark_py.model.precision import bf16_is_fast

    encoder = load_embedded()
    # A copy: the tools of this process go on in float32.
    return deepcopy(encoder).to(torch.bfloat16) if bf16_is_fast("cpu") else encoder


def unpack(heard: HeardSong, device: Any = "cpu") -> Any:
    """Make the encoder's own `Hearing` again."""
    import torch

    from llark_py.encoders.mini import Heard
    from llark_py.encoders.mini_songs import Hearing

    def tensors(arrays: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
        return {n: torch.from_numpy(array)[None].to(device) for n, array in arrays.items()}

    tokens = np.empty((0, 0), np.float32) if heard.tokens is None else heard.tokens
    whole = Heard(
        torch.from_numpy(tokens)[None].to(device),
        tensors(heard.posteriors),
        tensors(heard.frame_posteriors),
    )
    return Hearing(whole, heard.form, heard.silent)


def _pack(hearing: Any) -> HeardSong:
    from llark_py.encoders.mini_songs import to_numpy

    heard = hearing.heard
    return HeardSong(
        to_numpy(heard.tokens[0]),
        {head: to_numpy(p[0]) for head, p in heard.posteriors.items()},
        {head: to_numpy(p[0]) for head, p in heard.frame_posteriors.items()},
        hearing.form,
        hearing.silent,
    )
