"""What a run of any benchmark is made on, and where its answers go."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llark_py.errors import ConfigError

from .scripts import read_scripts
from .typed_questions import read_questions

MANIFEST = "manifest.jsonl"
CLIP_S = 25.0
"""As long as the clips that LLark was evaluated with."""


@dataclass(frozen=True)
class Trial:
    """A run of a benchmark.

    Attributes:
        n: Clips, or dialogues about clips.
        soundfont: What they are played with; must not be a training soundfont.
        out: Folder for answers, scores, report and plots; None keeps nothing.
        instruments: See `clips.compose_clips`.
        seconds: Length of a clip.
        skip: Leave out so many clips and dialogues first.
        real: Folder of real recordings with a `manifest.jsonl`; None for none.
        thorough: Also baselines, songs and paraphrases, which a training run can do without.
        questions: File of typed questions.
        scripts: Folder of scripted conversations.
        plots: Draw pictures too.
        blind: Also ask with other sounds in the place of a recording, and without any.
    """

    n: int
    soundfont: str = "timgm"
    out: Path | None = None
    instruments: str = "mixed"
    seconds: float = CLIP_S
    skip: int = 0
    real: Path | None = None
    thorough: bool = False
    questions: Path | None = None
    scripts: Path | None = None
    plots: bool = False
    blind: bool = True

    def check(self) -> None:
        """Read what can be missing, before an hour of work rather than after it.

        Raises:
            ConfigError: The real recordings have no manifest, or questions or scripts cannot
                be read.
        """
        if self.real is not None and not (self.real / MANIFEST).is_file():
            raise ConfigError(f"--real {self.real}: there is no {MANIFEST} in it")
        if self.questions is not None:
            read_questions(self.questions)
        if self.scripts is not None:
            read_scripts(self.scripts, self.n)

    def settings(self) -> dict[str, Any]:
        """What the answers of a run depend on, as JSON can hold it."""
        kept = {k: v for k, v in asdict(self).items() if k not in ("out", "plots")}
        if self.blind:  # which runs of versions before 0.14 do not name
            del kept["blind"]
        return {k: str(v) if isinstance(v, Path) else v for k, v in kept.items()}
