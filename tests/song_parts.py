"""A song encoder of some thousand weights, made-up posteriors, and a tune to hear."""

from __future__ import annotations

import numpy as np
import torch

from llark_py.encoders import build_encoder, encoder_config
from llark_py.encoders.mini import Heard
from llark_py.encoders.mini_network import N_GLOBAL, frame_classes

RATE = 16_000
LABELS = {
    "families": ["piano", "bass", "drums", "voice"],
    "instruments": ["piano", "electric bass", "drums", "clean electric guitar", "singer"],
    "styles": ["rock", "funk"],
    "densities": ["sparse", "busy"],
    "sounds": ["music", "silence", "noise", "speech"],
}


def song_config(**settings):
    """Configure a small `mini` that hears whole songs and writes notes."""
    options = {"width": 64, "n_layers": 1, "song_frames": True, "writes_notes": True, **LABELS}
    return encoder_config("mini", **(options | settings))


def song_encoder(seed=0, **settings):
    """Build it, with random weights."""
    torch.manual_seed(seed)
    return build_encoder(song_config(**settings)).eval()


def noise(seconds, seed=0):
    """Make noise, float32 (n_samples,)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(round(seconds * RATE), generator=generator) * 0.1


def tune(seconds=20.0):
    """Make a broken-chord tune of decaying sines, float32 (n_samples,)."""
    times = np.arange(int(seconds * RATE)) / RATE
    wave = np.zeros_like(times)
    for number, midi in enumerate((60, 64, 67, 57, 60, 64, 65, 69)):
        start = number * 0.5
        note = (times % 4 >= start) & (times % 4 < start + 0.45)
        wave += note * np.sin(2 * np.pi * 440 * 2 ** ((midi - 69) / 12) * times)
    return (0.3 * wave * np.exp(-3 * (times % 0.5))).astype(np.float32)


def heard_of(config, n_frames, said, activity=None, chords=None, n=1):
    """Make up what was heard of `n` recordings of `n_frames` frames.

    Args:
        config: Whose heads they are.
        n_frames: Of 0.1 s.
        said: By head `{class name: probability}`; classes not named share the rest (exclusive
            heads) or are improbable.
        activity: By family `(first, stop)` frames in which it sounds; others never do.
        chords: Class of the chord head every two seconds, again and again.
        n: How many alike.
    """
    posteriors = {}
    for head, names in config.labels.items():
        given = said.get(head, {})
        rest = 0.02
        if head not in ("families", "instruments") and len(names) > len(given):
            rest = (1 - sum(given.values())) / (len(names) - len(given))
        values = [given.get(name, rest) for name in names]
        posteriors[head] = torch.tensor([values] * n, dtype=torch.float32)
    frames = {
        head: torch.zeros(n, n_frames, count)
        for head, count in frame_classes(len(config.families)).items()
    }
    frames["chord"][..., 24] = 1.0
    frames["beat"][..., 0] = 1.0
    frames["beat"][:, ::5] = torch.tensor([0.0, 1.0, 0.0])
    for family, (first, stop) in (activity or {}).items():
        frames["activity"][:, first:stop, config.families.index(family)] = 0.95
    for t in range(n_frames if chords else 0):
        frames["chord"][:, t] = torch.eye(25)[chords[t // 20 % len(chords)]]
    return Heard(torch.zeros(n, N_GLOBAL + n_frames, config.width), posteriors, frames)
