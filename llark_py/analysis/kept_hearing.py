"""What an encoder heard of a song, as arrays and facts that can be kept on disk, and back.

Head posteriors of the whole song stay float32. Of those of every 0.1 s, and of the tokens, float16
loses at most 0.00025 and 0.002; tokens too large for that (none were seen) stay float32. What is
read back are float32 tensors on the CPU, whatever the encoder computes in.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .song_cache import Arrays

if TYPE_CHECKING:
    from llark_py.encoders.mini_songs import Hearing

_HEAD, _FRAMES, _TOKENS = "head_", "frames_", "tokens"
_MOST_IN_HALF = 8.0  # from here on neighbours in float16 lie 0.0078 apart


class Labels(NamedTuple):
    """What must be known of an encoder to read its heads: class names and tempo bins in BPM."""

    sounds: list[str]
    tempo_bins_bpm: list[float]


def pack_hearing(hearing: Hearing, config: Any) -> tuple[dict[str, np.ndarray], bytes]:
    """Turn a hearing, with the labels of its encoder, into arrays and JSON."""
    from pydantic import TypeAdapter

    from llark_py.encoders.mini_form import Form
    from llark_py.encoders.mini_songs import to_numpy

    heard = hearing.heard
    tokens = to_numpy(heard.tokens)
    fits = float(np.abs(tokens).max()) < _MOST_IN_HALF
    arrays = {_TOKENS: tokens.astype(np.float16) if fits else tokens}
    for head, p in heard.posteriors.items():
        arrays[_HEAD + head] = to_numpy(p)
    for head, p in heard.frame_posteriors.items():
        arrays[_FRAMES + head] = to_numpy(p).astype(np.float16)
    labels = Labels(list(config.sounds), np.asarray(config.tempo_bins_bpm).tolist())
    facts = {
        "labels": labels._asdict(),
        "silent": hearing.silent,
        "form": TypeAdapter(Form).dump_python(hearing.form, mode="json"),
    }
    return arrays, json.dumps(facts).encode()


def unpack_heads(arrays: Arrays, facts: bytes) -> tuple[dict[str, np.ndarray], Labels]:
    """Give what `Hearing.heads` gave, and the labels; loads no torch.

    Raises:
        KeyError, ValueError: These are no arrays and facts of a hearing.
    """
    heads = {n.removeprefix(_HEAD): arrays[n][0] for n in arrays if n.startswith(_HEAD)}
    frames = {
        f"{n.removeprefix(_FRAMES)}_frames": arrays[n][0].astype(np.float32)
        for n in arrays
        if n.startswith(_FRAMES)
    }
    labels = json.loads(facts)["labels"]
    return {**heads, **frames}, Labels(labels["sounds"], labels["tempo_bins_bpm"])


def unpack_hearing(arrays: Arrays, facts: bytes) -> Hearing:
    """Make the hearing of arrays and JSON again.

    Raises:
        KeyError, ValueError: These are no arrays and facts of a hearing.
    """
    import torch
    from pydantic import TypeAdapter

    from llark_py.encoders.mini import Heard
    from llark_py.encoders.mini_form import Form
    from llark_py.encoders.mini_songs import Hearing

    said = json.loads(facts)

    def tensors(prefix: str) -> dict[str, torch.Tensor]:
        found = {n.removeprefix(prefix): arrays[n] for n in arrays if n.startswith(prefix)}
        return {n: torch.from_numpy(a.astype(np.float32)) for n, a in found.items()}

    heard = Heard(tensors(_TOKENS)[""], tensors(_HEAD), tensors(_FRAMES))
    form = TypeAdapter(Form).validate_python(said["form"])
    return Hearing(heard, form, said["silent"])
