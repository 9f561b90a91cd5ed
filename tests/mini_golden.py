"""What the embedded encoder hears in one sound; `python tests/mini_golden.py` records it anew.

To be done after every new checkpoint, and only then.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from llark_py.encoders.mini import load_embedded

GOLDEN = Path(__file__).parent / "golden" / "mini_encoder.json"
_SECONDS, _RATE = 12.0, 16_000


def sound() -> np.ndarray:
    """A chord that is struck every two seconds, over clicks at 120 BPM: `(n,)` float32."""
    times = np.arange(round(_SECONDS * _RATE)) / _RATE
    pitches = (220.0, 277.18, 329.63, 440.0)
    chord = sum(np.sin(2 * np.pi * hertz * times) / (i + 1) for i, hertz in enumerate(pitches))
    click = np.exp(-(times % 0.5) * 60) * np.sin(2 * np.pi * 1_800 * times)
    return (0.2 * chord * np.exp(-(times % 2.0)) + 0.5 * click).astype(np.float32)


def record() -> dict[str, list[float]]:
    """The first posteriors of every head (means over time for frame heads), and some tokens."""
    encoder, samples = load_embedded(), sound()
    heard = encoder.analyse(samples)
    with torch.no_grad():
        tokens = encoder(torch.from_numpy(samples)[None])[0]
    golden = {
        head: [round(float(v), 5) for v in (p[:12] if p.ndim == 1 else p.mean(0))]
        for head, p in sorted(heard.items())
    }
    golden["tokens"] = [round(float(v), 4) for v in tokens[:24, :4].mean(1)]
    return golden


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(record(), indent=0) + "\n")
