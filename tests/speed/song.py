"""What the speed scripts share: a song to measure with, and the machine it was measured on."""

from __future__ import annotations

import datetime
import os
import platform

import numpy as np

from llark_py.audio import Audio
from llark_py.compose.clip import make_clip

DURATION_S = 180.0
_PIECE_S = 30.0
_SEED = 9  # with drums, a bass and a singer


def make_song(sample_rate: int) -> Audio:
    """Compose a piece and repeat it to three minutes, mono."""
    _, piece = make_clip(_SEED, _PIECE_S, style="rock", sample_rate=sample_rate)
    repeats = round(DURATION_S / _PIECE_S)
    return Audio(np.tile(piece.samples, repeats), sample_rate)


def machine() -> str:
    """Name the machine and the day."""
    model = platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as file:
            lines = [line for line in file if line.startswith("model name")]
        model = lines[0].split(":")[1].strip() if lines else model
    return f"{os.cpu_count()} cores, {model}, {datetime.date.today().isoformat()}"
