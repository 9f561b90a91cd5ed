"""What a run of any benchmark is made on, and where its answers go."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLIP_S = 25.0
"""As long as the clips that LLark was evaluated with."""


@dataclass(frozen=True)
class Trial:
    """A run of a benchmark.

    Attributes:
        n: Clips, or dialogues about clips.
        soundfont: What they are played with; must not be a training soundfont.
        answers_path: JSON lines of every answer go here.
        free_instruments: See `listening.compose_clips`.
        seconds: Length of a clip.
        skip: Leave out so many clips and dialogues first.
    """

    n: int
    soundfont: str = "timgm"
    answers_path: Path | None = None
    free_instruments: bool = False
    seconds: float = CLIP_S
    skip: int = 0

    def keep(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the answers where they go; an interrupted write leaves no file of that name."""
        if self.answers_path is None:
            return
        partial = self.answers_path.with_suffix(".part")
        partial.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        partial.replace(self.answers_path)
